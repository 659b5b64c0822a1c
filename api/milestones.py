"""How far each milestone of the inventory is met in one division: the use-case behind page and reports."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from api.standing import CHINA, Snapshot, Standing
from health.milestones import Progress, SiteFacts, overdue, progress
from inventory.milestones import Milestone
from inventory.vocabulary import Aspect, Verdict


@dataclass(frozen=True, slots=True)
class MilestoneStanding:
    """One milestone and how it stands. ``failing`` counts sites by the condition that they do not meet."""

    milestone: Milestone
    progress: Progress | None
    overdue: bool
    failing: tuple[tuple[str, int], ...]


def milestones_of(standing: Standing, snapshot: Snapshot, node: int) -> list[MilestoneStanding]:
    """Every milestone that asks something of the division; qualitative ones have no progress."""
    today = datetime.fromtimestamp(snapshot.at, CHINA).date()
    found = []
    for milestone in standing.inventory.milestones:
        if milestone.qualitative or milestone.target_ratio is None:
            found.append(MilestoneStanding(milestone, None, False, ()))
            continue
        facts = {site: _facts(standing, snapshot, site) for site in _in_scope(standing, milestone, node)}
        made = progress(milestone.conditions, milestone.target_ratio, facts)
        failing = Counter(condition for fails in made.missing.values() for condition in fails)
        late = overdue(milestone.due, today, made.reached)
        if made.asked:
            found.append(MilestoneStanding(milestone, made, late, tuple(failing.most_common())))
    return found


def _in_scope(standing: Standing, milestone: Milestone, node: int) -> list[int]:
    inventory, scope = standing.inventory, milestone.scope
    nodes, sites = inventory.nodes, inventory.sites
    kinds = set(scope.kinds)
    if scope.denominator is not None:
        counted = set(inventory.coverage_rules.denominators[scope.denominator])
        kinds = kinds & counted if kinds else counted
    asked = [sites.span(nodes.find(code)) for code in scope.divisions] or [(0, len(sites))]
    spared = [sites.span(nodes.find(code)) for code in scope.except_divisions]

    def within(site: int, spans: list[tuple[int, int]]) -> bool:
        return any(low <= site < high for low, high in spans)

    low, high = sites.span(node)
    return [
        site
        for site in range(low, high)
        if (not scope.site_types or sites.types[site] in scope.site_types)
        and (not kinds or nodes.kinds[int(sites.nodes[site])] in kinds)
        and (scope.central is None or inventory.central(site) == scope.central)
        and within(site, asked)
        and not within(site, spared)
    ]


def _facts(standing: Standing, snapshot: Snapshot, site: int) -> SiteFacts:
    inventory = standing.inventory
    declared = inventory.site(site)
    claim = snapshot.claims[site]
    proved = {}
    for aspect in Aspect:
        proof = standing.evidence(site, aspect, snapshot).proved_at
        fresh = proof is not None and snapshot.at - proof <= standing.window_s(aspect)
        proved[aspect] = Verdict.YES if fresh else Verdict.UNKNOWN
    return SiteFacts(
        claim=claim.claim if claim else None,
        open=bool(declared.open),
        proved=proved,
        attachments=declared.attachments,
        classes={str(slot.device_class) for slot in inventory.devices.slots(site)},
    )
