"""The register of tasks (督办): opening one, every step on it, and striking it off."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import Engine

from api.actions.errors import ActionError
from api.actions.grants import Action, require
from inventory.divisions import full_code
from inventory.model import Inventory
from ledger import audit, outage_notes, tasks
from ledger.accounts import Account
from ledger.errors import LedgerError
from ledger.outage_notes import Note
from ledger.tasks import Assignment, Origin, Task, TaskState, TaskStep

_WORK: Final = (TaskStep.ACKNOWLEDGED, TaskStep.VISITED, TaskStep.PROGRESS, TaskStep.RECTIFIED)
_RULE: Final = (TaskStep.CLOSED, TaskStep.REOPENED, TaskStep.EXTENDED)


def open_task(
    engine: Engine,
    inventory: Inventory,
    actor: Account,
    title: str,
    target: str,
    owner: str,
    due_on: date,
    today: date,
    now: float,
    *,
    cooperating: Sequence[str] = (),
    origin: Origin = Origin.BY_HAND,
    reference: str = "",
) -> Task:
    """Open a task on a site (its id) or a division (its code).

    Args:
        reference: of its origin: the outage's id, the gap's kind and site, the draw. An outage is told of it.

    Raises:
        ActionError: the actor may not there, there is no such target, something is missing, or it is due before today.
    """
    site, node = target_of(inventory, target)
    require(actor, Action.OPEN_TASK, inventory.nodes, [node])
    if not title.strip() or not owner.strip():
        raise ActionError("A task needs a title and an owner (责任单位).")
    if due_on < today:
        raise ActionError(f"{due_on} is over. Give the task a day that is still to come.")
    if origin is not Origin.BY_HAND and not reference:
        raise ActionError(f"A task that comes from {origin} names it: its id is the reference.")
    code = inventory.nodes.codes[node]
    assignment = Assignment(
        title.strip(), origin, reference, code, site, actor.name, owner.strip(), tuple(cooperating), due_on
    )
    with engine.begin() as connection:
        id = tasks.open_task(connection, assignment, now, now)
        if origin is Origin.OUTAGE:
            outage_notes.record(connection, Note(reference, outage_notes.Step.ASSIGNED, now, actor.name, id), now)
        audit.record(connection, now, actor.name, "task.open", id, {"title": title.strip(), "target": target})
        return tasks.find(connection, id)


def report(
    engine: Engine, inventory: Inventory, actor: Account, task: str, step: TaskStep, note: str, now: float
) -> Task:
    """The owner's word on a task: acknowledged, visited, progress, rectified (整改).

    Raises:
        ActionError: the actor may not there, there is no such task, or the step is not the owner's or not its turn.
    """
    if step not in _WORK:
        raise ActionError(f"{step} is the assigner's word.")
    return _step(engine, inventory, actor, Action.WORK_ON_TASK, task, step, note, now)


def rule(
    engine: Engine,
    inventory: Inventory,
    actor: Account,
    task: str,
    step: TaskStep,
    note: str,
    now: float,
    due_on: date | None = None,
) -> Task:
    """The assigner's word on a task: closed (销号), reopened, or extended to ``due_on``.

    Raises:
        ActionError: as of `report`; a task is closed only after it was rectified, and extended only forwards.
    """
    if step not in _RULE:
        raise ActionError(f"{step} is the owner's word.")
    if (step is TaskStep.EXTENDED) != (due_on is not None):
        raise ActionError("An extension names its new day, and nothing else does.")
    return _step(engine, inventory, actor, Action.CLOSE_TASK, task, step, note, now, due_on)


def _step(
    engine: Engine,
    inventory: Inventory,
    actor: Account,
    action: Action,
    id: str,
    step: TaskStep,
    note: str,
    now: float,
    due_on: date | None = None,
) -> Task:
    with engine.begin() as connection:
        try:
            task = tasks.find(connection, id)
        except LedgerError as error:
            raise ActionError(str(error)) from None
        node = inventory.nodes.index.get(task.assignment.division)
        require(actor, action, inventory.nodes, [] if node is None else [node])
        _refuse_out_of_turn(task, step, due_on)
        tasks.take_step(connection, id, step, now, actor.name, note.strip(), now, due_on)
        if step is TaskStep.CLOSED and task.assignment.origin is Origin.OUTAGE:
            told = Note(task.assignment.reference, outage_notes.Step.CLOSED, now, actor.name, note.strip())
            outage_notes.record(connection, told, now)
        audit.record(connection, now, actor.name, f"task.{step}", id, {"note": note.strip(), "due_on": due_on})
        return tasks.find(connection, id)


def _refuse_out_of_turn(task: Task, step: TaskStep, due_on: date | None) -> None:
    state = task.state
    if step is TaskStep.REOPENED:
        if state is TaskState.OPEN:
            raise ActionError(f"{task.id} is open.")
        return
    if state is TaskState.CLOSED:
        raise ActionError(f"{task.id} is struck off. Reopen it first.")
    if step is TaskStep.CLOSED and state is not TaskState.RECTIFIED:
        raise ActionError(f"{task.id} is not rectified yet: the owner says so first (整改), then it is struck off.")
    if due_on is not None and due_on <= task.due_on:
        raise ActionError(f"{task.id} is due on {task.due_on} already. An extension gives a later day.")


def target_of(inventory: Inventory, target: str) -> tuple[str, int]:
    """A site's id (empty for a division) and the place of its division.

    Raises:
        ActionError: neither a site nor a division.
    """
    site = inventory.sites.index.get(target)
    if site is not None:
        return target, int(inventory.sites.nodes[site])
    node = inventory.nodes.index.get(full_code(target))
    if node is None:
        raise ActionError(f"{target!r} is no site and no division of {inventory.title}.")
    return "", node
