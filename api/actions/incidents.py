"""What is done about an outage: who was told, who acknowledged, who is on the way. The webhook's door as well."""

from typing import Final

from sqlalchemy import Connection, Engine

from api.actions.errors import ActionError
from api.actions.grants import Action, require
from api.outage_facts import name_of
from health.outage import Outage
from inventory.model import Inventory
from ledger import audit, history, outage_notes
from ledger.accounts import Account
from ledger.outage_notes import Note, Step

_BY_PEOPLE: Final = (Step.NOTED, Step.REPORTED, Step.ON_SITE, Step.REPAIRED)


def notify(connection: Connection, outage: str, by: str, at: float, now: float, channel: str) -> bool:
    """Keep that people were told of an outage over a channel, once for each: what an alert's delivery calls.

    Returns:
        Whether this was the first time; a repeated delivery changes nothing.
    """
    return outage_notes.record(connection, Note(outage, Step.NOTIFIED, at, by, channel, key=channel), now)


def acknowledge(engine: Engine, inventory: Inventory, actor: Account, outage: str, note: str, now: float) -> Note:
    """Say that an outage was seen and is somebody's work.

    Raises:
        ActionError: the actor may not there, there is no such outage, or it was acknowledged already.
    """
    with engine.begin() as connection:
        outage_for(connection, inventory, actor, Action.ACKNOWLEDGE, outage)
        said = Note(outage, Step.ACKNOWLEDGED, now, actor.name, note.strip(), key="acknowledged")
        if not outage_notes.record(connection, said, now):
            raise ActionError(f"{outage} was acknowledged already.")
        audit.record(connection, now, actor.name, "outage.acknowledge", outage, {"note": note.strip()})
        return said


def say(
    engine: Engine,
    inventory: Inventory,
    actor: Account,
    outage: str,
    step: Step,
    note: str,
    now: float,
    at: float | None = None,
) -> Note:
    """A word on an outage: a note, reported to the carrier, on site, repaired.

    Args:
        at: Unix time at which it happened; None for now.

    Raises:
        ActionError: the actor may not there, there is no such outage, it cannot have happened then, or the step comes
            by another way.
    """
    if step not in _BY_PEOPLE:
        raise ActionError(f"{step} is said by its own action.")
    if step is Step.NOTED and not note.strip():
        raise ActionError("The note is empty.")
    with engine.begin() as connection:
        found = outage_for(connection, inventory, actor, Action.ACKNOWLEDGE, outage)
        happened = now if at is None else at
        if not found.since <= happened <= now:
            raise ActionError("It cannot have happened before the outage began, nor in the future.")
        said = Note(outage, step, happened, actor.name, note.strip())
        outage_notes.record(connection, said, now)
        audit.record(connection, now, actor.name, f"outage.{step}", outage, {"note": note.strip(), "at": happened})
        return said


def outage_for(connection: Connection, inventory: Inventory, actor: Account, action: Action, id: str) -> Outage:
    """The outage, if the actor may do that to it.

    Raises:
        ActionError: he may not there, or there is no such outage.
    """
    found = history.outages(connection, ids=[id])
    if not found:
        raise ActionError(f"There is no outage {id!r}.")
    require(actor, action, inventory.nodes, [place_of(inventory, found[0])])
    return found[0]


def place_of(inventory: Inventory, outage: Outage) -> int:
    """The place of the division at which an outage began; the top where the inventory no longer has its node."""
    sites = inventory.sites
    id, _ = name_of(inventory, outage)
    return 0 if id is None else int(sites.nodes[sites.index[id]])
