"""``/v1/tasks``: the register of what is to be mended by whom until when (督办), step by step."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from api.actions import tasks as actions
from api.auth import Acting, Actor, Viewer
from api.formats import LISTED, Formatted, by_suffix, listed
from api.milestones import day_at
from api.problems import RESPONSES, WRITING, not_found
from api.routers.context import DivisionFilter
from api.standing import Standing, shown
from api.view import View
from api.writing import IdempotencyKey, OnceOnly, refusals
from ledger import tasks
from ledger.errors import LedgerError
from ledger.tasks import Origin, Task, TaskState, TaskStep

router = APIRouter(tags=["tasks"], responses=RESPONSES, route_class=OnceOnly)


class StepAnswer(BaseModel):
    step: str
    at: datetime
    by: str
    note: str
    due_on: date | None


class TaskAnswer(BaseModel):
    """One task.

    ``reference`` names what it comes from (``origin``): an outage's id, a gap, a draw. ``due_on`` is the last word on
    it, extensions included.
    """

    id: str
    title: str
    origin: str
    reference: str
    division: str
    division_name: str
    site: str
    assigner: str
    owner: str
    cooperating: list[str]
    due_on: date
    state: str
    overdue: bool
    opened_at: datetime
    closed_at: datetime | None
    steps: Annotated[list[StepAnswer], Field(max_length=1000)]


class TaskList(BaseModel):
    as_of: datetime
    total: int
    data: Annotated[list[TaskAnswer], Field(max_length=1000)]


class TaskBody(BaseModel):
    """A task on a site (its id) or a division (its code). ``reference`` names where it comes from, unless by hand."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    target: Annotated[str, Field(min_length=2, max_length=64)]
    owner: Annotated[str, Field(min_length=1, max_length=128)]
    due_on: date
    cooperating: Annotated[list[Annotated[str, Field(max_length=128)]], Field(max_length=20)] = []
    origin: Origin = Origin.BY_HAND
    reference: Annotated[str, Field(max_length=96)] = ""


class StepBody(BaseModel):
    """The owner's step: acknowledged, visited, progress, rectified; the assigner's: closed, reopened, extended."""

    step: Literal["acknowledged", "visited", "progress", "rectified", "closed", "reopened", "extended"]
    note: Annotated[str, Field(max_length=2000)] = ""
    due_on: Annotated[date | None, Field(description="Of an extension: the new day.")] = None


TaskId = Annotated[str, Path(max_length=32, examples=["t-1a2b3c4d"])]


@router.get("/v1/tasks", operation_id="tasks", response_model=TaskList, responses=LISTED)
@by_suffix(router, "/v1/tasks")
def task_list(
    request: Request,
    view: Viewer,
    wanted: Formatted,
    division: DivisionFilter = None,
    state: Annotated[list[TaskState] | None, Query(description="Any of them.", max_length=3)] = None,
    origin: Annotated[Origin | None, Query()] = None,
    overdue: Annotated[bool | None, Query(description="Only those whose day is over, or only the others.")] = None,
    site: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """Tasks, the newest first."""
    standing = view.standing
    today = day_at(standing.now())
    inside = _inside(view, division)
    if site is not None:
        view.site(site)
    with standing.query() as connection:
        every = tasks.every(connection)
    found = [
        task_answer(standing, one, today)
        for one in reversed(every)
        if inside(one.assignment.division)
        and (state is None or one.state in state)
        and (origin is None or one.assignment.origin is origin)
        and (overdue is None or one.overdue(today) == overdue)
        and (site is None or one.assignment.site == site)
    ]
    at = shown(standing.now())
    return listed(request, wanted, "tasks", found, lambda: TaskList(as_of=at, total=len(found), data=found[:limit]))


def _inside(view: View, division: str | None) -> "_Inside":
    return _Inside(view, None if division is None else view.one(division))


class _Inside:
    """Whether a division's code may be seen, and lies in the one that was asked for."""

    def __init__(self, view: View, node: int | None) -> None:
        self._view, self._node = view, node

    def __call__(self, code: str) -> bool:
        if not self._view.sees_code(code):
            return False
        if self._node is None:
            return True
        nodes = self._view.standing.inventory.nodes
        place = nodes.index.get(code, -1)
        return self._node <= place < nodes.ends[self._node]


def task_answer(standing: Standing, task: Task, today: date) -> TaskAnswer:
    asked, nodes = task.assignment, standing.inventory.nodes
    place = nodes.index.get(asked.division)
    return TaskAnswer(
        id=task.id,
        title=asked.title,
        origin=asked.origin,
        reference=asked.reference,
        division=asked.division,
        division_name="" if place is None else nodes.names[place],
        site=asked.site,
        assigner=asked.assigner,
        owner=asked.owner,
        cooperating=list(asked.cooperating),
        due_on=task.due_on,
        state=task.state,
        overdue=task.overdue(today),
        opened_at=shown(task.opened_at),
        closed_at=shown(task.closed_at),
        steps=[
            StepAnswer(step=one.step, at=shown(one.happened_at), by=one.said_by, note=one.note, due_on=one.due_on)
            for one in task.steps[:1000]
        ],
    )


def _find(view: View, id: str) -> Task:
    try:
        with view.standing.query() as connection:
            task = tasks.find(connection, id)
    except LedgerError:
        raise not_found("task", id) from None
    if not view.sees_code(task.assignment.division):
        raise not_found("task", id)
    return task


@router.get("/v1/tasks/{id}", operation_id="task")
def task(view: Viewer, id: TaskId) -> TaskAnswer:
    """One task with every step on it."""
    return task_answer(view.standing, _find(view, id), day_at(view.standing.now()))


@router.post("/v1/tasks", operation_id="open_task", status_code=201, responses=WRITING)
def open_task(view: Acting, actor: Actor, body: TaskBody, key: IdempotencyKey) -> TaskAnswer:
    """Open a task: by hand, or from an outage, a gap, a contradiction, a spot check, an appeal."""
    standing = view.standing
    view.target(body.target)
    today = day_at(standing.now())
    with refusals():
        made = actions.open_task(
            standing.engine, standing.inventory, actor, body.title, body.target, body.owner, body.due_on, today,
            standing.now(), cooperating=body.cooperating, origin=body.origin, reference=body.reference,
        )  # fmt: skip
    return task_answer(standing, made, today)


@router.post("/v1/tasks/{id}/steps", operation_id="take_task_step", status_code=201, responses=WRITING)
def take_task_step(view: Acting, actor: Actor, id: TaskId, body: StepBody, key: IdempotencyKey) -> TaskAnswer:
    """The next step on a task: the owner's word, or the assigner's."""
    standing = view.standing
    _find(view, id)
    step, now = TaskStep(body.step), standing.now()
    with refusals():
        if step in (TaskStep.CLOSED, TaskStep.REOPENED, TaskStep.EXTENDED):
            made = actions.rule(standing.engine, standing.inventory, actor, id, step, body.note, now, body.due_on)
        else:
            made = actions.report(standing.engine, standing.inventory, actor, id, step, body.note, now)
    return task_answer(standing, made, day_at(now))
