"""Which failure is the cause of which silence: one incident at the highest failed node of the uplink tree.

A *dark* site is one whose every monitored device is confirmed silent. A dark site with a live uplink failed by
itself: it is a root. A dark site whose uplinks are all dark is *unreachable*: nothing can be said about it, and it
counts beneath the root above it. A device that is silent while its site answers failed alone.

A dark site is judged only when its uplinks were asked after it fell: else the village whose poll came first would
be blamed for its township. Until then it is undecided.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """What polling alone can tell apart."""

    DEVICE = "device"  # silent while its site answers: the device or its agent
    ACCESS = "access"  # one site dark, its uplink alive: its power, its router or its line
    AGGREGATION = "aggregation"  # a node with sites beneath it dark, its own uplink alive: the node or its line


class UplinkTree:
    """Which sites hang below which. A site may have several uplinks: it is cut off when all are.

    Args:
        uplinks: for each site, the sites that it hangs on; empty at the top. The inventory's laws refuse cycles.
    """

    def __init__(self, uplinks: Sequence[Sequence[int]]) -> None:
        self.uplinks = uplinks
        self._downlinks: dict[int, list[int]] = {}
        for site, above in enumerate(uplinks):
            for parent in above:
                self._downlinks.setdefault(parent, []).append(site)

    def __len__(self) -> int:
        return len(self.uplinks)

    def children(self, site: int) -> Sequence[int]:
        return self._downlinks.get(site, ())

    def beneath(self, site: int) -> list[int]:
        """Every site below this one, without it, nearest first."""
        found: dict[int, None] = {}
        row: Iterable[int] = (site,)
        while row := [child for above in row for child in self.children(above) if child not in found]:
            found.update(dict.fromkeys(row))
        found.pop(site, None)
        return list(found)


@dataclass(frozen=True, slots=True)
class Incident:
    """One cause. ``affected`` are the dark sites that it explains, the root first."""

    root: int
    affected: tuple[int, ...]
    cause: Cause


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Every dark site is in exactly one incident, or undecided until its uplinks were asked again."""

    incidents: tuple[Incident, ...]
    undecided: tuple[int, ...]


def diagnose(
    tree: UplinkTree,
    dark_since: Mapping[int, float],
    asked_again: Callable[[int, float], bool],
    impaired: Collection[int] = (),
) -> Diagnosis:
    """Group the dark sites by their cause.

    Args:
        dark_since: each dark site and the Unix time at which it fell silent.
        asked_again: whether a site that is not dark answered after that time.
        impaired: sites with devices under suspicion, which may turn dark any moment: not yet proof of a live uplink.
    """
    root_of: dict[int, int | None] = {}

    def find_root(start: int) -> int | None:
        """The root above a dark site; None while undecided. Iterative: a nation's tree may be deep."""
        path = [start]
        while path:
            site = path[-1]
            if site in root_of:
                path.pop()
                continue
            uplinks = tree.uplinks[site]
            dark = [uplink for uplink in uplinks if uplink in dark_since]
            if len(dark) == len(uplinks) and uplinks:
                unresolved = [uplink for uplink in dark if uplink not in root_of]
                if unresolved:
                    if unresolved[0] in path:  # a cycle: the inventory refuses it, but never hang on one
                        root_of[site] = site
                        continue
                    path.append(unresolved[0])
                    continue
                # With several dead uplinks the first in the inventory's order takes the blame, so the answer is stable.
                root_of[site] = root_of[dark[0]]
            elif all(
                uplink in dark_since or (uplink not in impaired and asked_again(uplink, dark_since[site]))
                for uplink in uplinks
            ):
                root_of[site] = site
            else:
                root_of[site] = None
            path.pop()
        return root_of[start]

    affected: dict[int, list[int]] = {}
    undecided: list[int] = []
    for site in sorted(dark_since):
        root = find_root(site)
        if root is None:
            undecided.append(site)
        elif root == site:
            affected.setdefault(root, []).insert(0, site)
        else:
            affected.setdefault(root, []).append(site)
    incidents = tuple(
        Incident(root, tuple(sites), Cause.AGGREGATION if tree.children(root) else Cause.ACCESS)
        for root, sites in sorted(affected.items())
    )
    return Diagnosis(incidents, tuple(undecided))
