"""What a site's devices add up to: can people be served there, and if not, what is missing."""

from collections.abc import Iterable
from dataclasses import dataclass

from health.device import DeviceState
from health.reading import Readings
from inventory.vocabulary import Verdict

# An `extend` of a kiosk reports its part by name; exit code 0 is well (NET-SNMP-EXTEND-MIB nsExtendResult).
# The part's name is that of the script, in the words of `inventory/profiles/linux-kiosk.yml`.
KIOSK_PARTS = ("kiosk-app", "screen", "document-camera", "id-card-reader", "printer")
_VITAL = frozenset({"kiosk-app", "screen", "id-card-reader"})

# hrPrinterDetectedErrorState (RFC 1759): these stop printing, the others only announce that something will.
_STOPS_PRINTING = frozenset({"no_paper", "no_toner", "door_open", "jammed", "offline", "service_requested"})


def faults(readings: Readings) -> tuple[str, ...]:
    """What a device that answers says is wrong with itself, such as ``no_paper`` or ``document-camera``."""
    broken = [extend.name for extend in readings.extends if extend.name in KIOSK_PARTS and extend.result]
    if readings.printer is not None:
        broken += readings.printer.errors
    return tuple(broken)


@dataclass(frozen=True, slots=True)
class Part:
    """One monitored device of a site, as far as service depends on it."""

    role: str
    device_class: str
    state: DeviceState
    faults: tuple[str, ...] = ()

    @property
    def hindrance(self) -> str | None:
        """Why it cannot serve, as ``role:reason``; None where it can, or where nobody has asked yet."""
        if self.state is DeviceState.SILENT:
            return f"{self.role}:silent"
        vital = _STOPS_PRINTING if self.device_class == "printer" else _VITAL
        broken = next((fault for fault in self.faults if fault in vital), None)
        return f"{self.role}:{broken}" if broken else None


def working(parts: Iterable[Part]) -> tuple[Verdict, str]:
    """Whether a citizen can be served: of each class of device that the site has, at least one does its work.

    Returns:
        The verdict and its reason, empty for a yes.
    """
    by_class: dict[str, list[Part]] = {}
    for part in parts:
        by_class.setdefault(part.device_class, []).append(part)
    if not by_class:
        return Verdict.UNKNOWN, "not_monitored"
    open_question = False
    for same in by_class.values():
        hindrances = [part.hindrance for part in same]
        if all(hindrances):
            return Verdict.NO, hindrances[0] or ""
        serving = (part.state in (DeviceState.UP, DeviceState.SUSPECT) and not part.hindrance for part in same)
        open_question = open_question or not any(serving)
    return (Verdict.UNKNOWN, "never_reported") if open_question else (Verdict.YES, "")
