"""What stands in ``sites/*.yml``: one scalar per site, or a mapping for an exception.

Villages are not validated by pydantic while they are scalars (620,000 of them); `inventory.reading_sites` splits
those, and hands only the mappings to the models here.
"""

from datetime import date
from ipaddress import IPv4Address
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator

from inventory.circuits import FormerCircuit
from inventory.declared import Declared
from inventory.network import SecretReference
from inventory.vocabulary import (
    Claim,
    Conformance,
    DeviceOwner,
    LineChange,
    LinkOrigin,
    LinkRole,
    LinkType,
    Requirement,
    Section,
    SiteType,
)


class InitialClaim(Declared):
    """What was said of a site before the ledger began: who, when, and the document that proves it."""

    claim: Claim
    on: date
    by: str
    proof: str


TODO: Final = "TODO"
"""A site's note that begins with it is named by `cuntong check`."""


class LinkEntry(Declared):
    """Exceptions of the site's main line, or a further line in ``more_links``.

    Attributes:
        place: on which of its router's ports for lines upward it begins, from 1; None: behind the line before it. Its
            addresses go with the port, so that they stay when a line beside it comes or goes.
        change: it takes over from the main line, or the main line took over from it: `inventory.circuit_change`.
    """

    link_type: LinkType | None = Field(default=None, alias="type")
    carrier: str | None = None
    circuit: str | None = None
    bandwidth_mbps: Annotated[int, Field(gt=0, le=400_000)] | None = None
    role: LinkRole = "primary"
    origin: LinkOrigin = "new"
    original_owner: str | None = None
    conformance: Conformance = "not_checked"
    contract_since: date | None = None
    contract_until: date | None = None
    hotline: str | None = None
    service_level: str | None = None
    formerly: tuple[FormerCircuit, ...] = ()
    uplink: str | None = None
    place: Annotated[int, Field(ge=1, le=8)] | None = None
    change: LineChange | None = None


class DeviceEntry(Declared):
    """Exceptions of one device, keyed by its role. A bare word is its model.

    Attributes:
        managed: the sections of a router's configuration that are ours; none of an adopted one that is only observed.
        credential: how it is asked where that is not as its class is.
        second_path: where a router's SSH answers over another way than its lines: 4G, a management port.
    """

    model: str | None = None
    serial: str | None = None
    asset_no: str | None = None
    origin: LinkOrigin | None = None
    owner: DeviceOwner | None = None
    themes: tuple[str, ...] = ()
    calendar: str | None = None
    monitored: Literal["us", "partner"] | None = None
    managed: tuple[Section, ...] | None = None
    installed: date | None = None
    credential: SecretReference | None = None
    second_path: IPv4Address | None = None


class Pilot(Declared):
    level: Literal["province", "city", "county"]
    programme: str = ""
    result: str = ""


class Shared(Declared):
    """Fields that a site may have of its own or inherit from the defaults of its file or of county.yml."""

    claims: tuple[InitialClaim, ...] | None = None
    responsible: str | None = None
    cooperating: tuple[str, ...] | None = None
    contact: str | None = None
    calendar: str | None = None
    requirement: Requirement | None = None
    reason: str | None = None
    attachments: tuple[str, ...] | None = None
    opened: date | None = None
    open: bool | None = None
    online: bool | None = None
    tags: tuple[str, ...] | None = None


class Defaults(Shared):
    """What a site has when it does not say otherwise; the four words are ``class link carrier``."""

    center: str | None = None
    unit: str | None = None
    township: str | None = None
    village: str | None = None


class SiteEntry(Shared):
    """One site as an exception. ``is`` holds what its scalar would."""

    is_: str | None = Field(default=None, alias="is")
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")] | None = None
    site_name: str | None = None
    label: str | None = None
    sign: str | None = None
    aliases: tuple[str, ...] = ()
    host_site: str | None = None
    windows: dict[str, Annotated[int, Field(ge=0, le=200)]] = Field(default_factory=dict)
    central: bool = False
    central_since: date | None = None
    pilot: Pilot | None = None
    demonstration: bool = False
    formerly: Annotated[str, Field(pattern=r"^[0-9]{2}([0-9A-Z]{2}){0,2}([0-9A-Z]{3}){0,2}$")] | None = None
    seal_no: str | None = None
    note: str | None = None
    link: LinkEntry | None = None
    more_links: tuple[LinkEntry, ...] = ()
    devices: dict[str, DeviceEntry | None] = Field(default_factory=dict)

    @field_validator("devices", mode="before")
    @classmethod
    def _bare_models(cls, given: object) -> object:
        if isinstance(given, dict):
            return {role: {"model": told} if isinstance(told, str) else told for role, told in given.items()}
        return given


class MoreEntry(SiteEntry):
    """A further site of a division: a station, a point, a hosted counter, a kiosk alone, a van."""

    site_type: SiteType = Field(alias="type")


class VillageEntry(SiteEntry):
    more: dict[str, Any] = Field(default_factory=dict)


class TownshipEntry(SiteEntry):
    """A township: its centre (``is``), its villages, and further sites."""

    more: dict[str, Any] = Field(default_factory=dict)
    villages: dict[str, Any] = Field(default_factory=dict)


class SiteFile(Declared):
    """One file under ``sites/``."""

    division: str
    slug: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,9}$")] | None = None
    defaults: Defaults = Defaults()
    center: Any = None
    units: dict[str, Any] = Field(default_factory=dict)
    townships: dict[str, Any] = Field(default_factory=dict)
    villages: dict[str, Any] = Field(default_factory=dict)
    more: dict[str, Any] = Field(default_factory=dict)
