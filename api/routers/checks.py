"""``/v1/appeals`` and ``/v1/spot-checks``: a figure is said to be wrong, and somebody goes to look (核实申诉、暗访)."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from api.actions import office
from api.auth import Acting, Actor, Viewer
from api.formats import LISTED, Formatted, by_suffix, listed
from api.milestones import day_at
from api.problems import RESPONSES, WRITING, not_found
from api.routers.context import DivisionFilter
from api.standing import Standing, shown
from api.view import View
from api.writing import IdempotencyKey, OnceOnly, refusals
from ledger import appeals, spot_checks
from ledger.appeals import Appeal, Ruling
from ledger.spot_checks import Draw, Visit

router = APIRouter(tags=["checks"], responses=RESPONSES, route_class=OnceOnly)


class RulingAnswer(BaseModel):
    """``takes_effect`` is the period whose report first shows it."""

    result: str
    reason: str
    takes_effect: str
    by: str
    at: datetime


class AppealAnswer(BaseModel):
    """Somebody says that a figure (``what``) of a site is wrong: what is right, and on what evidence."""

    id: str
    site: str
    name: str
    code: str
    what: str
    claim: str
    evidence: str
    by: str
    opened_at: datetime
    due_on: date
    overdue: bool
    ruling: RulingAnswer | None


class AppealList(BaseModel):
    as_of: datetime
    total: int
    data: Annotated[list[AppealAnswer], Field(max_length=1000)]


class AppealBody(BaseModel):
    site: Annotated[str, Field(min_length=1, max_length=64)]
    what: Annotated[str, Field(min_length=1, max_length=48, description="The figure, such as coverage or claim.")]
    claim: Annotated[str, Field(min_length=1, max_length=2000, description="What is right.")]
    evidence: Annotated[str, Field(min_length=1, max_length=2000)]


class RulingBody(BaseModel):
    result: Literal["upheld", "rejected"]
    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    takes_effect: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]


class VisitAnswer(BaseModel):
    site: str
    result: str
    form: dict[str, str | bool | float]
    at: datetime
    by: str


class DrawnSite(BaseModel):
    site: str
    name: str
    code: str
    visit: VisitAnswer | None


class DrawAnswer(BaseModel):
    """A draw: with seed, population hash and size anybody draws the same sites again. Of the sites, those in sight."""

    id: str
    division: str
    period: str
    seed: str
    size: int
    drawn_by: str
    drawn_at: datetime
    sites: Annotated[list[DrawnSite], Field(max_length=1000)]


class DrawList(BaseModel):
    data: Annotated[list[DrawAnswer], Field(max_length=1000)]


class DrawBody(BaseModel):
    division: Annotated[str, Field(max_length=12)]
    period: Annotated[str, Field(pattern=r"^\d{4}-W(0[1-9]|[1-4]\d|5[0-3])$", examples=["2026-W47"])]
    size: Annotated[int, Field(ge=1, le=1000)]


class VisitBody(BaseModel):
    site: Annotated[str, Field(min_length=1, max_length=64)]
    result: Literal["passed", "failed", "closed"]
    form: Annotated[
        dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=500)] | bool | float],
        Field(max_length=50),
    ] = {}
    at: Annotated[datetime | None, Field(description="When it was; now if left out.")] = None


AppealId = Annotated[str, Path(max_length=32, examples=["a-1a2b3c4d"])]
DrawId = Annotated[str, Path(max_length=32, examples=["s-1a2b3c4d"])]


@router.get("/v1/appeals", operation_id="appeals", response_model=AppealList, responses=LISTED)
@by_suffix(router, "/v1/appeals")
def appeal_list(
    request: Request,
    view: Viewer,
    wanted: Formatted,
    division: DivisionFilter = None,
    site: Annotated[str | None, Query(max_length=64)] = None,
    decided: Annotated[bool | None, Query(description="Only those decided, or only those that are not.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """Appeals, the newest first."""
    standing = view.standing
    spans = view.site_spans(division)
    if site is not None:
        view.site(site)
    with standing.query() as connection:
        every = appeals.every(connection)
    index = standing.inventory.sites.index
    found = [
        _appeal(standing, one)
        for one in reversed(every)
        if (place := index.get(one.site)) is not None
        and any(low <= place < high for low, high in spans)
        and (site is None or one.site == site)
        and (decided is None or (one.ruling is not None) == decided)
    ]
    at = shown(standing.now())
    return listed(request, wanted, "appeals", found, lambda: AppealList(as_of=at, total=len(found), data=found[:limit]))


def _appeal(standing: Standing, one: Appeal) -> AppealAnswer:
    sites, nodes = standing.inventory.sites, standing.inventory.nodes
    place = sites.index[one.site]
    ruling = one.ruling
    return AppealAnswer(
        id=one.id,
        site=one.site,
        name=sites.names[place],
        code=nodes.codes[int(sites.nodes[place])],
        what=one.what,
        claim=one.claim,
        evidence=one.evidence,
        by=one.said_by,
        opened_at=shown(one.opened_at),
        due_on=one.due_on,
        overdue=ruling is None and day_at(standing.now()) > one.due_on,
        ruling=None
        if ruling is None
        else RulingAnswer(
            result=ruling.result,
            reason=ruling.reason,
            takes_effect=ruling.takes_effect,
            by=ruling.said_by,
            at=shown(ruling.happened_at),
        ),
    )


def _find_appeal(view: View, id: str) -> Appeal:
    with view.standing.query() as connection:
        found = next((one for one in appeals.every(connection) if one.id == id), None)
    if found is None or found.site not in view.standing.inventory.sites.index or not view.sees_id(found.site):
        raise not_found("appeal", id)
    return found


@router.post("/v1/appeals", operation_id="lodge_appeal", status_code=201, responses=WRITING)
def lodge_appeal(view: Acting, actor: Actor, body: AppealBody, key: IdempotencyKey) -> AppealAnswer:
    """Say that a figure of a site is wrong."""
    standing = view.standing
    view.site(body.site)
    with refusals():
        id = office.appeal(
            standing.engine, standing.inventory, actor, body.site, body.what, body.claim, body.evidence,
            day_at(standing.now()), standing.now(),
        )  # fmt: skip
    return _appeal(standing, _find_appeal(view, id))


@router.post("/v1/appeals/{id}/ruling", operation_id="rule_on_appeal", status_code=201, responses=WRITING)
def rule_on_appeal(view: Acting, actor: Actor, id: AppealId, body: RulingBody, key: IdempotencyKey) -> AppealAnswer:
    """Uphold or reject an appeal, with the reason."""
    standing = view.standing
    _find_appeal(view, id)
    ruling = Ruling(body.result, body.reason, body.takes_effect, actor.name, standing.now())
    with refusals():
        office.rule_on_appeal(standing.engine, standing.inventory, actor, id, ruling, standing.now())
    return _appeal(standing, _find_appeal(view, id))


@router.get("/v1/spot-checks", operation_id="spot_checks", response_model=DrawList, responses=LISTED)
@by_suffix(router, "/v1/spot-checks")
def spot_check_list(request: Request, view: Viewer, wanted: Formatted) -> Response:
    """Every draw that reaches into what the reader may see, the newest first, with the sites there and their visits."""
    standing = view.standing
    with standing.query() as connection:
        found = [_draw(view, one, spot_checks.visits_of(connection, one.id)) for one in spot_checks.draws(connection)]
    found = [one for one in reversed(found) if one.sites][:1000]
    return listed(request, wanted, "spot-checks", found, lambda: DrawList(data=found))


def _draw(view: View, one: Draw, visits: list[Visit]) -> DrawAnswer:
    sites, nodes = view.standing.inventory.sites, view.standing.inventory.nodes
    by_site = {visit.site: visit for visit in visits}
    drawn = []
    for id in one.sites:
        place = sites.index.get(id)
        if place is None or not view.sees_site(place):
            continue
        visit = by_site.get(id)
        drawn.append(
            DrawnSite(
                site=id,
                name=sites.names[place],
                code=nodes.codes[int(sites.nodes[place])],
                visit=None if visit is None else _visit(visit),
            )
        )
    return DrawAnswer(
        id=one.id,
        division=one.division if view.sees_code(one.division) else "",
        period=one.period,
        seed=one.seed.hex(),
        size=one.size,
        drawn_by=one.drawn_by,
        drawn_at=shown(one.drawn_at),
        sites=drawn[:1000],
    )


def _visit(visit: Visit) -> VisitAnswer:
    return VisitAnswer(
        site=visit.site, result=visit.result, form=dict(visit.form), at=shown(visit.visited_at), by=visit.said_by
    )


@router.post("/v1/spot-checks", operation_id="draw_spot_check", status_code=201, responses=WRITING)
def draw_spot_check(view: Acting, actor: Actor, body: DrawBody, key: IdempotencyKey) -> DrawAnswer:
    """Draw the sites of a week's unannounced check; one draw for each division and week."""
    standing = view.standing
    view.one(body.division)
    with refusals():
        made = office.draw(standing, standing.engine, actor, body.division, body.period, body.size, standing.now())
    return _draw(view, made, [])


@router.post("/v1/spot-checks/{id}/visits", operation_id="record_visit", status_code=201, responses=WRITING)
def record_visit(view: Acting, actor: Actor, id: DrawId, body: VisitBody, key: IdempotencyKey) -> VisitAnswer:
    """Keep what was found at a site that was drawn."""
    standing = view.standing
    view.site(body.site)
    with standing.query() as connection:
        draw = next((one for one in spot_checks.draws(connection) if one.id == id), None)
    if draw is None or body.site not in draw.sites:
        raise not_found("draw", id)
    at = standing.now() if body.at is None else body.at.timestamp()
    visit = Visit(id, body.site, body.result, body.form, at, actor.name)
    with refusals():
        office.record_visit(standing.engine, standing.inventory, actor, visit, standing.now())
    return _visit(visit)
