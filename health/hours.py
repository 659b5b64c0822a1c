"""Service hours as time: when a calendar promises service. Holidays, make-up working days (调休) and market days in."""

from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from health.outage import Interval, intersect, merge
from inventory.calendars import DAYS, Calendar, Minutes

_CHINA: Final = timezone(timedelta(hours=8), "Asia/Shanghai")  # one offset since 1991: needs no time zone database
_AHEAD: Final = timedelta(days=15)  # no holiday closes longer; further off than that nobody waits for an opening
_DAY: Final = timedelta(days=1)


def spans_of(calendar: Calendar, day: date) -> tuple[Minutes, ...]:
    """The hours of one day, in minutes after midnight. A closed date has none, be it a market day or not."""
    if day in calendar.closed:
        return ()
    spans = calendar.weekly.get("mon" if day in calendar.open else DAYS[day.weekday()], ())
    return (*spans, *calendar.market) if day.day % 10 in calendar.market_digits else spans


def service_intervals(calendar: Calendar, since: float, until: float) -> list[Interval]:
    """When the calendar promises service within ``[since, until)``, in Unix seconds, in order, joined over midnight."""
    zone = _zone(calendar.timezone)
    day, last = datetime.fromtimestamp(since, zone).date(), datetime.fromtimestamp(until, zone).date()
    promised: list[Interval] = []
    while day <= last:
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
        promised += [(midnight + first * 60, midnight + end * 60) for first, end in spans_of(calendar, day)]
        day += _DAY
    return intersect(merge(promised), [(since, until)])


def in_service_hours(calendar: Calendar | None, at: float) -> bool:
    """Whether service is promised at Unix time ``at``; without a calendar always."""
    return calendar is None or any(first <= at < end for first, end in _around(calendar, at))


def opened_at(calendar: Calendar, at: float) -> float | None:
    """Since when service has been promised without a pause, at most two days back; None outside the hours."""
    return next((first for first, end in _around(calendar, at) if first <= at < end), None)


def next_change(calendar: Calendar, at: float) -> float:
    """When hours next begin or end after ``at``; two weeks on where they never do."""
    borders = [border for span in _around(calendar, at) for border in span if border > at]
    return min(borders, default=at + _AHEAD.total_seconds())


def _around(calendar: Calendar, at: float) -> list[Interval]:
    return service_intervals(calendar, at - 2 * _DAY.total_seconds(), at + _AHEAD.total_seconds())


@lru_cache
def _zone(name: str) -> tzinfo:
    return _CHINA if name == "Asia/Shanghai" else ZoneInfo(name)
