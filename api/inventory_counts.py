"""How many sites a division has, by type and status, by tag, by network and by where their lines came from.

Built and open are two figures: a site that was built need not serve anybody.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from api.milestones import facts_of
from api.standing import Snapshot, Standing
from inventory.vocabulary import Claim

_NOT_BUILT = (None, Claim.PLANNED, Claim.RETIRED)


@dataclass(frozen=True, slots=True)
class TypeCounts:
    """Sites of one type: listed, built as people claim, open to the public, on the online platform."""

    listed: int
    built: int
    open: int
    online: int


@dataclass(frozen=True, slots=True)
class SiteCounts:
    """Counts of one division. ``lines`` by origin (new, reused:...); ``attachments`` by network; mobile sites apart."""

    by_type: Mapping[str, TypeCounts]
    tags: Mapping[str, int]
    attachments: Mapping[str, int]
    lines: Mapping[str, int]


def site_counts(standing: Standing, snapshot: Snapshot, node: int = 0) -> SiteCounts:
    """Counts below a division (its place in the tree of today) at the snapshot's time."""
    inventory = standing.inventory
    listed: Counter[str] = Counter()
    status: Counter[tuple[str, str]] = Counter()
    tags: Counter[str] = Counter()
    attachments: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for site in range(*inventory.sites.span(node)):
        kind, declared = inventory.sites.types[site], inventory.site(site)
        facts = facts_of(standing, snapshot, site)
        listed[kind] += 1
        held = {"built": facts.claim not in _NOT_BUILT, "open": facts.open, "online": "online" in facts.told}
        status.update((kind, name) for name, holds in held.items() if holds)
        tags.update(declared.tags)
        attachments.update(declared.attachments)
        lines.update(link.origin for link in declared.links)
    by_type = {
        kind: TypeCounts(count, status[kind, "built"], status[kind, "open"], status[kind, "online"])
        for kind, count in listed.items()
    }
    return SiteCounts(by_type, dict(tags), dict(attachments), dict(lines))
