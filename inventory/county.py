"""``county.yml``: what holds for the whole deployment."""

from datetime import date, timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, field_validator

from inventory.calendars import Calendar
from inventory.circuits import ServiceLevel
from inventory.declared import Declared
from inventory.entries import Defaults
from inventory.kiosks import Kiosks
from inventory.network import Network, Ports
from inventory.timetable import timetable
from inventory.vocabulary import DeviceClass, LinkType, Requirement, SiteType

Code = Annotated[str, Field(pattern=r"^[0-9]{2}([0-9A-Z]{2}){0,2}([0-9A-Z]{3}){0,2}$")]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,9}$")]
Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")]
Role = Annotated[str, Field(pattern=r"^[a-z]{2,8}[1-9][0-9]?$")]
Reference = Annotated[str, Field(pattern=r"^(secret|community)://[!-~]{1,100}$")]


class Management(Declared):
    """Addresses of the routers themselves; both pools belong to the VRF ``mgmt``."""

    loopbacks: tuple[IPv4Network, ...] = Field(min_length=1)
    p2p: tuple[IPv4Network, ...] = Field(min_length=1)

    @field_validator("loopbacks", "p2p", mode="before")
    @classmethod
    def _one_pool(cls, given: object) -> object:
        return [given] if isinstance(given, str) else given


class Taken(Declared):
    """A prefix inside a pool that somebody else uses: the plan leaves it alone."""

    vrf: str
    prefix: IPv4Network
    what: str


class AddressPlan(Declared):
    """From where addresses are allocated; what is allocated stands in addresses.lock.

    Attributes:
        zones: the pools of each VRF. All zones run in parallel: a site has the same offset in each.
        ipv6: the deployment's prefix: 2 bits for the zone, 4 for the VLAN, the bits between number the sites.
        spare_ratio: how many more sites than today a township's block is made for.
    """

    zones: dict[str, tuple[IPv4Network, ...]] = Field(min_length=1, max_length=3)
    mgmt: Management
    ipv6: IPv6Network | None = None
    spare_ratio: Annotated[float, Field(ge=0, le=4)] = 0.25
    taken: tuple[Taken, ...] = ()

    @field_validator("zones", mode="before")
    @classmethod
    def _one_pool(cls, given: object) -> object:
        if isinstance(given, dict):
            return {zone: [pools] if isinstance(pools, str) else pools for zone, pools in given.items()}
        return given


class Model(Declared):
    """One line of the model catalogue.

    Attributes:
        uplink_port: the interface on which this router's main line ends, by ifName; None where it has no such rule.
        ports: what is plugged where, of a router that we provision.
    """

    title: str
    vendor: str
    device_class: DeviceClass = Field(alias="class")
    profile: str
    uplink_port: str | None = None
    ports: Ports | None = None


class SiteClass(Declared):
    """What a site of this class has; devices keep this order. An empty class is a site without equipment."""

    title: str = ""
    devices: dict[Role, str] = Field(default_factory=dict)
    standard: str | None = None


class Standard(Declared):
    title: str
    version: str
    note: str = ""


class Waiver(Declared):
    """A weak setting in use by decision: what, until when, why."""

    what: str
    until: date
    reason: str


Window = Annotated[str, Field(pattern=r"^[1-9][0-9]*[hd]$")]
_WINDOWS: Final = {
    "reachable": "24h", "working": "7d", "used": "30d", "peripherals": "7d", "platform": "7d", "open": "366d",
}  # fmt: skip
_REQUIREMENTS: Final = {
    "extranet": "reachable", "kiosk": "working", "peripherals": "peripherals", "platform": "platform", "open": "open",
}  # fmt: skip
_DENOMINATORS: Final = {
    "default": ("village", "community", "quasi_village", "quasi_community"),
    "villages": ("village", "quasi_village"),
    "communities": ("community", "quasi_community"),
}


class KindRule(Declared):
    """What holds for every division of a kind whose site says nothing else."""

    requirement: Requirement
    reason: str


class CoverageRules(Declared):
    """How coverage is counted; versioned, because published figures name the version.

    Attributes:
        windows: how old a proof may be, by measured aspect; of ``open``, how old the word of people.
        denominators: kinds of divisions that a named denominator counts, of townships as well as of villages.
            ``virtual`` is in none unless written.
        by_kind: divisions that need not be covered, by kind. They stay visible, with the reason, and leave the
            denominator.
        requirements: what a site must have proved, by name; the aspect that proves it.
        needs: imported facts without which a requirement is not met, however well it is measured:
            ``approval_net: [items_listed]``.
    """

    version: str = "1"
    windows: dict[str, timedelta] = Field(
        default_factory=lambda: {aspect: duration(text) for aspect, text in _WINDOWS.items()}
    )
    denominators: dict[str, tuple[str, ...]] = Field(default_factory=lambda: dict(_DENOMINATORS))
    requirements: dict[str, str] = Field(default_factory=lambda: dict(_REQUIREMENTS))
    by_kind: dict[str, KindRule] = Field(default_factory=dict)
    needs: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    central_per_township: tuple[int, int] | None = None
    windows_per_site: dict[SiteType, tuple[int, int]] = Field(default_factory=dict)
    kiosks_per_site: dict[SiteType, tuple[int, int]] = Field(default_factory=dict)

    @field_validator("windows", mode="before")
    @classmethod
    def _read_windows(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        read: dict[str, Any] = {aspect: duration(text) for aspect, text in _WINDOWS.items()}
        for aspect, text in given.items():
            if aspect not in _WINDOWS:
                raise ValueError(f"{aspect!r} is not measured. | Write one of {', '.join(_WINDOWS)}.")
            iso = isinstance(text, str) and text.startswith("P")  # as pydantic itself writes it into the cache
            read[aspect] = text if iso else duration(str(text))
        return read

    @field_validator("denominators", mode="after")
    @classmethod
    def _keep_default(cls, given: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return {**_DENOMINATORS, **given}


def duration(text: str) -> timedelta:
    """``24h`` or ``7d``.

    Raises:
        ValueError: neither.
    """
    if text[:-1].isdigit() and text[-1:] in ("h", "d") and int(text[:-1]):
        return timedelta(hours=int(text[:-1])) if text[-1] == "h" else timedelta(days=int(text[:-1]))
    raise ValueError(f"{text!r} is no length of time. | Write it as 24h or 7d.")


class OwnNode(Declared):
    """A division that no public list knows, such as a development zone."""

    code: Code
    name: str
    parent: Code
    level: Annotated[int, Field(ge=1, le=5)]
    kind: str = "zone"
    since: date | None = None
    adopts: tuple[Code, ...] = ()


def _time_of_work(text: str) -> str:
    if text != "off":
        timetable(text)
    return text


TimeOfWork = Annotated[str, AfterValidator(_time_of_work)]


class Work(Declared):
    """When ``cuntong work`` does what nobody has to be asked for; ``off`` leaves a thing to people.

    Attributes:
        backup: read every router and keep what it says.
        inspection: the daily check (日巡查) of the day before, as a spreadsheet.
        bulletin: a draft of the last month's bulletin (月通报). People publish it.
        ledger: the month's ledger (台账) with who signed and who is late.
        dump: everything that this instance is, sealed for ``CUNTONG_DUMP_RECIPIENT``; ``off`` until that is set.
    """

    backup: TimeOfWork = "02:30"
    inspection: TimeOfWork = "07:30"
    bulletin: TimeOfWork = "1 06:00"
    ledger: TimeOfWork = "26 06:00"
    dump: TimeOfWork = "off"


class County(Declared):
    """The whole of county.yml."""

    title: str
    top: Code
    slug: Slug
    divisions: str = "divisions.csv"
    addresses: AddressPlan
    names: dict[SiteType, str] = Field(default_factory=dict)
    carriers: dict[Key, str] = Field(default_factory=dict)
    bandwidth_mbps: dict[LinkType, Annotated[int, Field(gt=0, le=400_000)]] = Field(default_factory=dict)
    service_levels: dict[Key, ServiceLevel] = Field(default_factory=dict)
    service_level: Key | None = None
    models: dict[Key, Model] = Field(default_factory=dict)
    classes: dict[Key, SiteClass] = Field(default_factory=dict)
    standards: dict[Key, Standard] = Field(default_factory=dict)
    calendars: dict[Key, Calendar] = Field(default_factory=dict)
    coverage: CoverageRules = CoverageRules()
    credentials: dict[DeviceClass, Reference] = Field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    network: Network | None = None
    kiosks: Kiosks | None = None
    work: Work = Work()
    nodes: tuple[OwnNode, ...] = ()
    defaults: Defaults = Defaults()
