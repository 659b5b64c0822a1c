"""Laws of addresses: pools and locked prefixes never overlap in one VRF, and a site never has more than it holds."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Network

import numpy as np
import numpy.typing as npt

from inventory.addresses import OFFSETS, P2P_LENGTH, Lock, LockedSite, number, span, spans, text, zone_prefix
from inventory.compiling import Compilation
from inventory.county import County
from inventory.devices import number_of
from inventory.errors import Problem
from inventory.held import Held, lans, twins
from inventory.lockfile import NAME
from inventory.source import Source

_Numbers = npt.NDArray[np.int64]
_COUNTY = "county.yml"
_MGMT = "mgmt"
_KEEP = "Restore addresses.lock from git; two sites can never share an address."


def check_plan(source: Source, county: County) -> None:
    """Pools that people declared."""
    plan = county.addresses
    declared: list[tuple[str, IPv4Network, tuple[str | int, ...]]] = [
        (zone, pool, ("addresses", "zones", zone)) for zone, pools in plan.zones.items() for pool in pools
    ]
    declared += [(_MGMT, pool, ("addresses", "mgmt", "loopbacks")) for pool in plan.mgmt.loopbacks]
    declared += [(_MGMT, pool, ("addresses", "mgmt", "p2p")) for pool in plan.mgmt.p2p]
    for i, (vrf, pool, path) in enumerate(declared):
        for other_vrf, other, other_path in declared[:i]:
            if vrf == other_vrf and pool.overlaps(other):
                first = source.line(_COUNTY, other_path)
                message = f"{pool} overlaps {other} (line {first}) in the VRF {vrf}."
                source.complain(_COUNTY, path, message, "Choose prefixes that lie apart.")
    first_zone, first_pools = next(iter(plan.zones.items()))
    for zone, pools in plan.zones.items():
        if [pool.prefixlen for pool in pools] != [pool.prefixlen for pool in first_pools]:
            message = f"the pools of {zone} are not as many and as large as those of {first_zone}."
            source.complain(_COUNTY, ("addresses", "zones", zone), message, "Zones run in parallel: make them alike.")
    if plan.ipv6 is not None and plan.ipv6.prefixlen > 56:
        message = f"{plan.ipv6} is too long: the zone takes 2 bits, the VLAN 4, the sites the rest up to /64."
        source.complain(_COUNTY, ("addresses", "ipv6"), message, "Ask for a /48.")
    for i, taken in enumerate(plan.taken):
        if taken.vrf not in plan.zones:
            path = ("addresses", "taken", i, "vrf")
            source.complain(_COUNTY, path, f"{taken.vrf!r} is none of {', '.join(plan.zones)}.", "Name a zone.")


def check_lock(source: Source, county: County, lock: Lock) -> None:
    """What the lock holds: nothing twice, all of it inside pools that are still declared."""
    problems = source.problems
    plan = county.addresses
    held: list[tuple[tuple[str, ...], list[str], Iterable[object]]] = [
        (("zones", zone), pools, plan.zones.get(zone, ())) for zone, pools in lock.pools.items()
    ]
    held.append((("mgmt", "loopbacks"), lock.loopbacks, plan.mgmt.loopbacks))
    held.append((("mgmt", "p2p"), lock.p2p, plan.mgmt.p2p))
    held.append((("ipv6",), lock.ipv6, [plan.ipv6]))
    for path, pools, given in held:
        for pool in set(pools) - {str(prefix) for prefix in given}:
            message = f"{pool} is in use in addresses.lock but no longer declared here."
            mend = "Put it back; to grow, add a pool beside it."
            source.complain(_COUNTY, ("addresses", *path), message, mend)
    _check_twins(lock, problems)
    _check_held(lock, problems)
    zone = lock.first_zone
    as_found = {one.site for one in lock.held if one.kind == "lan" and one.vrf == zone}
    sites = [site for site in lock.sites if site.prefix not in ("", "-") and site.id not in as_found]
    held_by_sites = spans(site.prefix for site in sites)
    _check_overlaps(held_by_sites, lambda i: (sites[i].line, sites[i].id), zone, problems)
    blocks = lock.blocks
    held_by_blocks = spans(prefix for _, prefix in blocks)
    _check_overlaps(held_by_blocks, lambda i: (0, f"the block of {blocks[i][0]}"), zone, problems)
    _check_routers(lock.sites, problems)
    stretches = [span(pool) for pool in lock.pools.get(zone, [])]
    starts, ends = held_by_sites
    inside = np.zeros(len(sites), dtype=bool)
    for low, high in stretches:
        inside |= (starts >= low) & (ends <= high)
    for i in np.flatnonzero(~inside) if stretches else ():
        message = f"{sites[i].prefix} of {sites[i].id} lies outside the pools of {zone}."
        problems.append(Problem(NAME, sites[i].line, "", message, _KEEP))


def _check_routers(sites: Sequence[LockedSite], problems: list[Problem]) -> None:
    """Loopbacks and p2p networks, all in one VRF."""
    of_loopback, of_link = array("i"), array("i")  # positions of their sites
    loopbacks, p2p = array("q"), array("q")
    for at, site in enumerate(sites):
        for loopback, links in site.routers.values():
            of_loopback.append(at)
            loopbacks.append(number(loopback))
            for link in links:
                of_link.append(at)
                p2p.append(number(link))

    def router(i: int) -> tuple[int, str]:
        owners, i = (of_loopback, i) if i < len(of_loopback) else (of_link, i - len(of_loopback))
        site = sites[owners[i]]
        roles = [role for role, (_, links) in site.routers.items() for _ in (links if owners is of_link else (0,))]
        return site.line, f"{site.id}-{roles[i - bisect_left(owners, owners[i])]}"

    starts = np.array(loopbacks + p2p, dtype=np.int64)
    sizes = np.repeat([1, 1 << (32 - P2P_LENGTH)], [len(loopbacks), len(p2p)])
    _check_overlaps((starts, starts + sizes), router, _MGMT, problems)


def _check_held(lock: Lock, problems: list[Problem]) -> None:
    """Addresses as they were found: claimed once, of sites that there are, and apart from what the plan gave others."""
    for first, second in twins(lock.held):
        address = second.address.partition("/")[0]
        both = f"{second.device} and by {first.device} (line {first.line})"
        message = f"{address} in the VRF {second.vrf} is claimed by {both}."
        problems.append(Problem(NAME, second.line, "", message, "Only one of the two can have it: look at both."))
    known = {site.id for site in lock.sites} if lock.held else set()
    for one in lock.held:
        if one.site not in known:
            problems.append(Problem(NAME, one.line, "", f"there is no site {one.site}.", "Restore its line from git."))
    told = {frozenset((one.site, other.site)) for one, other in twins(lock.held)}
    for zone in lock.pools if lock.held else ():
        _check_networks(lock, zone, told, problems)


def _check_networks(lock: Lock, zone: str, told: set[frozenset[str]], problems: list[Problem]) -> None:
    """Networks of sites as they were found, against each other and against what the plan gave to others."""
    lines: dict[str, int] = {}
    by_site: dict[str, list[Held]] = {}
    for one in lock.held:
        if one.kind == "lan" and one.vrf == zone:
            by_site.setdefault(one.site, []).append(one)
            lines.setdefault(one.site, one.line)
    stretches = [(*span(str(lans(some)[zone])), site) for site, some in by_site.items()]
    for site in lock.sites if by_site else ():
        if site.id not in by_site and (prefix := zone_prefix(lock.pools, site.prefix, zone)) is not None:
            stretches.append((*span(str(prefix)), site.id))
    reached, owner = 0, ""
    for low, high, name in sorted(stretches):
        as_found = lines.get(name) or lines.get(owner)
        if low < reached and as_found and frozenset((name, owner)) not in told:
            message = f"{text(low)} of {name} overlaps {owner} in the VRF {zone}."
            problems.append(Problem(NAME, as_found, "", message, "Two sites have one network: look at both."))
        if high > reached:
            reached, owner = high, name


def _check_twins(lock: Lock, problems: list[Problem]) -> None:
    alive = [site for site in lock.sites if not site.retired]
    numbered = [site for site in lock.sites if site.number >= 0]
    _check_unique(lock.sites, lambda site: site.id, "the id {} stands here twice", problems)
    _check_unique(numbered, lambda site: str(site.number), "the number {} stands here twice", problems)
    _check_unique(alive, lambda site: " ".join(site.identity), "{} has two ids", problems)


def _check_unique(
    sites: Sequence[LockedSite], key_of: Callable[[LockedSite], str], saying: str, problems: list[Problem]
) -> None:
    hashes = np.fromiter((hash(key_of(site)) for site in sites), dtype=np.int64, count=len(sites))
    hashes.sort()
    if not (hashes[1:] == hashes[:-1]).any():
        return  # equal keys have equal hashes, and the keys of a whole country take too much memory
    first: dict[str, int] = {}
    for site in sites:
        key = key_of(site)
        if first.setdefault(key, site.line) != site.line:
            message = f"{saying.format(key)}, first in line {first[key]}."
            problems.append(Problem(NAME, site.line, "", message, "Keep the older line."))


def _check_overlaps(
    held: tuple[_Numbers, _Numbers], owner: Callable[[int], tuple[int, str]], vrf: str, problems: list[Problem]
) -> None:
    """Neighbours in order of addresses overlap if any two do; ``owner`` gives line and name of one."""
    starts, ends = held
    order = np.argsort(starts, kind="stable")
    reached = np.maximum.accumulate(ends[order])
    for at in np.flatnonzero(starts[order][1:] < reached[:-1]) + 1:
        this = int(order[at])
        other = int(order[int(np.searchsorted(reached, reached[at - 1]))])
        line, name = owner(this)
        _, other_name = owner(other)
        message = f"{text(int(starts[this]))} of {name} overlaps {other_name} in the VRF {vrf}."
        problems.append(Problem(NAME, line, "", message, _KEEP))


def check_places(compilation: Compilation) -> None:
    """More kiosks or printers at a site than its prefix has places for, and foreign prefixes under a site."""
    checked: set[object] = set()
    for i, row in enumerate(compilation.rows):
        special = row.entry is not None and bool(row.entry.devices)
        if not special and row.site_class in checked:
            continue
        if not special:
            checked.add(row.site_class)
        for slot in compilation.wiring.slots_of[i]:
            first_and_places = OFFSETS.get(slot.device_class)
            if first_and_places is not None and number_of(slot.role) > first_and_places[1]:
                places = first_and_places[1]
                message = f"{slot.role} is beyond the {places} places of a {slot.device_class.value}."
                compilation.source.complain(row.file, row.path, message, f"Number them 1 to {places}.")
        if special and row.entry is not None:
            _check_roles(compilation, i)
    plan = compilation.county.addresses
    for n, taken in enumerate(plan.taken):
        for site in compilation.lock.sites:
            prefix = zone_prefix(compilation.lock.pools, site.prefix, taken.vrf)
            if prefix is not None and prefix.overlaps(taken.prefix):
                path = ("addresses", "taken", n)
                message = f"{taken.prefix} is taken by {taken.what}, but {site.id} has {prefix} in {taken.vrf}."
                compilation.source.complain(_COUNTY, path, message, "Move one of the two.")
                break


def _check_roles(compilation: Compilation, i: int) -> None:
    row = compilation.rows[i]
    for role in row.entry.devices if row.entry is not None else ():
        stem = role.rstrip("0123456789")
        if not stem.isalpha() or not stem.islower() or not role[len(stem) :] or role[len(stem) :].startswith("0"):
            path = (*row.path, "devices", role)
            compilation.source.complain(row.file, path, f"{role!r} is no role.", "Write a word and a number: kiosk2.")
