"""Announced work: windows in which an outage is planned and availability is not promised. Pure records and arithmetic.

A window counts from when it was written down: nobody plans an outage afterwards.
"""

from dataclasses import dataclass
from enum import StrEnum

from health.outage import Interval


class Reach(StrEnum):
    """What a window covers."""

    DEVICE = "device"
    SITE = "site"
    DIVISION = "division"


@dataclass(frozen=True, slots=True)
class Window:
    """One announced piece of work, ``[since, until)`` in Unix seconds.

    Args:
        target: a device's id, a site's id, or the 12 digits of a division with everything below it.
        recorded_at: when it was said.
        cancelled_at: when it was taken back; None while it stands.
    """

    id: str
    reach: Reach
    target: str
    since: float
    until: float
    reason: str
    by: str
    recorded_at: float
    cancelled_at: float | None = None

    @property
    def in_force(self) -> Interval | None:
        """The time for which it counts; None where it was taken back, or said, too late to count at all."""
        since = max(self.since, self.recorded_at)
        until = self.until if self.cancelled_at is None else min(self.until, self.cancelled_at)
        return (since, until) if since < until else None

    def covers(self, at: float) -> bool:
        span = self.in_force
        return span is not None and span[0] <= at < span[1]
