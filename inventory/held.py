"""Addresses that routers were found with: locked as they are, whatever pool they come from. Pure.

    held tq-chengxiang-wenbi cpe1 wan mgmt 10.9.8.2/30 10.9.8.1 GigabitEthernet0/0/0

The columns: site id, role, kind, VRF, address, next hop or ``-``, interface. Kinds: ``wan`` (a default route leaves
here), ``line`` (a network of at most four addresses: to a router below), ``lan``, ``loopback``, ``other``. The VRF is
a zone of the plan, ``mgmt`` for the router's own table, or ``vrf:NAME`` where the plan knows no such zone.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Final, Literal, NamedTuple, get_args

Kind = Literal["wan", "line", "lan", "loopback", "other"]
KINDS: Final[tuple[str, ...]] = get_args(Kind)
MGMT: Final = "mgmt"


class Held(NamedTuple):
    """One address of one router, as it was found."""

    site: str
    role: str
    kind: str
    vrf: str
    address: str
    hop: str
    interface: str
    line: int = 0

    @property
    def device(self) -> str:
        return f"{self.site}-{self.role}"

    @property
    def network(self) -> IPv4Network:
        return IPv4Interface(self.address).network

    def text(self) -> str:
        """Its line in the lock file."""
        return f"held {self.site} {self.role} {self.kind} {self.vrf} {self.address} {self.hop or '-'} {self.interface}"


def read(words: Sequence[str], line: int) -> Held | None:
    """What `Held.text` wrote, split at blanks without its first word; None where it is none."""
    if len(words) < 7 or words[2] not in KINDS:
        return None
    site, role, kind, vrf, address, hop = words[:6]
    try:
        IPv4Interface(address)
        if hop != "-":
            IPv4Address(hop)
    except ValueError:
        return None
    return Held(site, role, kind, vrf, address, "" if hop == "-" else hop, " ".join(words[6:]), line)


def of_columns(words: Sequence[str]) -> Held:
    """What the first seven columns say."""
    site, role, kind, vrf, address, hop, interface = words
    return Held(site, role, kind, vrf, address, hop, interface)


def lans(held: Iterable[Held]) -> dict[str, IPv4Network]:
    """The network of a site in each VRF where it has one: the largest, of two the first."""
    found: dict[str, IPv4Network] = {}
    for one in held:
        if one.kind == "lan" and (one.vrf not in found or one.network.prefixlen < found[one.vrf].prefixlen):
            found[one.vrf] = one.network
    return found


def lines(held: Iterable[Held], role: str) -> tuple[IPv4Network, ...]:
    """The lines upward of a router that follow our convention: a /30, the upper router first, the lower one second."""
    return tuple(
        one.network
        for one in held
        if one.role == role and one.kind == "wan" and one.vrf == MGMT and one.network.prefixlen == 30
        and int(IPv4Interface(one.address).ip) == int(one.network.network_address) + 2
        and one.hop == str(one.network.network_address + 1)
    )  # fmt: skip


def twins(held: Iterable[Held]) -> list[tuple[Held, Held]]:
    """Pairs of devices that claim one address in one VRF; those of retired sites count, as theirs stay reserved."""
    first: dict[tuple[str, str], Held] = {}
    found = []
    for one in held:
        key = (one.vrf, one.address.partition("/")[0])
        other = first.setdefault(key, one)
        if other.device != one.device:
            found.append((other, one))
    return found
