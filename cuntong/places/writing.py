"""An inventory folder for a place, from its division list: what an operator would have written by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from inventory.divisions import Division, Nodes, build
from inventory.errors import InventoryError
from inventory.loader import allocate_missing, load
from inventory.model import Inventory
from inventory.scaffold_text import COUNTY

_ADDRESSES: Final = {
    "zones": {"gov_public": "10.0.0.0/12", "gov_internet": "10.128.0.0/12"},
    "mgmt": {"loopbacks": "172.16.0.0/18", "p2p": "172.24.0.0/15"},
    "ipv6": "2001:db8::/40",
}
_LISTED_ONLY: Final = frozenset({"virtual", "quasi_township"})
"""Kinds whose site is listed without equipment."""


class _Plain(yaml.CSafeDumper):
    def ignore_aliases(self, _data: Any) -> bool:
        return True


@dataclass
class Draft:
    """What is to be written.

    Attributes:
        rows: the division list; ended rows are history.
        own: nodes of the operator's own, as in county.yml.
        sites: by division code, what its site has beside the usual: keys of a site's mapping.
        more: by division code and key, further sites.
        absent: divisions without a site.
    """

    title: str
    top: str
    slug: str
    rows: Sequence[Division]
    coverage: Mapping[str, Any]
    names: Mapping[str, str]
    own: Sequence[Mapping[str, Any]] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    sites: dict[str, dict[str, Any]] = field(default_factory=dict)
    more: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    milestones: list[dict[str, Any]] = field(default_factory=list)
    responsible: str = ""

    def nodes(self) -> Nodes:
        """The tree of today.

        Raises:
            InventoryError: the list is broken.
        """
        own = [
            Division(
                str(node["code"]), str(node["name"]), int(node["level"]), str(node["parent"]), "zone", 0,
                adopts=tuple(node.get("adopts", ())),
            )
            for node in self.own
        ]  # fmt: skip
        tree, problems = build("divisions.csv", self.rows, own, dict.fromkeys((n.code for n in own), 0), self.top)
        if tree is None or problems:
            raise InventoryError(problems)
        return tree.nodes

    def write(self, folder: Path) -> Inventory:
        """Write the folder, give every site its id and addresses (those of an earlier lock file stay), and load it.

        Raises:
            InventoryError: what is wrong with it.
        """
        nodes = self.nodes()
        (folder / "sites").mkdir(parents=True, exist_ok=True)
        for old in (folder / "sites").glob("*.yml"):
            old.unlink()
        (folder / "divisions.csv").write_text(self._list(), "utf-8")
        county = yaml.safe_load(COUNTY) | {
            "title": self.title, "top": self.top, "slug": self.slug, "divisions": "divisions.csv",
            "addresses": _ADDRESSES, "names": dict(self.names), "coverage": dict(self.coverage),
        }  # fmt: skip
        county["nodes"] = [dict(node) for node in self.own]
        county["defaults"]["responsible"] = self.responsible
        _dump(folder / "county.yml", county)
        _dump(folder / "milestones.yml", {"milestones": self.milestones})
        slugs: set[str] = set()
        for place in range(len(nodes)):
            if nodes.levels[place] <= 3:
                _dump(folder / "sites" / f"{nodes.codes[place]}.yml", self._file(nodes, place, slugs))
        allocate_missing(folder)
        return load(folder)

    def _list(self) -> str:
        lines = ["code,name,level,parent,kind,since,until,successor"]
        lines += [
            f"{r.code},{r.name},{r.level},{r.parent},{r.kind},{r.since},{r.until},{r.successor}" for r in self.rows
        ]
        return "\n".join(lines) + "\n"

    def _file(self, nodes: Nodes, place: int, slugs: set[str]) -> dict[str, Any]:
        code = nodes.codes[place]
        document: dict[str, Any] = {"division": code}
        if place:
            slug = f"{self.slug}{len(slugs) + 1}"
            slugs.add(slug)
            document["slug"] = slug
        if code not in self.absent:
            document["center"] = self._site(nodes, place)
        if place == 0 and self.units:
            document["units"] = dict(self.units)
        townships: dict[str, Any] = {}
        for child in nodes.children(place):
            if nodes.levels[child] == 4:
                townships[nodes.codes[child]] = self._township(nodes, child)
        if townships:
            document["townships"] = townships
        if code in self.more:
            document["more"] = self.more[code]
        return document

    def _township(self, nodes: Nodes, place: int) -> dict[str, Any]:
        told = self._site(nodes, place)
        entry: dict[str, Any] = {"is": told} if isinstance(told, str) else told
        villages = {nodes.codes[child]: self._site(nodes, child) for child in nodes.children(place)
                    if nodes.codes[child] not in self.absent}  # fmt: skip
        if villages:
            entry["villages"] = villages
        if nodes.codes[place] in self.more:
            entry["more"] = self.more[nodes.codes[place]]
        return entry

    def _site(self, nodes: Nodes, place: int) -> str | dict[str, Any]:
        said = nodes.names[place] + (" none" if nodes.kinds[place] in _LISTED_ONLY else "")
        extra = self.sites.get(nodes.codes[place])
        return {"is": said, **extra} if extra else said


def _dump(path: Path, document: Mapping[str, Any]) -> None:
    text = yaml.dump(document, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=10_000)
    path.write_text(text, "utf-8")
