"""A county's metrics as ready-made text: rendered where a poll brought something new, joined at a scrape.

A device's lines are kept as one string per metric, so a scrape only joins strings, grouped by metric as the format
wants. No labels of the scrape target are repeated inside, and no timestamps: a value that is no longer measured
disappears.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from collectors.engine import Collector
from collectors.inquiry import OpenOutage
from collectors.ping import Echoes
from exporter import registry as r
from exporter.describing import describe
from exporter.formats import Families, Format, page
from exporter.fragments import Templates
from exporter.links import Echoed, Line, lines_of
from exporter.noticing import Noticed
from exporter.registry import Metric, series
from health.hours import in_service_hours, next_change
from health.outage import Scope
from health.reading import Identity, Readings
from inventory.model import Inventory
from inventory.timetable import CHINA
from inventory.vocabulary import Aspect, DeviceClass, Verdict

_DEVICE_METRICS: Final = (
    r.LINK_UP, r.LINK_STATE_CHANGES, r.LINK_RECEIVE, r.LINK_TRANSMIT, r.LINK_ERRORS, r.LINK_DISCARDS, r.LINK_TROUBLE,
    r.DEVICE_UP, r.DEVICE_PROMISED, r.DEVICE_LAST_POLL, r.DEVICE_TROUBLE,
    r.DEVICE_BOOT, r.DEVICE_CLOCK, r.DEVICE_CPU, r.DEVICE_MEMORY, r.DEVICE_TEMPERATURE,
    r.KIOSK_APP_UP, r.KIOSK_FS_SIZE, r.KIOSK_FS_AVAIL, r.PERIPHERAL_UP, r.PERIPHERAL_FAULT,
    r.PRINTER_SUPPLY, r.PRINTER_PAPER, r.PRINTER_PAGES,
    r.DEVICE_INFO,
)  # fmt: skip

ALWAYS: Final = "always"
_TERMINALS: Final = frozenset({DeviceClass.KIOSK, DeviceClass.PRINTER})
"""The schedule of a site for which no service calendar is named."""

_AT_ONCE: Final = 200  # devices between two looks at the event loop: about a millisecond


class CountyText:
    """Renders what one collector knows of its county.

    Args:
        echoes: what came of the ICMP echoes, in the order of ``echoed``; None where none are sent.
        echoed: the lines over which they go.
        clock: Unix time.
    """

    def __init__(
        self,
        inventory: Inventory,
        collector: Collector,
        echoes: Echoes | None = None,
        echoed: Sequence[Echoed] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._inventory = inventory
        self._collector = collector
        self._echoes = echoes
        self._clock = clock
        ids, devices = inventory.sites.ids, inventory.devices
        self._ids: list[tuple[str, str]] = []
        self._kinds: list[DeviceClass] = []
        for site, id in enumerate(ids):
            for device in devices.of(site):
                self._ids.append((id, device.id))
                self._kinds.append(device.device_class)
        self._versions: list[object] = [None] * len(devices)
        self._fragments = [[""] * len(_DEVICE_METRICS)] * len(devices)
        self._identities: list[tuple[Identity | None, str] | None] = [None] * len(devices)
        self._echoed = []
        for target, over in enumerate(echoed):
            id, router = self._ids[over.router]
            where = (id, router + over.suffix)
            self._echoed.append((target, series(r.LINK_PROBE_RTT, *where), series(r.LINK_PROBE_LOSS, *where)))
        self._templates = Templates(_DEVICE_METRICS)
        places = [
            (_township(inventory, site), _uplink(inventory, site), inventory.calendar_name(site) or ALWAYS)
            for site in range(len(ids))
        ]
        self._townships = [township for township, *_ in places]
        self._prefixes = [
            (
                series(r.SITE_UP, id, *place),
                *(series(metric, id) for metric in (r.SITE_WORKING, r.SITE_LAST_SEEN, r.SITE_MAINTENANCE)),
            )
            for id, place in zip(ids, places, strict=True)
        ]
        lines = [line for site in range(len(ids)) for line in lines_of(inventory, site)]
        self._lines: dict[int, list[Line]] = {}
        for line in lines:
            self._lines.setdefault(line.router, []).append(line)
        self._noticed = Noticed(inventory, collector, lines, echoed, places)
        self._static = (
            _describe_names(inventory, self._townships)
            | _describe_sites(inventory, places)
            | _describe_lines(inventory, lines)
        )
        self._schedules: dict[str, tuple[float, bool]] = {}  # until when it stays as it is

    def render(self) -> bytes:
        """The exposition in Prometheus' text format 0.0.4."""
        for _ in self.freshen():
            pass
        return page(self.families(), Format.TEXT)

    def freshen(self) -> Iterator[None]:
        """Renders what polls brought since the last time, a few devices between two pauses."""
        ordinals = iter(range(len(self._fragments)))
        while batch := list(islice(ordinals, _AT_ONCE)):
            for ordinal in batch:
                self._freshen(ordinal)
            yield

    def families(self) -> Families:
        """Everything as it was rendered last."""
        lines: dict[Metric, str] = dict(
            zip(
                _DEVICE_METRICS,
                map("".join, zip(*self._fragments, strict=True)),
                strict=False,  # a county without devices has no columns
            )
        )
        lines |= self._static
        lines |= self._site_lines()
        lines |= self._probe_lines()
        lines |= self._outage_lines()
        lines[r.SCHEDULE_ACTIVE] = self._schedule_lines()
        for metric, more in self._noticed.families(self._clock(), self._echoes).items():
            lines[metric] = lines.get(metric, "") + more
        return [(metric, lines[metric]) for metric in r.COUNTY_METRICS if lines.get(metric)]

    def of_device(self, ordinal: int) -> Families:
        """What is said of one device alone."""
        self._freshen(ordinal)
        lines = dict(zip(_DEVICE_METRICS, self._fragments[ordinal], strict=True))
        return [(metric, lines[metric]) for metric in r.COUNTY_METRICS if lines.get(metric)]

    def _freshen(self, ordinal: int) -> None:
        """A device's lines, one string a metric, made anew only when a poll ended since."""
        collector = self._collector
        watch, latest = collector.watch, collector.latest[ordinal]
        # A device that somebody else watches has no hours of ours.
        in_hours = watch.promises.in_hours(ordinal) if watch.fleet.devices[ordinal].asked else None
        version = (latest.polled_at, watch.health[ordinal].state, in_hours)
        if self._versions[ordinal] == version:
            return
        lines, counted = self._lines.get(ordinal, ()), collector.lines
        changes = [counted.count(ordinal, number) for number in range(len(lines))] if counted and lines else ()
        wrong = self._noticed.device(ordinal, latest, version[1], in_hours, changes)
        described = describe(self._kinds[ordinal], latest, version[1], in_hours, lines, changes, wrong)
        site, device = self._ids[ordinal]
        fragment = self._templates.fill(site, device, described)
        fragment[-1] = self._identity(ordinal, latest.readings)
        self._fragments[ordinal] = fragment
        self._versions[ordinal] = version

    def _identity(self, ordinal: int, readings: Readings | None) -> str:
        """A device as it answered, else as declared. Between surveys it keeps its identity, and we the line."""
        said = readings.identity if readings else None
        known = self._identities[ordinal]
        if known is not None and known[0] is said:
            return known[1]
        device = self._inventory.devices[ordinal]
        labels = (
            device.device_class.value,
            (said and said.vendor) or device.vendor,
            (said and said.model) or self._inventory.models[device.model].title,
            (said and said.os_version) or "",
            (said and said.serial) or device.serial or "",
            said.profile if said else device.profile,
        )
        line = f"{series(r.DEVICE_INFO, *self._ids[ordinal], *labels)}1\n"
        self._identities[ordinal] = (said, line)
        return line

    def _probe_lines(self) -> dict[Metric, str]:
        rtts, losses = [], []
        if self._echoes is None:
            return {}
        for target, of_rtt, of_loss in self._echoed:
            loss, rtt_s = self._echoes.loss_ratio(target), self._echoes.rtt_s(target)
            if loss is not None:
                losses.append(f"{of_loss}{loss:.15g}\n")
            if rtt_s is not None:
                rtts.append(f"{of_rtt}{rtt_s:.6f}\n")
        return {r.LINK_PROBE_RTT: "".join(rtts), r.LINK_PROBE_LOSS: "".join(losses)}

    def _site_lines(self) -> dict[Metric, str]:
        watch = self._collector.watch
        up, working, seen, worked_on = [], [], [], []
        for site, (of_up, of_working, of_seen, of_work) in enumerate(self._prefixes):
            if watch.fleet.at_site[site]:
                worked_on.append(f"{of_work}{int(watch.promises.window(site) is not None)}\n")
            last_answer = watch.last_answer(site)
            if last_answer is None and site not in watch.dark:
                continue  # what an earlier collector said is not repeated as if it had been measured now
            up.append(f"{of_up}{int(site not in watch.dark)}\n")
            serving = watch.verdict(site, Aspect.WORKING)
            if serving is not Verdict.UNKNOWN:
                working.append(f"{of_working}{int(serving is Verdict.YES)}\n")
            if last_answer is not None:
                seen.append(f"{of_seen}{last_answer:.3f}\n")
        found = {r.SITE_UP: up, r.SITE_WORKING: working, r.SITE_LAST_SEEN: seen, r.SITE_MAINTENANCE: worked_on}
        return {metric: "".join(lines) for metric, lines in found.items()}

    def _outage_lines(self) -> dict[Metric, str]:
        watch = self._collector.watch
        beneath = Counter(watch.explained.values())
        opened, dark, promised = [], [], []
        for outage in watch.open_outages:
            if outage.scope is Scope.LINE:
                continue  # cuntong_link_up says so, and has its own alerts
            where = (watch.fleet.sites[outage.root], self._townships[outage.root])
            planned = "no" if outage.window is None else "yes"
            labels = (outage.scope, outage.node, outage.label, *where, planned)
            opened.append(f"{series(r.OUTAGE_OPEN, *labels)}{outage.since:.3f}\n")
            kind = "" if outage.ordinal is None else watch.fleet.devices[outage.ordinal].device_class
            due = series(r.OUTAGE_PROMISED, outage.scope, outage.node, kind)
            promised.append(f"{due}{int(self._is_promised(outage))}\n")
            if outage.scope is not Scope.DEVICE:
                dark.append(f"{series(r.OUTAGE_SITES, outage.scope, outage.node)}{beneath[outage.id]}\n")
        found = {r.OUTAGE_OPEN: opened, r.OUTAGE_SITES: dark, r.OUTAGE_PROMISED: promised}
        return {metric: "".join(lines) for metric, lines in found.items()}

    def _is_promised(self, outage: OpenOutage) -> bool:
        """Whether anybody would miss it now: a hall that is closed misses nothing, but for a terminal that never is."""
        if outage.scope is Scope.UPLINK:
            return True
        watch = self._collector.watch
        if outage.ordinal is not None:
            return bool(watch.promises.in_hours(outage.ordinal))
        devices = watch.fleet.at_site[outage.root]
        terminals = [one for one in devices if watch.fleet.devices[one].device_class in _TERMINALS]
        if terminals:
            return any(watch.promises.in_hours(one) for one in terminals)
        calendar = self._inventory.calendars.get(self._inventory.calendar_name(outage.root) or "")
        return in_service_hours(calendar, self._clock())

    def _schedule_lines(self) -> str:
        at = self._clock()
        active = {ALWAYS: True}
        for name, calendar in self._inventory.calendars.items():
            until, now = self._schedules.get(name, (0.0, False))
            if at >= until:
                now = in_service_hours(calendar, at)
                self._schedules[name] = next_change(calendar, at), now
            active[name] = now
        return "".join(f"{series(r.SCHEDULE_ACTIVE, name)}{int(now)}\n" for name, now in active.items())


def _describe_names(inventory: Inventory, townships: Iterable[str]) -> dict[Metric, str]:
    """What people call what the other series name by a code."""
    nodes = inventory.nodes
    names = {code[:9]: nodes.names[node] for code, node in nodes.index.items() if nodes.levels[node] == 4}
    townships = sorted({one for one in townships if one})
    carriers = sorted(inventory.county.carriers.items())
    return {
        r.COUNTY_INFO: f"{series(r.COUNTY_INFO, nodes.names[0])}1\n",
        r.TOWNSHIP_INFO: "".join(f"{series(r.TOWNSHIP_INFO, one, names[one])}1\n" for one in townships),
        r.CARRIER_INFO: "".join(f"{series(r.CARRIER_INFO, *one)}1\n" for one in carriers),
    }


def _describe_sites(inventory: Inventory, places: list[tuple[str, str, str]]) -> dict[Metric, str]:
    """What the inventory alone says of sites, and no poll changes."""
    sites = inventory.sites
    infos = []
    for site, (township, uplink, schedule) in enumerate(places):
        claims = inventory.claims(site)
        identity = (
            sites.ids[site],
            inventory.nodes.codes[int(sites.nodes[site])],
            township,
            uplink,
            sites.types[site],
            sites.classes[site],
            claims[-1].claim if claims else "",
            schedule,
            _monitored(inventory, site),
            sites.names[site],
        )
        infos.append(f"{series(r.SITE_INFO, *identity)}1\n")
    return {r.SITE_INFO: "".join(infos)}


def _describe_lines(inventory: Inventory, lines: Sequence[Line]) -> dict[Metric, str]:
    infos, speeds, ends = [], [], []
    for line in lines:
        link, router = line.link, inventory.devices[line.router]
        if link is None:
            continue
        site, name = inventory.sites.ids[router.site], router.id + line.suffix
        identity = (site, name, link.role, link.link_type, link.carrier, link.circuit or "", link.origin)
        infos.append(f"{series(r.LINK_INFO, *identity)}1\n")
        if link.bandwidth_mbps is not None:
            speeds.append(f"{series(r.LINK_SPEED, site, name)}{link.bandwidth_mbps * 125_000}\n")
        if link.contract_until is not None:
            end = datetime.combine(link.contract_until, datetime.min.time(), CHINA).timestamp()
            ends.append(f"{series(r.LINK_CONTRACT_END, site, name)}{end:.0f}\n")
    return {r.LINK_INFO: "".join(infos), r.LINK_SPEED: "".join(speeds), r.LINK_CONTRACT_END: "".join(ends)}


def _monitored(inventory: Inventory, site: int) -> str:
    """By whom a site's devices are asked; a guest's are its host's."""
    host = int(inventory.sites.hosts[site])
    devices = inventory.devices.of(host if host >= 0 else site)
    if any(device.monitored == "us" and device.credential is not None for device in devices):
        return "us"
    return "partner" if any(device.monitored == "partner" for device in devices) else "nobody"


def _township(inventory: Inventory, site: int) -> str:
    """The 9 digits of the township above a site; empty above townships."""
    node, nodes = int(inventory.sites.nodes[site]), inventory.nodes
    while node >= 0 and nodes.levels[node] > 4:
        node = nodes.parents[node]
    return nodes.codes[node][:9] if node >= 0 and nodes.levels[node] == 4 else ""


def _uplink(inventory: Inventory, site: int) -> str:
    above = inventory.site_uplinks(site)
    return inventory.sites.ids[above[0]] if above else ""
