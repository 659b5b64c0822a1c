"""``/v1/coverage``: how far a division is covered, on what evidence, and where claims disagree with it."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, Final, Literal

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic_core import to_json
from starlette.routing import BaseRoute

from api.answers import (
    Claimed,
    ContradictionAnswer,
    Counts,
    Coverage,
    CoverageChange,
    CoverageComparison,
    CoveragePoint,
    CoverageSeries,
    DivisionName,
    EvidenceAge,
    WorksNow,
)
from api.auth import PublicViewer
from api.divisions import compare
from api.formats import Formatted, by_suffix, listed
from api.freshness import Remembered, answered
from api.periods import midnight
from api.problems import RESPONSES, refused
from api.routers.context import AsOf, Code, KnownAt, Requirement, requirement_of, snapshot_at
from api.standing import CHINA, Contradiction, Snapshot, Standing, shown
from api.view import View

router = APIRouter(tags=["coverage"], responses=RESPONSES)

_MOST_POINTS: Final = 400
_MOST_NAMED: Final = 1000

Counted = Annotated[
    str,
    Query(description="What is counted: default, villages, communities, townships, central, units.", max_length=40),
]


@router.get("/v1/coverage/{code}", operation_id="coverage", response_model=Coverage)
async def coverage(
    request: Request,
    view: PublicViewer,
    code: Code,
    requirement: Requirement = None,
    counted: Counted = "default",
    as_of: AsOf = None,
    known_at: KnownAt = None,
    children: Annotated[bool, Query(description="Also the figures of the divisions just below.")] = False,
    level: Annotated[
        int | None, Query(ge=1, le=5, description="The figures of every division of this level below, as children.")
    ] = None,
) -> Response:
    """Coverage of one division, now or at a moment of the past, of what is known today or was known then."""
    standing = view.standing
    wanted = requirement_of(standing, requirement)
    _check_counted(standing, counted)

    def made(snapshot: Snapshot) -> bytes:
        found = coverage_of(
            standing, snapshot, view.node(code, snapshot), wanted, counted, children, view=view, level=level
        )
        return to_json(found)

    if as_of is None and known_at is None:
        # The hot path (decision D10): nothing but memory, and that once for all who may see the same.
        snapshot = standing.snapshot
        place = view.node(code, snapshot)
        remembered: Remembered = request.app.state.remembered
        key = (place, wanted, counted, children, level, view.public, tuple(view.spans(snapshot.nodes)))
        return remembered.answer(request, snapshot, key, lambda: made(snapshot))
    snapshot = await run_in_threadpool(snapshot_at, standing, as_of, known_at)
    return answered(request, await run_in_threadpool(made, snapshot))


def plain(view: View, snapshot: Snapshot, place: int) -> bytes:
    """The body of the answer to a question without parameters."""
    standing = view.standing
    return to_json(coverage_of(standing, snapshot, place, standing.main_requirement, "default", False, view=view))


def usual_route() -> BaseRoute:
    """The route of `coverage`."""
    return next(route for route in router.routes if getattr(route, "operation_id", None) == "coverage")


def _check_counted(standing: Standing, counted: str) -> None:
    if counted not in standing.denominators:
        raise refused(f"counted {counted!r} is none of {', '.join(standing.denominators)}.")


@router.get("/v1/coverage/{code}/series", operation_id="coverage_series", response_model=CoverageSeries)
@by_suffix(router, "/v1/coverage/{code}/series")
def series(
    request: Request,
    view: PublicViewer,
    wanted: Formatted,
    code: Code,
    granularity: Annotated[Literal["day", "month"], Query(description="A point for the end of each.")] = "day",
    since: Annotated[date | None, Query(alias="from", description="The first day; 30 days or 12 months ago.")] = None,
    to: Annotated[date | None, Query(description="The last day; today.")] = None,
    requirement: Requirement = None,
    counted: Counted = "default",
) -> Response:
    """Coverage of one division over time, by the divisions of each day; days before it was there have no point."""
    standing = view.standing
    asked = requirement_of(standing, requirement)
    _check_counted(standing, counted)
    view.node(code)
    today = datetime.fromtimestamp(standing.now(), CHINA).date()
    last = min(to or today, today)
    first = since or (last - timedelta(days=30 if granularity == "day" else 365))
    if first > last:
        raise refused(f"from {first} is after {last}: nothing is measured there yet.")
    ends = list(_ends(first, last, granularity))
    points = []
    for end in ends[-_MOST_POINTS:]:
        try:
            snapshot = standing.past(min(end, standing.now()))
        except ValueError:
            continue
        try:
            place = snapshot.nodes.find(code)
        except KeyError:
            continue
        if view.sees(snapshot.nodes, place):
            counts = counts_of(standing, snapshot, place, asked, counted)
            day = datetime.fromtimestamp(end - 1, CHINA).date()
            points.append(_point(day, snapshot, counts))
    nodes = standing.inventory.nodes
    told = CoverageSeries(
        code=nodes.codes[nodes.find(code)],
        requirement=asked,
        counted=counted,
        granularity=granularity,
        data=points,
    )
    return listed(request, wanted, "coverage", points, lambda: told)


def _point(day: date, snapshot: Snapshot, counts: Counts) -> CoveragePoint:
    point = CoveragePoint(day=day, as_of=shown(snapshot.at), **_figures(counts))
    if counts.denominator and counts.unknown == counts.denominator:
        point.ratio = point.ratio_max = None  # nobody watched: that is no share of nothing
    return point


def _ends(first: date, last: date, granularity: str) -> Iterator[float]:
    """The first moments after each day or month that touches ``[first, last]``, as Unix times."""
    if (last - first).days > 366 * 40:
        raise refused("The period is longer than 40 years.")
    day = first
    while day <= last:
        if granularity == "day":
            day += timedelta(days=1)
            yield midnight(day)
        else:
            day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            yield midnight(min(day, last + timedelta(days=1)))


def _figures(counts: Counts) -> dict[str, object]:
    return counts.model_dump(exclude={"code", "name", "level"})


@router.get("/v1/coverage:compare", operation_id="compare_coverage")
def compare_coverage(
    view: PublicViewer,
    codes: Annotated[list[Annotated[str, Query(max_length=12)]], Query(min_length=1, max_length=50)],
    as_of: Annotated[
        list[Annotated[str, Query(max_length=40)]],
        Query(min_length=2, max_length=2, description="Two moments, the earlier first.", examples=["2026-10-31"]),
    ],
    known_at: KnownAt = None,
    requirement: Requirement = None,
    counted: Counted = "default",
) -> list[CoverageComparison]:
    """What changed in some divisions between two moments: won, lost, judged otherwise, or no longer counted."""
    standing = view.standing
    asked = requirement_of(standing, requirement)
    _check_counted(standing, counted)
    earlier, later = (snapshot_at(standing, one, known_at) for one in as_of)
    if earlier.at > later.at:
        raise refused("The earlier moment comes first.")
    found = []
    for code in codes:
        place, before = view.node(code, later), view.node(code, earlier)
        made = compare(standing, earlier, later, code, asked, counted)
        found.append(
            CoverageComparison(
                code=later.nodes.codes[place],
                name=later.nodes.names[place],
                before=CoveragePoint(
                    day=_day(earlier.at),
                    as_of=shown(earlier.at),
                    **_figures(counts_of(standing, earlier, before, asked, counted)),
                ),
                after=CoveragePoint(
                    day=_day(later.at),
                    as_of=shown(later.at),
                    **_figures(counts_of(standing, later, place, asked, counted)),
                ),
                changes=[
                    CoverageChange(code=one.code, name=one.name, before=one.before, after=one.after)
                    for one in made.changes[:_MOST_NAMED]
                ],
                changed=len(made.changes),
            )
        )
    return found


def _day(at: float) -> date:
    return (datetime.fromtimestamp(at, CHINA) - timedelta.resolution).date()


def coverage_of(
    standing: Standing,
    snapshot: Snapshot,
    node: int,
    requirement: str,
    counted: str,
    children: bool,
    *,
    view: View | None = None,
    level: int | None = None,
) -> Coverage:
    """The answer for one node of the division tree.

    Args:
        view: whoever looks: the path begins where his grant does, and the public sees no single site's contradiction.
        level: the divisions of this level below take the place of the children.
    """
    inventory = standing.inventory
    nodes, rules = snapshot.nodes, inventory.coverage_rules
    aspect = standing.aspect(requirement)
    below = nodes.children(node) if children else None
    if level is not None:
        below = [place for place in range(node, nodes.ends[node]) if nodes.levels[place] == level]
        if len(below) > _MOST_NAMED:
            raise refused(f"That names {len(below)} divisions. Ask for a smaller part of the tree.")
    path = [*nodes.ancestors(node)[::-1], node]
    span = node, nodes.ends[node]
    named = (
        [] if view is not None and view.public else standing.contradictions(requirement, snapshot, span, _MOST_NAMED)
    )
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
        contradicted=len(standing.contradicted(requirement, snapshot, span)),
        contradictions=[
            contradiction_answer(standing, found)
            for found in named  # beneath a division of today that may be seen there is no other site
            if view is None or nodes is inventory.nodes or view.sees_site(found.site)
        ],
        children=None
        if below is None
        else [counts_of(standing, snapshot, child, requirement, counted) for child in below],
        path=[
            DivisionName(code=nodes.codes[one], name=nodes.names[one])
            for one in path
            if view is None or view.sees(nodes, one)
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
    proofs = snapshot.evidence(standing.aspect(requirement), subjects[subjects >= 0]).proved_at
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
