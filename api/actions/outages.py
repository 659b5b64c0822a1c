"""Sending people to an outage and putting it away: owner, the carrier's ticket, escalation, closing."""

from sqlalchemy import Connection, Engine

from api.actions.errors import ActionError
from api.actions.grants import Action
from api.actions.incidents import outage_for
from api.messages import say as words
from api.receivers.escalation import call_for
from api.receivers.hearing import Notifications
from health.outage import Outage
from inventory.model import Inventory
from ledger import audit, outage_notes
from ledger.accounts import Account
from ledger.outage_notes import Note, Step

LONGEST_NAME = 64


def assign(engine: Engine, inventory: Inventory, actor: Account, outage: str, owner: str, now: float) -> Note:
    """Name who looks after an outage: a person, a unit or a company.

    Raises:
        ActionError: the actor may not there, there is no such outage, or no owner is named.
    """
    return _name(engine, inventory, actor, outage, Step.OWNED, owner, now)


def ticket(engine: Engine, inventory: Inventory, actor: Account, outage: str, number: str, now: float) -> Note:
    """Keep the number under which the carrier works on an outage.

    Raises:
        ActionError: the actor may not there, there is no such outage, or the number is none.
    """
    return _name(engine, inventory, actor, outage, Step.TICKET, number, now)


def escalate(
    engine: Engine,
    inventory: Inventory,
    notifications: Notifications,
    actor: Account,
    outage: str,
    note: str,
    now: float,
) -> Note:
    """Call whoever is next on the escalation's list, now; the last of them again if all were called.

    Raises:
        ActionError: the actor may not there, there is no such outage, it is over, or nobody is on the list.
    """
    steps = notifications.settings.escalation
    if not steps:
        raise ActionError("alerting.yml declares no escalation: there is nobody to call.")
    if not note.strip():
        raise ActionError("Say why: whoever is called should know.")
    with engine.begin() as connection:
        found = outage_for(connection, inventory, actor, Action.ESCALATE, outage)
        if found.until is not None:
            raise ActionError(f"{outage} is over.")
        called = sum(one.step is Step.ESCALATED for one in outage_notes.of_outage(connection, outage))
        step = steps[min(called, len(steps) - 1)]
        # With the key of the step that the clock would take, so that it is not taken a second time.
        key = f"after {step.after_minutes} min" if called < len(steps) else None
        said = Note(outage, Step.ESCALATED, now, actor.name, ", ".join(step.channels), key)
        if not outage_notes.record(connection, said, now):
            raise ActionError(f"{outage} was escalated to them this moment.")
        for name in step.channels:
            language = notifications.settings.channels[name].language
            why = words(language, "notice.escalated_by", by=actor.full_name or actor.name, note=note.strip())
            call_for(connection, inventory, notifications, name, found, why, now)
        detail = {"note": note.strip(), "channels": list(step.channels)}
        audit.record(connection, now, actor.name, "outage.escalate", outage, detail)
        return said


def close(engine: Engine, inventory: Inventory, actor: Account, outage: str, note: str, now: float) -> Note:
    """Put an outage away that is over, with what it was.

    Raises:
        ActionError: the actor may not there, there is no such outage, it still runs, or it is closed.
    """
    with engine.begin() as connection:
        found = outage_for(connection, inventory, actor, Action.CLOSE_OUTAGE, outage)
        if found.until is None:
            raise ActionError(
                f"{outage} still runs: {found.node} does not answer. What is repaired is seen by measurement."
            )
        _refuse_closed(connection, found)
        said = Note(outage, Step.CLOSED, now, actor.name, note.strip(), key="closed")
        outage_notes.record(connection, said, now)
        audit.record(connection, now, actor.name, "outage.close", outage, {"note": note.strip()})
        return said


def _name(engine: Engine, inventory: Inventory, actor: Account, outage: str, step: Step, name: str, now: float) -> Note:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ActionError(f"That is no name or number: write 1 to {LONGEST_NAME} characters.")
    with engine.begin() as connection:
        _refuse_closed(connection, outage_for(connection, inventory, actor, Action.DISPATCH, outage))
        said = Note(outage, step, now, actor.name, name)
        outage_notes.record(connection, said, now)
        audit.record(connection, now, actor.name, f"outage.{step}", outage, {"note": name})
        return said


def _refuse_closed(connection: Connection, outage: Outage) -> None:
    if outage.until is not None and any(
        note.step is Step.CLOSED for note in outage_notes.of_outage(connection, outage.id)
    ):
        raise ActionError(f"{outage.id} is closed.")
