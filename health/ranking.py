"""Ranking by figures: the same for equal figures, and only among units that can be compared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

VERSION: Final = "1"
FORMULA: Final = "coverage, then availability, then kiosk_online, then fewer overdue tasks; equal figures share a place"


class Band(StrEnum):
    """Bands beside places: a list by band names nobody the last (the yearly assessment of online services does so)."""

    VERY_HIGH = "very_high"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


def band_of(ratio: float) -> Band:
    """90 % and more is very high, 80 % high, 60 % medium."""
    if ratio >= 0.9:
        return Band.VERY_HIGH
    if ratio >= 0.8:
        return Band.HIGH
    return Band.MEDIUM if ratio >= 0.6 else Band.LOW


@dataclass(frozen=True, slots=True)
class Scored:
    """A division's figures of a period. Ratios are 0 to 1, None where nothing was measured."""

    code: str
    name: str
    subjects: int
    coverage: float | None
    availability: float | None
    kiosk_online: float | None
    overdue_tasks: int

    @property
    def merit(self) -> tuple[float, float, float, int]:
        """Figures by weight; unknown counts as 0. Rounded, so that noise in the last digits separates nobody."""
        ratios = (self.coverage, self.availability, self.kiosk_online)
        first, second, third = (round(ratio or 0.0, 6) for ratio in ratios)
        return first, second, third, -self.overdue_tasks


@dataclass(frozen=True, slots=True)
class Ranked:
    """``place`` counts from 1, equal merit has the same; None for those too small to be compared."""

    place: int | None
    band: Band | None
    scored: Scored


def rank(units: Iterable[Scored], smallest: int = 1) -> list[Ranked]:
    """Best first, equal ones by code; units with less than ``smallest`` subjects stand last, without a place."""
    every = list(units)
    compared = sorted((u for u in every if u.subjects >= smallest), key=lambda u: ([-m for m in u.merit], u.code))
    ranked: list[Ranked] = []
    for position, unit in enumerate(compared, 1):
        tied = bool(ranked) and ranked[-1].scored.merit == unit.merit
        place = ranked[-1].place if tied else position
        ranked.append(Ranked(place, band_of(unit.coverage or 0.0), unit))
    apart = sorted((u for u in every if u.subjects < smallest), key=lambda u: u.code)
    return [*ranked, *(Ranked(None, None, unit) for unit in apart)]


class TooFewMonthsError(ValueError):
    """A year's ranking takes twelve frozen months."""

    def __init__(self, missing: Sequence[str]) -> None:
        self.missing = tuple(missing)
        super().__init__(f"a year's ranking takes twelve frozen months; missing: {', '.join(missing)}")


def of_year(year: int, months: Mapping[str, Sequence[Ranked]]) -> list[Ranked]:
    """The year's ranking from its twelve frozen monthly ones: each figure is the mean of the months that have it.

    Raises:
        TooFewMonthsError: a month is not frozen.
    """
    wanted = [f"{year}-{month:02}" for month in range(1, 13)]
    missing = [month for month in wanted if month not in months]
    if missing:
        raise TooFewMonthsError(missing)
    by_code: dict[str, list[Scored]] = {}
    for month in wanted:
        for one in months[month]:
            by_code.setdefault(one.scored.code, []).append(one.scored)
    return rank(
        Scored(
            code,
            some[-1].name,
            some[-1].subjects,
            _mean([one.coverage for one in some]),
            _mean([one.availability for one in some]),
            _mean([one.kiosk_online for one in some]),
            sum(one.overdue_tasks for one in some),
        )
        for code, some in by_code.items()
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
