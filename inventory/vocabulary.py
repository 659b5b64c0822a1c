"""The closed word lists of the whole project (D5). A word is its own text, so files, ledger and API agree."""

from enum import StrEnum
from typing import Final, Literal, get_args


class Claim(StrEnum):
    """What people say of a site, in the order of its life."""

    PLANNED = "planned"
    BUILT = "built"
    CONNECTED = "connected"
    ACCEPTED = "accepted"
    IN_SERVICE = "in_service"
    RETIRED = "retired"

    @property
    def says_connected(self) -> bool:
        """Whether this claims a working line."""
        return self in (Claim.CONNECTED, Claim.ACCEPTED, Claim.IN_SERVICE)


class Requirement(StrEnum):
    """Whether a site must be covered. Optional and exempt ones never lower a rate."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    EXEMPT = "exempt"


class Aspect(StrEnum):
    """What is measured of a site; ``open`` is told by people and kept as dated facts beside."""

    REACHABLE = "reachable"
    WORKING = "working"
    USED = "used"
    PERIPHERALS = "peripherals"
    PLATFORM = "platform"
    OPEN = "open"


class Verdict(StrEnum):
    """What a measurement says; unknown has a reason beside it."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class DeviceClass(StrEnum):
    """What a device is for."""

    ROUTER = "router"
    SWITCH = "switch"
    KIOSK = "kiosk"
    PRINTER = "printer"
    UPS = "ups"


SiteType = Literal[
    "county_center",
    "county_unit",
    "township_center",
    "township_station",
    "village_site",
    "village_point",
    "kiosk_only",
    "agency",
    "mobile",
]
LinkType = Literal["fiber_p2p", "mstp", "ptn", "mpls_vpn", "pon", "ipsec_inet", "sslvpn", "vpdn", "sdwan"]
LinkOrigin = Literal["new", "reused:employment", "reused:distance_education"]
LinkRole = Literal["primary", "backup"]
LineChange = Literal["coming", "leaving"]
"""While a line takes over from another, without a break: it is there and does not carry yet, or does not any more."""
DeviceOwner = Literal["own", "bank", "post"]
Conformance = Literal["not_checked", "failing", "conforming"]
Section = Literal["access", "snmp", "time", "logging", "neighbours", "probe", "network"]
"""What can be taken over of an adopted router, the harmless first: `rollout.sections`."""
Condition = Literal[
    "planned", "built", "connected", "accepted", "in_service", "open",
    "reachable", "working", "used", "extranet", "platform", "kiosk", "printer", "router",
    "online", "items_listed", "conforming", "rating",
]  # fmt: skip
"""What a milestone can ask of a site: a claim, a measured aspect, an attachment, at least one such device, or a fact.

``online`` is the site's presence on the online platform (网上服务点), ``items_listed`` the imported list of service
items, ``conforming`` a line that was checked against the network's standard (new or reused), ``rating`` a terminal by
which citizens rate the service (好差评).
"""

SITE_TYPES: Final[tuple[str, ...]] = get_args(SiteType)
LINK_TYPES: Final[tuple[str, ...]] = get_args(LinkType)
SECTIONS: Final[tuple[str, ...]] = get_args(Section)

LEVELS: Final = {"province": 1, "prefecture": 2, "county": 3, "township": 4, "village": 5}
KINDS: Final = (
    "province", "prefecture", "county", "zone",
    "town", "township", "subdistrict", "quasi_township", "placeholder",
    "village", "community", "quasi_village", "quasi_community", "virtual",
)  # fmt: skip
"""Kinds of divisions. ``zone`` is an operator's own node; ``placeholder`` a township row that stands for "villages
directly under the county"; ``virtual`` a statistical village where nobody lives."""
