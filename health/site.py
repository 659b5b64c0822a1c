"""What a site's devices add up to: can people be served there, and if not, what is missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from health.device import DeviceState
from health.reading import Readings
from inventory.vocabulary import Verdict

# An `extend` of a kiosk reports its part by name; exit code 0 is well (NET-SNMP-EXTEND-MIB nsExtendResult). The part's
# name is that of the script (playbooks/roles/kiosk) or of a router's own probe (inventory/profiles/parts/probes.yml):
# `platform` and `rating` are the service platform and the citizens' ratings (好差评) as the site itself reaches them.
# What the collector reaches is no evidence of service.
KIOSK_PARTS = (
    "kiosk-app", "screen", "document-camera", "id-card-reader", "printer", "print-queue", "session-reset",
    "platform", "rating",
)  # fmt: skip
_VITAL = frozenset({"kiosk-app", "screen", "id-card-reader", "platform"})

NOT_LOOKED = 3
"""The exit code by which a script says that it does not know (as monitoring plugins do): no fault, and no proof."""

# hrPrinterDetectedErrorState (RFC 1759): these stop printing, the others only announce that something will.
_ANNOUNCES = frozenset({"low_paper", "low_toner"})
_STOPS_PRINTING = frozenset({"no_paper", "no_toner", "door_open", "jammed", "offline", "service_requested"})


def faults(readings: Readings) -> tuple[str, ...]:
    """What a device that answers says is wrong with itself, such as ``no_paper`` or ``document-camera``."""
    # Of a probe that a router repeats several results may be there, the newest last.
    newest = {extend.name: extend.result for extend in readings.extends if extend.name in KIOSK_PARTS}
    broken = ["not_looked" if result == NOT_LOOKED else name for name, result in newest.items() if result]
    if readings.printer is not None:
        broken += readings.printer.errors
    return tuple(dict.fromkeys(broken))


def lines_down(readings: Readings, uplink_ports: Sequence[str]) -> list[bool | None]:
    """Of each of a router's lines whether its port is down although switched on; None where the router does not say."""
    ports = {interface.name: interface for interface in readings.interfaces}
    found = [ports.get(name) for name in uplink_ports]
    return [
        None if port is None or port.oper_up is None or (not port.oper_up and not port.admin_up) else not port.oper_up
        for port in found
    ]


def line_verdict(down: bool | None, heard: bool | None) -> tuple[Verdict, str]:
    """Whether one of a router's several lines is there, and why not.

    Args:
        down: of its port, as `lines_down` says.
        heard: whether echoes over it come back; None where none are sent.
    """
    if down is None:
        return Verdict.UNKNOWN, "never_reported"
    if down:
        return Verdict.NO, "line_down"
    return (Verdict.NO, "no_echo") if heard is False else (Verdict.YES, "")


def lost_line(readings: Readings, uplink_ports: Sequence[str]) -> str | None:
    """Of a router with several lines the first whose port is down although it is switched on; None where all are up."""
    down = zip(uplink_ports, lines_down(readings, uplink_ports), strict=True)
    return next((name for name, lost in down if lost), None)


def looked_at(readings: Readings) -> tuple[str, ...]:
    """The parts of a device that somebody there has looked at, well or not."""
    newest = {extend.name: extend.result for extend in readings.extends if extend.name in KIOSK_PARTS}
    return tuple(name for name, result in newest.items() if result is not None and result != NOT_LOOKED)


_ANSWERING = (DeviceState.UP, DeviceState.SUSPECT)


@dataclass(frozen=True, slots=True)
class Part:
    """One monitored device of a site, as far as service depends on it."""

    role: str
    device_class: str
    state: DeviceState
    faults: tuple[str, ...] = ()
    looked: tuple[str, ...] = ()

    @property
    def hindrance(self) -> str | None:
        """Why it cannot serve, as ``role:reason``; None where it can, or where nobody has asked yet."""
        if self.state is DeviceState.SILENT:
            return f"{self.role}:silent"
        vital = _STOPS_PRINTING if self.device_class == "printer" else _VITAL
        broken = next((fault for fault in self.faults if fault in vital), None)
        return f"{self.role}:{broken}" if broken else None

    @property
    def unproved(self) -> bool:
        """It answers, but nobody there has looked whether it does its work."""
        return "not_looked" in self.faults

    @property
    def blemish(self) -> str | None:
        """What is wrong with it although it serves, as ``role:reason``."""
        broken = next((fault for fault in self.faults if fault not in _ANNOUNCES), None)
        return f"{self.role}:{broken}" if broken else None


def working(parts: Iterable[Part]) -> tuple[Verdict, str]:
    """Whether a citizen can be served: of each class of device that the site has, at least one does its work.

    Returns:
        The verdict and its reason. The reason of a yes names what is out of order although people are served; it is
        empty where all is well. A class whose devices are all outside their hours promises nothing: unknown.
    """
    every = list(parts)
    by_class: dict[str, list[Part]] = {}
    for part in every:
        by_class.setdefault(part.device_class, []).append(part)
    if not by_class:
        return Verdict.UNKNOWN, "not_monitored"
    question = ""
    for same in by_class.values():
        promised = [part for part in same if part.state is not DeviceState.OFF_HOURS]
        hindrances = [part.hindrance for part in promised]
        if promised and all(hindrances):
            return Verdict.NO, hindrances[0] or ""
        if not promised:
            question = question or DeviceState.OFF_HOURS
        elif not any(part.state in _ANSWERING and not part.hindrance and not part.unproved for part in promised):
            question = "never_reported"
    if question:
        return Verdict.UNKNOWN, question
    blemishes = (part.hindrance or part.blemish for part in every)
    return Verdict.YES, next((blemish for blemish in blemishes if blemish), "")


PERIPHERALS = ("document-camera", "id-card-reader", "printer")
"""What a kiosk needs beside itself (高拍仪、身份证阅读器、打印机); a printer of the site's own serves, too."""
NOBODY_LOOKED = "not_looked"


def platform(parts: Iterable[Part]) -> tuple[Verdict, str]:
    """Whether the site itself reaches the service platform: one kiosk or router that does is enough."""
    return _any_well([part for part in parts if part.state in _ANSWERING and "platform" in part.looked], "platform")


def peripherals(parts: Iterable[Part]) -> tuple[Verdict, str]:
    """Whether of each kind of peripheral that the site has one is well; unknown where no kiosk looked at its own."""
    every = list(parts)
    found = []
    for kind in PERIPHERALS:
        looked = [part for part in every if part.state in _ANSWERING and kind in part.looked]
        if kind == "printer":
            printers = [part for part in every if part.device_class == "printer" and part.state in _ANSWERING]
            if any(not part.hindrance for part in printers):
                found.append((Verdict.YES, ""))
                continue
            if printers and not looked:
                found.append((Verdict.NO, printers[0].hindrance or ""))
                continue
        found.append(_any_well(looked, kind))
    broken = next((one for one in found if one[0] is Verdict.NO), None)
    if broken is not None:
        return broken
    kiosks = [part for part in every if part.device_class == "kiosk"]
    blind = bool(kiosks) and not any(kind in part.looked for part in kiosks for kind in PERIPHERALS)
    if blind or all(said is Verdict.UNKNOWN for said, _ in found):
        return Verdict.UNKNOWN, NOBODY_LOOKED
    return Verdict.YES, ""


def _any_well(looked: Sequence[Part], name: str) -> tuple[Verdict, str]:
    if not looked:
        return Verdict.UNKNOWN, NOBODY_LOOKED
    broken = next((part for part in looked if name in part.faults), None)
    if broken is None or any(name not in part.faults for part in looked):
        return Verdict.YES, ""
    return Verdict.NO, f"{broken.role}:{name}"
