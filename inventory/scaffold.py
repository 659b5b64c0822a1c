"""``cuntong init``: a valid inventory for any part of the nation, from the operator's division list alone.

Every township gets a centre and every village a site, of one class each; the operator then writes what is different.
A virtual village is listed as exempt, so that everybody sees why it is in no denominator. The folder appears as a
whole or not at all.
"""

import contextlib
import lzma
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from inventory import lockfile
from inventory.addresses import PlanFullError
from inventory.divisions import Nodes, build, full_code, read_csv
from inventory.errors import InventoryError, Problem
from inventory.loader import plan_of
from inventory.scaffold_text import COUNTY, HEADER, MILESTONES
from inventory.strict import YamlError, quote, read

_SMALLEST_POOL: Final = 17
_LARGEST_POOL: Final = 9
_FULL_ENOUGH: Final = 0.7
"""How full the pools may be on the first day."""
_LARGE: Final = 50_000
"""Lines of a division list from which on it pays to leave other provinces out."""


@dataclass(frozen=True, slots=True)
class ScaffoldReport:
    """What was written. ``notes`` are sentences that the operator should read."""

    folder: Path
    title: str
    slug: str
    files: tuple[str, ...]
    townships: int
    villages: int
    virtual: int
    sites: int
    notes: tuple[str, ...]


def write_inventory(
    folder: Path,
    divisions_csv: Path,
    code: str,
    *,
    title: str | None = None,
    slug: str | None = None,
    units: Sequence[tuple[str, str]] = (),
) -> ScaffoldReport:
    """Write an inventory for the division ``code`` and everything below it.

    Args:
        folder: must not exist, or be empty.
        divisions_csv: ``code,name,level,parent``, also as ``.csv.xz``; may hold the whole nation.
        units: key and name of county units (县直单位), where they are known.

    Raises:
        InventoryError: the folder is not empty, the list is unreadable, or the code is not in it.
    """
    folder, divisions_csv = Path(folder), Path(divisions_csv)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        mend = "Name a new folder, or empty this one."
        raise InventoryError([Problem(str(folder), 0, "", "this folder is not empty.", mend)])
    nodes = _nodes(divisions_csv, code)
    writer = _Writer(nodes, title, slug, units)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        files = writer.write(draft)
        draft.chmod(0o755)
        draft.replace(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return writer.report(folder, files)


def _nodes(divisions_csv: Path, code: str) -> Nodes:
    name = divisions_csv.name
    try:
        data = read(divisions_csv.parent, name)
    except YamlError as error:
        raise InventoryError(error.problems) from None
    rows, problems = read_csv(name, _province(name, data, code))
    if problems:
        raise InventoryError(problems)
    top = full_code(code)
    tree, problems = build(name, rows, [], {}, top)
    below = [problem for problem in problems if problem.path != "top"]
    if tree is None:
        mend = "Check the code: 2 digits name a province, 4 a prefecture, 6 a county."
        raise InventoryError([Problem(name, 0, "", f"{code} is not in this list.", mend)])
    if tree.nodes.levels[0] > 3:
        mend = "Name a county, a prefecture or a province."
        raise InventoryError([Problem(name, 0, "", f"{code} {tree.nodes.names[0]} is below the county.", mend)])
    if below:
        raise InventoryError(below)
    return tree.nodes


def _province(name: str, data: bytes, code: str) -> bytes:
    """The list without other provinces (their lines are left empty), so that a county does not pay for the nation."""
    if name.endswith(".xz"):
        with contextlib.suppress(lzma.LZMAError):
            data = lzma.decompress(data)
    head, *lines = data.split(b"\n")
    if len(lines) > _LARGE and head.removeprefix(b"\xef\xbb\xbf").startswith(b"code,"):
        mine = code[:2].encode()
        data = b"\n".join([head, *(line if line.startswith(mine) else b"" for line in lines)])
    return data


class _Writer:
    def __init__(self, nodes: Nodes, title: str | None, slug: str | None, units: Sequence[tuple[str, str]]) -> None:
        self.nodes, self.units = nodes, units
        self.title = title or f"{nodes.names[0]}电子政务外网"
        self.slug = slug or _slug(nodes.names[0])
        self.virtual = self.townships = self.villages = 0
        self.placeholders: list[str] = []
        self.sites = 0

    def write(self, folder: Path) -> tuple[str, ...]:
        nodes = self.nodes
        (folder / "sites").mkdir()
        self._write_divisions(folder)
        files = ["county.yml", "divisions.csv", "milestones.yml", lockfile.NAME]
        (folder / "milestones.yml").write_text(MILESTONES, "utf-8")
        slugs = {self.slug}
        for node in range(len(nodes)):
            if nodes.levels[node] > 3:
                continue
            name = self._file_of(node)
            own = self.slug
            if node:
                own, number = _slug(nodes.names[node]), 2
                while own in slugs:
                    own, number = f"{_slug(nodes.names[node])[:8]}{number}", number + 1
                slugs.add(own)
            text = self._county_file(node, own)
            if text:
                (folder / name).write_text(text, "utf-8")
                files.append(name)
        self._fit_plan(folder)
        return tuple(files)

    def report(self, folder: Path, files: tuple[str, ...]) -> ScaffoldReport:
        notes = []
        if self.virtual:
            notes.append(f"{self.virtual} virtual villages are listed as exempt and in no denominator.")
        if self.placeholders:
            names = ", ".join(self.placeholders)
            notes.append(f"{names}: a placeholder row, so its villages hang on it without a township centre.")
        if not self.villages:
            notes.append("The list has no villages below this division.")
        notes.append("Addresses are private ranges; correct county.yml before the first change of a real device.")
        return ScaffoldReport(
            folder, self.title, self.slug, files, self.townships, self.villages, self.virtual, self.sites, tuple(notes)
        )

    def _file_of(self, node: int) -> str:
        return f"sites/{self.nodes.codes[node].rstrip('0').ljust(6, '0')}.yml"

    def _write_divisions(self, folder: Path) -> None:
        nodes = self.nodes
        lines = ["code,name,level,parent,kind,since"]
        for i, code in enumerate(nodes.codes):
            parent = nodes.codes[nodes.parents[i]] if nodes.parents[i] >= 0 else ""
            name = nodes.names[i]
            if any(mark in name for mark in ',"\n'):
                name = '"' + name.replace('"', '""') + '"'
            lines.append(f"{code},{name},{nodes.levels[i]},{parent},{nodes.kinds[i]},{nodes.since[i]}")
        (folder / "divisions.csv").write_text("\n".join(lines) + "\n", "utf-8")

    def _county_file(self, node: int, slug: str) -> str:
        nodes = self.nodes
        name = nodes.names[node]
        townships = [child for child in nodes.children(node) if nodes.levels[child] == 4]
        villages = [child for child in nodes.children(node) if nodes.levels[child] == 5]
        # 市辖区, 县, 省直辖县级行政区划: rows that only hold counties together.
        nobody = node != 0 and nodes.levels[node] == 2 and not townships and name in _NOBODY
        if nobody:
            return ""
        lines = [f"# {name}", f'division: "{nodes.codes[node]}"']
        if node:
            lines.append(f"slug: {slug}")
        lines += ["", f"center: {quote(name)}"]
        self.sites += 1
        if node == 0 and self.units:
            lines += ["", "units:"]
            lines += [f"  {key}: {quote(unit)}" for key, unit in self.units]
            self.sites += len(self.units)
        if townships:
            lines += ["", "townships:"]
            for township in townships:
                lines += self._township(township)
        if villages:
            lines += ["", "villages:"]
            for village in villages:
                lines += self._village(village, "  ")
        return "\n".join(lines) + "\n"

    def _township(self, node: int) -> list[str]:
        nodes = self.nodes
        villages = nodes.children(node)
        lines = [f'  "{nodes.codes[node]}":']
        if nodes.kinds[node] == "placeholder":
            self.placeholders.append(nodes.names[node])
        else:
            lines.append(f"    is: {quote(nodes.names[node])}")
            self.townships += 1
            self.sites += 1
        if villages:
            lines.append("    villages:")
            for village in villages:
                lines += self._village(village, "      ")
        elif nodes.kinds[node] == "placeholder":
            return []
        return lines

    def _village(self, node: int, indent: str) -> list[str]:
        code, name = self.nodes.codes[node], quote(self.nodes.names[node])
        self.sites += 1
        if self.nodes.kinds[node] != "virtual":
            self.villages += 1
            return [f"{indent}{code}: {name}"]
        self.virtual += 1
        return [
            f"{indent}{code}:",
            f"{indent}  is: {quote(self.nodes.names[node] + ' none')}",
            f"{indent}  requirement: exempt",
            f"{indent}  reason: 虚拟统计单元，无人办事",
        ]

    def _fit_plan(self, folder: Path) -> None:
        """The smallest pools that the county fills to seven tenths at most, and the lock file."""
        routers = self.sites * 2 + 64
        for length in range(_SMALLEST_POOL, _LARGEST_POOL - 1, -1):
            (folder / "county.yml").write_text(self._county_text(length, routers), "utf-8")
            try:
                _, lock, _ = plan_of(folder)
            except InventoryError as error:
                if isinstance(error.__cause__, PlanFullError) and length > _LARGEST_POOL:
                    continue
                raise
            taken = sum(1 << (32 - int(block.partition("/")[2])) for _, block in lock.blocks)
            if taken <= _FULL_ENOUGH * (1 << (32 - length)) or length == _LARGEST_POOL:
                lockfile.write(folder, lock)
                return

    def _county_text(self, length: int, routers: int) -> str:
        bits = max(10, (self.sites * 2).bit_length())
        v6 = max(32, (64 - 6 - bits) // 4 * 4)
        head = Template(HEADER).substitute(
            name=self.nodes.names[0],
            title=quote(self.title),
            code=self.nodes.codes[0],
            slug=self.slug,
            public=f"10.0.0.0/{length}",
            internet=f"10.128.0.0/{length}",
            loopbacks=f"172.16.0.0/{max(13, 32 - routers.bit_length())}",
            p2p=f"172.24.0.0/{max(13, 30 - routers.bit_length())}",
            ipv6=f"2001:db8::/{v6}",
        )
        return head + COUNTY


_NOBODY: Final = ("市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划")


def _slug(name: str) -> str:
    """The initials of a county's name without its tier."""
    # Imported here: pinyin and its dictionaries take a tenth of a second.
    from inventory.names import stem_of
    from inventory.slugs import initials

    return initials(_without_tier(stem_of(name)))


def _without_tier(name: str) -> str:
    """天全 for 天全县: the letter of the tier would be the same for every county."""
    return name[:-1] if len(name) > 2 and name[-1] in "县市区旗" else name
