"""What a circuit kept of its promise: downtime by whose fault, announced work and the customer's power left out.

Only what was measured counts: where too little of the month was watched there is no verdict, for either side.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from health.indicators import ENOUGH
from health.outage import Interval, intersect, merge, subtract, total
from health.verdict import Blame


class Promise(StrEnum):
    KEPT = "kept"
    BROKEN = "broken"
    INSUFFICIENT_DATA = "insufficient_data"  # less than nine tenths of the time was watched
    NONE = "none"  # the contract promises nothing, or nobody wrote it down


@dataclass(frozen=True, slots=True)
class Cut:
    """One interruption of a circuit, ``[since, until)`` in Unix seconds, and what failed.

    Args:
        carried: another line carried the site meanwhile: the circuit was down, and nobody there was cut off.
    """

    since: float
    until: float
    blame: Blame
    carried: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """A circuit over a period. Seconds within it.

    Attributes:
        owed_s: for which it was promised: in use, without what is excluded.
        watched_s: of these, somebody was asking.
        down_s: of the watched, the site was cut off, whoever was at fault.
        line_s: of these, the carrier's line had failed.
        excluded_s: announced work and power cuts.
        raw_down_s: cut off in watched time, exclusions included.
    """

    owed_s: float
    watched_s: float
    down_s: float
    line_s: float
    excluded_s: float
    raw_down_s: float
    raw_watched_s: float

    @property
    def availability(self) -> float | None:
        """What the carrier answers for, 0 to 1: of the watched time that was owed without the line's failures."""
        return 1 - self.line_s / self.watched_s if self.watched_s else None

    @property
    def raw(self) -> float | None:
        """What the village had, 0 to 1, whoever was at fault."""
        return 1 - self.raw_down_s / self.raw_watched_s if self.raw_watched_s else None

    def against(self, promised: float | None) -> Promise:
        """The verdict on a promised availability."""
        if promised is None:
            return Promise.NONE
        if not self.owed_s or self.watched_s / self.owed_s < ENOUGH or self.availability is None:
            return Promise.INSUFFICIENT_DATA
        return Promise.KEPT if self.availability >= promised else Promise.BROKEN


def kept(span: Interval, watched: Iterable[Interval], excluded: Iterable[Interval], cuts: Sequence[Cut]) -> Kept:
    """A circuit over ``span``, the part of the period in which the line had it.

    Args:
        watched, excluded: of its site; may overlap.
        cuts: of its site; may overlap and reach beyond the span.
    """
    inside: list[Interval] = [span]
    left_out = intersect(merge(excluded), inside)
    owed = subtract(inside, left_out)
    all_watched = intersect(watched, inside)
    watch = intersect(all_watched, owed)
    dark = merge((cut.since, cut.until) for cut in cuts if not cut.carried)
    line = merge((cut.since, cut.until) for cut in cuts if cut.blame is Blame.LINE)
    return Kept(
        total(owed),
        total(watch),
        total(intersect(watch, dark)),
        total(intersect(watch, line)),
        total(left_out),
        total(intersect(all_watched, dark)),
        total(all_watched),
    )
