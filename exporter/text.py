"""A county's metrics as ready-made text: rendered where a poll brought something new, joined at a scrape.

A device's lines are kept as one string per metric, so a scrape only joins strings, grouped by metric as the format
wants. No labels of the scrape target are repeated inside, and no timestamps: a value that is no longer measured
disappears.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from collectors.engine import Collector
from collectors.latest import Latest
from collectors.ping import Echoes
from exporter import registry as r
from exporter.registry import Metric, series
from health.device import DeviceState
from health.reading import Interface, Readings
from health.site import KIOSK_PARTS, NOT_LOOKED
from inventory.devices import Device
from inventory.model import Inventory
from inventory.vocabulary import Aspect, DeviceClass, Verdict

_DEVICE_METRICS: Final = (
    r.LINK_UP, r.LINK_RECEIVE, r.LINK_TRANSMIT, r.LINK_ERRORS, r.LINK_DISCARDS,
    r.DEVICE_INFO, r.DEVICE_UP, r.DEVICE_PROMISED, r.DEVICE_LAST_POLL,
    r.DEVICE_BOOT, r.DEVICE_CPU, r.DEVICE_MEMORY, r.DEVICE_TEMPERATURE,
    r.KIOSK_APP_UP, r.KIOSK_FS_SIZE, r.KIOSK_FS_AVAIL, r.PERIPHERAL_UP, r.PERIPHERAL_FAULT,
    r.PRINTER_SUPPLY, r.PRINTER_PAPER, r.PRINTER_PAGES,
)  # fmt: skip
_PLACE: Final = {metric: place for place, metric in enumerate(_DEVICE_METRICS)}

SERIES_PER_DEVICE: Final = 60
"""A device that reports more loses the rest: one box with a thousand sensors must not flood Prometheus."""

Sample = tuple[Metric, tuple[str, ...], float]
"""Metric, values of the labels after site and device (or link), value."""


class CountyText:
    """Renders what one collector knows of its county.

    Args:
        echoes: of the devices' ICMP echoes, by ordinal; None where none are sent.
        pinged: ordinals to which they are sent.
    """

    def __init__(
        self, inventory: Inventory, collector: Collector, echoes: Echoes | None = None, pinged: Iterable[int] = ()
    ) -> None:
        self._inventory = inventory
        self._collector = collector
        self._echoes = echoes
        self._pinged = [
            (ordinal, (inventory.sites.ids[inventory.devices.site_of(ordinal)], inventory.devices[ordinal].id))
            for ordinal in pinged
        ]
        self._fragments: list[tuple[object, tuple[str, ...]]] = [(None, ())] * len(inventory.devices)
        self._labels = [
            (id, _township(inventory, site), _uplink(inventory, site)) for site, id in enumerate(inventory.sites.ids)
        ]
        self._static = _describe_sites(inventory, self._labels)

    def render(self) -> bytes:
        """The exposition, in Prometheus' text format 0.0.4, UTF-8."""
        fragments = [self._fragment(ordinal) for ordinal in range(len(self._fragments))]
        lines = dict(zip(_DEVICE_METRICS, map("".join, zip(*fragments, strict=True)), strict=True)) if fragments else {}
        lines |= self._static
        lines |= self._site_lines()
        lines |= self._ping_lines()
        lines[r.OUTAGE_OPEN] = "".join(
            f"{series(r.OUTAGE_OPEN, outage.scope, outage.node, outage.label)}{outage.since:.3f}\n"
            for outage in self._collector.watch.open_outages
        )
        return "".join(metric.head() + lines[metric] for metric in r.COUNTY_METRICS if lines.get(metric)).encode()

    def _fragment(self, ordinal: int) -> tuple[str, ...]:
        """A device's lines, one string a metric, made anew only when a poll ended since."""
        watch = self._collector.watch
        latest, state, in_hours = self._collector.latest[ordinal], watch.health[ordinal].state, self._in_hours(ordinal)
        version = (latest.polled_at, state, in_hours)
        known, fragment = self._fragments[ordinal]
        if known != version:
            device: Device = self._inventory.devices[ordinal]
            model = self._inventory.models[device.model]
            parts = [""] * len(_DEVICE_METRICS)
            here = (self._inventory.sites.ids[device.site], device.id)
            samples = describe(device, model.title, model.uplink_port, latest, state, in_hours)
            for metric, labels, value in islice(_once(samples), SERIES_PER_DEVICE):
                parts[_PLACE[metric]] += f"{series(metric, *here, *labels)}{value:.15g}\n"
            fragment = tuple(parts)
            self._fragments[ordinal] = (version, fragment)
        return fragment

    def _ping_lines(self) -> dict[Metric, str]:
        rtts, losses = [], []
        if self._echoes is None:
            return {}
        for ordinal, labels in self._pinged:
            loss, rtt_s = self._echoes.loss_ratio(ordinal), self._echoes.rtt_s(ordinal)
            if loss is not None:
                losses.append(f"{series(r.DEVICE_PING_LOSS, *labels)}{loss:.15g}\n")
            if rtt_s is not None:
                rtts.append(f"{series(r.DEVICE_PING_RTT, *labels)}{rtt_s:.6f}\n")
        return {r.DEVICE_PING_RTT: "".join(rtts), r.DEVICE_PING_LOSS: "".join(losses)}

    def _site_lines(self) -> dict[Metric, str]:
        watch = self._collector.watch
        up, working, seen, worked_on = [], [], [], []
        for site, labels in enumerate(self._labels):
            if watch.fleet.at_site[site]:
                worked_on.append(
                    f"{series(r.SITE_MAINTENANCE, labels[0])}{int(watch.promises.window(site) is not None)}\n"
                )
            last_answer = watch.last_answer(site)
            if last_answer is None and site not in watch.dark:
                continue  # what an earlier collector said is not repeated as if it had been measured now
            up.append(f"{series(r.SITE_UP, *labels)}{int(site not in watch.dark)}\n")
            serving = watch.verdict(site, Aspect.WORKING)
            if serving is not Verdict.UNKNOWN:
                working.append(f"{series(r.SITE_WORKING, labels[0])}{int(serving is Verdict.YES)}\n")
            if last_answer is not None:
                seen.append(f"{series(r.SITE_LAST_SEEN, labels[0])}{last_answer:.3f}\n")
        found = {r.SITE_UP: up, r.SITE_WORKING: working, r.SITE_LAST_SEEN: seen, r.SITE_MAINTENANCE: worked_on}
        return {metric: "".join(lines) for metric, lines in found.items()}

    def _in_hours(self, ordinal: int) -> bool | None:
        """None for a device that somebody else watches."""
        watch = self._collector.watch
        return watch.promises.in_hours(ordinal) if watch.fleet.devices[ordinal].asked else None


def _once(samples: Iterable[Sample]) -> Iterator[Sample]:
    """The first of each series: devices give two sensors the same name, and Prometheus refuses to choose."""
    seen = set()
    for sample in samples:
        if sample[:2] not in seen:
            seen.add(sample[:2])
            yield sample


def describe(
    device: Device, model: str, uplink_port: str | None, latest: Latest, state: DeviceState, in_hours: bool | None
) -> Iterator[Sample]:
    """Every sample of one device, the ones that matter most first."""
    kind = str(device.device_class)
    if state in (DeviceState.UP, DeviceState.SILENT):
        yield r.DEVICE_UP, (kind,), float(state is DeviceState.UP)
    if in_hours is not None:
        yield r.DEVICE_PROMISED, (), float(in_hours)
    if latest.polled_at:
        yield r.DEVICE_LAST_POLL, (), latest.polled_at
    readings = latest.readings
    identity = readings.identity if readings else None
    yield (
        r.DEVICE_INFO,
        (
            kind,
            (identity and identity.vendor) or device.vendor,
            (identity and identity.model) or model,
            (identity and identity.os_version) or "",
            (identity and identity.serial) or device.serial or "",
            identity.profile if identity else device.profile,
        ),
        1.0,
    )
    if readings is None or state is DeviceState.SILENT:
        return
    if latest.boot_at is not None:
        yield r.DEVICE_BOOT, (), latest.boot_at
    usages = [processor.usage_ratio for processor in readings.processors if processor.usage_ratio is not None]
    if usages:
        yield r.DEVICE_CPU, (), max(usages)
    memories = [store.used_ratio for store in readings.memory if store.used_ratio is not None]
    if memories:
        yield r.DEVICE_MEMORY, (), max(memories)
    if device.device_class is DeviceClass.ROUTER:
        yield from _link(readings, uplink_port)
    elif device.device_class is DeviceClass.KIOSK:
        yield from _kiosk(readings)
    yield from _printer(readings)
    for sensor in readings.sensors:
        if sensor.kind == "temperature" and isinstance(sensor.value, float | int):
            yield r.DEVICE_TEMPERATURE, (sensor.name,), float(sensor.value)


def _link(readings: Readings, uplink_port: str | None) -> Iterator[Sample]:
    port = next((interface for interface in readings.interfaces if interface.name == uplink_port), None)
    if port is None:
        return
    if port.oper_up is not None and port.admin_up:
        yield r.LINK_UP, (), float(port.oper_up)
    yield from _counters(port)


def _counters(port: Interface) -> Iterator[Sample]:
    counters: tuple[tuple[Metric, tuple[str, ...], int | None], ...] = (
        (r.LINK_RECEIVE, (), port.in_octets),
        (r.LINK_TRANSMIT, (), port.out_octets),
        (r.LINK_ERRORS, ("receive",), port.in_errors),
        (r.LINK_ERRORS, ("transmit",), port.out_errors),
        (r.LINK_DISCARDS, ("receive",), port.in_discards),
        (r.LINK_DISCARDS, ("transmit",), port.out_discards),
    )
    for metric, labels, value in counters:
        if value is not None:
            yield metric, labels, float(value)


def _kiosk(readings: Readings) -> Iterator[Sample]:
    for extend in readings.extends:
        if extend.result in (None, NOT_LOOKED) or extend.name not in KIOSK_PARTS:
            continue
        healthy = float(extend.result == 0)
        if extend.name == "kiosk-app":
            yield r.KIOSK_APP_UP, (), healthy
        else:
            yield r.PERIPHERAL_UP, (extend.name,), healthy
    for volume in readings.storage:
        if volume.total_bytes is not None and volume.used_bytes is not None:
            yield r.KIOSK_FS_SIZE, (volume.name,), float(volume.total_bytes)
            yield r.KIOSK_FS_AVAIL, (volume.name,), float(max(0, volume.total_bytes - volume.used_bytes))


def _printer(readings: Readings) -> Iterator[Sample]:
    if readings.printer is None:
        return
    for fault in readings.printer.errors:
        yield r.PERIPHERAL_FAULT, (fault,), 1.0
    for supply in readings.printer.supplies:
        if supply.ratio is not None:
            yield r.PRINTER_SUPPLY, (supply.name,), supply.ratio
    for tray in readings.printer.trays:
        if tray.ratio is not None:
            yield r.PRINTER_PAPER, (tray.name,), tray.ratio
    if readings.printer.pages is not None:
        yield r.PRINTER_PAGES, (), float(readings.printer.pages)


def _describe_sites(inventory: Inventory, labels: list[tuple[str, str, str]]) -> dict[Metric, str]:
    """What the inventory alone says, and no poll changes."""
    sites = inventory.sites
    infos, links, speeds = [], [], []
    for site, (id, township, uplink) in enumerate(labels):
        claims = inventory.claims(site)
        identity = (
            id,
            inventory.nodes.codes[int(sites.nodes[site])],
            township,
            uplink,
            sites.types[site],
            sites.classes[site],
            claims[-1].claim if claims else "",
            inventory.calendar_name(site) or "",
            sites.names[site],
        )
        infos.append(f"{series(r.SITE_INFO, *identity)}1\n")
        routers = [inventory.devices[ordinal].id for ordinal in inventory.devices.routers(site)]
        for name, link in zip(routers, inventory.links(site), strict=False):
            line = (id, name, link.role, link.link_type, link.carrier, link.circuit or "", link.origin)
            links.append(f"{series(r.LINK_INFO, *line)}1\n")
            if link.bandwidth_mbps is not None:
                speeds.append(f"{series(r.LINK_SPEED, id, name)}{link.bandwidth_mbps * 125_000}\n")
    return {r.SITE_INFO: "".join(infos), r.LINK_INFO: "".join(links), r.LINK_SPEED: "".join(speeds)}


def _township(inventory: Inventory, site: int) -> str:
    """The 9 digits of the township above a site; empty above townships."""
    node, nodes = int(inventory.sites.nodes[site]), inventory.nodes
    while node >= 0 and nodes.levels[node] > 4:
        node = nodes.parents[node]
    return nodes.codes[node][:9] if node >= 0 and nodes.levels[node] == 4 else ""


def _uplink(inventory: Inventory, site: int) -> str:
    above = inventory.site_uplinks(site)
    return inventory.sites.ids[above[0]] if above else ""
