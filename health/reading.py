"""What one poll of one device said, in our own units: the only shape that leaves `collectors/`.

Unknown is None (or an absent row), never 0; 0 means that the device measured zero. Ratios are 0 to 1, sizes are
bytes, temperatures degrees Celsius. The JSON of ``cuntong poll --json`` is `as_json` of these.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answered. ``profile`` is ``generic`` where no vendor's profile matched."""

    vendor: str | None = None
    model: str | None = None
    os: str | None = None
    os_version: str | None = None
    serial: str | None = None
    sys_name: str | None = None
    profile: str = "generic"
    os_release: str | None = None


@dataclass(frozen=True, slots=True)
class Processor:
    name: str
    usage_ratio: float | None


@dataclass(frozen=True, slots=True)
class Store:
    """A memory pool or a volume."""

    name: str
    total_bytes: int | None
    used_bytes: int | None
    used_ratio: float | None


@dataclass(frozen=True, slots=True)
class Interface:
    """A port. ``name`` is its identity over reboots; ``if_index`` is only where it stood this time."""

    name: str
    description: str | None
    alias: str | None
    if_index: int
    admin_up: bool | None
    oper_up: bool | None
    speed_bps: int | None
    in_octets: int | None
    out_octets: int | None
    in_errors: int | None
    out_errors: int | None
    in_discards: int | None
    out_discards: int | None


@dataclass(frozen=True, slots=True)
class Sensor:
    """``kind`` names the quantity (temperature, voltage, optical_rx, state, ...), ``unit`` its unit (celsius, ...)."""

    kind: str
    name: str
    value: float | str
    unit: str


@dataclass(frozen=True, slots=True)
class Supply:
    """Toner, drum, waste box, or a paper tray. ``ratio`` is what is left; a waste box counts the room left."""

    name: str
    kind: str
    ratio: float | None


@dataclass(frozen=True, slots=True)
class Printer:
    """``status`` as hrPrinterStatus names it; ``errors`` from the closed list of hrPrinterDetectedErrorState."""

    status: str | None
    errors: tuple[str, ...]
    supplies: tuple[Supply, ...]
    trays: tuple[Supply, ...]
    pages: int | None = None


@dataclass(frozen=True, slots=True)
class Ups:
    battery_status: str | None
    charge_ratio: float | None
    runtime_seconds: int | None
    on_battery_seconds: int | None
    load_ratio: float | None
    source: str | None


@dataclass(frozen=True, slots=True)
class Cellular:
    interface: str
    rssi_dbm: float | None
    rsrp_dbm: float | None
    rsrq_db: float | None
    sinr_db: float | None
    operator: str | None = None
    technology: str | None = None
    """As the modem names it: ``LTE``, ``5G-NSA``."""
    cell: str | None = None
    """Number of the radio cell. Numbers of the modem and of its SIM are never read."""


@dataclass(frozen=True, slots=True)
class Extend:
    """One ``extend`` script of net-snmp: its first line of output and its exit code."""

    name: str
    output: str | None
    result: int | None


@dataclass(frozen=True, slots=True)
class Readings:
    """Everything that one poll brought. ``problems`` name the modules that failed while others came.

    ``clock_at`` is the Unix time that the device's own clock showed; None where it does not tell its time zone.
    """

    identity: Identity = Identity()
    uptime_seconds: float | None = None
    processors: tuple[Processor, ...] = ()
    memory: tuple[Store, ...] = ()
    storage: tuple[Store, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    sensors: tuple[Sensor, ...] = ()
    printer: Printer | None = None
    ups: Ups | None = None
    cellular: tuple[Cellular, ...] = ()
    extends: tuple[Extend, ...] = ()
    problems: tuple[str, ...] = field(default=())
    clock_at: float | None = None

    def with_problems(self, problems: tuple[str, ...]) -> "Readings":
        """The same readings with these problems."""
        return replace(self, problems=problems)

    def as_json(self) -> Mapping[str, object]:
        """Plain dictionaries and lists, ready for any JSON writer."""
        return asdict(self)
