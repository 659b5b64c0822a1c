"""``/v1/papers``: evaluation of two dates, readiness, counters, assessment, a carrier's month; fresh or published."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.actions import office
from api.auth import Acting, Actor, Viewer
from api.freshness import answered
from api.problems import RESPONSES, WRITING, not_found, refused
from api.reports import asked, docx, kept, pdf, xlsx
from api.reports.asked import Paper
from api.reports.carrier import CARRIER
from api.reports.sheet import Column, Heading, Paragraph, Part, Sheet, Table
from api.routers.context import DivisionFilter
from api.routers.reports import FILES, AsFile, PublishedAnswer
from api.standing import shown
from api.view import View
from api.writing import IdempotencyKey, OnceOnly, refusals
from inventory.errors import InventoryError

router = APIRouter(tags=["reports"], responses=RESPONSES, route_class=OnceOnly)

_Cell = str | int | float | None
Name = Literal["evaluation", "readiness", "counters", "assessment", "carrier"]
Period = Annotated[
    str,
    Query(
        max_length=48, examples=["2026-01-01..2026-11-20"],
        description="Two days of an evaluation, the year of an assessment, month and carrier (2026-10.telecom); "
        "the day of a published paper of a day.",
    ),
]  # fmt: skip
EditionAsked = Annotated[int | None, Query(ge=1, le=1000, description="As it was published in this edition.")]
Counter = Annotated[str | None, Query(max_length=48, description="Only this counter.")]


class ColumnAnswer(BaseModel):
    """``kind`` is text, code, count, ratio (0 to 1) or minutes."""

    title: str
    kind: str


class TableAnswer(BaseModel):
    title: str
    unit: str
    source: str
    columns: Annotated[list[ColumnAnswer], Field(max_length=200)]
    rows: Annotated[list[Annotated[list[_Cell], Field(max_length=200)]], Field(max_length=200_000)]


class PartAnswer(BaseModel):
    """A heading, a paragraph, or a table."""

    heading: str | None = None
    paragraph: str | None = None
    table: TableAnswer | None = None


class PaperAnswer(BaseModel):
    """A paper as plain parts; ``published`` is null where it is fresh from what is known now."""

    paper: Name
    period: str
    code: str
    title: Annotated[list[str], Field(max_length=10)]
    parts: Annotated[list[PartAnswer], Field(max_length=100)]
    published: PublishedAnswer | None


def _found(view: View, name: str, period: str, node: int, edition: int | None, counter: str | None) -> Paper:
    standing = view.standing
    if name == CARRIER and view.public:
        raise not_found("paper", name)  # lines and contracts are nobody else's business
    if edition is not None:
        paper = asked.published(standing, name, period, node, edition)
        if paper is None:
            raise not_found("paper", f"{name} {period}")
        return paper
    try:
        return asked.fresh(standing, name, period, node, counter)
    except (ValueError, InventoryError) as error:
        raise refused(str(error)) from None


@router.get("/v1/papers/{name}.{kind}", operation_id="paper_file", response_class=Response, responses=AsFile)
def paper_file(
    request: Request,
    view: Viewer,
    name: Name,
    kind: Literal["docx", "pdf", "xlsx"],
    period: Period = "",
    division: DivisionFilter = None,
    edition: EditionAsked = None,
    counter: Counter = None,
) -> Response:
    """A paper to be edited, printed or counted."""
    paper = _found(view, name, period, view.one(division), edition, counter)
    renderers: dict[str, Callable[[Sheet], bytes]] = {
        "docx": docx.render, "xlsx": xlsx.render, "pdf": partial(pdf.render, at=int(paper.at)),
    }  # fmt: skip
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return answered(request, renderers[kind](paper.sheet), FILES[kind], headers)


@router.get("/v1/papers/{name}", operation_id="paper")
def paper(
    view: Viewer,
    name: Name,
    period: Period = "",
    division: DivisionFilter = None,
    edition: EditionAsked = None,
    counter: Counter = None,
) -> PaperAnswer:
    """A paper on a division: two dates, what sites lack, counters, the annual assessment, a carrier's month."""
    node = view.one(division)
    return _answer(view, node, _found(view, name, period, node, edition, counter))


class PaperBody(BaseModel):
    """``reason`` is of a correction of what was published before."""

    paper: Name
    period: Annotated[str, Field(max_length=48)] = ""
    division: Annotated[str, Field(max_length=12)]
    reason: Annotated[str, Field(max_length=500)] = ""


@router.post("/v1/papers", operation_id="publish_paper", status_code=201, responses=WRITING)
def publish_paper(view: Acting, actor: Actor, body: PaperBody, key: IdempotencyKey) -> PaperAnswer:
    """Freeze a paper and publish it; a correction is another edition and says why."""
    standing = view.standing
    node = view.one(body.division)
    made = _found(view, body.paper, body.period, node, None, None)
    code = standing.inventory.nodes.codes[node]
    with refusals():
        frozen = office.publish(
            standing.engine, standing.inventory, actor, made.name, made.period, code, kept.as_document(made.sheet),
            made.at, standing.now(), body.reason,
        )  # fmt: skip
    return _answer(view, node, Paper(made.name, made.period, kept.published(frozen), frozen, frozen.frozen_at))


def _answer(view: View, node: int, paper: Paper) -> PaperAnswer:
    frozen = paper.frozen
    return PaperAnswer(
        paper=paper.name,
        period=paper.period,
        code=view.standing.inventory.nodes.codes[node],
        title=list(paper.sheet.title),
        parts=[_part(one) for one in paper.sheet.parts],
        published=None
        if frozen is None
        else PublishedAnswer(
            edition=frozen.edition, sha256=frozen.sha256, known_at=shown(frozen.known_at), inventory=frozen.inventory,
            reason=frozen.reason, by=frozen.frozen_by, at=shown(frozen.frozen_at),
        ),
    )  # fmt: skip


def _part(part: Part) -> PartAnswer:
    match part:
        case Heading():
            return PartAnswer(heading=part.text)
        case Paragraph():
            return PartAnswer(paragraph=part.text)
        case Table():
            return PartAnswer(
                table=TableAnswer(
                    title=part.title, unit=part.unit, source=part.source,
                    columns=[_column(one) for one in part.columns],
                    rows=[list(row) for row in part.rows],
                )
            )  # fmt: skip


def _column(column: Column) -> ColumnAnswer:
    return ColumnAnswer(title=column.title, kind=column.kind)
