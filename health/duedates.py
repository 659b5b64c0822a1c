"""Days on which something is due: the 25th of each month, or the end of the month's first ten days (上旬)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


def month_of(text: str) -> tuple[int, int]:
    """``2021-11`` as (2021, 11).

    Raises:
        ValueError: no month.
    """
    first = date.fromisoformat(f"{text}-01")
    return first.year, first.month


def due_in(month: str, day: int) -> date:
    """The day of a month on which a ledger is due; a day that the month does not have is its last.

    Raises:
        ValueError: no month.
    """
    year, number = month_of(month)
    for candidate in range(day, 27, -1):
        try:
            return date(year, number, candidate)
        except ValueError:
            continue
    return date(year, number, min(day, 28))


def end_of_third(month: str, third: int) -> date:
    """The last day of 上旬 (1), 中旬 (2) or 下旬 (3)."""
    return due_in(month, {1: 10, 2: 20}.get(third, 31))


class Signing(StrEnum):
    ON_TIME = "on_time"
    LATE = "late"  # signed after the day
    MISSING = "missing"  # the day is over and nobody signed
    PENDING = "pending"  # not signed, and not yet due


@dataclass(frozen=True, slots=True)
class Signed:
    """How one division stands with one report."""

    division: str
    state: Signing
    on: date | None


def signings(divisions: Mapping[str, date | None], due: date, today: date) -> list[Signed]:
    """How each division stands, given the day on which it signed (None: it did not)."""
    found = []
    for division, on in divisions.items():
        if on is not None:
            state = Signing.ON_TIME if on <= due else Signing.LATE
        else:
            state = Signing.MISSING if today > due else Signing.PENDING
        found.append(Signed(division, state, on))
    return found
