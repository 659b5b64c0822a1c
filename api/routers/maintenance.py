"""``/v1/maintenance``: announced work, whose outages are planned."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from api.actions import maintenance as actions
from api.actions.errors import ActionError
from api.auth import Acting, Actor, Viewer
from api.formats import LISTED, Formatted, by_suffix, listed
from api.problems import RESPONSES, WRITING, not_found
from api.routers.context import DivisionFilter
from api.standing import Standing, shown
from api.view import View
from api.writing import IdempotencyKey, OnceOnly, refusals
from health.maintenance import Window
from ledger import maintenance

router = APIRouter(tags=["maintenance"], responses=RESPONSES, route_class=OnceOnly)


class WindowAnswer(BaseModel):
    """Work at a device, a site, or a division with everything below it (``reach``)."""

    id: str
    reach: str
    target: str
    since: datetime
    until: datetime
    reason: str
    by: str
    announced_at: datetime
    cancelled_at: datetime | None
    running: bool


class WindowList(BaseModel):
    as_of: datetime
    total: int
    data: Annotated[list[WindowAnswer], Field(max_length=1000)]


class WindowBody(BaseModel):
    target: Annotated[str, Field(min_length=2, max_length=64, description="A device's id, a site's id, or a code.")]
    since: AwareDatetime
    until: AwareDatetime
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class CancelBody(BaseModel):
    reason: Annotated[str, Field(max_length=500)] = ""


WindowId = Annotated[str, Path(max_length=32, examples=["m-1a2b3c4d"])]


@router.get("/v1/maintenance", operation_id="maintenance", response_model=WindowList, responses=LISTED)
@by_suffix(router, "/v1/maintenance")
def windows(
    request: Request,
    view: Viewer,
    wanted: Formatted,
    division: DivisionFilter = None,
    over: Annotated[bool, Query(description="Also those that are over or were taken back.")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """Announced work, the newest first."""
    standing = view.standing
    now = standing.now()
    node = None if division is None else view.one(division)
    nodes = standing.inventory.nodes
    with standing.query() as connection:
        every = maintenance.windows(connection)
    found = []
    for one in reversed(every):
        place = _place(standing, one)
        seen = view.whole if place is None else view.sees(nodes, place)
        inside = node is None or (place is not None and node <= place < nodes.ends[node])
        if seen and inside and (over or (one.until > now and one.cancelled_at is None)):
            found.append(_answer(one, now))
    return listed(
        request, wanted, "maintenance", found,
        lambda: WindowList(as_of=shown(now), total=len(found), data=found[:limit]),
    )  # fmt: skip


def _place(standing: Standing, window: Window) -> int | None:
    """The place of a window's division; None where its target left the inventory."""
    try:
        return actions.scope_of(standing.inventory, window.target)[2]
    except ActionError:
        return None


def _answer(one: Window, now: float) -> WindowAnswer:
    return WindowAnswer(
        id=one.id, reach=one.reach, target=one.target, since=shown(one.since), until=shown(one.until),
        reason=one.reason, by=one.by, announced_at=shown(one.recorded_at), cancelled_at=shown(one.cancelled_at),
        running=one.covers(now),
    )  # fmt: skip


@router.post("/v1/maintenance", operation_id="announce_maintenance", status_code=201, responses=WRITING)
def announce(view: Acting, actor: Actor, body: WindowBody, key: IdempotencyKey) -> WindowAnswer:
    """Announce work, before it begins: outages in between are planned."""
    standing = view.standing
    now = standing.now()
    try:
        place = actions.scope_of(standing.inventory, body.target)[2]
    except ActionError:
        raise not_found("target", body.target) from None
    if not view.sees(standing.inventory.nodes, place):
        raise not_found("target", body.target)
    with refusals():
        made = actions.announce(
            standing.engine, standing.inventory, actor, body.target, body.since.timestamp(), body.until.timestamp(),
            body.reason, now,
        )  # fmt: skip
    return _answer(made, now)


@router.post("/v1/maintenance/{id}/cancel", operation_id="cancel_maintenance", status_code=201, responses=WRITING)
def cancel(view: Acting, actor: Actor, id: WindowId, body: CancelBody, key: IdempotencyKey) -> WindowAnswer:
    """Take announced work back from now on; what lay in it before stays planned."""
    standing = view.standing
    _find(view, id)
    with refusals():
        actions.cancel(standing.engine, standing.inventory, actor, id, body.reason, standing.now())
    return _answer(_find(view, id), standing.now())


def _find(view: View, id: str) -> Window:
    with view.standing.query() as connection:
        found = next((one for one in maintenance.windows(connection) if one.id == id), None)
    place = None if found is None else _place(view.standing, found)
    seen = view.whole if place is None else view.sees(view.standing.inventory.nodes, place)
    if found is None or not seen:
        raise not_found("window", id)
    return found
