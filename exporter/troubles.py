"""What counts as trouble of a device or a line while its site answers: the thresholds, said once.

Rules do not look for trouble among all series, which would read one for every line and peripheral each time: the
exporter publishes what is wrong, and rules say how long it must last and who hears of it. Pure.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from health.reading import Readings
from health.site import KIOSK_PARTS, NOT_LOOKED
from inventory.vocabulary import DeviceClass


class Trouble(StrEnum):
    """The label ``trouble`` of ``cuntong_device_trouble`` and ``cuntong_link_trouble``."""

    KIOSK_APP = "kiosk_app"
    PERIPHERAL = "peripheral"
    PRINTER_FAULT = "printer_fault"
    DISK_FULL = "disk_full"
    SUPPLY_LOW = "supply_low"
    TEMPERATURE = "temperature"
    CLOCK = "clock"
    RESTARTS = "restarts"
    PRIMARY_DOWN = "primary_down"
    FLAPPING = "flapping"
    PACKET_LOSS = "packet_loss"
    LATENCY = "latency"
    ERRORS = "errors"
    SATURATED = "saturated"


FAULTS: Final = frozenset({"no_paper", "no_toner", "door_open", "jammed", "offline", "service_requested"})
"""With these a printer does not print (RFC 3805, hrPrinterDetectedErrorState); others are warnings of its own."""

DISK_LEFT_BYTES: Final = 4e9
DISK_LEFT_RATIO: Final = 0.05
SUPPLY_LEFT_RATIO: Final = 0.1
HOT_CELSIUS: Final = 70.0
CLOCK_OFFSET_S: Final = 120.0
RESTARTS: Final = 3
RESTARTS_WITHIN_S: Final = 6 * 3600.0
RESTARTING: Final = frozenset({DeviceClass.ROUTER, DeviceClass.SWITCH})
"""Of what carries others only: kiosks are switched off every evening."""

CHANGES: Final = 6
CHANGES_WITHIN_S: Final = 3600.0
LOSS_RATIO: Final = 0.05
LATENCY_S: Final = 0.15
LATENCY_MOBILE_S: Final = 0.3
"""50 ms are agreed, 100 ms over 4G/5G; three times that is felt."""

ERRORS_PER_S: Final = 1.0
SATURATED_RATIO: Final = 0.9
SATURATED_FROM_BYTES: Final = 100_000.0
"""Below this nothing is full that anybody rents."""

Found = tuple[Trouble, str, float]
"""A trouble, the part that has it (empty for the device itself), and how bad it is: 1, or what was measured."""


def of_device(kind: DeviceClass, readings: Readings, clock_offset_s: float | None) -> Iterator[Found]:
    """What its newest answer says is wrong."""
    if kind is DeviceClass.KIOSK:
        yield from _of_kiosk(readings)
    if readings.printer is not None:
        for fault in readings.printer.errors:
            if fault in FAULTS:
                yield Trouble.PRINTER_FAULT, fault, 1.0
        for supply in readings.printer.supplies:
            if supply.ratio is not None and supply.ratio < SUPPLY_LEFT_RATIO:
                yield Trouble.SUPPLY_LOW, supply.name, supply.ratio
    hottest = HOT_CELSIUS
    for sensor in readings.sensors:
        value = sensor.value
        if sensor.kind == "temperature" and isinstance(value, float | int) and value > hottest:
            hottest = value
    if hottest > HOT_CELSIUS:
        yield Trouble.TEMPERATURE, "", hottest
    if clock_offset_s is not None and abs(clock_offset_s) > CLOCK_OFFSET_S:
        yield Trouble.CLOCK, "", abs(clock_offset_s)


def _of_kiosk(readings: Readings) -> Iterator[Found]:
    for extend in readings.extends:
        if extend.result and extend.result != NOT_LOOKED:
            if extend.name == "kiosk-app":
                yield Trouble.KIOSK_APP, "", 1.0
            elif extend.name in KIOSK_PARTS:
                yield Trouble.PERIPHERAL, extend.name, 1.0
    for volume in readings.storage:
        total, used = volume.total_bytes, volume.used_bytes
        if total and used is not None:
            left = max(0, total - used)
            if left < DISK_LEFT_BYTES and left < DISK_LEFT_RATIO * total:
                yield Trouble.DISK_FULL, volume.name, left / total


def of_line(rates: "tuple[float | None, ...]", speed_bytes: float | None) -> Iterator[tuple[Trouble, float]]:
    """What its port's counters say is wrong.

    Args:
        rates: a second of bytes in, bytes out, frames with errors in, and out, over `trends.WINDOW_S`; None: not known.
        speed_bytes: contracted, a second.
    """
    received, sent, wrong_in, wrong_out = rates
    wrong = max(wrong_in or 0.0, wrong_out or 0.0)
    if wrong > ERRORS_PER_S:
        yield Trouble.ERRORS, wrong
    most = max(received or 0.0, sent or 0.0)
    if speed_bytes and most > SATURATED_FROM_BYTES and most / speed_bytes > SATURATED_RATIO:
        yield Trouble.SATURATED, most / speed_bytes


def of_echoes(loss_ratio: float | None, mean_rtt_s: float | None, mobile: bool) -> Iterator[tuple[Trouble, float]]:
    """What the echoes over a line say is wrong.

    Args:
        mean_rtt_s: over `trends.WINDOW_S`.
        mobile: it goes over 4G/5G.
    """
    if loss_ratio is not None and loss_ratio > LOSS_RATIO:
        yield Trouble.PACKET_LOSS, loss_ratio
    if mean_rtt_s is not None and mean_rtt_s > (LATENCY_MOBILE_S if mobile else LATENCY_S):
        yield Trouble.LATENCY, mean_rtt_s
