"""A service calendar as Alertmanager's time intervals. Closed dates mute, make-up working days and market days open."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from inventory.calendars import DAYS, Calendar, Minutes

_NAMES = dict(zip(DAYS, ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), strict=True))


def open_hours(calendar: Calendar) -> list[dict[str, Any]]:
    """When the calendar promises service, leaving its closed dates to `closed_days`."""
    spans: dict[tuple[Minutes, ...], list[str]] = {}
    for day in DAYS:
        if hours := calendar.weekly.get(day):
            spans.setdefault(hours, []).append(_NAMES[day])
    found = [_interval(calendar, hours, weekdays=days) for hours, days in spans.items()]
    if calendar.market:
        days = [str(day) for day in range(1, 32) if day % 10 in calendar.market_digits]
        found.append(_interval(calendar, calendar.market, days_of_month=days))
    if monday := calendar.weekly.get("mon"):
        found += [_interval(calendar, monday, **_on(day)) for day in sorted(calendar.open)]
    return found


def closed_days(calendar: Calendar) -> list[dict[str, Any]]:
    """The calendar's closed dates."""
    return [_on(day) | {"location": calendar.timezone} for day in sorted(calendar.closed)]


def _interval(calendar: Calendar, hours: Iterable[Minutes], **days: Any) -> dict[str, Any]:
    times = [{"start_time": _clock(first), "end_time": _clock(end)} for first, end in hours]
    return {"times": times, **days, "location": calendar.timezone}


def _on(day: date) -> dict[str, Any]:
    return {"years": [str(day.year)], "months": [str(day.month)], "days_of_month": [str(day.day)]}


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
