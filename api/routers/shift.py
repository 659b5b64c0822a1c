"""``/v1/shift`` and ``/v1/handovers``: what the next shift has to know, frozen and signed by two persons."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from api.actions import shifts
from api.auth import Acting, Actor, WholeViewer
from api.problems import RESPONSES, WRITING, not_found
from api.shift import shift
from api.standing import shown
from api.writing import IdempotencyKey, OnceOnly, refusals
from ledger import handovers
from ledger.errors import LedgerError
from ledger.handovers import Handover

router = APIRouter(tags=["shift"], responses=RESPONSES, route_class=OnceOnly)

_Many = Field(max_length=20_000)


class OpenOutage(BaseModel):
    """An outage that runs, whose job it is, and who is at it."""

    id: str
    site: str | None
    name: str
    scope: str
    sites: int
    since: datetime
    hours: float
    verdict: str
    reason_zh: str
    reason_en: str
    duty_zh: str
    duty_en: str
    handling: str
    owner: str
    ticket: str
    planned: bool


class EndedOutage(BaseModel):
    id: str
    name: str
    since: datetime
    until: datetime
    minutes: int
    verdict: str


class AnnouncedWork(BaseModel):
    """``name``: what people call the place; empty in handovers of before it was kept."""

    id: str
    target: str
    name: str = ""
    since: datetime
    until: datetime
    reason: str
    by: str


class RunOfChanges(BaseModel):
    id: str
    plan: str
    by: str
    at: datetime
    state: str


class TimedWork(BaseModel):
    """Work that happens by itself. ``said`` is why it failed the last time."""

    job: str
    due: datetime
    failed: bool
    said: str


class DueTask(BaseModel):
    id: str
    title: str
    owner: str
    due: str


class ShiftAnswer(BaseModel):
    """A shift since the last handover that was taken (``after``), at most a week."""

    county: str
    at: datetime
    since: datetime
    after: int | None
    open: Annotated[list[OpenOutage], _Many]
    ended: Annotated[list[EndedOutage], _Many]
    work: Annotated[list[AnnouncedWork], _Many]
    runs: Annotated[list[RunOfChanges], _Many]
    jobs: Annotated[list[TimedWork], _Many]
    tasks: Annotated[list[DueTask], _Many]
    unsent: dict[str, int]


class HandoverHead(BaseModel):
    """A handover. ``taken_by`` is empty until somebody signed for it; ``intact``: it still says what was signed."""

    id: int
    at: datetime
    by: str
    note: str
    sha256: str
    intact: bool
    taken_at: datetime | None
    taken_by: str
    taken_note: str


class HandoverAnswer(HandoverHead):
    shift: ShiftAnswer


class HandoverList(BaseModel):
    data: Annotated[list[HandoverHead], Field(max_length=200)]


class NoteBody(BaseModel):
    note: Annotated[str, Field(max_length=4000)] = ""


HandoverId = Annotated[int, Path(ge=1, le=2**53)]


@router.get("/v1/shift", operation_id="shift")
def current(view: WholeViewer) -> ShiftAnswer:
    """The shift as it stands now."""
    return ShiftAnswer.model_validate(shift(view.standing))


@router.get("/v1/handovers", operation_id="handovers")
def every(view: WholeViewer, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> HandoverList:
    """Handovers, the newest first."""
    with view.standing.query() as connection:
        found = handovers.newest(connection, view.standing.inventory.top, limit)
    return HandoverList(data=[HandoverHead(**_head(one)) for one in found])


@router.get("/v1/handovers/{id}", operation_id="handover")
def one(view: WholeViewer, id: HandoverId) -> HandoverAnswer:
    """One handover, as it was signed."""
    with view.standing.query() as connection:
        try:
            found = handovers.find(connection, view.standing.inventory.top, id)
        except LedgerError:
            raise not_found("handover", str(id)) from None
    return _answer(found)


@router.post("/v1/handovers", operation_id="giveShift", status_code=201, responses=WRITING)
def give(view: Acting, actor: Actor, body: NoteBody, _key: IdempotencyKey) -> HandoverAnswer:
    """Freeze the shift as it stands and sign it: somebody else signs for it."""
    standing = view.standing
    with refusals():
        given = shifts.give(standing.engine, standing.inventory, actor, shift(standing), body.note, standing.now())
    return _answer(given)


@router.post("/v1/handovers/{id}/take", operation_id="takeShift", responses=WRITING)
def take(view: Acting, actor: Actor, id: HandoverId, body: NoteBody, _key: IdempotencyKey) -> HandoverAnswer:
    """Sign for a shift that somebody else handed over."""
    standing = view.standing
    with refusals():
        taken = shifts.take(standing.engine, standing.inventory, actor, id, body.note, standing.now())
    return _answer(taken)


def _answer(given: Handover) -> HandoverAnswer:
    return HandoverAnswer(**_head(given), shift=ShiftAnswer.model_validate(given.document))


def _head(given: Handover) -> dict[str, object]:
    return {
        "id": given.id,
        "at": shown(given.at),
        "by": given.by,
        "note": given.note,
        "sha256": given.sha256,
        "intact": given.intact,
        "taken_at": None if given.taken_at is None else shown(given.taken_at),
        "taken_by": given.taken_by,
        "taken_note": given.taken_note,
    }
