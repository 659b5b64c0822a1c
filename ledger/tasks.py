"""The register of tasks (督办): who is to mend what by when, and every step until it is struck off (销号)."""

import json
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import Connection, Row, insert, select

from ledger.errors import LedgerError
from ledger.office_tables import task_steps, tasks


class Origin(StrEnum):
    BY_HAND = "by_hand"
    OUTAGE = "outage"
    GAP = "gap"
    CONTRADICTION = "contradiction"
    SPOT_CHECK = "spot_check"
    APPEAL = "appeal"


class TaskStep(StrEnum):
    ACKNOWLEDGED = "acknowledged"
    VISITED = "visited"
    PROGRESS = "progress"
    EXTENDED = "extended"
    RECTIFIED = "rectified"  # 整改: the owner says that it is done
    CLOSED = "closed"  # 销号: the assigner has checked it
    REOPENED = "reopened"


class TaskState(StrEnum):
    OPEN = "open"
    RECTIFIED = "rectified"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a task asks. ``reference`` names its origin: an outage's id, a gap. ``site`` may be empty."""

    title: str
    origin: Origin
    reference: str
    division: str
    site: str
    assigner: str
    owner: str
    cooperating: tuple[str, ...]
    due_on: date


@dataclass(frozen=True, slots=True)
class TakenStep:
    step: TaskStep
    happened_at: float
    said_by: str
    note: str
    due_on: date | None


@dataclass(frozen=True, slots=True)
class Task:
    """A task with its steps in order; ``opened_at`` is Unix time."""

    id: str
    assignment: Assignment
    opened_at: float
    steps: tuple[TakenStep, ...]

    @property
    def due_on(self) -> date:
        """The day by which it is due, extensions included."""
        extended = [one.due_on for one in self.steps if one.due_on is not None]
        return extended[-1] if extended else self.assignment.due_on

    @property
    def state(self) -> TaskState:
        state = TaskState.OPEN
        for one in self.steps:
            if one.step is TaskStep.RECTIFIED:
                state = TaskState.RECTIFIED
            elif one.step is TaskStep.CLOSED:
                state = TaskState.CLOSED
            elif one.step is TaskStep.REOPENED:
                state = TaskState.OPEN
        return state

    @property
    def closed_at(self) -> float | None:
        closing = [one.happened_at for one in self.steps if one.step is TaskStep.CLOSED]
        return closing[-1] if closing and self.state is TaskState.CLOSED else None

    def overdue(self, today: date) -> bool:
        """Still open although its day is over; the day itself counts."""
        return self.state is not TaskState.CLOSED and today > self.due_on


def open_task(connection: Connection, assignment: Assignment, opened_at: float, now: float) -> str:
    """Write a task down; its id, which is short because people type it."""
    id = f"t-{secrets.token_hex(4)}"
    row = {
        "task": id,
        "title": assignment.title,
        "origin": assignment.origin,
        "reference": assignment.reference,
        "division": assignment.division,
        "site": assignment.site,
        "assigner": assignment.assigner,
        "owner": assignment.owner,
        "cooperating": json.dumps(assignment.cooperating, ensure_ascii=False),
        "due_on": assignment.due_on,
    }
    connection.execute(insert(tasks).values(**row, opened_at=opened_at, recorded_at=now))
    return id


def take_step(
    connection: Connection,
    task: str,
    step: TaskStep,
    happened_at: float,
    by: str,
    note: str,
    now: float,
    due_on: date | None = None,
) -> None:
    row = {"task": task, "step": step, "happened_at": happened_at, "said_by": by, "note": note, "due_on": due_on}
    connection.execute(insert(task_steps).values(**row, recorded_at=now))


def find(connection: Connection, task: str) -> Task:
    """One task.

    Raises:
        LedgerError: there is none of this id.
    """
    found = every(connection, ids=[task])
    if not found:
        raise LedgerError(f"There is no task {task!r}.")
    return found[0]


def every(
    connection: Connection,
    *,
    ids: Collection[str] | None = None,
    reference: str | None = None,
    until: float | None = None,
) -> list[Task]:
    """Tasks in the order in which they were opened.

    Args:
        until: as the register stood at this Unix time.
    """
    query = select(tasks).order_by(tasks.c.id)
    steps_query = select(task_steps).order_by(task_steps.c.happened_at, task_steps.c.id)
    if ids is not None:
        query = query.where(tasks.c.task.in_(list(ids)))
        steps_query = steps_query.where(task_steps.c.task.in_(list(ids)))
    if reference is not None:
        query = query.where(tasks.c.reference == reference)
    if until is not None:
        query = query.where(tasks.c.opened_at <= until)
        steps_query = steps_query.where(task_steps.c.happened_at <= until)
    steps: dict[str, list[TakenStep]] = {}
    for row in connection.execute(steps_query):
        taken = TakenStep(TaskStep(row.step), row.happened_at, row.said_by, row.note, row.due_on)
        steps.setdefault(row.task, []).append(taken)
    return [_task(row, steps.get(row.task, ())) for row in connection.execute(query)]


def _task(row: Row[tuple[object, ...]], steps: Sequence[TakenStep]) -> Task:
    assignment = Assignment(
        row.title,
        Origin(row.origin),
        row.reference,
        row.division,
        row.site,
        row.assigner,
        row.owner,
        tuple(json.loads(row.cooperating)),
        row.due_on,
    )
    return Task(row.task, assignment, row.opened_at, tuple(steps))
