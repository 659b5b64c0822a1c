"""A day, a month or any other period of many sites: how long each could be reached, raw and with what is excluded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from api.standing import Standing
from api.times import midnight as midnight
from health.availability import Availability, availability
from health.duedates import month_of
from health.hours import service_intervals
from health.outage import Interval, Outage, Scope, intersect, merge
from health.verdict import Blame
from inventory.vocabulary import Aspect
from ledger import history, maintenance


def month_span(month: str) -> tuple[date, date]:
    """First day of ``2021-05`` and first day of the next month.

    Raises:
        ValueError: no month.
    """
    year, number = month_of(month)
    return date(year, number, 1), date(year + number // 12, number % 12 + 1, 1)


def months_before(day: date, count: int) -> list[str]:
    """The last ``count`` whole months before a day, oldest first: before 2021-06-10 ends 2021-05."""
    found, first = [], day.replace(day=1)
    for _ in range(count):
        first = (first - timedelta(days=1)).replace(day=1)
        found.append(f"{first:%Y-%m}")
    return found[::-1]


@dataclass(frozen=True, slots=True)
class Reached:
    """How long one site could be reached: over all the time, and without announced work and power cuts."""

    raw: Availability
    net: Availability


class Period:
    """What the ledger knows of ``[since, until)`` (Unix seconds), read once for all sites.

    A site owes nothing before it was first asked: a line that did not exist yet was not down.

    Args:
        only: the position of the one site that is asked about; None for all.
        known_at: what was recorded after this Unix time is left out.
        from_the_start: a site owes the whole period, whenever it was first asked: what nobody watched is unknown.
    """

    def __init__(
        self,
        standing: Standing,
        since: float,
        until: float,
        *,
        only: int | None = None,
        from_the_start: bool = False,
        known_at: float | None = None,
    ) -> None:
        self.since, self.until = since, until
        self._standing = standing
        self._from_the_start = from_the_start
        names = standing.inventory.sites.ids
        ids = names if only is None else [names[only]]
        with standing.query() as connection:
            self._dark = history.dark_intervals(connection, ids, until, known_at=known_at)
            self._idle = history.dark_intervals(connection, ids, until, Aspect.WORKING, known_at)
            self._first = history.first_verdicts(connection, known_at=known_at)
            counties = list(history.watched_until(connection, until))
            self._watched = {county: history.watched(connection, county, until, known_at) for county in counties}
            alone = None if only is None else names[only]
            self.outages = history.outages(connection, since=since, until=until, site=alone, known_at=known_at)
            self._windows = maintenance.windows(connection, known_at)
        self._known: dict[int, Reached] = {}
        self._served: dict[int, Availability] = {}
        self._eventless: dict[tuple[float, str | None, tuple[str, ...]], Availability] = {}
        self._hours: dict[tuple[float, str | None], list[Interval]] = {}
        self._spared: dict[str, list[Interval]] = {}
        for outage in self.outages:
            if _counts_against_nobody(outage):
                for site in (outage.node, *outage.sites):
                    self._spared.setdefault(site, []).append(_interval(outage, until))
        for window in self._windows:
            span = window.in_force
            if span is not None:
                self._spared.setdefault(window.target, []).append(span)

    def reached(self, site: int) -> Reached:
        """One site, by its position."""
        known = self._known.get(site)
        if known is None:
            known = self._known[site] = self._reached(site)
        return known

    def _reached(self, site: int) -> Reached:
        dark = self._dark.get(self._standing.inventory.sites.ids[site], [])
        return Reached(self._measured(site, dark, None, []), self._measured(site, dark, None, self._excluded(site)))

    def within_hours(self, site: int) -> Availability:
        """How long one site could be reached within its service hours, exclusions left out."""
        dark = self._dark.get(self._standing.inventory.sites.ids[site], [])
        return self._measured(site, dark, self._standing.inventory.calendar_name(site), self._excluded(site))

    def excluded_of(self, site: int) -> list[Interval]:
        """When nothing counted for or against one site within the period: announced work and power cuts, merged."""
        return intersect(merge(self._excluded(site)), [(self.since, self.until)])

    def watched_of(self, site: int) -> list[Interval]:
        """When a collector was asking one site within the period, merged."""
        spans = [span for code in self._line(site) for span in self._watched.get(code, ())]
        return intersect(merge(spans), [(self.since, self.until)])

    def kiosks_served(self, site: int) -> Availability:
        """How long a site's terminals could serve within its service hours (none told: always)."""
        known = self._served.get(site)
        if known is None:
            inventory = self._standing.inventory
            idle = self._idle.get(inventory.sites.ids[site], [])
            hours = inventory.calendar_name(site)
            known = self._served[site] = self._measured(site, idle, hours, self._excluded(site))
        return known

    def _measured(
        self, site: int, away: Sequence[Interval], hours: str | None, excluded: Sequence[Interval]
    ) -> Availability:
        """Availability of one site; most have nothing to tell, and those with the same hours share one answer."""
        first = self.since if self._from_the_start else self._first.get(self._standing.inventory.sites.ids[site])
        if first is None or first >= self.until:
            return Availability(0.0, 0.0, 0.0)
        since = max(first, self.since)
        watchers = tuple(code for code in self._line(site) if code in self._watched)
        eventless = not excluded and all(end <= since or begin >= self.until for begin, end in away)
        key = (since, hours, watchers)
        if eventless and key in self._eventless:
            return self._eventless[key]
        owed: list[Interval] = [(since, self.until)]
        calendar = self._standing.inventory.calendars.get(hours or "")
        if calendar is not None:
            owed = self._hours.get(key[:2]) or service_intervals(calendar, since, self.until)
            self._hours[key[:2]] = owed
        watched = [span for code in watchers for span in self._watched[code]]
        found = availability(away, watched, self.since, self.until, promised=owed, excluded=excluded)
        if eventless:
            self._eventless[key] = found
        return found

    def outages_of(self, site: str) -> list[Outage]:
        """Outages that darkened a site within the period, or that began at it."""
        return [outage for outage in self.outages if outage.node == site or site in outage.sites]

    def _excluded(self, site: int) -> list[Interval]:
        sites = self._standing.inventory.sites
        return [span for name in (sites.ids[site], *self._line(site)) for span in self._spared.get(name, ())]

    def _line(self, site: int) -> Iterable[str]:
        nodes = self._standing.inventory.nodes
        place = int(self._standing.inventory.sites.nodes[site])
        return [nodes.codes[place], *(nodes.codes[above] for above in nodes.ancestors(place))]


def _counts_against_nobody(outage: Outage) -> bool:
    """Planned, or for want of electricity; a single device's outage is the site's own affair."""
    power = outage.finding is not None and outage.finding.blame is Blame.POWER
    return outage.scope in (Scope.SITE, Scope.UPLINK) and (outage.window is not None or power)


def _interval(outage: Outage, until: float) -> Interval:
    return outage.since, until if outage.until is None else outage.until
