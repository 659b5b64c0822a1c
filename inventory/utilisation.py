"""How full the address plan is, and how sites of each tier are connected (``cuntong show addresses``)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from inventory.addresses import parse_routers, span, zone_prefix

if TYPE_CHECKING:
    from inventory.model import Inventory

TIERS: Final = {
    "county_center": "county",
    "county_unit": "county",
    "township_center": "township",
    "township_station": "township",
}
"""Tier of each site type; the others are the village's."""


@dataclass(frozen=True, slots=True)
class Use:
    """One pool or block of one VRF; counts are addresses. ``reserved`` belongs to retired sites and is never free.

    Attributes:
        kind: ``pool``, ``block``, ``loopbacks`` or ``p2p``.
        code, name: of the division that a block belongs to; empty for pools.
    """

    vrf: str
    kind: str
    prefix: str
    code: str
    name: str
    used: int
    reserved: int
    total: int

    @property
    def used_ratio(self) -> float:
        """Share that cannot be given any more, 0 to 1."""
        return (self.used + self.reserved) / self.total


def utilisation(inv: "Inventory") -> list[Use]:
    """Every pool and block, zone by zone. A pool's use is what its blocks took; a block's, what its sites took."""
    columns = inv.columns
    used = [span(prefix) for prefix in columns.site_prefixes if prefix]
    reserved = [span(prefix) for prefix, _ in columns.retired if prefix not in ("", "-")]
    blocks = [(code, prefix, span(prefix)) for code, prefix in columns.blocks]
    taken_of = _sums(used, [block for *_, block in blocks])
    kept_of = _sums(reserved, [block for *_, block in blocks])
    found = []
    first = next(iter(columns.pools))
    for zone, pools in columns.pools.items():
        for pool, own in zip(pools, columns.pools[first], strict=False):
            low, high = span(own)
            inside = sum(last - start for *_, (start, last) in blocks if low <= start < high)
            found.append(Use(zone, "pool", pool, "", "", inside, 0, high - low))
        for (code, prefix, (start, last)), taken, kept in zip(blocks, taken_of, kept_of, strict=True):
            here = zone_prefix(columns.pools, prefix, zone)
            node = inv.nodes.index.get(code)
            name = inv.nodes.names[node] if node is not None else ""
            found.append(Use(zone, "block", str(here or prefix), code, name, taken, kept, last - start))
    return found + _management(inv)


def _sums(stretches: list[tuple[int, int]], blocks: list[tuple[int, int]]) -> list[int]:
    """Addresses of the stretches inside each block, in the blocks' order."""
    order = sorted(range(len(blocks)), key=lambda i: blocks[i])
    sums = [0] * len(blocks)
    at = 0
    for first, last in sorted(stretches):
        while at < len(order) and blocks[order[at]][1] <= first:
            at += 1
        if at < len(order) and blocks[order[at]][0] <= first:
            sums[order[at]] += last - first
    return sums


def _management(inv: "Inventory") -> list[Use]:
    columns = inv.columns
    live = _counts(columns.site_routers)
    gone = _counts(routers for _, routers in columns.retired)
    found = []
    for kind, size in (("loopbacks", 1), ("p2p", 4)):
        pools = columns.mgmt[kind]
        total = sum(span(pool)[1] - span(pool)[0] for pool in pools)
        found.append(Use("mgmt", kind, ", ".join(pools), "", "", live[kind] * size, gone[kind] * size, total))
    return found


def _counts(routers: Iterable[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text in routers:
        for _, networks in parse_routers(text).values():
            counts["loopbacks"] += 1
            counts["p2p"] += len(networks)
    return counts


def connection_modes(inv: "Inventory") -> dict[str, dict[str, int]]:
    """Main lines by tier and link type, most used first; guests have no line of their own."""
    counts: dict[str, Counter[str]] = {"county": Counter(), "township": Counter(), "village": Counter()}
    for i, (site_type, link_type) in enumerate(zip(inv.sites.types, inv.sites.link_types, strict=True)):
        if inv.sites.hosts[i] < 0 and link_type != "-":
            counts[TIERS.get(site_type, "village")][link_type] += 1
    return {tier: dict(count.most_common()) for tier, count in counts.items()}
