"""How far each milestone of the inventory is met in one division: the use-case behind page and reports."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from api.standing import CHINA, Snapshot, Standing
from health.milestones import (
    Pace,
    Progress,
    Quotas,
    SiteFacts,
    overdue,
    pace,
    planned_share,
    progress,
    quotas,
)
from inventory.divisions import full_code
from inventory.milestones import Milestone
from inventory.model import Link
from inventory.vocabulary import Aspect, Requirement, Verdict
from ledger.acceptance import Decision, decisions_of


@dataclass(frozen=True, slots=True)
class MilestoneStanding:
    """One milestone and how it stands. ``failing`` counts sites by the condition that they do not meet.

    ``quotas`` is of a milestone that counts pilots; ``decision`` of one without a figure.
    """

    milestone: Milestone
    progress: Progress | None
    overdue: bool
    failing: tuple[tuple[str, int], ...]
    quotas: Quotas | None = None
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class MissingSite:
    """One site that keeps a milestone from being met, by name, with the conditions that fail."""

    site: str
    name: str
    code: str
    responsible: str | None
    failing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BurnUp:
    """A milestone over time: points (day, met, asked), the planned share of today, and what is still to be done."""

    points: tuple[tuple[date, int, int], ...]
    planned_ratio: float | None
    pace: Pace


def day_at(moment: float) -> date:
    """The day in China that a Unix time belongs to; midnight ends the day before."""
    return (datetime.fromtimestamp(moment, CHINA) - timedelta.resolution).date()


def milestones_of(standing: Standing, snapshot: Snapshot, node: int) -> list[MilestoneStanding]:
    """Every milestone that asks something of the division (its place in the tree of today)."""
    today = day_at(snapshot.at)
    found = []
    with standing.query() as connection:
        decided = decisions_of(connection, today)
    for milestone in standing.inventory.milestones:
        if milestone.quotas:
            named = quotas_of(standing, snapshot, milestone)
            found.append(MilestoneStanding(milestone, None, bool(named.amiss) and today > milestone.due, (), named))
            continue
        if milestone.qualitative or milestone.target_ratio is None:
            top = standing.inventory.nodes.codes[node]
            decision = decided.get((milestone.id, top)) or decided.get((milestone.id, standing.inventory.top))
            missed = decision is not None and decision.result == "missed"
            found.append(MilestoneStanding(milestone, None, missed, (), None, decision))
            continue
        made = progress_of(standing, snapshot, milestone, node)
        counts = Counter(condition for fails in made.missing.values() for condition in fails)
        late = overdue(milestone.due, today, made.reached)
        if made.asked:
            found.append(MilestoneStanding(milestone, made, late, tuple(counts.most_common())))
    return found


def progress_of(standing: Standing, snapshot: Snapshot, milestone: Milestone, node: int = 0) -> Progress:
    """Progress of one milestone over its sites in a division (its place in the tree of today)."""
    facts = {site: facts_of(standing, snapshot, site) for site in in_scope(standing, snapshot, milestone, node)}
    return progress(milestone.conditions, milestone.target_ratio, facts)


def missing_sites(standing: Standing, made: Progress) -> list[MissingSite]:
    """The named list of what is missing, in the order of the division tree."""
    inventory = standing.inventory
    sites = inventory.sites
    return [
        MissingSite(
            sites.ids[site],
            sites.names[site],
            inventory.nodes.codes[int(sites.nodes[site])],
            inventory.site(site).responsible,
            tuple(fails),
        )
        for site, fails in sorted(made.missing.items())
    ]


def burn_up(standing: Standing, milestone: Milestone, days: Sequence[date], node: int = 0) -> BurnUp:
    """How a milestone came on over some days, the last of which is today (all in order)."""
    points = []
    for day in days:
        end = datetime.combine(day, datetime.min.time(), CHINA) + timedelta(days=1)
        made = progress_of(standing, standing.at(min(end.timestamp(), standing.now())), milestone, node)
        points.append((day, made.met, made.asked))
        needed = made.needed
    stages = [(stage.since, stage.due, stage.ratio) for stage in milestone.stages]
    if not stages and milestone.since is not None:
        stages = [(milestone.since, milestone.due, milestone.target_ratio)]
    series = [(day, met) for day, met, _ in points]
    todo = pace(series, needed or 0, milestone.due, days[-1]) if days else Pace(None, None, None)
    return BurnUp(tuple(points), planned_share(stages, days[-1]) if days else None, todo)


def quotas_of(standing: Standing, snapshot: Snapshot, milestone: Milestone) -> Quotas:
    """Pilots by division: flagged in the inventory, or by a fact ``pilot`` (false takes one back)."""
    inventory = standing.inventory
    nodes, sites = inventory.nodes, inventory.sites
    flagged = {sites.ids[site] for site in inventory.pilots()}
    for (subject, name), fact in snapshot.told.items():
        if name == "pilot" and subject in sites.index:
            (flagged.add if fact.value else flagged.discard)(subject)
    places = [int(sites.nodes[sites.index[id]]) for id in flagged]
    wanted = [(full_code(quota.division), quota.count) for quota in milestone.quotas]
    spans = {code: (nodes.index[code], nodes.ends[nodes.index[code]]) for code, _ in wanted}

    def count_in(code: str) -> int:
        low, high = spans[code]
        inner = [span for other, span in spans.items() if other != code and low <= span[0] < high]
        return sum(low <= place < high and not any(a <= place < b for a, b in inner) for place in places)

    return quotas(wanted, count_in)


def in_scope(standing: Standing, snapshot: Snapshot, milestone: Milestone, node: int = 0) -> list[int]:
    """The sites that a milestone asks in a division; optional and exempt ones are never asked."""
    inventory, scope = standing.inventory, milestone.scope
    nodes, sites = inventory.nodes, inventory.sites
    kinds = set(scope.kinds)
    if scope.denominator is not None:
        counted = set(inventory.coverage_rules.denominators[scope.denominator])
        kinds = kinds & counted if kinds else counted
    asked = [sites.span(nodes.find(code)) for code in scope.divisions] or [(0, len(sites))]
    spared = [sites.span(nodes.find(code)) for code in scope.except_divisions]
    central = set(snapshot.subjects["central"][1].tolist())

    def within(site: int, spans: list[tuple[int, int]]) -> bool:
        return any(low <= site < high for low, high in spans)

    low, high = sites.span(node)
    return [
        site
        for site in range(low, high)
        if (not scope.site_types or sites.types[site] in scope.site_types)
        and (not kinds or nodes.kinds[int(sites.nodes[site])] in kinds)
        and (scope.central is None or (site in central) == scope.central)
        and inventory.requirement(site) is Requirement.REQUIRED
        and within(site, asked)
        and not within(site, spared)
    ]


def facts_of(standing: Standing, snapshot: Snapshot, site: int) -> SiteFacts:
    """What is known of one site at the snapshot's time, in the words that conditions use.

    Facts of the ledger (``open``, ``online``, ``items_listed``, ``rating``, ``platform``, ``conforming``) win over
    what the inventory says.
    """
    inventory = standing.inventory
    declared = inventory.site(site)
    claim = snapshot.claims[site]
    proved = {}
    for aspect in Aspect:
        proof = standing.evidence(site, aspect, snapshot).proved_at
        fresh = proof is not None and snapshot.at - proof <= standing.window_s(aspect)
        proved[aspect] = Verdict.YES if fresh else Verdict.UNKNOWN
    said = {"open": declared.open, "online": declared.online, "conforming": _conforming(declared.links)}
    for name in ("open", "online", "conforming", "items_listed", "rating", "platform"):
        told = standing.told(site, name, snapshot)
        said[name] = said.get(name) if told is None else bool(told)
    return SiteFacts(
        claim=claim.claim if claim else None,
        open=bool(said["open"]),
        proved=proved,
        attachments=declared.attachments,
        classes={str(slot.device_class) for slot in inventory.devices.slots(site)},
        told={name for name in ("online", "items_listed", "rating", "platform") if said[name]},
        conforming=bool(said["conforming"]),
    )


def _conforming(links: Sequence[Link]) -> bool:
    """Every line meets the standard: a new one unless it was found failing, a reused one only once it was checked."""
    return all(
        link.conformance == "conforming" or (link.origin == "new" and link.conformance != "failing") for link in links
    )
