"""What a denominator leaves out, and why: always shown beside the rate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from api.standing import Snapshot, Standing
from inventory.vocabulary import Requirement


@dataclass(frozen=True, slots=True)
class Excluded:
    """Divisions of one kind that stand outside a denominator for one reason. ``names`` in the order of the tree."""

    kind: str
    requirement: Requirement
    reason: str
    codes: Sequence[str]
    names: Sequence[str]

    @property
    def count(self) -> int:
        return len(self.codes)


def excluded(standing: Standing, snapshot: Snapshot, node: int, denominator: str = "default") -> list[Excluded]:
    """The exempt and optional subjects of a denominator in a division of the snapshot's tree, by kind and reason."""
    inventory, nodes = standing.inventory, snapshot.nodes
    places, sites = snapshot.subjects[denominator]
    low, high = np.searchsorted(places, (node, nodes.ends[node]))
    found: dict[tuple[str, Requirement, str], list[int]] = {}
    for place, site in zip(places[low:high].tolist(), sites[low:high].tolist(), strict=True):
        kind = nodes.kinds[place]
        rule = inventory.coverage_rules.by_kind.get(kind)
        if site >= 0:
            requirement, reason = inventory.requirement(site), inventory.exempt_reason(site)
        else:
            requirement, reason = (rule.requirement, rule.reason) if rule else (Requirement.REQUIRED, None)
        if requirement is not Requirement.REQUIRED:
            found.setdefault((kind, requirement, reason or ""), []).append(place)
    return [
        Excluded(kind, requirement, reason, [nodes.codes[one] for one in some], [nodes.names[one] for one in some])
        for (kind, requirement, reason), some in found.items()
    ]
