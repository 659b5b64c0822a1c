"""``/v1/coverage``: how far a division is covered, on what evidence, and where claims disagree with it."""

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query

from api.answers import Claimed, ContradictionAnswer, Counts, Coverage, DivisionName, EvidenceAge, WorksNow
from api.problems import RESPONSES, refused
from api.routers.context import AsOf, Requirement, StandingHere, node_in, requirement_of, snapshot_at
from api.standing import Contradiction, Snapshot, Standing, shown

router = APIRouter(tags=["coverage"], responses=RESPONSES)


@router.get("/v1/coverage/{code}", operation_id="coverage")
def coverage(
    standing: StandingHere,
    code: str,
    requirement: Requirement = None,
    counted: Annotated[
        str, Query(description="What is counted: default, villages, communities, townships, units.")
    ] = "default",
    as_of: AsOf = None,
    children: Annotated[bool, Query(description="Also the figures of the divisions just below.")] = False,
) -> Coverage:
    """Coverage of one division (2, 4, 6, 9 or 12 digits), now or at a moment of the past."""
    wanted = requirement_of(standing, requirement)
    if counted not in standing.denominators:
        raise refused(f"counted {counted!r} is none of {', '.join(standing.denominators)}.")
    snapshot = snapshot_at(standing, as_of)
    return coverage_of(standing, snapshot, node_in(snapshot.nodes, code), wanted, counted, children)


def coverage_of(
    standing: Standing, snapshot: Snapshot, node: int, requirement: str, counted: str, children: bool
) -> Coverage:
    """The answer for one node of the division tree."""
    inventory = standing.inventory
    nodes, rules = snapshot.nodes, inventory.coverage_rules
    aspect = standing.aspect(requirement)
    below = nodes.children(node) if children else None
    return Coverage(
        **counts_of(standing, snapshot, node, requirement, counted).model_dump(),
        requirement=requirement,
        counted=counted,
        rule_version=rules.version,
        window_seconds=standing.window_s(aspect),
        as_of=shown(snapshot.at),
        generated_at=shown(standing.snapshot.at),
        inventory=inventory.content_hash,
        villages=standing.figures(requirement, "villages", node, snapshot).denominator,
        communities=standing.figures(requirement, "communities", node, snapshot).denominator,
        evidence=_evidence_age(standing, snapshot, node, requirement, counted),
        contradictions=[
            contradiction_answer(standing, found)
            for found in standing.contradictions(requirement, snapshot, (node, nodes.ends[node]))
        ],
        children=None
        if below is None
        else [counts_of(standing, snapshot, child, requirement, counted) for child in below],
        path=[
            DivisionName(code=nodes.codes[one], name=nodes.names[one]) for one in [*nodes.ancestors(node)[::-1], node]
        ],
    )


def counts_of(standing: Standing, snapshot: Snapshot, node: int, requirement: str, counted: str) -> Counts:
    nodes = snapshot.nodes
    figures = standing.figures(requirement, counted, node, snapshot)
    return Counts(
        code=nodes.codes[node],
        name=nodes.names[node],
        level=nodes.levels[node],
        numerator=figures.numerator,
        denominator=figures.denominator,
        unknown=figures.unknown,
        ratio=figures.ratio,
        ratio_max=figures.ratio_max,
        states={str(state): count for state, count in figures.states.items()},
        claimed=Claimed(numerator=figures.claimed, denominator=figures.denominator),
        works_now=WorksNow(numerator=figures.works, denominator=figures.denominator, unknown=figures.works_unknown),
    )


def _evidence_age(standing: Standing, snapshot: Snapshot, node: int, requirement: str, counted: str) -> EvidenceAge:
    positions, sites = snapshot.subjects[counted]
    low, high = np.searchsorted(positions, (node, snapshot.nodes.ends[node]))
    subjects = sites[low:high]
    proofs = snapshot.evidence[standing.aspect(requirement)].proved_at[subjects[subjects >= 0]]
    proofs = proofs[~np.isnan(proofs)]
    if not len(proofs):
        return EvidenceAge(oldest=None, newest=None, median_age_seconds=None)
    return EvidenceAge(
        oldest=shown(float(proofs.min())),
        newest=shown(float(proofs.max())),
        median_age_seconds=max(0.0, round(snapshot.at - float(np.median(proofs)), 3)),
    )


def contradiction_answer(standing: Standing, found: Contradiction) -> ContradictionAnswer:
    sites = standing.inventory.sites
    return ContradictionAnswer(
        site=sites.ids[found.site],
        name=sites.names[found.site],
        kind=found.kind,
        claim=found.claim.claim if found.claim else None,
        claimed_on=found.claim.on if found.claim else None,
        claimed_by=found.claim.by if found.claim else None,
        proof=found.claim.proof if found.claim else None,
        measured=found.judgement.works_now,
        reason=found.evidence.reason,
        since=shown(found.evidence.since),
        last_proof=shown(found.evidence.proved_at),
        state=found.judgement.state,
    )
