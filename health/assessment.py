"""Points by an operator's scoring sheet: in proportion between the value for all of them and the one for none."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Score:
    """Of one item: what was measured (None: nothing) and the points that follow."""

    value: float | None
    points: float | None


def points_of(value: float | None, points: float, full: float, none: float) -> Score:
    """The points of one value, never below nothing or above all; unknown brings no points and takes none.

    Args:
        full, none: the values at which all points and no point are given; ``full`` may be the smaller.
    """
    if value is None:
        return Score(None, None)
    share = (value - none) / (full - none)
    return Score(value, round(points * min(1.0, max(0.0, share)), 2))


def total(scores: Iterable[tuple[Score, float]]) -> tuple[float, float]:
    """Points that were given, and how many could have been among the items that have a value."""
    given = possible = 0.0
    for score, points in scores:
        if score.points is not None:
            given += score.points
            possible += points
    return round(given, 2), round(possible, 2)
