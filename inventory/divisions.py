"""The administrative tree: read from the operator's CSV, held as columns in depth-first order.

A subtree is the interval ``[i, ends[i])``, by explicit parent links and never by a prefix of the code: an
operator's own node (a development zone) may sit at any tier and adopt existing divisions.
"""

import csv
import io
import lzma
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from inventory.errors import Problem
from inventory.vocabulary import KINDS

if TYPE_CHECKING:
    from _csv import Reader

_XZ: Final = b"\xfd7zXZ\0"
CODE: Final = re.compile(r"[0-9]{2}[0-9A-Z]{10}")
_WIDTHS: Final = frozenset((2, 4, 6, 9, 12))
_COLUMNS: Final = ("code", "name", "level", "parent")
_TOWNSHIP_KINDS: Final = {"0": "subdistrict", "1": "town", "2": "township", "3": "township"}
_VILLAGE_KINDS: Final = {
    "0": "community", "1": "community", "2": "village", "3": "village", "4": "quasi_community", "5": "quasi_village",
}  # fmt: skip
_LEVEL_KINDS: Final = {1: "province", 2: "prefecture", 3: "county"}


def full_code(code: str) -> str:
    """The 12 characters of a division code that may be cut at a tier: ``511825`` is ``511825000000``."""
    return code.ljust(12, "0") if len(code) < 12 else code


def kind_of(code: str, level: int) -> str:
    """The kind that the digits of a statistical code give (segments as NBS hands them out)."""
    if level == 4:
        return "placeholder" if code[6:9] == "198" else _TOWNSHIP_KINDS.get(code[6], "quasi_township")
    if level == 5:
        return "virtual" if code[9:] in ("498", "598") else _VILLAGE_KINDS.get(code[9], "quasi_village")
    return _LEVEL_KINDS[level]


class Division(NamedTuple):
    """One row: of the CSV, or an operator's own node.

    Attributes:
        line: where it stands in its file.
        since, until: ISO dates or years as the list gives them; empty where it does not. ``until`` is exclusive.
        successor: the code that took over after ``until``.
        adopts: codes of existing divisions that hang below this node instead of below their parent.
    """

    code: str
    name: str
    level: int
    parent: str
    kind: str
    line: int
    since: str = ""
    until: str = ""
    successor: str = ""
    adopts: tuple[str, ...] = ()


class Nodes:
    """The tree's columns; index is the position in depth-first order, 0 is the top."""

    def __init__(
        self, codes: list[str], names: list[str], levels: list[int], kinds: list[str], parents: list[int],
        since: list[str],
    ) -> None:  # fmt: skip
        self.codes, self.names, self.levels, self.kinds, self.parents = codes, names, levels, kinds, parents
        self.since = since
        self.ends = list(range(1, len(codes) + 1))
        for i in range(len(codes) - 1, 0, -1):
            parent = parents[i]
            if self.ends[i] > self.ends[parent]:
                self.ends[parent] = self.ends[i]
        self.index = {code: i for i, code in enumerate(codes)}

    def __len__(self) -> int:
        return len(self.codes)

    def find(self, code: str) -> int:
        """The position of a code of 2, 4, 6, 9 or 12 characters.

        Raises:
            KeyError: no such division here.
        """
        if len(code) not in _WIDTHS:
            raise KeyError(code)
        return self.index[full_code(code)]

    def children(self, i: int) -> list[int]:
        """The positions right below ``i``, in order."""
        found, child = [], i + 1
        while child < self.ends[i]:
            found.append(child)
            child = self.ends[child]
        return found

    def ancestors(self, i: int) -> list[int]:
        """The positions above ``i``, nearest first."""
        above = []
        while (i := self.parents[i]) >= 0:
            above.append(i)
        return above


def read_csv(file: str, data: bytes) -> tuple[list[Division], list[Problem]]:
    """The rows of an operator's division list, ``.csv`` or ``.csv.xz``; columns beyond the known are ignored."""
    try:
        plain = lzma.decompress(data) if data[:6] == _XZ else data
    except lzma.LZMAError:
        return [], [Problem(file, 0, "", "this xz file is damaged.", "Compress the list again.")]
    try:
        return _read_plain(file, plain)
    except UnicodeDecodeError:
        line = _line_of_no_utf8(plain)
        return [], [Problem(file, line, "", "this is not UTF-8 (the file may be GBK).", "Save it as UTF-8.")]


def _line_of_no_utf8(data: bytes) -> int:
    """The first line that is no UTF-8: no character spans two lines."""
    for number, line in enumerate(io.BytesIO(data), 1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return number
    return 0


def _read_plain(file: str, data: bytes) -> tuple[list[Division], list[Problem]]:
    """Raises UnicodeDecodeError, wherever in the data it is met: all of it as text would take four times its size."""
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="\n"))
    header = [name.strip() for name in next(reader, [])]
    if not header:
        return [], [Problem(file, 0, "", "this file is empty.", "Give it the columns code,name,level,parent.")]
    absent = [name for name in _COLUMNS if name not in header]
    if absent:
        mend = "The first line names the columns code,name,level,parent."
        return [], [Problem(file, 1, "", f"the column {', '.join(absent)} is missing.", mend)]
    return _rows(file, reader, header)


def _rows(file: str, reader: "Reader", header: list[str]) -> tuple[list[Division], list[Problem]]:
    code_at, name_at, level_at, parent_at = (header.index(name) for name in _COLUMNS)
    kind_at = header.index("kind") if "kind" in header else -1
    since_at = next((header.index(n) for n in ("since", "code_since") if n in header), -1)
    until_at = header.index("until") if "until" in header else -1
    first_at = header.index("first_year") if "first_year" in header else -1
    last_at = header.index("last_year") if "last_year" in header else -1
    successor_at = header.index("successor") if "successor" in header else -1
    rows: list[Division] = []
    problems: list[Problem] = []
    words: dict[str, str] = {}  # parents and names that stand in many rows are there once
    for row in reader:
        line = reader.line_num
        if not row:
            continue
        if len(row) != len(header):
            problems.append(
                Problem(file, line, "", f"{len(row)} fields stand where {len(header)} are meant.", "Check the commas.")
            )
            continue
        code, name, level = full_code(row[code_at].strip()), row[name_at].strip(), row[level_at].strip()
        if not (len(code) == 12 and code.isdecimal() and code.isascii()) and not CODE.fullmatch(code):
            mend = "A code has 2, 4, 6, 9 or 12 digits (capital letters in your own)."
            problems.append(Problem(file, line, "code", f"{row[code_at]!r} is no division code.", mend))
            continue
        if level not in ("1", "2", "3", "4", "5"):
            mend = "Levels are 1 province, 2 prefecture, 3 county, 4 township, 5 village."
            problems.append(Problem(file, line, "level", f"{level!r} is no level.", mend))
            continue
        if not name:
            problems.append(Problem(file, line, "name", "the name is missing.", "Write it."))
            continue
        kind = row[kind_at].strip().replace("-", "_") if kind_at >= 0 else ""
        if kind and kind not in KINDS:
            problems.append(Problem(file, line, "kind", f"{kind!r} is none of {', '.join(KINDS)}.", "Choose one."))
            continue
        parent = row[parent_at].strip()
        parent = full_code(parent) if parent else ""
        since = row[since_at].strip() if since_at >= 0 else row[first_at].strip() if first_at >= 0 else ""
        until = row[until_at].strip() if until_at >= 0 else ""
        if last_at >= 0 and row[last_at].strip().isdecimal():
            until = str(int(row[last_at]) + 1)  # it stands in the list of its last year, and ends with the next
        rows.append(
            Division(
                code, words.setdefault(name, name), int(level), words.setdefault(parent, parent),
                kind or kind_of(code, int(level)), line,
                since, until, row[successor_at].strip() if successor_at >= 0 else "",
            )
        )  # fmt: skip
    if last_at >= 0 and rows:
        newest = max(row.until for row in rows)
        rows = [row._replace(until="") if row.until == newest else row for row in rows]
    return rows, problems


@dataclass(frozen=True, slots=True)
class Tree:
    """What `build` made: the nodes of today, the rows that ended, and each row's file for later complaints."""

    nodes: Nodes
    former: tuple[Division, ...]


def build(
    file: str, rows: Sequence[Division], own: Sequence[Division], own_lines: dict[str, int], top: str
) -> tuple[Tree | None, list[Problem]]:
    """The subtree of ``top`` as columns.

    Args:
        file: of ``rows``; the operator's ``own`` nodes stand in county.yml, at ``own_lines`` by code.
        top: 12 characters.

    Returns:
        The tree, None where ``top`` is missing, and every problem.
    """
    problems: list[Problem] = []
    known: dict[str, Division] = {}
    former = []
    for row in (*rows, *own):
        if row.until:
            former.append(row)
            continue
        where = ("county.yml", own_lines[row.code], "nodes") if row.code in own_lines else (file, row.line, "code")
        if row.code in known:
            mend = "A code names one division; delete one of them."
            problems.append(Problem(*where, f"{row.code} {row.name} is listed twice.", mend))
            continue
        known[row.code] = row
    parent_of = {code: row.parent for code, row in known.items()}
    for node in own:
        for code in node.adopts:
            if code not in parent_of:
                line = own_lines[node.code]
                mend = "List it there first."
                problems.append(Problem("county.yml", line, "nodes", f"{code} to adopt is not in {file}.", mend))
            else:
                parent_of[code] = node.code
    children: dict[str, list[str]] = {}
    for code in sorted(parent_of):
        children.setdefault(parent_of[code], []).append(code)
    if top not in known:
        mend = f"Add it to {file}, or correct top."
        return None, [*problems, Problem("county.yml", 0, "top", f"{top} is not in {file}.", mend)]
    order, parents = _depth_first(top, children)
    _complain_of_strangers(file, known, parent_of, own_lines, set(order), top, problems)
    picked = [known[code] for code in order]
    for i, row in enumerate(picked[1:], 1):
        if row.level <= picked[parents[i]].level and row.kind != "zone" and picked[parents[i]].kind != "zone":
            above = picked[parents[i]]
            message = f"{row.code} (level {row.level}) hangs below {above.code} (level {above.level})."
            problems.append(Problem(file, row.line, "level", message, "A child's level is higher than its parent's."))
    nodes = Nodes(
        order, [r.name for r in picked], [r.level for r in picked], [r.kind for r in picked], parents,
        [r.since for r in picked],
    )  # fmt: skip
    return Tree(nodes, tuple(former)), problems


def _depth_first(top: str, children: dict[str, list[str]]) -> tuple[list[str], list[int]]:
    order: list[str] = []
    parents: list[int] = []
    stack = [(top, -1)]
    seen = set()
    while stack:
        code, parent = stack.pop()
        if code in seen:
            continue
        seen.add(code)
        below = children.get(code)
        if below:
            here = len(order)
            stack.extend((child, here) for child in reversed(below))
        order.append(code)
        parents.append(parent)
    return order, parents


def _complain_of_strangers(
    file: str,
    known: dict[str, Division],
    parent_of: dict[str, str],
    own_lines: dict[str, int],
    reached: set[str],
    top: str,
    problems: list[Problem],
) -> None:
    """Rows with a missing parent, and rows that go round in a circle; rows outside ``top`` are somebody else's."""
    if len(reached) == len(known):
        return
    for code, row in known.items():
        if code in reached:
            continue
        where = ("county.yml", own_lines[code], "nodes") if code in own_lines else (file, row.line, "parent")
        parent = parent_of[code]
        if parent and parent not in known and (not _above(parent, top)):
            mend = "Add the parent's row, or correct the code."
            problems.append(Problem(*where, f"the parent {parent} of {code} {row.name} is missing.", mend))
            continue
        trail, step = {code}, parent
        while step in known and step not in trail:
            trail.add(step)
            step = parent_of[step]
        if step == code:
            mend = "Correct one of the parents."
            problems.append(Problem(*where, f"{code} {row.name} is above itself: its parents go in a circle.", mend))


def _above(code: str, top: str) -> bool:
    """Whether a code that is not listed may lie above or beside the top, where lists are cut off."""
    return top.startswith(code.rstrip("0")) or not code.startswith(top.rstrip("0"))
