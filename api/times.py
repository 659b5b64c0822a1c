"""Days end in China: the country has had one time zone and no summer time since 1991."""

from datetime import date, datetime, timedelta, timezone
from typing import Final

CHINA: Final = timezone(timedelta(hours=8), "Asia/Shanghai")


def midnight(day: date) -> float:
    """When a day begins, as Unix seconds."""
    return datetime.combine(day, datetime.min.time(), CHINA).timestamp()
