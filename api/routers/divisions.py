"""``/v1/divisions``: a division as it was on a day, what it became, and what changed since."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.auth import PublicViewer
from api.divisions import division_on
from api.formats import LISTED, Formatted, by_suffix, listed
from api.gaps import matched_since
from api.problems import RESPONSES, not_found, refused
from api.routers.context import Code
from api.standing import CHINA
from api.view import View
from inventory.divisions import Nodes, full_code

router = APIRouter(tags=["divisions"], responses=RESPONSES)


class DivisionHead(BaseModel):
    code: str
    name: str
    level: int
    kind: str


class DivisionAnswer(BaseModel):
    """A division on a day.

    ``until`` and ``successors`` tell of its end; ``unknown_reason`` why today nothing is known of it. ``path`` begins
    where the reader's grant does.
    """

    code: str
    name: str
    level: int
    kind: str
    on: date
    since: date | None
    until: date | None
    successors: list[str]
    path: list[str]
    children: Annotated[list[DivisionHead], Field(max_length=5000)]
    unknown_reason: str | None


class ChangeAnswer(BaseModel):
    """What became of a division: same, renamed, recoded, merged, no_match (gone), new."""

    level: int
    old: str | None
    old_name: str
    new: str | None
    new_name: str
    became: str


class ChangeList(BaseModel):
    since: date
    total: int
    data: Annotated[list[ChangeAnswer], Field(max_length=1000)]


@router.get("/v1/divisions/{code}", operation_id="division")
def division(
    view: PublicViewer,
    code: Code,
    at: Annotated[date | None, Query(description="A day; today if left out.", examples=["2019-06-30"])] = None,
) -> DivisionAnswer:
    """A division, now or on a day of the past, what is below it, and what took over when it ended."""
    standing = view.standing
    today = datetime.fromtimestamp(standing.now(), CHINA).date()
    day = min(at or today, today)
    found = division_on(standing, code, day)
    if found is None:
        raise not_found("division", code)
    nodes = standing.inventory.history.nodes_on(day)
    place = view.node_in(nodes, found.code)
    return DivisionAnswer(
        code=found.code,
        name=found.name,
        level=found.level,
        kind=found.kind,
        on=day,
        since=found.since,
        until=found.until,
        successors=[heir for heir in found.successors if view.sees_code(heir)],
        path=[one for one in found.path if view.sees(nodes, nodes.index[one])],
        children=[
            DivisionHead(
                code=nodes.codes[child], name=nodes.names[child], level=nodes.levels[child], kind=nodes.kinds[child]
            )
            for child in nodes.children(place)[:5000]
        ],
        unknown_reason=found.unknown_reason,
    )


@router.get(
    "/v1/divisions/{code}/changes", operation_id="division_changes", response_model=ChangeList, responses=LISTED
)
@by_suffix(router, "/v1/divisions/{code}/changes")
def changes(
    request: Request,
    view: PublicViewer,
    wanted: Formatted,
    code: Code,
    since: date,
    all: Annotated[bool, Query(description="Also those that are the same.")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Response:
    """What became of each township and village below a division since a day, by code and name."""
    standing = view.standing
    inventory = standing.inventory
    node = view.one(code)
    try:
        then = inventory.history.nodes_on(since)
    except KeyError:
        raise refused(f"{since}: there is no list of the divisions of that day.") from None
    low, high = node, inventory.nodes.ends[node]
    rows = [
        ChangeAnswer(
            level=one.level, old=one.old, old_name=one.old_name, new=one.new, new_name=one.new_name, became=one.became
        )
        for one in matched_since(inventory, since)
        if (all or one.became != "same") and _within(view, then, one.old, one.new, (low, high), full_code(code))
    ]
    return listed(request, wanted, "changes", rows, lambda: ChangeList(since=since, total=len(rows), data=rows[:limit]))


def _within(view: View, then: Nodes, old: str | None, new: str | None, span: tuple[int, int], code: str) -> bool:
    """Whether both ends of a change lie in a division: where one does not, who sees only that division is told none."""
    nodes = view.standing.inventory.nodes
    top = then.index.get(code)
    was = old is None or (top is not None and top <= then.index[old] < then.ends[top])
    becomes = new is None or span[0] <= nodes.index[new] < span[1]
    if view.whole:
        return (old is not None and was) or (new is not None and becomes)
    return was and becomes
