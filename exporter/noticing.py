"""Notices what is wrong in a county as its polls are rendered, so that rules need not look for it among all series.

A device that is well costs a glance at its readings; a line a few subtractions a poll; a site nothing.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from collectors.engine import Collector
from collectors.latest import Latest
from collectors.ping import Echoes
from exporter import registry as r
from exporter import troubles
from exporter.describing import Described
from exporter.links import Echoed, Line, Name
from exporter.registry import Metric, series
from exporter.trends import Means, Rates, Recent
from exporter.troubles import Found, Trouble
from health.device import DeviceState
from health.outage import Scope
from inventory.model import Inventory

_MOBILE: Final = "vpdn"  # the type of link that goes over 4G/5G


class Noticed:
    """What is wrong now, and what must be remembered to tell.

    Args:
        lines: of the county, as `links.lines_of` gives them.
        echoed: the lines over which echoes go.
        places: township, uplink and schedule of each site.
    """

    def __init__(
        self,
        inventory: Inventory,
        collector: Collector,
        lines: Sequence[Line],
        echoed: Sequence[Echoed],
        places: Sequence[tuple[str, str, str]],
    ) -> None:
        self._inventory, self._collector, self._places = inventory, collector, places
        self._lines: dict[int, list[Line]] = {}
        for line in lines:
            self._lines.setdefault(line.router, []).append(line)
        self._kinds = [device.device_class for device in inventory.devices]
        self._ids = [device.id for device in inventory.devices]
        self._sites = [device.site for device in inventory.devices]
        self._found: dict[int, list[Found]] = {}  # by ordinal: what it said in its newest answer, where anything
        self._bad_lines: set[int] = set()
        self._rates: dict[tuple[int, int], Rates] = {}
        self._counts: dict[tuple[int, int], int] = {}
        self._booted: dict[int, float] = {}
        self._changes: Recent[tuple[int, int]] = Recent(troubles.CHANGES_WITHIN_S, troubles.CHANGES)
        self._restarts: Recent[int] = Recent(troubles.RESTARTS_WITHIN_S, troubles.RESTARTS)
        self._echoed = echoed
        self._means = Means(len(echoed))
        self._mobile = {(line.router, line.suffix) for line in lines if line.link and line.link.link_type == _MOBILE}
        self._carriers: list[list[str]] = [[] for _ in places]  # of each site's primary lines
        for line in lines:
            if line.link is not None and line.link.role == "primary" and line.link.carrier:
                self._carriers[self._sites[line.router]].append(line.link.carrier)

    def device(
        self, ordinal: int, latest: Latest, state: DeviceState, in_hours: bool | None, changes: Sequence[int | None]
    ) -> Described:
        """The troubles of one device and its lines after a poll, as names and values.

        Args:
            changes: of its lines, how often each went up or down.
        """
        names: list[Name] = []
        values: list[float] = []
        readings, kind = latest.readings, self._kinds[ordinal]
        silent = state is DeviceState.SILENT
        if readings is not None and not silent and not latest.missed:
            found = list(troubles.of_device(kind, readings, latest.clock_offset_s))
            if found:
                self._found[ordinal] = found
            else:
                self._found.pop(ordinal, None)
            if kind in troubles.RESTARTING and latest.boot_at is not None:
                before = self._booted.get(ordinal)
                if before is not None and before != latest.boot_at:
                    self._restarts.happened(ordinal, latest.polled_at)
                self._booted[ordinal] = latest.boot_at
        for trouble, part, value in self._found.get(ordinal, ()):
            names.append((r.DEVICE_TROUBLE, self._labels(ordinal, trouble, part, silent, in_hours)))
            values.append(value)
        if ordinal in self._lines:
            self._note_changes(ordinal, latest.polled_at, changes)
            if readings is None or silent:
                self._bad_lines.discard(ordinal)
            else:
                self._note_lines(ordinal, latest, names, values)
        return names, values

    def _labels(
        self, ordinal: int, trouble: Trouble, part: str, silent: bool, in_hours: bool | None
    ) -> tuple[str, str, str, str, str]:
        return self._kinds[ordinal], trouble, part, "no" if silent else "yes", "yes" if in_hours else "no"

    def _note_changes(self, ordinal: int, at: float, changes: Sequence[int | None]) -> None:
        for number, count in enumerate(changes):
            if count is None:
                continue
            before = self._counts.get((ordinal, number), count)
            if count > before:
                self._changes.happened((ordinal, number), at, count - before)
            self._counts[ordinal, number] = count

    def _note_lines(self, ordinal: int, latest: Latest, names: list[Name], values: list[float]) -> None:
        assert latest.readings is not None  # noqa: S101  the caller looked
        bad = False
        for number, line in enumerate(self._lines[ordinal]):
            for port in latest.readings.interfaces:
                if port.name == line.port:
                    break
            else:
                continue
            if port.admin_up and port.oper_up is False and line.role == "primary":
                names.append((r.LINK_TROUBLE, (line.suffix, Trouble.PRIMARY_DOWN)))
                values.append(1.0)
                bad = True
            rates = self._rates.get((ordinal, number))
            if rates is None:
                rates = self._rates[ordinal, number] = Rates(4)
            if not latest.missed:
                rates.take((port.in_octets, port.out_octets, port.in_errors, port.out_errors), latest.polled_at)
            speed = line.link.bandwidth_mbps * 125_000 if line.link and line.link.bandwidth_mbps is not None else None
            for trouble, value in troubles.of_line(rates.per_s, speed):
                names.append((r.LINK_TROUBLE, (line.suffix, trouble)))
                values.append(value)
                bad = True
        if bad:
            self._bad_lines.add(ordinal)
        else:
            self._bad_lines.discard(ordinal)

    def families(self, now: float, echoes: Echoes | None) -> dict[Metric, str]:
        """What is not a single device's text: restarts, flapping, echoes; who is concerned; and how many are well."""
        sites = {self._sites[ordinal] for ordinal in (*self._found, *self._bad_lines)}
        restarting, lines = [], []
        for ordinal, times in self._restarts.often(now):
            in_hours = self._collector.watch.promises.in_hours(ordinal)
            labels = self._labels(ordinal, Trouble.RESTARTS, "", silent=False, in_hours=in_hours)
            restarting.append(f"{series(r.DEVICE_TROUBLE, *self._where(ordinal), *labels)}{times}\n")
            sites.add(self._sites[ordinal])
        for (ordinal, number), times in self._changes.often(now):
            site, device = self._where(ordinal)
            link = device + self._lines[ordinal][number].suffix
            lines.append(f"{series(r.LINK_TROUBLE, site, link, Trouble.FLAPPING)}{times}\n")
            sites.add(self._sites[ordinal])
        if echoes is not None:
            for target, line in enumerate(self._echoed):
                told = self._echo(target, line, echoes, now)
                if told:
                    lines.append(told)
                    sites.add(self._sites[line.router])
        watch = self._collector.watch
        sites.update(watch.dark, (outage.root for outage in watch.open_outages))
        return {
            r.DEVICE_TROUBLE: "".join(restarting),
            r.LINK_TROUBLE: "".join(lines),
            r.SITE_TROUBLE: "".join(self._identity(site) for site in sorted(sites)),
            **self._counted(),
        }

    def _echo(self, target: int, line: Echoed, echoes: Echoes, now: float) -> str:
        mean = self._means.take(target, echoes.rtt_s(target), now)
        if self._sites[line.router] in self._collector.watch.dark:
            return ""  # its outage says so already
        found = troubles.of_echoes(echoes.loss_ratio(target), mean, (line.router, line.suffix) in self._mobile)
        site, device = self._where(line.router)
        link = device + line.suffix
        return "".join(f"{series(r.LINK_TROUBLE, site, link, trouble)}{value:.15g}\n" for trouble, value in found)

    def _where(self, ordinal: int) -> tuple[str, str]:
        return self._inventory.sites.ids[self._sites[ordinal]], self._ids[ordinal]

    def _identity(self, site: int) -> str:
        watch, sites = self._collector.watch, self._inventory.sites
        township, uplink, schedule = self._places[site]
        labels = (sites.ids[site], township, uplink, schedule, sites.types[site], sites.names[site])
        flags = ("yes" if flag else "no" for flag in (site in watch.dark, watch.promises.window(site) is not None))
        return f"{series(r.SITE_TROUBLE, *labels, *flags)}1\n"

    def _counted(self) -> dict[Metric, str]:
        """Sites by state, and lines: of all, and of the roots of open outages."""
        watch = self._collector.watch
        states: Counter[tuple[str, ...]] = Counter()
        lines: Counter[tuple[str, str]] = Counter()
        for site, place in enumerate(self._places):
            if site in watch.dark:
                state = "dark"
            elif watch.last_answer(site) is not None:
                state = "up"
            else:
                if watch.fleet.at_site[site]:
                    states[*place, "unknown"] += 1
                continue
            states[*place, state] += 1
            for carrier in self._carriers[site]:
                lines[carrier, place[2]] += 1
        hit: Counter[tuple[str, ...]] = Counter()
        for outage in watch.open_outages:
            if outage.scope in (Scope.SITE, Scope.UPLINK):
                hit.update((outage.scope, outage.node, carrier) for carrier in self._carriers[outage.root])
        return {
            metric: "".join(f"{series(metric, *labels)}{count}\n" for labels, count in counted.items())
            for metric, counted in ((r.SITES, states), (r.LINES, lines), (r.OUTAGE_LINES, hit))
        }
