"""How many there should be: over is a finding as well as under (1 to 2 kiosks, 2 to 3 central villages)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Fit(StrEnum):
    SHORT = "short"
    WITHIN = "within"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Range:
    """``low`` to ``high``, both still right."""

    low: int
    high: int

    def fit(self, count: int) -> Fit:
        if count < self.low:
            return Fit.SHORT
        return Fit.OVER if count > self.high else Fit.WITHIN


@dataclass(frozen=True, slots=True)
class RangeFinding:
    """A subject that has too few or too many; ``subject`` is the caller's own number of it."""

    rule: str
    subject: int
    count: int
    allowed: Range
    fit: Fit


def outside(rule: str, allowed: Range, counts: Iterable[tuple[int, int]]) -> list[RangeFinding]:
    """The subjects of ``(subject, count)`` that have too few or too many, in the order given."""
    judged = ((subject, count, allowed.fit(count)) for subject, count in counts)
    return [RangeFinding(rule, subject, n, allowed, fit) for subject, n, fit in judged if fit is not Fit.WITHIN]
