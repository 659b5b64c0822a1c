"""Interfaces and static routes of a configuration, as far as routing needs to know them."""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network, ip_address

from rollout.platform import Platform
from rollout.tree import Item

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Interface:
    """What routing needs to know of one interface.

    Attributes:
        learns: versions of IP of which its address comes from outside (DHCP, PPP): what it reaches cannot be told
            from here.
        source: of a tunnel: an address, or an interface's key.
        bundle, dials: what a Dialer is dialled by, and what a port dials for; the same number joins them.
        spans, spans6: first and last address of each of its networks, as numbers.
        enabled6: it says that it speaks IPv6; only VRP wants that said.
    """

    key: str
    vrf: str
    addresses: tuple[IPv4Interface | IPv6Interface, ...]
    up: bool
    learns: frozenset[int]
    source: str
    destination: Address | None
    bundle: str
    dials: str
    spans: tuple[tuple[int, int], ...]
    spans6: tuple[tuple[int, int], ...] = ()
    enabled6: bool = False

    def holds(self, address: Address) -> bool:
        """Whether the address lies in one of its networks."""
        number = int(address)
        for low, high in self.spans if address.version == 4 else self.spans6:  # noqa: SIM110  asked of every interface after every line: a generator costs more
            if low <= number <= high:
                return True
        return False


@dataclass(frozen=True)
class Route:
    key: str
    root: str
    vrf: str
    net: Network
    exit: str
    hop: Address | None
    low: int
    high: int
    null: bool


_TELLING = frozenset(
    {"shutdown", "ip", "ipv6", "vrf", "source", "destination", "tunnel", "dialer", "pppoe-client"}
    | {"eth-trunk", "port", "aggregateport", "port-group", "channel-group"}
)
"""First words of lines that say where an interface leads: most lines say something else."""

_BUNDLED = re.compile(r"(?:eth-trunk|port link-aggregation group|aggregateport|port-group|channel-group) \d+(?!\S)")

_NO_WORDS = frozenset(
    {"preference", "tag", "track", "description", "permanent", "bfd", "inherit-cost", "vrf", "weight", "label", "table"}
)


def interface_of(platform: Platform, item: Item) -> Interface:
    """Reads an interface's section."""
    addresses: list[IPv4Interface | IPv6Interface] = []
    learns: set[int] = set()
    bundled = False
    up, enabled6, vrf, source, destination, bundle, dials = True, False, "", "", None, "", ""
    for line in (item.items or {}).values():
        value = line.value
        word = value.partition(" ")[0]
        if line.negative or word not in _TELLING:
            continue
        if value == "shutdown":
            up = False
        elif value.startswith("ip address "):
            if (address := _address(value)) is not None:
                addresses.append(address)
            else:
                learns.add(4)
        elif value.startswith("ipv6 address "):
            if (address := _address(value)) is not None:
                if not address.is_link_local:
                    addresses.append(address)
            elif "link-local" not in value:
                learns.add(6)
        elif value == "ipv6 enable":
            enabled6 = True
        elif value.startswith(("ip binding vpn-instance ", "ip vrf forwarding ", "vrf forwarding ")):
            vrf = value.split()[-1]
        elif word == "source" or value.startswith("tunnel source "):
            name = value.split("source ", 1)[1]
            source = name if name[:1].isdigit() else "§interface " + name.replace(" ", "").lower()
        elif word == "destination" or value.startswith("tunnel destination "):
            words = value.split("destination ", 1)[1].split()
            destination = _ip(words[-1]) if words else None
        elif value.startswith(("dialer bundle ", "dialer pool ", "dialer bundle-number ")):
            bundle = value.split()[-1]
        elif value.startswith("pppoe-client dial-"):
            dials = value.split()[2]
        elif _BUNDLED.match(value):
            bundled = True
    if bundled:  # a member of a bundle carries the bundle's frames: what addresses it has left are no use
        addresses, learns = [], set()
    if platform is Platform.FRR and item.args.startswith("vrf "):
        vrf = item.args[4:]
    spans, spans6 = (
        tuple(
            (int(one.network.network_address), int(one.network.broadcast_address))
            for one in addresses
            if one.version == version
        )
        for version in (4, 6)
    )
    return Interface(
        item.key,
        vrf,
        tuple(addresses),
        up,
        frozenset(learns),
        source,
        destination,
        bundle,
        dials,
        spans,
        spans6,
        enabled6,
    )


@lru_cache(maxsize=16384)
def _address(value: str) -> IPv4Interface | IPv6Interface | None:
    words = value.split()
    if len(words) < 3:
        return None
    try:
        if words[0] == "ipv6":
            return IPv6Interface(words[2])
        return IPv4Interface(words[2] if "/" in words[2] else f"{words[2]}/{words[3]}")
    except (ValueError, IndexError):
        return None


@lru_cache(maxsize=16384)
def _ip(word: str) -> Address | None:
    if not word[:1].isdigit() and ":" not in word:
        return None
    try:
        return ip_address(word)
    except ValueError:
        return None


@lru_cache(maxsize=16384)
def _net(text: str) -> Network:
    return IPv6Network(text, strict=False) if ":" in text else IPv4Network(text, strict=False)


ROUTE = re.compile(r"(?:ip|ipv6) route(?:-static)? ")
"""A static route, by its line or its key."""


def route_of(item: Item, root: str, vrf: str) -> Route | None:
    """The static route that a line sets; None where it sets none.

    Args:
        root: key of the root item that the line stands in, or is.
        vrf: the one that its section is for; a VRF that the line itself names goes before.
    """
    if item.negative or not ROUTE.match(item.value):
        return None
    read = _route(item.value, vrf)
    if read is None:
        return None
    vrf, net, low, high, exit_, hop, null = read
    key = item.key if not vrf or root == item.key else f"{root}/{item.key}"
    return Route(key, root, vrf, net, exit_, hop, low, high, null)


@lru_cache(maxsize=65536)
def _route(value: str, vrf: str) -> tuple[str, Network, int, int, str, Address | None, bool] | None:
    words = value.split()[2:]
    if len(words) < 2:
        return None
    if words[0] in ("vpn-instance", "vrf"):
        vrf, words = words[1], words[2:]
    if "vrf" in words[1:-1]:
        vrf = words[words.index("vrf") + 1]
    try:
        if "/" in words[0]:
            net, words = _net(words[0]), words[1:]
        else:
            net, words = _net(f"{words[0]}/{words[1]}"), words[2:]
    except (ValueError, IndexError):
        return None
    if words[:1] == ["vpn-instance"]:
        words = words[2:]
    exit_, hop = "", None
    for i, word in enumerate(words):
        if word.lower() in _NO_WORDS or (word.isdecimal() and i):
            break
        if (address := _ip(word)) is not None:
            hop = address
        else:
            exit_ += word.lower()
            if i + 1 < len(words) and re.match(r"\d+/\d", words[i + 1]):
                exit_ += words[i + 1]
    exit_ = re.sub(r"((?:\d+/)+\d+)\1$", r"\1", exit_)
    null = exit_ in ("null0", "blackhole", "reject")
    if hop is not None and hop.is_link_local:
        hop = None  # it says which neighbour on that interface; it is in no network of ours
    way = f"§interface {exit_}" if exit_ and hop is None else ""
    return vrf, net, int(net.network_address), int(net.broadcast_address), way, hop, null
