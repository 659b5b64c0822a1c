"""What one device's newest poll says, as metrics: names first, then values, the ones that matter most in front.

Devices of one kind have equal names, so what is made of names is made once for all of them.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from collectors.latest import Latest
from exporter import registry as r
from exporter.links import Line, Name
from exporter.registry import Metric
from health.device import DeviceState
from health.reading import Readings
from health.site import KIOSK_PARTS, NOT_LOOKED
from inventory.vocabulary import DeviceClass

Described = tuple[list[Name], list[float]]
"""Names and values, as many of one as of the other. A name may stand twice: devices repeat names of sensors."""

_UP: Final[dict[DeviceClass, Name]] = {kind: (r.DEVICE_UP, (kind.value,)) for kind in DeviceClass}
_PROMISED: Final[Name] = (r.DEVICE_PROMISED, ())
_LAST_POLL: Final[Name] = (r.DEVICE_LAST_POLL, ())
_BOOT: Final[Name] = (r.DEVICE_BOOT, ())
_CLOCK: Final[Name] = (r.DEVICE_CLOCK, ())
_CPU: Final[Name] = (r.DEVICE_CPU, ())
_MEMORY: Final[Name] = (r.DEVICE_MEMORY, ())
_PAGES: Final[Name] = (r.PRINTER_PAGES, ())
_PARTS: Final[dict[str, Name]] = {part: (r.PERIPHERAL_UP, (part,)) for part in KIOSK_PARTS} | {
    "kiosk-app": (r.KIOSK_APP_UP, ())
}


@lru_cache(4096)
def _named(metric: Metric, label: str) -> Name:
    """A metric with one label of its own; the same object for the same words, as devices repeat each other."""
    return metric, (label,)


def describe(
    kind: DeviceClass,
    latest: Latest,
    state: DeviceState,
    in_hours: bool | None,
    lines: Sequence[Line] = (),
    changes: Sequence[int | None] = (),
    wrong: Described = ([], []),
) -> Described:
    """Every sample of one device but its identity.

    Args:
        in_hours: whether its service is promised now; None for a device that somebody else watches.
        lines: those that end on it; ``changes`` how often each went up or down, None where that is not known.
        wrong: its troubles; they stand in front of what may be cut off.
    """
    names: list[Name] = []
    values: list[float] = []
    if state is DeviceState.UP or state is DeviceState.SILENT:
        names.append(_UP[kind])
        values.append(state is DeviceState.UP)
    if in_hours is not None:
        names.append(_PROMISED)
        values.append(in_hours)
    if latest.polled_at:
        names.append(_LAST_POLL)
        values.append(latest.polled_at)
    if wrong[0]:
        names += wrong[0]
        values += wrong[1]
    readings = latest.readings
    if readings is None or state is DeviceState.SILENT:
        return names, values
    if latest.boot_at is not None:
        names.append(_BOOT)
        values.append(latest.boot_at)
    if latest.clock_offset_s is not None:
        names.append(_CLOCK)
        values.append(latest.clock_offset_s)
    usages = [processor.usage_ratio for processor in readings.processors if processor.usage_ratio is not None]
    if usages:
        names.append(_CPU)
        values.append(max(usages))
    memories = [store.used_ratio for store in readings.memory if store.used_ratio is not None]
    if memories:
        names.append(_MEMORY)
        values.append(max(memories))
    if lines:
        _lines(names, values, readings, lines, changes)
    if kind is DeviceClass.KIOSK:
        _kiosk(names, values, readings)
    if readings.printer is not None:
        _printer(names, values, readings)
    for sensor in readings.sensors:
        if sensor.kind == "temperature" and isinstance(sensor.value, float | int):
            names.append(_named(r.DEVICE_TEMPERATURE, sensor.name))
            values.append(sensor.value)
    return names, values


def _lines(
    names: list[Name],
    values: list[float],
    readings: Readings,
    lines: Sequence[Line],
    changes: Sequence[int | None],
) -> None:
    for number, line in enumerate(lines):
        for port in readings.interfaces:
            if port.name == line.port:
                break
        else:
            continue
        if port.oper_up is not None and port.admin_up:
            names.append(line.up)
            values.append(port.oper_up)
        changed = changes[number] if changes else None
        if changed is not None:
            names.append(line.changes)
            values.append(changed)
        for field, name in line.counters:
            count = getattr(port, field)
            if count is not None:
                names.append(name)
                values.append(count)


def _kiosk(names: list[Name], values: list[float], readings: Readings) -> None:
    for extend in readings.extends:
        result = extend.result
        if result is not None and result != NOT_LOOKED and extend.name in _PARTS:
            names.append(_PARTS[extend.name])
            values.append(result == 0)
    for volume in readings.storage:
        total, used = volume.total_bytes, volume.used_bytes
        if total is not None and used is not None:
            names.append(_named(r.KIOSK_FS_SIZE, volume.name))
            values.append(total)
            names.append(_named(r.KIOSK_FS_AVAIL, volume.name))
            values.append(max(0, total - used))


def _printer(names: list[Name], values: list[float], readings: Readings) -> None:
    printer = readings.printer
    if printer is None:
        return
    for fault in printer.errors:
        names.append(_named(r.PERIPHERAL_FAULT, fault))
        values.append(1)
    for metric, stocks in ((r.PRINTER_SUPPLY, printer.supplies), (r.PRINTER_PAPER, printer.trays)):
        for stock in stocks:
            if stock.ratio is not None:
                names.append(_named(metric, stock.name))
                values.append(stock.ratio)
    if printer.pages is not None:
        names.append(_PAGES)
        values.append(printer.pages)
