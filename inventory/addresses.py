"""The address plan: demand, plan and existing lock in, new lock out (D4). Pure.

What the lock holds never moves. A new site takes the next slot of its block that nobody ever had; a block that is
full gets a second one; retired slots stay retired. All zones run in parallel, so only the first zone's prefixes are
written: the other zones have the same offset in their own pools. Inside a /26: .1 gateway, .2-.3 VRRP, .4-.7 CPE
and access points, .8-.15 kiosks, .16-.19 printers, .20-.23 UPS, .24-.55 PCs.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt

from inventory.county import AddressPlan
from inventory.held import Held
from inventory.vocabulary import DeviceClass

CENTER_LENGTH: Final = 24
SITE_LENGTH: Final = 26
P2P_LENGTH: Final = 30
VLAN_BITS: Final = 4
ZONE_BITS: Final = 2
VLANS: Final = {"kiosk": 1, "office": 2, "peripherals": 3, "mgmt": 15}

OFFSETS: Final = {
    DeviceClass.SWITCH: (4, 4),
    DeviceClass.KIOSK: (8, 8),
    DeviceClass.PRINTER: (16, 4),
    DeviceClass.UPS: (20, 4),
}
"""First host number and count of each class in a site's prefix; routers answer on their loopback."""


class PlanFullError(Exception):
    """The pools cannot hold what is asked: ``short`` of ``what`` (sites, routers, links) are left without."""

    def __init__(self, what: str, pool: str, short: int) -> None:
        self.what, self.pool, self.short = what, pool, short
        super().__init__(f"{short} more {what} than {pool} holds")


@dataclass(frozen=True, slots=True)
class Demand:
    """What one site needs.

    Args:
        key: of a unit or a further site; ``-`` for the division's own.
        parts: of its id, should it need a new one; ``wanted_id`` where people fixed it.
        block: code of the division whose block it lives in.
        length: of its prefix; 0 where it has no equipment and no prefix.
        routers: role and number of uplinks of each.
    """

    code: str
    site_type: str
    key: str
    name: str
    parts: tuple[str, ...]
    wanted_id: str | None
    block: str
    length: int
    routers: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class LockedSite:
    """One line of the lock. ``column`` holds its routers as the file does: a country has 600,000 of these."""

    id: str
    code: str
    site_type: str
    key: str
    prefix: str
    number: int
    column: str
    name: str
    retired: bool = False
    line: int = 0

    @property
    def routers(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Role to its loopback and its p2p networks, in order of uplinks; `give` changes them."""
        return parse_routers(self.column)

    def give(self, role: str, loopback: str, links: tuple[str, ...]) -> None:
        """The addresses of one router, instead of those that it had."""
        self.column = routers_text({**self.routers, role: (loopback, links)})

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.code, self.site_type, self.key


@dataclass(slots=True)
class Lock:
    """The whole of addresses.lock. Prefixes are text as in the file; ``pools`` holds those of each zone in order."""

    pools: dict[str, list[str]] = field(default_factory=dict)
    loopbacks: list[str] = field(default_factory=list)
    p2p: list[str] = field(default_factory=list)
    ipv6: list[str] = field(default_factory=list)
    blocks: list[tuple[str, str]] = field(default_factory=list)
    sites: list[LockedSite] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)

    @property
    def first_zone(self) -> str:
        return next(iter(self.pools), "")


def parse_routers(text: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """A column of routers, ``role:loopback:p2p,p2p`` joined by ``;``: role to its loopback and its p2p networks."""
    if text == "-":
        return {}
    found = {}
    for one in text.split(";"):
        role, loopback, links = one.split(":")
        found[role] = (loopback, tuple(links.split(",")) if links else ())
    return found


def routers_text(routers: dict[str, tuple[str, tuple[str, ...]]]) -> str:
    """What `parse_routers` reads back."""
    return ";".join(f"{role}:{at}:{','.join(links)}" for role, (at, links) in routers.items()) or "-"


def number(address: str) -> int:
    """``10.0.0.1`` as an integer, without checks; three times faster than ipaddress."""
    a, b, c, d = address.split(".")
    return int(a) << 24 | int(b) << 16 | int(c) << 8 | int(d)


def text(address: int) -> str:
    """The dotted form of `number`."""
    return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"


def span(prefix: str) -> tuple[int, int]:
    """``[first, last)`` of a prefix as integers."""
    base, _, length = prefix.partition("/")
    first = number(base)
    return first, first + (1 << (32 - int(length or P2P_LENGTH)))


_Numbers = npt.NDArray[np.int64]


_AT_ONCE: Final = 8192
"""The digits of a whole country's addresses as text would take more memory than all the rest."""


def spans(prefixes: Iterable[str]) -> tuple[_Numbers, _Numbers]:
    """`span` of many prefixes at once: their first addresses, and the first beyond each."""

    def written() -> Iterator[_Numbers]:
        rest = iter(prefixes)
        while some := ".".join(islice(rest, _AT_ONCE)):
            yield np.array(list(map(int, some.replace("/", ".").split("."))), dtype=np.int64).reshape(-1, 5)

    parts = np.concatenate([np.empty((0, 5), dtype=np.int64), *written()])
    starts: _Numbers = parts[:, :4] @ np.array([1 << 24, 1 << 16, 1 << 8, 1], dtype=np.int64)
    return starts, starts + (1 << (32 - parts[:, 4]))


class _Space:
    """Free and taken stretches of a list of pools; first fit, aligned."""

    def __init__(self, pools: Iterable[str], taken: Iterable[tuple[int, int]]) -> None:
        self.pools = [span(pool) for pool in pools]
        self._starts: list[int] = []
        self._ends: list[int] = []
        for first, last in sorted(taken):
            if self._ends and first <= self._ends[-1]:
                self._ends[-1] = max(last, self._ends[-1])
            else:
                self._starts.append(first)
                self._ends.append(last)
        self._hint: dict[tuple[int, int], int] = {}  # by pool and size: nothing below is free

    def take(self, size: int) -> int | None:
        """The first free aligned stretch of ``size`` addresses, now taken; None when there is none."""
        for first, last in self.pools:
            at = max(-(-first // size) * size, self._hint.get((first, size), 0))
            while at + size <= last:
                i = bisect_right(self._starts, at) - 1
                if i >= 0 and self._ends[i] > at:
                    at = -(-self._ends[i] // size) * size
                    continue
                if i + 1 < len(self._starts) and self._starts[i + 1] < at + size:
                    at = -(-self._ends[i + 1] // size) * size
                    continue
                self._insert(i, at, at + size)
                self._hint[first, size] = at
                return at
        return None

    def _insert(self, i: int, first: int, last: int) -> None:
        joins_left = i >= 0 and self._ends[i] == first
        joins_right = i + 1 < len(self._starts) and self._starts[i + 1] == last
        if joins_left and joins_right:
            self._ends[i] = self._ends.pop(i + 1)
            self._starts.pop(i + 1)
        elif joins_left:
            self._ends[i] = last
        elif joins_right:
            self._starts[i + 1] = first
        else:
            self._starts.insert(i + 1, first)
            self._ends.insert(i + 1, last)


def allocate(plan: AddressPlan, demands: Sequence[Demand], lock: Lock) -> list[str]:
    """Give every demand that the lock lacks an id, a prefix, loopbacks and p2p networks, by adding to ``lock``.

    Returns:
        One line for each addition, for people.

    Raises:
        PlanFullError: the pools are full; ``lock`` is then half filled and must be thrown away.
    """
    # Imported here: only an allocation needs pinyin and its dictionaries, a load never does.
    from inventory.slugs import site_id

    _adopt_pools(plan, lock)
    by_identity = {site.identity: site for site in lock.sites if not site.retired}
    by_id = {site.id: site for site in lock.sites}
    added: list[str] = []
    wanted: list[tuple[Demand, LockedSite]] = []
    alive: set[str] = set()
    ids = set(by_id)
    free_number = max((site.number for site in lock.sites), default=-1) + 1
    for demand in demands:
        site = by_id.get(demand.wanted_id) if demand.wanted_id else by_identity.get(_identity(demand))
        if site is None:
            found = demand.wanted_id or site_id(demand.parts, ids)
            site = LockedSite(found, demand.code, demand.site_type, demand.key, "", -1, "-", demand.name)
            lock.sites.append(site)
            ids.add(found)
            added.append(f"{found} for {demand.code} {demand.name}")
        elif site.identity != _identity(demand) or site.retired:
            added.append(f"{site.id} now stands for {demand.code} {demand.name}")
            site.code, site.site_type, site.key = demand.code, demand.site_type, demand.key
            site.retired = False
        if demand.length and site.number < 0:
            site.number = free_number
            free_number += 1
        alive.add(site.id)
        wanted.append((demand, site))
    for site in lock.sites:
        if site.id not in alive and not site.retired:
            site.retired = True
            added.append(f"{site.id} is retired; its addresses stay reserved")
    _give_prefixes(plan, wanted, lock)
    added += _give_router_addresses(wanted, lock)
    _check_ipv6(lock, free_number)
    return added


def _identity(demand: Demand) -> tuple[str, str, str]:
    return demand.code, demand.site_type, demand.key


def _adopt_pools(plan: AddressPlan, lock: Lock) -> None:
    for zone, pools in plan.zones.items():
        held = lock.pools.setdefault(zone, [])
        held.extend(str(pool) for pool in pools if str(pool) not in held)
    ipv6 = (plan.ipv6,) if plan.ipv6 else ()
    for given, held in ((plan.mgmt.loopbacks, lock.loopbacks), (plan.mgmt.p2p, lock.p2p), (ipv6, lock.ipv6)):
        held.extend(str(prefix) for prefix in given if str(prefix) not in held)


def _check_ipv6(lock: Lock, numbers: int) -> None:
    for prefix in lock.ipv6:
        bits = 64 - int(prefix.partition("/")[2]) - ZONE_BITS - VLAN_BITS
        if numbers > 1 << max(bits, 0):
            raise PlanFullError("sites", f"ipv6 {prefix}", numbers - (1 << max(bits, 0)))


def _give_prefixes(plan: AddressPlan, wanted: Sequence[tuple[Demand, LockedSite]], lock: Lock) -> None:
    open_by_block: dict[str, list[tuple[Demand, LockedSite]]] = {}
    for demand, site in wanted:
        if demand.length and site.prefix in ("", "-"):
            open_by_block.setdefault(demand.block, []).append((demand, site))
    if not open_by_block:
        return
    zone = lock.first_zone
    foreign = [(t.prefix.network_address, t) for t in plan.taken]
    taken = [span(prefix) for _, prefix in lock.blocks]
    taken += [_in_first_zone(lock, t.vrf, t.prefix) for _, t in foreign]
    found = [_in_first_zone(lock, one.vrf, one.network) for one in lock.held]
    taken += found
    space = _Space(lock.pools[zone], taken)
    used = [span(site.prefix) for site in lock.sites if site.prefix not in ("", "-")]
    starts = sorted({*used, *found})
    blocks: dict[str, list[str]] = {}
    for code, prefix in lock.blocks:
        blocks.setdefault(code, []).append(prefix)
    left = sum(len(some) for some in open_by_block.values())
    for code, some in open_by_block.items():
        some.sort(key=lambda pair: pair[0].length)  # the centre's /24 first, so that nothing is split
        rest = some
        for block in blocks.get(code, []):
            rest, given = _fill(block, rest, starts)
            left -= given
        if rest:
            need = sum(1 << (32 - demand.length) for demand, _ in rest)
            size = 1 << max(6, int(need * (1 + plan.spare_ratio) - 1).bit_length())
            base = space.take(size)
            if base is None:
                raise PlanFullError("sites", f"{zone} {', '.join(lock.pools[zone])}", left)
            block = f"{text(base)}/{33 - size.bit_length()}"
            lock.blocks.append((code, block))
            rest, given = _fill(block, rest, [])
            left -= given


def _fill(
    block: str, some: list[tuple[Demand, LockedSite]], used: list[tuple[int, int]]
) -> tuple[list[tuple[Demand, LockedSite]], int]:
    """Slots of one block for as many of ``some`` as fit; those that do not, and how many did."""
    first, last = span(block)
    low = bisect_right(used, (first, 0))
    high = bisect_right(used, (last, 0))
    space = _Space([block], used[low:high])
    rest = []
    for demand, site in some:
        base = space.take(1 << (32 - demand.length))
        if base is None:
            rest.append((demand, site))
        else:
            site.prefix = f"{text(base)}/{demand.length}"
    return rest, len(some) - len(rest)


def _in_first_zone(lock: Lock, vrf: str, prefix: IPv4Network) -> tuple[int, int]:
    """A prefix of any zone, moved to where the first zone has the same offset."""
    first, last = int(prefix.network_address), int(prefix.broadcast_address) + 1
    for here, there in zip(lock.pools.get(vrf, []), lock.pools[lock.first_zone], strict=False):
        low, high = span(here)
        if low <= first < high:
            move = span(there)[0] - low
            return first + move, last + move
    return first, last


def _give_router_addresses(wanted: Sequence[tuple[Demand, LockedSite]], lock: Lock) -> list[str]:
    as_found = {(one.site, one.role) for one in lock.held}
    lacking = [
        (site, role, uplinks)
        for demand, site in wanted
        for role, uplinks in demand.routers
        if role not in site.routers or len(site.routers[role][1]) < uplinks
        if (site.id, role) not in as_found
    ]
    if not lacking:
        return []
    loopback_used = [(n, n + 1) for s in lock.sites for n in (number(r[0]) for r in s.routers.values())]
    p2p_used = [span(p) for s in lock.sites for r in s.routers.values() for p in r[1]]
    found = [span(str(one.network)) for one in lock.held]
    loopback_used += found
    p2p_used += found
    loopbacks = _Space(lock.loopbacks, [*loopback_used, *((span(p)[0], span(p)[0] + 1) for p in lock.loopbacks)])
    links = _Space(lock.p2p, p2p_used)
    added = []
    for at, (site, role, uplinks) in enumerate(lacking):
        loopback, held = site.routers.get(role, ("", ()))
        if not loopback:
            base = loopbacks.take(1)
            if base is None:
                raise PlanFullError("routers", f"mgmt loopbacks {', '.join(lock.loopbacks)}", len(lacking) - at)
            loopback = text(base)
            added.append(f"{site.id}-{role} at {loopback}")
        more = []
        for _ in range(uplinks - len(held)):
            base = links.take(4)
            if base is None:
                raise PlanFullError("routers", f"mgmt p2p {', '.join(lock.p2p)}", len(lacking) - at)
            more.append(text(base))
        site.give(role, loopback, (*held, *more))
    return added


def zone_prefix(pools: dict[str, list[str]], prefix: str, zone: str) -> IPv4Network | None:
    """A site's prefix in any zone, from the one in the first zone; None where it has none."""
    if prefix in ("", "-"):
        return None
    first = span(prefix)[0]
    for here, there in zip(pools[next(iter(pools))], pools.get(zone, []), strict=False):
        low, high = span(here)
        if low <= first < high:
            return IPv4Network((first - low + span(there)[0], int(prefix.partition("/")[2])))
    return None


def subnet6(prefix: IPv6Network, zone: int, site: int, vlan: int) -> IPv6Network:
    """The /64 of one VLAN of one site: ``zone`` 1 is the first, 0 the infrastructure; ``site`` is its number."""
    bits = 64 - prefix.prefixlen
    subnet = zone << (bits - ZONE_BITS) | site << VLAN_BITS | vlan
    return IPv6Network((int(prefix.network_address) + (subnet << 64), 64))


def host(prefix: str, device_class: DeviceClass, ordinal: int) -> str:
    """The address of the ``ordinal``-th (from 1) device of a class in a site's prefix.

    Raises:
        ValueError: more of them than the plan has places for.
    """
    first, places = OFFSETS[device_class]
    if not 1 <= ordinal <= places:
        raise ValueError(f"{device_class.value} {ordinal} is more than the {places} places of a site")
    return str(IPv4Address(span(prefix)[0] + first + ordinal - 1))
