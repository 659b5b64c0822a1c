"""When timed work is due: ``02:30`` every day, ``mon 08:00`` each week, ``25 09:00`` each month, in China's time."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from inventory.calendars import DAYS

CHINA: Final = ZoneInfo("Asia/Shanghai")
_WRITTEN: Final = re.compile(r"(?:(?P<day>[a-z]{3}|\d{1,2}) )?(?P<hour>\d\d):(?P<minute>\d\d)")
_FURTHEST_DAYS: Final = 62  # no month's day 1 to 28 is further away


@dataclass(frozen=True, slots=True)
class Timetable:
    """One moment of each day, week or month.

    Attributes:
        weekday: 0 is Monday; None: not by the week.
        day: of the month, 1 to 28; None: not by the month.
    """

    hour: int
    minute: int
    weekday: int | None = None
    day: int | None = None

    def after(self, moment: datetime) -> datetime:
        """The first due moment later than ``moment`` (aware), in China's time."""
        here = moment.astimezone(CHINA)
        first = here.replace(hour=self.hour, minute=self.minute, second=0, microsecond=0)
        for days in range(_FURTHEST_DAYS):
            due = first + timedelta(days=days)
            fits = self.weekday in (None, due.weekday()) and self.day in (None, due.day)
            if fits and due > here:
                return due
        raise AssertionError("every weekday and every day up to the 28th comes within two months")


def timetable(text: str) -> Timetable:
    """Read one.

    Raises:
        ValueError: with what is wrong and how to mend it, separated by a bar.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no time of work. | Write 02:30, mon 08:00 or 25 09:00.")
    day, hour, minute = found["day"], int(found["hour"]), int(found["minute"])
    if hour > 23 or minute > 59:
        raise ValueError(f"{text!r}: there is no such time of day. | Write it between 00:00 and 23:59.")
    if day is None:
        return Timetable(hour, minute)
    if day in DAYS:
        return Timetable(hour, minute, weekday=DAYS.index(day))
    if not day.isdigit() or not 1 <= int(day) <= 28:
        raise ValueError(f"{text!r}: not every week or month has such a day. | Write mon to sun, or 1 to 28.")
    return Timetable(hour, minute, day=int(day))
