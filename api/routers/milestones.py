"""``/v1/milestones``: dated targets, how far they are met, and who is missing."""

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from api.actions import office
from api.answers import Ratio
from api.auth import Acting, Actor, PublicViewer, Viewer
from api.formats import LISTED, Formatted, by_suffix, listed
from api.milestones import MilestoneStanding, burn_up, milestones_of, missing_sites, progress_of
from api.problems import RESPONSES, WRITING, not_found, refused
from api.routers.context import AsOf, DivisionFilter, KnownAt, snapshot_at
from api.standing import CHINA, Snapshot, Standing, shown
from api.view import View
from api.writing import IdempotencyKey, OnceOnly, refusals
from inventory.milestones import Milestone
from ledger.acceptance import Decision

router = APIRouter(tags=["milestones"], responses=RESPONSES, route_class=OnceOnly)


class Failing(BaseModel):
    condition: str
    sites: int


class QuotaAnswer(BaseModel):
    """How many sites a division named of those that it is to name."""

    code: str
    name: str
    wanted: int
    named: int


class StageAnswer(BaseModel):
    title: str
    since: date
    due: date
    ratio: Ratio | None


class DecisionAnswer(BaseModel):
    """What somebody decided of a target without a figure; ``code`` is empty where it was decided further up."""

    code: str
    result: str
    on: date
    by: str | None
    proof: str | None


class MilestoneAnswer(BaseModel):
    """One target in one division. Figures are null where it counts pilots (``quotas``) or people decide.

    ``needed`` sites must meet it, ``behind`` are still lacking; ``failing`` counts sites by the condition they miss.
    """

    id: str
    title: str
    division: str
    since: date | None
    due: date
    owner: str | None
    responsible: str | None
    cooperating: list[str]
    conditions: list[str]
    stages: list[StageAnswer]
    qualitative: bool
    target_ratio: float | None
    met: int | None
    asked: int | None
    ratio: Ratio | None
    needed: int | None
    behind: int | None
    reached: bool | None
    overdue: bool
    failing: Annotated[list[Failing], Field(max_length=100)]
    quotas: Annotated[list[QuotaAnswer], Field(max_length=5000)] | None
    decision: DecisionAnswer | None
    tasks: list[str]
    circuits: list[str]
    source: str


class MilestoneList(BaseModel):
    as_of: datetime
    data: Annotated[list[MilestoneAnswer], Field(max_length=1000)]


class BurnUpPoint(BaseModel):
    day: date
    met: int
    asked: int


class MilestoneProgress(BaseModel):
    """A burn-up.

    ``planned_ratio`` is the plan's share of today; paces are sites a week; ``forecast`` is the day on which the target
    is reached if it goes on like this, null where it never is.
    """

    id: str
    division: str
    points: Annotated[list[BurnUpPoint], Field(max_length=200)]
    planned_ratio: Ratio | None
    required_per_week: float | None
    actual_per_week: float | None
    forecast: date | None


class MissingAnswer(BaseModel):
    """A site that keeps a target from being met, with the conditions that it fails."""

    site: str
    name: str
    code: str
    responsible: str | None
    failing: list[str]


class MissingList(BaseModel):
    as_of: datetime
    total: int
    data: Annotated[list[MissingAnswer], Field(max_length=1000)]


MilestoneId = Annotated[str, Path(description="Its id in milestones.yml.", max_length=40)]


@router.get("/v1/milestones", operation_id="milestones", response_model=MilestoneList, responses=LISTED)
@by_suffix(router, "/v1/milestones")
def milestones(
    request: Request,
    view: PublicViewer,
    wanted: Formatted,
    division: DivisionFilter = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> Response:
    """Every target that asks something of a division, and how it stands."""
    standing = view.standing
    node = view.one(division)
    snapshot = snapshot_at(standing, as_of, known_at)
    found = [_answer(view, node, one) for one in milestones_of(standing, snapshot, node)]
    at = shown(snapshot.at)
    return listed(request, wanted, "milestones", found, lambda: MilestoneList(as_of=at, data=found))


def _answer(view: View, node: int, one: MilestoneStanding) -> MilestoneAnswer:
    nodes = view.standing.inventory.nodes
    milestone, made, decision = one.milestone, one.progress, one.decision
    return MilestoneAnswer(
        id=milestone.id,
        title=milestone.title,
        division=nodes.codes[node],
        since=milestone.since,
        due=milestone.due,
        owner=milestone.owner,
        responsible=None if view.public else milestone.responsible,
        cooperating=[] if view.public else list(milestone.cooperating),
        conditions=[str(condition) for condition in milestone.conditions],
        stages=[
            StageAnswer(title=stage.title, since=stage.since, due=stage.due, ratio=stage.ratio)
            for stage in milestone.stages
        ],
        qualitative=milestone.qualitative,
        target_ratio=milestone.target_ratio,
        met=made.met if made else None,
        asked=made.asked if made else None,
        ratio=made.ratio if made else None,
        needed=made.needed if made else None,
        behind=made.behind if made else None,
        reached=made.reached if made else _decided(one),
        overdue=one.overdue,
        failing=[Failing(condition=condition, sites=count) for condition, count in one.failing[:100]],
        quotas=None
        if one.quotas is None
        else [
            QuotaAnswer(
                code=quota.division,
                name=nodes.names[nodes.index[quota.division]],
                wanted=quota.wanted,
                named=quota.named,
            )
            for quota in one.quotas.standings
            if view.sees_code(quota.division)
        ],
        decision=None
        if decision is None
        else DecisionAnswer(
            code=decision.division if view.sees_code(decision.division) else "",
            result=decision.result,
            on=decision.happened_on,
            by=None if view.public else decision.said_by,
            proof=None if view.public else decision.proof,
        ),
        tasks=[] if view.public else list(milestone.tasks),
        circuits=list(milestone.circuits) if view.whole and not view.public else [],
        source=milestone.source,
    )


def _decided(one: MilestoneStanding) -> bool | None:
    if one.quotas is not None:
        return not one.quotas.amiss
    return None if one.decision is None else one.decision.result == "reached"


def _measured(view: View, id: str, division: str | None) -> tuple[Milestone, int]:
    """A target that figures decide, and the place of the division that is asked about."""
    standing, node = view.standing, view.one(division)
    milestone = next((one for one in standing.inventory.milestones if one.id == id), None)
    if milestone is None:
        raise not_found("milestone", id)
    if milestone.qualitative or milestone.target_ratio is None:
        raise refused(f"{id} has no figure: people decide it, or its quotas are counted.")
    return milestone, node


@router.get("/v1/milestones/{id}/progress", operation_id="milestone_progress")
def milestone_progress(
    view: PublicViewer,
    id: MilestoneId,
    division: DivisionFilter = None,
    granularity: Annotated[Literal["week", "month"], Query()] = "month",
    since: Annotated[
        date | None, Query(alias="from", description="The first day; when the target began, or a year ago.")
    ] = None,
) -> MilestoneProgress:
    """How a target came on (burn-up), the pace that it needs, and when it will be met if it goes on like this."""
    standing = view.standing
    milestone, node = _measured(view, id, division)
    today = datetime.fromtimestamp(standing.now(), CHINA).date()
    first = max(since or milestone.since or today - timedelta(days=365), today - timedelta(days=365 * 10))
    days = _days(standing, first, today, granularity)
    made = burn_up(standing, milestone, days, node)
    return MilestoneProgress(
        id=id,
        division=standing.inventory.nodes.codes[node],
        points=[BurnUpPoint(day=day, met=met, asked=asked) for day, met, asked in made.points],
        planned_ratio=made.planned_ratio,
        required_per_week=made.pace.required_per_week,
        actual_per_week=made.pace.actual_per_week,
        forecast=made.pace.forecast,
    )


def _days(standing: Standing, first: date, today: date, granularity: str) -> list[date]:
    """Days a week or a month apart that end today, 60 at most, without those before the deployment's divisions."""
    days, day = [today], today
    while len(days) < 60:
        day = day - timedelta(days=7) if granularity == "week" else day.replace(day=1) - timedelta(days=1)
        if day < first:
            break
        try:
            standing.inventory.history.nodes_on(day)
        except KeyError:
            break
        days.append(day)
    return days[::-1]


@router.get(
    "/v1/milestones/{id}/missing", operation_id="milestone_missing", response_model=MissingList, responses=LISTED
)
@by_suffix(router, "/v1/milestones/{id}/missing")
def milestone_missing(
    request: Request,
    view: Viewer,
    wanted: Formatted,
    id: MilestoneId,
    division: DivisionFilter = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """The sites that keep a target from being met, by name, and which condition each of them fails."""
    standing = view.standing
    milestone, node = _measured(view, id, division)
    snapshot: Snapshot = snapshot_at(standing, as_of, known_at)
    found = [
        MissingAnswer(site=one.site, name=one.name, code=one.code, responsible=one.responsible, failing=[*one.failing])
        for one in missing_sites(standing, progress_of(standing, snapshot, milestone, node))
    ]
    return listed(
        request, wanted, "missing", found,
        lambda: MissingList(as_of=shown(snapshot.at), total=len(found), data=found[:limit]),
    )  # fmt: skip


class DecisionBody(BaseModel):
    """``reached`` or ``missed``, and the document that shows it."""

    division: Annotated[str, Field(max_length=12)]
    result: Literal["reached", "missed"]
    on: date
    proof: Annotated[str, Field(min_length=1, max_length=500)]


@router.post("/v1/milestones/{id}/decisions", operation_id="decide_milestone", status_code=201, responses=WRITING)
def decide_milestone(
    view: Acting, actor: Actor, id: MilestoneId, body: DecisionBody, key: IdempotencyKey
) -> DecisionAnswer:
    """Say of a target without a figure whether it is reached."""
    standing = view.standing
    view.target(body.division)
    code = standing.inventory.nodes.codes[view.one(body.division)]
    if all(one.id != id for one in standing.inventory.milestones):
        raise not_found("milestone", id)
    with refusals():
        decision = Decision(id, code, body.result, body.on, actor.name, body.proof)
        office.decide(standing.engine, standing.inventory, actor, decision, standing.now())
    return DecisionAnswer(code=code, result=body.result, on=body.on, by=actor.name, proof=body.proof)
