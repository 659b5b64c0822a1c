"""``sites/*.yml`` into rows, one for each site, in whatever order the files have.

A scalar is ``name class link carrier``; words that are left out, or written as ``-``, come from the defaults. The
name must be the division's name: a wrong code would otherwise move a village unnoticed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from inventory.county import County
from inventory.declared import did_you_mean, none_of, validate
from inventory.divisions import CODE, Nodes, full_code
from inventory.entries import Defaults, MoreEntry, Shared, SiteEntry, SiteFile, TownshipEntry, VillageEntry
from inventory.source import Source
from inventory.vocabulary import LINK_TYPES

MAIN: Final = "-"
"""The key of a division's own site."""

_BELOW: Final = {"center": 0, "unit": 1, "more": 2, "village": 3}
_BELOW_IT: Final = {"more", "villages"}
_SAID_BY_ROWS: Final = {"is_", "site_type", *_BELOW_IT}
_PATH = tuple[str | int, ...]


class Row(NamedTuple):
    """One declared site. ``defaults`` is a position in `Rows.defaults`.

    ``path`` leads to it in ``file``: ``step`` below ``above``, which the villages of a township share.
    """

    node: int
    rank: int
    site_type: str
    key: str
    name: str
    site_class: str
    link_type: str
    carrier: str
    defaults: int
    entry: SiteEntry | None  # None where a scalar says it all
    file: str
    above: _PATH
    step: str | int

    @property
    def path(self) -> _PATH:
        return (*self.above, self.step)


@dataclass
class Rows:
    """Everything that the site files declare; ``own_defaults`` are a file's before merging, for complaints."""

    rows: list[Row] = field(default_factory=list)
    defaults: list[Defaults] = field(default_factory=list)
    own_defaults: list[tuple[str, Defaults]] = field(default_factory=list)
    slugs: dict[int, str] = field(default_factory=dict)


def merge_defaults(county: Defaults, own: Defaults) -> Defaults:
    """``own`` where it says something, else ``county``."""
    said = {name: getattr(own, name) for name in own.model_fields_set}
    return county.model_copy(update=said)


def inherit(entry: Shared | None, defaults: Defaults, name: str) -> Any:
    """A shared field of a site: its own, else its defaults'."""
    value = getattr(entry, name) if entry is not None else None
    return getattr(defaults, name) if value is None else value


def read_sites(source: Source, county: County, nodes: Nodes) -> Rows:
    """Every site of every file; problems go to ``source``."""
    rows = Rows()
    for file in sorted(name for name in source.files if name.startswith("sites/") and name.endswith(".yml")):
        document = source.yaml(file)
        if document is not None:
            declared = validate(SiteFile, document, file, (), source.locate(file), source.problems)
            if declared is not None:
                _FileReader(source, county, nodes, rows, file, declared).read()
    return rows


def _exception(entry: SiteEntry) -> SiteEntry | None:
    """An entry without the sites below it, which are rows of their own; None where it then says no more than a scalar.

    A country has 40,000 townships with their villages below them: kept, they would be there twice.
    """
    told = entry.model_fields_set - _SAID_BY_ROWS
    return entry.model_copy(update={name: {} for name in entry.model_fields_set & _BELOW_IT}) if told else None


class _FileReader:
    def __init__(self, source: Source, county: County, nodes: Nodes, rows: Rows, file: str, declared: SiteFile) -> None:
        self.source, self.county, self.nodes, self.out = source, county, nodes, rows
        self.file, self.declared = file, declared
        merged = merge_defaults(county.defaults, declared.defaults)
        self.defaults = merged
        rows.defaults.append(merged)
        rows.own_defaults.append((file, declared.defaults))
        self.defaults_at = len(rows.defaults) - 1
        self._tails: dict[tuple[str, str], tuple[str, str, str] | None] = {}

    def complain(self, path: _PATH, message: str, mend: str) -> None:
        self.source.complain(self.file, path, message, mend)

    def read(self) -> None:
        top = self._node(self.declared.division, ("division",), None)
        if top is None:
            return
        if self.declared.slug:
            self.out.slugs[top] = self.declared.slug
        if self.declared.center is not None:
            self._one(top, "center", "county_center", MAIN, self.declared.center, ("center",), SiteEntry)
        for key, value in self.declared.units.items():
            self._keyed(top, "unit", key, value, ("units", key))
        self._more(top, self.declared.more, ("more",))
        for code, value in self.declared.townships.items():
            self._township(top, code, value)
        self._villages(top, self.declared.villages, ("villages",))

    def _node(self, code: str, path: _PATH, below: int | None) -> int | None:
        """The position of a code; complains where it is unknown or not right below ``below``."""
        full = full_code(code)
        at = self.nodes.index.get(full)
        if at is None:
            mend = "Correct the code, or add it to the division list."
            if not CODE.fullmatch(full):
                mend = "A code has 6, 9 or 12 digits."
            self.complain(path, f"{code} is not in the division list.", mend)
            return None
        if below is not None and self.nodes.parents[at] != below:
            above = self.nodes.parents[at]
            real = f"{self.nodes.codes[above]} {self.nodes.names[above]}" if above >= 0 else "nothing"
            mine = f"{self.nodes.codes[below]} {self.nodes.names[below]}"
            message = f"{full} {self.nodes.names[at]} belongs to {real}, not to {mine}."
            self.complain(path, message, "Move it there, or correct the code.")
            return None
        return at

    def _township(self, top: int, code: str, value: Any) -> None:
        path = ("townships", code)
        at = self._node(code, path, top)
        if at is None:
            return
        if isinstance(value, str):
            self._one(at, "center", "township_center", MAIN, value, path, TownshipEntry)
            return
        entry = validate(TownshipEntry, value, self.file, path, self.source.locate(self.file), self.source.problems)
        if entry is None:
            return
        if entry.is_ is not None:
            self._add(at, "center", "township_center", MAIN, entry.is_, entry, path)
        elif entry.model_fields_set - {"villages", "more"}:
            extra = ", ".join(sorted(entry.model_fields_set - {"villages", "more"}))
            self.complain(
                path, f"{extra} belongs to a centre, but 'is' is missing.", "Write is: NAME class link carrier."
            )
        self._more(at, entry.more, (*path, "more"))
        self._villages(at, entry.villages, (*path, "villages"))

    def _villages(self, above: int, villages: Mapping[str, Any], path: _PATH) -> None:
        nodes, parents, names, index = self.nodes, self.nodes.parents, self.nodes.names, self.nodes.index
        codes = nodes.codes
        append, defaults_at, file = self.out.rows.append, self.defaults_at, self.file
        for code, value in villages.items():
            at = index.get(code if len(code) == 12 else full_code(code))
            if at is None or parents[at] != above:
                self._node(code, (*path, code), above)
                continue
            if nodes.levels[at] != 5:
                message = f"{code} {names[at]} is not a village (level {nodes.levels[at]})."
                self.complain((*path, code), message, "Declare it under townships.")
                continue
            if type(value) is str:
                name = names[at]
                if value == name:
                    tail = ""
                elif value.startswith(name) and value[len(name)] == " ":
                    tail = value[len(name) + 1 :]
                else:
                    tail = None
                words = self._words(tail, "village") if tail is not None else None
                if words is None:
                    self._add(at, "village", "village_site", MAIN, value, None, (*path, code))
                    continue
                append(
                    Row(at, 3, "village_site", MAIN, name, words[0], words[1], words[2], defaults_at, None, file,
                        path, codes[at] if len(code) == 12 else code)
                )  # fmt: skip
                continue
            entry = self._one(at, "village", "village_site", MAIN, value, (*path, code), VillageEntry)
            if isinstance(entry, VillageEntry):
                self._more(at, entry.more, (*path, code, "more"))

    def _more(self, at: int, more: Mapping[str, Any], path: _PATH) -> None:
        for key, value in more.items():
            self._keyed(at, "more", key, value, (*path, key))

    def _keyed(self, at: int, rank: str, key: str, value: Any, path: _PATH) -> None:
        if not key or not key[0].isalpha() or not key.replace("-", "").isalnum() or not key.isascii() or len(key) > 20:
            self.complain(path, f"{key!r} is no key.", "Write 1 to 20 small letters, digits and hyphens.")
            return
        if rank == "unit":
            self._one(at, rank, "county_unit", key, value, path, SiteEntry)
            return
        if isinstance(value, str):
            self.complain(path, "a further site needs its type.", "Write a mapping with type: and is:.")
            return
        entry = validate(MoreEntry, value, self.file, path, self.source.locate(self.file), self.source.problems)
        if entry is None:
            return
        if entry.is_ is None:
            self.complain(path, "'is' is missing.", "Write is: NAME class link carrier.")
            return
        self._add(at, rank, entry.site_type, key, entry.is_, entry, path)

    def _one(
        self, at: int, rank: str, site_type: str, key: str, value: Any, path: _PATH, model: type[SiteEntry]
    ) -> SiteEntry | None:
        if isinstance(value, str):
            self._add(at, rank, site_type, key, value, None, path)
            return None
        entry = validate(model, value, self.file, path, self.source.locate(self.file), self.source.problems)
        if entry is None:
            return None
        if entry.is_ is None:
            self.complain(path, "'is' is missing.", "Write is: NAME class link carrier.")
            return None
        self._add(at, rank, site_type, key, entry.is_, entry, path)
        return entry

    def _add(
        self, at: int, rank: str, site_type: str, key: str, said: str, entry: SiteEntry | None, path: _PATH
    ) -> None:
        default_of = {"center": "center" if site_type == "county_center" else "township", "more": "village"}
        kind = default_of.get(rank, rank)
        if key == MAIN:
            name = self.nodes.names[at]
            if said != name and not said.startswith(f"{name} "):
                found = said.split(" ")[0]
                message = f"{self.nodes.codes[at]} is {name}, not {found}."
                self.complain(path, message, "Correct the code or the name; the division list decides.")
                return
            tail = said[len(name) + 1 :]
        else:
            name, _, tail = said.partition(" ")
        words = self._words(tail, kind, path)
        if words is not None:
            entry = _exception(entry) if entry is not None else None
            self.out.rows.append(
                Row(
                    at,
                    _BELOW[rank],
                    site_type,
                    key,
                    name,
                    *words,
                    self.defaults_at,
                    entry,
                    self.file,
                    path[:-1],
                    path[-1],
                )
            )

    def _words(self, tail: str, kind: str, path: _PATH = ()) -> tuple[str, str, str] | None:
        """``class link carrier`` of a scalar, completed from the defaults; None where they are wrong."""
        cached = self._tails.get((kind, tail))
        if cached is None:
            cached = self._read_words(tail, kind, path)
            if cached is not None:
                self._tails[kind, tail] = cached
        return cached

    def _read_words(self, tail: str, kind: str, path: _PATH) -> tuple[str, str, str] | None:
        said = tail.split()
        usual = (getattr(self.defaults, kind) or "").split()
        if len(said) > 3 or len(usual) > 3:
            if path:
                self.complain(path, f"{tail!r} has too many words.", "Write NAME class link carrier.")
            return None
        three = [said[i] if i < len(said) and said[i] != "-" else usual[i] if i < len(usual) else "-" for i in range(3)]
        site_class, link_type, carrier = three
        wrong = False
        for what, word, choices in (
            ("class", site_class, self.county.classes),
            ("link type", link_type, LINK_TYPES),
            ("carrier", carrier, self.county.carriers),
        ):
            if word in choices or (word == "-" and what != "class"):
                continue
            wrong = True
            if not path:
                continue
            if word == "-":
                self.complain(path, "the class is missing.", f"Write it, or set defaults.{kind}.")
            else:
                mend = did_you_mean(word, choices, "Choose one of them, or declare it in county.yml.")
                self.complain(path, f"the {what} {none_of(word, choices)}", mend)
        return None if wrong else (site_class, link_type, carrier)
