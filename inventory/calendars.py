"""Service calendars: when a site or a device promises to serve. Data only; `health` counts the seconds."""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator

from inventory.declared import Declared

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Minutes = tuple[int, int]
"""``[from, until)`` in minutes after midnight, 0 to 1440."""


def minutes_of(text: str) -> Minutes:
    """``08:30-12:00`` as (510, 720).

    Raises:
        ValueError: with what is wrong and how to mend it, separated by a bar.
    """
    try:
        since, until = text.split("-")
        first, last = (int(part[:2]) * 60 + int(part[3:]) for part in (since.strip(), until.strip()))
        clock = all(len(p.strip()) == 5 and p.strip()[2] == ":" and int(p.strip()[3:]) < 60 for p in (since, until))
    except ValueError:
        clock, first, last = False, 0, 0
    if not clock or not 0 <= first < last <= 1440:
        raise ValueError(f"{text!r} is no span of a day. | Write it as 08:30-12:00, ending by 24:00.")
    return first, last


class Calendar(Declared):
    """One named calendar.

    Attributes:
        weekly: hours by weekday; a day that is not named is closed.
        market_digits: a date is a market day when its day of the month ends in one of these digits.
        market: hours on market days, beside those of the weekday.
        closed: single dates without service (public holidays).
        open: single dates that serve like a Monday although the week says otherwise (make-up working days).
    """

    title: str
    weekly: dict[Day, tuple[Minutes, ...]] = Field(default_factory=dict)
    market_digits: tuple[Annotated[int, Field(ge=0, le=9)], ...] = ()
    market: tuple[Minutes, ...] = ()
    closed: tuple[date, ...] = ()
    open: tuple[date, ...] = ()
    timezone: str = "Asia/Shanghai"

    @field_validator("weekly", mode="before")
    @classmethod
    def _spread_days(cls, given: object) -> object:
        """``mon-fri: [09:00-12:00]`` means each of those days."""
        if not isinstance(given, dict):
            return given
        week: dict[str, object] = {}
        for days, hours in given.items():
            first, _, last = str(days).partition("-")
            if first not in DAYS or (last and last not in DAYS):
                raise ValueError(f"{days!r} names no weekdays. | Write mon, tue, wed, thu, fri, sat, sun or mon-fri.")
            low, high = DAYS.index(first), DAYS.index(last or first)
            if low > high:
                raise ValueError(f"{days!r} runs backwards. | Write mon-sun or two ranges.")
            week |= dict.fromkeys(DAYS[low : high + 1], _spans(hours))
        return week

    @field_validator("market", mode="before")
    @classmethod
    def _read_market(cls, given: object) -> object:
        return _spans(given)


def _spans(given: object) -> object:
    if not isinstance(given, list | tuple):
        return given
    spans = [minutes_of(item) if isinstance(item, str) else tuple(item) for item in given]
    for earlier, later in zip(sorted(spans), sorted(spans)[1:], strict=False):
        if later[0] < earlier[1]:
            raise ValueError("two spans of one day overlap. | Join them.")
    return spans
