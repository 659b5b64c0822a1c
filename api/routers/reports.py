"""``/v1/bulletins``, ``/v1/rankings``, ``/v1/ledgers``: what is published of a month, and who signed."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from api.actions import office
from api.answers import Ratio
from api.auth import Acting, Actor, PublicViewer, Viewer
from api.bulletins import BULLETIN, bulletin_of, year_of
from api.formats import LISTED, MEDIA_TYPES, Format, Formatted, by_suffix, listed
from api.freshness import FOR_EVER, answered
from api.milestones import day_at
from api.periods import months_before
from api.problems import RESPONSES, WRITING, ProblemError, Responses, not_found, refused
from api.reports import docx, making, pdf, xlsx
from api.reports.sheet import Sheet
from api.routers.context import DivisionFilter, Month
from api.sign_offs import DUE_DAY, LEDGER, sign_offs
from api.standing import Standing, shown
from api.view import View
from api.writing import IdempotencyKey, OnceOnly, refusals
from health.duedates import Signing, due_in
from health.ranking import FORMULA, TooFewMonthsError
from ledger import reports
from ledger.reports import Frozen, Signature

router = APIRouter(tags=["reports"], responses=RESPONSES, route_class=OnceOnly)


class RankedAnswer(BaseModel):
    """A division in a ranking; equal figures share a place, too small ones have none."""

    place: int | None
    band: str | None
    code: str
    name: str
    subjects: int
    coverage: Ratio | None
    availability: Ratio | None
    kiosk_online: Ratio | None
    overdue_tasks: int


class ScoredAnswer(BaseModel):
    """The whole division's figures of the month."""

    code: str
    name: str
    subjects: int
    coverage: Ratio | None
    availability: Ratio | None
    kiosk_online: Ratio | None
    overdue_tasks: int


class PublishedAnswer(BaseModel):
    """An edition as it was published: its hash, what was known then, and why it was corrected."""

    edition: int
    sha256: str
    known_at: datetime
    inventory: str
    reason: str
    by: str | None
    at: datetime


class BulletinAnswer(BaseModel):
    """A month of one division. ``published`` is null while it is a draft, which changes with what is measured."""

    month: str
    code: str
    name: str
    as_of: datetime
    rule_version: str
    ranking_version: str
    ranking_formula: str
    whole: ScoredAnswer
    ranking: Annotated[list[RankedAnswer], Field(max_length=5000)]
    published: PublishedAnswer | None


class BulletinHead(BaseModel):
    month: str
    code: str
    edition: int
    sha256: str
    published_at: datetime


class BulletinList(BaseModel):
    data: Annotated[list[BulletinHead], Field(max_length=1000)]


class RankingList(BaseModel):
    """``formula`` says what is weighed in which order."""

    period: str
    code: str
    formula: str
    data: Annotated[list[RankedAnswer], Field(max_length=5000)]


class SignedAnswer(BaseModel):
    code: str
    name: str
    state: str
    on: date | None
    by: str | None


class LedgerAnswer(BaseModel):
    """Who signed the month's ledger (台账), of those who owe it."""

    month: str
    due: date
    owed: int
    signed: int
    data: Annotated[list[SignedAnswer], Field(max_length=5000)]


MonthPath = Annotated[str, Path(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", examples=["2026-10"])]


@router.get("/v1/bulletins", operation_id="bulletins", response_model=BulletinList, responses=LISTED)
@by_suffix(router, "/v1/bulletins")
def bulletins(request: Request, view: PublicViewer, wanted: Formatted, division: DivisionFilter = None) -> Response:
    """What was published of a division, month by month."""
    standing = view.standing
    code = standing.inventory.nodes.codes[view.one(division)]
    with standing.query() as connection:
        found = [
            BulletinHead(
                month=one.period, code=one.division, edition=one.edition, sha256=one.sha256,
                published_at=shown(one.frozen_at),
            )
            for one in reports.every(connection, BULLETIN, code)
        ]  # fmt: skip
    return listed(request, wanted, "bulletins", found, lambda: BulletinList(data=found[-1000:]))


FILES: Final = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "xlsx": MEDIA_TYPES[Format.XLSX],
}
AsFile: Final[Responses] = {
    200: {
        "description": "The report as a file.",
        "content": {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in FILES.values()},
    }
}


@router.get("/v1/bulletins/{month}.{kind}", operation_id="bulletin_file", response_class=Response, responses=AsFile)
def bulletin_file(
    request: Request,
    view: PublicViewer,
    month: MonthPath,
    kind: Literal["docx", "pdf", "xlsx"],
    division: DivisionFilter = None,
    edition: Annotated[int | None, Query(ge=1, le=1000, description="The newest if left out.")] = None,
) -> Response:
    """The month's bulletin (月通报) to be edited, printed or counted: as published, or as a draft that says so."""
    node = view.one(division)
    standing = view.standing
    document, frozen = document_of(view, month, node, edition)
    (last,) = months_before(date.fromisoformat(f"{month}-01"), 1)
    with standing.query() as connection:
        before = reports.fetch(connection, BULLETIN, last, standing.inventory.nodes.codes[node])
    sheet = making.bulletin(document, issuer="", frozen=frozen, before=before.document if before else None)
    at = int(frozen.frozen_at if frozen else standing.now())
    renderers: dict[str, Callable[[Sheet], bytes]] = {
        "docx": docx.render, "xlsx": xlsx.render, "pdf": partial(pdf.render, at=at),
    }  # fmt: skip
    body = renderers[kind](sheet)
    headers = {"Content-Disposition": f'attachment; filename="bulletin-{month}.{kind}"'}
    return answered(request, body, FILES[kind], headers)


@router.get("/v1/bulletins/{month}", operation_id="bulletin", response_model=BulletinAnswer)
def bulletin(
    request: Request,
    view: PublicViewer,
    month: MonthPath,
    division: DivisionFilter = None,
    edition: Annotated[int | None, Query(ge=1, le=1000, description="The newest if left out.")] = None,
) -> Response:
    """The month's bulletin: as published, or as a draft; the public reads what is published."""
    node = view.one(division)
    document, frozen = document_of(view, month, node, edition)
    body = to_json(_bulletin(view, document, frozen))
    return answered(request, body, headers=dict(FOR_EVER) if frozen is not None and edition is not None else None)


def document_of(
    view: View, month: str, node: int, edition: int | None = None
) -> tuple[Mapping[str, Any], Frozen | None]:
    """A bulletin's document, and its edition where it is published."""
    standing = view.standing
    code = standing.inventory.nodes.codes[node]
    with standing.query() as connection:
        frozen = reports.fetch(connection, BULLETIN, month, code, edition)
    if frozen is not None:
        return frozen.document, frozen
    if edition is not None or view.public:
        raise not_found("bulletin", month)
    return _draft(standing, month, node), None


def _draft(standing: Standing, month: str, node: int) -> Mapping[str, Any]:
    try:
        return bulletin_of(standing, month, node).document()
    except ValueError as error:
        raise refused(str(error)) from None


def _bulletin(view: View, document: Mapping[str, Any], frozen: Frozen | None) -> BulletinAnswer:
    published = None
    if frozen is not None:
        published = PublishedAnswer(
            edition=frozen.edition,
            sha256=frozen.sha256,
            known_at=shown(frozen.known_at),
            inventory=frozen.inventory,
            reason=frozen.reason,
            by=None if view.public else frozen.frozen_by,
            at=shown(frozen.frozen_at),
        )
    return BulletinAnswer(**document, published=published)


class PublishBody(BaseModel):
    """``reason`` is of a correction of what was published before."""

    month: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    division: Annotated[str, Field(max_length=12)]
    reason: Annotated[str, Field(max_length=500)] = ""


@router.post("/v1/bulletins", operation_id="publish_bulletin", status_code=201, responses=WRITING)
def publish_bulletin(view: Acting, actor: Actor, body: PublishBody, key: IdempotencyKey) -> BulletinAnswer:
    """Freeze a month's bulletin and publish it; a correction is another edition and says why."""
    standing = view.standing
    node = view.one(body.division)
    document = _draft(standing, body.month, node)
    code = standing.inventory.nodes.codes[node]
    as_of = datetime.fromisoformat(document["as_of"]).timestamp()
    with refusals():
        frozen = office.publish(
            standing.engine, standing.inventory, actor, BULLETIN, body.month, code, document, as_of, standing.now(),
            body.reason,
        )  # fmt: skip
    return _bulletin(view, frozen.document, frozen)


@router.get("/v1/rankings", operation_id="rankings", response_model=RankingList, responses=LISTED)
@by_suffix(router, "/v1/rankings")
def rankings(
    request: Request,
    view: PublicViewer,
    wanted: Formatted,
    month: Annotated[str | None, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", examples=["2026-10"])] = None,
    year: Annotated[int | None, Query(ge=2000, le=2100, description="From twelve published months.")] = None,
    division: DivisionFilter = None,
) -> Response:
    """The divisions below one, ranked by a month (published or so far) or by a year of twelve published months."""
    standing = view.standing
    node = view.one(division)
    if (month is None) == (year is None):
        raise refused("Give a month or a year.")
    if month is not None:
        document, _ = document_of(view, month, node)
        found = [RankedAnswer(**row) for row in document["ranking"]]
    else:
        try:
            ranked = year_of(standing, year or 0, node)
        except TooFewMonthsError as error:
            raise ProblemError(HTTPStatus.CONFLICT, "too-few-months", str(error)) from None
        found = [
            RankedAnswer(
                place=one.place, band=one.band, code=one.scored.code, name=one.scored.name,
                subjects=one.scored.subjects, coverage=one.scored.coverage, availability=one.scored.availability,
                kiosk_online=one.scored.kiosk_online, overdue_tasks=one.scored.overdue_tasks,
            )
            for one in ranked
        ]  # fmt: skip
    code = standing.inventory.nodes.codes[node]
    period = month or str(year)
    return listed(
        request, wanted, "ranking", found,
        lambda: RankingList(period=period, code=code, formula=FORMULA, data=found),
    )  # fmt: skip


@router.get("/v1/ledgers", operation_id="ledgers", response_model=LedgerAnswer, responses=LISTED)
@by_suffix(router, "/v1/ledgers")
def ledgers(
    request: Request, view: Viewer, wanted: Formatted, month: Month, division: DivisionFilter = None
) -> Response:
    """Who signed the month's ledger (台账), who is late, and who is still to sign."""
    standing = view.standing
    nodes = standing.inventory.nodes
    made = sign_offs(standing, month, view.one(division))
    with standing.query() as connection:
        by = {one.division: one.signed_by for one in reports.signed(connection, LEDGER, month)}
    rows = [
        SignedAnswer(
            code=one.division, name=nodes.names[nodes.index[one.division]], state=one.state, on=one.on,
            by=by.get(one.division),
        )
        for one in made.rows
    ]  # fmt: skip
    return listed(
        request, wanted, "ledger", rows,
        lambda: LedgerAnswer(month=month, due=made.due, owed=len(rows), signed=made.signed, data=rows),
    )  # fmt: skip


class SignBody(BaseModel):
    """``columns`` is what people write into the ledger's own columns."""

    month: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    division: Annotated[str, Field(max_length=12)]
    columns: Annotated[
        dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=500)]], Field(max_length=20)
    ] = {}


@router.post("/v1/ledgers/signatures", operation_id="sign_ledger", status_code=201, responses=WRITING)
def sign_ledger(view: Acting, actor: Actor, body: SignBody, key: IdempotencyKey) -> SignedAnswer:
    """Sign a township's ledger of a month."""
    standing = view.standing
    nodes = standing.inventory.nodes
    node = view.one(body.division)
    today = day_at(standing.now())
    signature = Signature(LEDGER, body.month, nodes.codes[node], today, actor.full_name or actor.name, body.columns)
    with refusals():
        office.sign(standing.engine, standing.inventory, actor, signature, standing.now())
    state = Signing.ON_TIME if today <= due_in(body.month, DUE_DAY) else Signing.LATE
    return SignedAnswer(code=nodes.codes[node], name=nodes.names[node], state=state, on=today, by=signature.signed_by)
