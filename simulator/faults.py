"""What can be wrong in the make-believe county, as data.

Every fault is a frozen record with a plain form, ``{fault: paper_out, target: 511825101202/prt1}``, that is the
same in a scenario's YAML and on the control channel. What a fault *does* is `simulator.county`'s business.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import ClassVar, Final, Literal, get_args

from simulator.errors import SimulationError

Scope = Literal["site", "device", "either"]
Peripheral = Literal["camera", "id_reader", "printer", "screen"]
PERIPHERALS: Final[tuple[str, ...]] = get_args(Peripheral)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong.

    Args:
        target: a site id, a device id, a division code (its first site) of 6, 9 or 12 digits, or ``site/role`` and
            ``code/role`` such as ``511825101202/kiosk1``.
    """

    name: ClassVar[str] = ""
    scope: ClassVar[Scope] = "either"
    device_class: ClassVar[str | None] = None
    """Only devices of this class can have it; None means any."""

    target: str

    def as_plain(self) -> dict[str, object]:
        """The form of YAML and JSON; `fault_from` reads it back."""
        return {"fault": self.name} | {key: value for key, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class PowerCut(Fault):
    """No electricity at a site: its devices are silent, forward nothing, and boot when it comes back."""

    name = "power_cut"
    scope = "site"


@dataclass(frozen=True, slots=True)
class UplinkCut(Fault):
    """The line of a site towards its parent is cut: all of its lines, or only the one to ``towards``.

    Args:
        towards: the parent at the other end (site, device or division code); None cuts every line upward.
    """

    name = "uplink_cut"
    scope = "site"

    towards: str | None = None


@dataclass(frozen=True, slots=True)
class LanCut(Fault):
    """The switch of a site is dead: its terminals are cut off from its router, and go on running."""

    name = "lan_cut"
    scope = "site"


@dataclass(frozen=True, slots=True)
class Silent(Fault):
    """The agent does not answer; the device goes on with its work, forwarding included."""

    name = "silent"


@dataclass(frozen=True, slots=True)
class PaperOut(Fault):
    name = "paper_out"
    device_class = "printer"


@dataclass(frozen=True, slots=True)
class TonerLow(Fault):
    name = "toner_low"
    device_class = "printer"


@dataclass(frozen=True, slots=True)
class PaperJam(Fault):
    name = "paper_jam"
    device_class = "printer"


@dataclass(frozen=True, slots=True)
class PeripheralFault(Fault):
    """A kiosk lost one of its parts: ``camera`` (document camera), ``id_reader``, ``printer`` or ``screen``."""

    name = "peripheral_fault"
    device_class = "kiosk"

    peripheral: Peripheral = "camera"

    def __post_init__(self) -> None:
        if self.peripheral not in PERIPHERALS:
            raise SimulationError(f"peripheral {self.peripheral!r} is none of {', '.join(PERIPHERALS)}")


@dataclass(frozen=True, slots=True)
class Reboot(Fault):
    """Uptime and counters start again, now. An event: it leaves nothing to clear."""

    name = "reboot"


@dataclass(frozen=True, slots=True)
class Lossy(Fault):
    """A share of the requests gets lost.

    Args:
        ratio: 0 to 1.
    """

    name = "lossy"

    ratio: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.ratio <= 1:
            raise SimulationError(f"lossy: ratio {self.ratio} is not between 0 and 1")


@dataclass(frozen=True, slots=True)
class Slow(Fault):
    """Every answer comes late."""

    name = "slow"

    delay_ms: float = 1000.0

    def __post_init__(self) -> None:
        if not 0 <= self.delay_ms <= 600_000:
            raise SimulationError(f"slow: delay_ms {self.delay_ms} is not between 0 and 600000")


FAULTS: Final[Mapping[str, type[Fault]]] = {
    fault.name: fault
    for fault in (
        PowerCut,
        UplinkCut,
        LanCut,
        Silent,
        PaperOut,
        TonerLow,
        PaperJam,
        PeripheralFault,
        Reboot,
        Lossy,
        Slow,
    )
}


def fault_from(plain: Mapping[str, object]) -> Fault:
    """A fault from its plain form.

    Raises:
        SimulationError: an unknown fault, a missing or misspelt field, or a value out of range.
    """
    name = plain.get("fault")
    kind = FAULTS.get(str(name))
    if kind is None:
        raise SimulationError(f"fault {name!r} is none of {', '.join(FAULTS)}")
    known = {field.name: field for field in fields(kind)}
    given: dict[str, object] = {}
    for key, value in plain.items():
        if key == "fault":
            continue
        if key not in known:
            raise SimulationError(f"{name}: no field {key!r}; it takes {', '.join(known)}")
        given[key] = _number(f"{name}: {key}", value) if key in ("ratio", "delay_ms") else str(value)
    if not given.get("target"):
        raise SimulationError(f"{name}: no target")
    return kind(**given)  # type: ignore[arg-type]  # the fields were checked above, the values by __post_init__


def _number(where: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SimulationError(f"{where}: {value!r} is no number")
    return float(value)
