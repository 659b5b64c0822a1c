"""What is promised of a fleet at this moment: service hours of its devices, and announced work at its sites."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import inf
from typing import Final

from collectors.fleet import Fleet
from health.hours import in_service_hours, next_change, opened_at
from health.maintenance import Window

GRACE_S: Final = 900.0
"""A terminal that is switched on when the hall opens needs this long; until then its silence is no outage."""


@dataclass(frozen=True, slots=True)
class Covered:
    """A maintenance window and what of the fleet it covers: positions of sites, ordinals of devices."""

    window: Window
    sites: Collection[int] = ()
    devices: Collection[int] = ()


class Promises:
    """Knows the time only by `advance`."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._opened_at: list[float | None] = [None] * len(fleet.calendars)
        self._due = [False] * len(fleet.calendars)
        self._in_hours: list[bool | None] = [None] * len(fleet.calendars)
        self._covered: tuple[Covered, ...] = ()
        self._sites: dict[int, str] = {}
        self._devices: dict[int, str] = {}
        self._from, self._until = inf, -inf  # nothing changes in between

    def announce(self, covered: Iterable[Covered]) -> None:
        """All windows that are known from now on."""
        told = tuple(covered)
        if told != self._covered:
            self._covered = told
            self._from, self._until = inf, -inf

    def advance(self, at: float) -> bool:
        """It is Unix time ``at`` now; whether this may have changed what is promised."""
        if self._from <= at < self._until:
            return False
        self._from, borders = at, [inf]
        for n, calendar in enumerate(self._fleet.calendars):
            began = self._opened_at[n] = opened_at(calendar, at)
            self._in_hours[n] = in_service_hours(calendar, at)
            self._due[n] = began is not None and at >= began + GRACE_S
            borders.append(next_change(calendar, at))
            if began is not None and not self._due[n]:
                borders.append(began + GRACE_S)
        self._sites, self._devices = {}, {}
        for covered in self._covered:
            span = covered.window.in_force
            if span is None:
                continue
            borders += [border for border in span if border > at]
            if covered.window.covers(at):
                self._sites.update(dict.fromkeys(covered.sites, covered.window.id))
                self._devices.update(dict.fromkeys(covered.devices, covered.window.id))
        self._until = min(borders)
        return True

    def in_hours(self, ordinal: int) -> bool | None:
        """Whether a device's service is promised now; None before the first `advance`."""
        calendar = self._fleet.devices[ordinal].calendar
        return calendar < 0 or self._in_hours[calendar]

    def due(self, ordinal: int) -> bool:
        """Whether a device's silence would be an outage now: in its hours, and past the time to be switched on."""
        calendar = self._fleet.devices[ordinal].calendar
        return calendar < 0 or self._due[calendar]

    def due_since(self, ordinal: int) -> float:
        """Since when service is promised without a pause; 0 for a device that serves at any time."""
        calendar = self._fleet.devices[ordinal].calendar
        return 0.0 if calendar < 0 else self._opened_at[calendar] or 0.0

    def window(self, site: int, ordinal: int | None = None) -> str | None:
        """The window in force over a site, or over a device and with it its site."""
        if ordinal is not None and ordinal in self._devices:
            return self._devices[ordinal]
        return self._sites.get(site)
