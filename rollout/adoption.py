"""What a router that somebody else configured says of itself: its name, addresses, networks, VRFs. Pure.

Strategy: interfaces are told apart by what the rest of the configuration does with them. Where a default route
leaves is a line upward; where DHCP serves, and where a VLAN ends, is a network of the site; a network of at most four
addresses is a line to a router below.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network
from typing import Final

from inventory.held import Kind
from rollout.interfaces import Interface, Route, interface_of, route_of
from rollout.platform import Platform
from rollout.running import mask
from rollout.tree import Item, Items, parse

_LOOPBACK: Final = re.compile(r"lo(opback)?[ \d]*$", re.IGNORECASE)
_APART: Final = re.compile(r"(m-?(eth|gig)|meth|mgmt|out-?of-?band)", re.IGNORECASE)
_VLAN: Final = re.compile(r"vlan(?:if|-interface)? ?(\d+)$", re.IGNORECASE)
_TAG: Final = re.compile(r"(?:dot1q termination vid|vlan-type dot1q vid|encapsulation dot1q) (\d+)", re.IGNORECASE)
_POOL: Final = re.compile(r"(?:ip pool|dhcp server ip-pool|ip dhcp pool) ", re.IGNORECASE)
_VPN: Final = re.compile(r"(?:ip vpn-instance|ip vrf|vrf definition|vrf) (\S+)$")
_RD: Final = re.compile(r"(?:route-distinguisher|rd) (\S+)$")
_IPSEC: Final = r"^(?:ipsec (?:policy|profile|apply)|crypto map|tunnel (?:mode|protection) ipsec|tunnel-protocol ipsec)"
_NEVER: Final = r"(?!)"
# In this order: a tunnel over a cellular modem is a tunnel; PPPoE is how optical network units hand over a line.
_LINK_TYPES: Final = tuple(
    (link_type, re.compile(of_name, re.IGNORECASE), re.compile(of_line, re.IGNORECASE))
    for link_type, of_name, of_line in (
        ("ipsec_inet", r"tunnel", _IPSEC),
        ("vpdn", r"(?:cellular|async|wwan|lte|[345]g)", r"^(?:apn|apn-profile|dialer enable-circular)\b"),
        ("pon", r"(?:dialer|virtual-ppp|ppp)", r"^pppoe"),
        ("mstp", r"(?:serial|pos|mp-group|multilink|mfr|hdlc|e1)", _NEVER),
    )
)  # fmt: skip
_DEFAULT: Final = IPv4Network("0.0.0.0/0")


@dataclass(frozen=True)
class FoundAddress:
    """One address of an interface.

    Args:
        vpn: name of its VRF on the router; empty for its own table.
        hop: where the default route leads that leaves here; empty where none does.
        vlan: of the interface or its tag; None where neither is told.
        serves: DHCP hands out addresses of its network.
    """

    kind: Kind
    vpn: str
    address: IPv4Interface
    hop: str
    interface: str
    description: str
    vlan: int | None
    serves: bool


@dataclass(frozen=True)
class Found:
    """One router.

    Args:
        vpns: VRFs that it has, and their route distinguishers (empty where none is written).
        heads: its root lines and headers of sections, secrets masked: what nobody manages yet.
        link_type: of its line upward, where the configuration tells it (`inventory.vocabulary.LinkType`); else None.
        upward: what is written at the interfaces by which it goes upward, for who looks for a carrier's name.
    """

    hostname: str
    addresses: tuple[FoundAddress, ...]
    vpns: dict[str, str]
    heads: tuple[str, ...]
    link_type: str | None = None
    upward: tuple[str, ...] = ()

    @property
    def management(self) -> str:
        """Where it answers management by its own word: a loopback, else its line upward, else whatever it has."""
        order: tuple[Kind, ...] = ("loopback", "wan", "other", "lan", "line")
        own = [one for one in self.addresses if not one.vpn] or list(self.addresses)
        ranked = sorted(own, key=lambda one: order.index(one.kind))
        return str(ranked[0].address.ip) if ranked else ""


def find(platform: Platform, running: str) -> Found:
    """What the running configuration says.

    Raises:
        UnparsableError: it is no configuration of this platform.
    """
    root = parse(platform, running, "running configuration")
    routes = [route for route in _routes(root) if route.net == _DEFAULT and not route.null]
    pools = _pools(root)
    found: list[FoundAddress] = []
    ways: list[tuple[str, list[str]]] = []
    for item in root.values():
        if item.kind == "interface" and not item.negative:
            read = interface_of(platform, item)
            own = [_address(item, read, one, routes, pools) for one in read.addresses if isinstance(one, IPv4Interface)]
            found += own
            if any(one.kind == "wan" for one in own) or any(route.exit == read.key for route in routes):
                ways.append((item.text.removeprefix("interface "), list(_below(item))))
    named = next((one for one in root.values() if re.match(r"(?:sysname|hostname) ", one.text)), None)
    return Found(
        hostname=named.text.split(" ", 1)[1] if named is not None else "",
        addresses=tuple(found),
        vpns=dict(_vpns(root)),
        heads=tuple(mask(platform, item.text) for item in root.values()),
        link_type=next((told for name, lines in ways if (told := _link_type(name, lines)) is not None), None),
        upward=tuple(
            line.removeprefix("description ") for _, lines in ways for line in lines if line.startswith("description ")
        ),
    )


def _link_type(name: str, lines: Sequence[str]) -> str | None:
    """What kind of line an interface upward is on; None for an Ethernet port, which may lead to any carrier's box."""
    for link_type, of_name, of_line in _LINK_TYPES:
        if of_name.match(name) or any(of_line.search(line) for line in lines):
            return link_type
    return None


def _address(
    item: Item, read: Interface, address: IPv4Interface, routes: list[Route], pools: set[IPv4Network]
) -> FoundAddress:
    name = item.text.removeprefix("interface ")
    lines = [line.text for line in (item.items or {}).values()]
    said = next((line.removeprefix("description ") for line in lines if line.startswith("description ")), "")
    tag = next((found[1] for line in lines if (found := _TAG.match(line))), None)
    svi = _VLAN.search(name)
    leaves = [
        route
        for route in routes
        if (route.hop is not None and route.hop in address.network and route.vrf == read.vrf) or route.exit == read.key
    ]
    serves = address.network in pools or "dhcp select interface" in lines
    kind = _kind(name, address, bool(leaves), serves or svi is not None)
    hop = next((str(route.hop) for route in leaves if route.hop is not None), "")
    vlan = int(tag or (svi[1] if svi else 0)) or None
    return FoundAddress(kind, read.vrf, address, hop, name, said, vlan, serves)


def _kind(name: str, address: IPv4Interface, leaves: bool, local: bool) -> Kind:
    if leaves:
        return "wan"
    if _LOOPBACK.match(name) or address.network.prefixlen == 32:
        return "loopback"
    if local:
        return "lan"
    if address.network.prefixlen >= 30:
        return "line"
    return "other" if _APART.match(name) else "lan"


def _routes(root: Items) -> Iterator[Route]:
    for key, item in root.items():
        if item.kind == "vrf":
            name = item.meaning.header.split()[-1]
            yield from (route for one in (item.items or {}).values() if (route := route_of(one, key, name)))
        elif (route := route_of(item, key, "")) is not None:
            yield route


def _pools(root: Items) -> set[IPv4Network]:
    found: set[IPv4Network] = set()
    for item in root.values():
        if not _POOL.match(item.text):
            continue
        for line in (item.items or {}).values():
            words = line.text.replace(" mask ", " ").split()
            if words[0] == "network" and len(words) >= 3:
                try:
                    found.add(IPv4Network(f"{words[1]}/{words[2]}", strict=False))
                except ValueError:
                    continue
    return found


def _vpns(root: Items) -> Iterator[tuple[str, str]]:
    for item in root.values():
        named = _VPN.match(item.text)
        if named is not None and not item.negative and item.items is not None:
            yield named[1], next((found[1] for line in _below(item) if (found := _RD.match(line))), "")


def _below(item: Item) -> Iterator[str]:
    for line in (item.items or {}).values():
        yield line.text
        yield from _below(line)
