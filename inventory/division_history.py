"""Divisions that change: the tree of any day, what became of whom, and codes that do not match.

A code is no identity. Inside a merged township numbers are handed out again, and an upgrade recodes a township with
all its villages; so a division of the past is a row with a code *and* dates, and what it became is its successor.
Successors come from the operator's list; where it has none, `match` guesses them from names and says how.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from inventory.divisions import Division, Nodes, build
from inventory.names import stem_of

CUT_OFF: Final[Mapping[int, date]] = {
    2016: date(2016, 7, 31), 2017: date(2017, 10, 31), 2018: date(2018, 10, 31), 2019: date(2019, 10, 31),
    2020: date(2020, 6, 30), 2021: date(2021, 10, 31), 2022: date(2022, 10, 31), 2023: date(2023, 6, 30),
}  # fmt: skip
"""The days on which the yearly statistical lists (NBS, 统计用区划代码) were closed."""
_FIRST: Final = min(CUT_OFF)
_EVER: Final = date.min


def day_of(text: str) -> date:
    """The day that a list means by ``2020-06-30``, or by a year alone: the closing day of that year's list.

    The year of the first list means "then or before": the first day of all. So does an empty text.

    Raises:
        ValueError: neither a day nor a year.
    """
    if not text:
        return _EVER
    if len(text) == 4 and text.isdecimal():
        year = int(text)
        return _EVER if year <= _FIRST else CUT_OFF.get(year, date(year, 1, 1))
    return date.fromisoformat(text)


def stands(row: Division, day: date) -> bool:
    """Whether a row is in force on ``day``: ``[since, until)``."""
    return day_of(row.since) <= day and (not row.until or day < day_of(row.until))


def as_known_on(rows: Iterable[Division], day: date) -> list[Division]:
    """A list as it would have been on ``day``: later rows are not there yet, and what ended later still stands."""
    return [
        row._replace(until="", successor="") if row.until and day < day_of(row.until) else row
        for row in rows
        if day_of(row.since) <= day
    ]


class History:
    """Every row that a list has of the divisions below ``top``, and the tree of any day.

    A list without a single ended row tells no history: its tree then stands for every day.
    """

    def __init__(self, file: str, rows: Sequence[Division], own: Sequence[Division], top: str) -> None:
        self._file, self._rows, self._own, self._top = file, rows, own, top
        self.told = any(row.until for row in (*rows, *own))
        ends = {day_of(text) for row in (*rows, *own) for text in (row.since, row.until) if text}
        self._turns = sorted(ends - {_EVER})
        self._trees: dict[int, Nodes] = {}

    @property
    def turns(self) -> Sequence[date]:
        """The days on which something changed."""
        return self._turns if self.told else ()

    def nodes_on(self, day: date) -> Nodes:
        """The tree of a day.

        Raises:
            KeyError: the top itself was not there yet.
        """
        era = bisect_right(self._turns, day) if self.told else -1
        nodes = self._trees.get(era)
        if nodes is None:
            rows, own = ([self._alive(row) for row in some if not self.told or stands(row, day)]
                         for some in (self._rows, self._own))  # fmt: skip
            known = {row.code for row in rows}
            own = [row._replace(adopts=tuple(code for code in row.adopts if code in known)) for row in own]
            tree, _ = build(self._file, rows, own, dict.fromkeys((row.code for row in own), 0), self._top)
            if tree is None:
                raise KeyError(self._top)
            nodes = self._trees[era] = tree.nodes
        return nodes

    def rows_on(self, day: date) -> list[Division]:
        return [row for row in (*self._rows, *self._own) if stands(row, day)]

    def ended(self, since: date, until: date) -> list[Division]:
        """Rows that ended within ``(since, until]`` and whose division did not simply go on under another name."""
        later = {row.code: row for row in self.rows_on(until)}
        return [
            row
            for row in (*self._rows, *self._own)
            if row.until and since < day_of(row.until) <= until and not _goes_on(row, later)
        ]

    @staticmethod
    def _alive(row: Division) -> Division:
        return row._replace(until="", successor="")


def _goes_on(row: Division, later: Mapping[str, Division]) -> bool:
    return row.successor in ("", row.code) and row.code in later


class Became(StrEnum):
    """How a division of one list stands in another."""

    SAME = "same"  # same code, same base name
    RENAMED = "renamed"  # same code, another name: doubtful, since codes are used again
    RECODED = "recoded"  # another code, the same base name
    MERGED = "merged"  # gone; most of what it had went to the successor
    NO_MATCH = "no_match"  # gone, and no name says where
    NEW = "new"  # in the later list only


class Match(NamedTuple):
    """One division before and after. ``old`` is None for a new one, ``new`` where nothing matches."""

    level: int
    old: str | None
    old_name: str
    new: str | None
    new_name: str
    became: Became


def match(old: Nodes, new: Nodes) -> list[Match]:
    """What became of each township and village: the report of codes that match, and of those that do not.

    A village is matched by code and base name, then by a base name that is unique in its county in both lists, then
    by code alone; a township by the same, else by where most of its villages went. It is evidence, no legal record: a
    merger notice outranks it, and goes into the list's column ``successor``.
    """
    villages = _match_level(old, new, 5, {})
    went: dict[str, Counter[str]] = defaultdict(Counter)
    for one in villages:
        if one.old is not None and one.new is not None and one.became is not Became.RENAMED:
            went[_township(old, one.old)][_township(new, one.new)] += 1
    townships = _match_level(old, new, 4, went)
    return [*townships, *villages]


def _match_level(old: Nodes, new: Nodes, level: int, went: Mapping[str, Counter[str]]) -> list[Match]:
    before, after = _named(old, level), _named(new, level)
    unique_before, unique_after = _unique(before, old), _unique(after, new)
    taken: dict[str, tuple[str, Became]] = {}
    for code, stem in before.items():
        if after.get(code) == stem:
            taken[code] = code, Became.SAME
    used = {code for code, _ in taken.values()}
    for key, code in unique_before.items():
        heir = unique_after.get(key)
        if code not in taken and heir is not None and heir not in used:
            taken[code] = heir, Became.RECODED
            used.add(heir)
    for code in before:
        if code not in taken and code in after and code not in used:
            taken[code] = code, Became.RENAMED
            used.add(code)
    found = []
    for code in before:
        name = old.names[old.index[code]]
        if code in taken:
            heir, became = taken[code]
            found.append(Match(level, code, name, heir, new.names[new.index[heir]], became))
        elif went.get(code):
            heir = min(went[code], key=lambda one: (-went[code][one], one))
            found.append(Match(level, code, name, heir, new.names[new.index[heir]], Became.MERGED))
        else:
            found.append(Match(level, code, name, None, "", Became.NO_MATCH))
    found += [
        Match(level, None, "", code, new.names[new.index[code]], Became.NEW) for code in after if code not in used
    ]
    return found


def _named(nodes: Nodes, level: int) -> dict[str, str]:
    """Code to base name (村委会, 居委会, 镇 and the like taken off) of every division of a level."""
    return {code: _base(nodes.names[i]) for i, code in enumerate(nodes.codes) if nodes.levels[i] == level}


def _base(name: str) -> str:
    """星桥村村民委员会 and 星桥村民委员会 are one village: lists write both, and change over."""
    stem = stem_of(name)
    return stem[:-1] if len(stem) > 2 and stem[-1] == "村" else stem


def _unique(named: Mapping[str, str], nodes: Nodes) -> dict[tuple[str, str], str]:
    """County and base name to the only code that has it there."""
    codes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for code, stem in named.items():
        codes[_county(nodes, code), stem].append(code)
    return {key: some[0] for key, some in codes.items() if len(some) == 1}


def _county(nodes: Nodes, code: str) -> str:
    return next((nodes.codes[i] for i in nodes.ancestors(nodes.index[code]) if nodes.levels[i] <= 3), "")


def _township(nodes: Nodes, code: str) -> str:
    return nodes.codes[nodes.parents[nodes.index[code]]]


def with_successors(rows: Iterable[Division], matches: Iterable[Match], ended_on: date) -> list[Division]:
    """The list with ``successor`` written into the rows that ended on a day, where it says none itself."""
    heirs = {one.old: one.new for one in matches if one.old is not None and one.new is not None}
    return [
        row._replace(successor=heirs.get(row.code) or "")
        if row.until and not row.successor and day_of(row.until) == ended_on
        else row
        for row in rows
    ]
