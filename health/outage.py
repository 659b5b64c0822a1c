"""Outages: intervals without service, their cause, and how far they reach. Pure records and arithmetic."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from health.rootcause import Cause

if TYPE_CHECKING:
    from health.verdict import Finding


_LINE: Final = "-line"


class Scope(StrEnum):
    """How much failed: one of a router's lines, a device, all terminals of a site, one site, a node with sites beneath.

    With a line, a device or a LAN the site itself answers.
    """

    LINE = "line"  # the node is `line_node`; another line carries the site
    DEVICE = "device"
    LAN = "lan"  # the node is the site, which answers: its router does
    SITE = "site"
    UPLINK = "uplink"


@dataclass(frozen=True, slots=True)
class Outage:
    """``[since, until)`` in Unix seconds; ``until`` is None while it is open.

    Args:
        id: stable over restarts of the collector.
        county: 12-digit code of the county whose collector saw it.
        node: the device id, the id of the site that is the root or whose terminals are silent, or a line's `line_node`.
        sites: ids of the dark sites that it explains, the root's first; empty for a device's or a line's outage.
        finding: the newest verdict on what failed; None where none was given.
        window: id of the maintenance window that covers it; None for one that nobody planned.
        flapping: its node came and went so often that it was kept open over it.
        relapses: how often the node went away again while it was kept open.
    """

    id: str
    county: str
    scope: Scope
    node: str
    cause: Cause
    since: float
    until: float | None
    sites: tuple[str, ...] = ()
    finding: "Finding | None" = None
    window: str | None = None
    flapping: bool = False
    relapses: int = 0

    def seconds(self, now: float) -> float:
        return max(0.0, (now if self.until is None else self.until) - self.since)


def line_node(router: str, number: int) -> str:
    """What the ``number``-th line of a router (from 0) is called in an outage: ``tq-hongshi-cpe1-line2``."""
    return f"{router}{_LINE}{number + 1}"


def line_of(node: str) -> tuple[str, int] | None:
    """The router and the number of its line that `line_node` made a name of; None for any other node."""
    router, found, number = node.rpartition(_LINE)
    return (router, int(number) - 1) if found and number.isdecimal() and int(number) else None


def place_node(router: str, place: int) -> str:
    """What a line is called of which something is measured, by its place (from 0) among the router's ports upward.

    Other than in an outage, which belongs to the main line or a further one, it stays itself when it becomes the main
    one: ``tq-hongshi-cpe1-port2``.
    """
    return f"{router}-port{place + 1}"


Interval = tuple[float, float]
"""``[since, until)`` in Unix seconds."""


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time, in order and without overlap; what overlaps is counted once."""
    merged: list[Interval] = []
    for since, until in sorted(interval for interval in intervals if interval[1] > interval[0]):
        if merged and since <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], until))
        else:
            merged.append((since, until))
    return merged


def intersect(left: Iterable[Interval], right: Iterable[Interval]) -> list[Interval]:
    """The time in both."""
    ours, theirs = merge(left), merge(right)
    common: list[Interval] = []
    i = j = 0
    while i < len(ours) and j < len(theirs):
        since, until = max(ours[i][0], theirs[j][0]), min(ours[i][1], theirs[j][1])
        if since < until:
            common.append((since, until))
        if ours[i][1] < theirs[j][1]:
            i += 1
        else:
            j += 1
    return common


def subtract(left: Iterable[Interval], right: Iterable[Interval]) -> list[Interval]:
    """The time in the first and not in the second."""
    rest: list[Interval] = []
    away = merge(right)
    for since, until in merge(left):
        begins = since
        for first, end in away:
            if end <= begins or first >= until:
                continue
            if first > begins:
                rest.append((begins, first))
            begins = max(begins, end)
        if begins < until:
            rest.append((begins, until))
    return rest


def total(intervals: Iterable[Interval]) -> float:
    """Seconds in all, overlaps counted once."""
    return sum(until - since for since, until in merge(intervals))
