"""Handing a shift over: the outgoing person writes it down and signs, the incoming one signs for it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine

from api.actions.errors import ActionError
from api.actions.grants import Action, require
from inventory.model import Inventory
from ledger import audit, handovers
from ledger.accounts import Account
from ledger.errors import LedgerError
from ledger.handovers import Handover


def give(
    engine: Engine, inventory: Inventory, actor: Account, document: Mapping[str, Any], note: str, now: float
) -> Handover:
    """Freeze the shift as it stands, signed by who hands it over.

    Args:
        document: `api.shift.shift`.

    Raises:
        ForbiddenError: the actor may not.
        ActionError: the last one waits for somebody to take it.
    """
    require(actor, Action.HAND_OVER, inventory.nodes, [0])
    with engine.begin() as connection:
        waiting = [one for one in handovers.newest(connection, inventory.top, 1) if not one.taken_by]
        if waiting:
            raise ActionError(
                f"Handover {waiting[0].id} of {waiting[0].by} was not taken yet: cuntong handover take {waiting[0].id}."
            )
        given = handovers.give(connection, inventory.top, actor.name, note.strip(), document, now)
        audit.record(connection, now, actor.name, "shift.give", str(given.id), {"sha256": given.sha256})
    return given


def take(engine: Engine, inventory: Inventory, actor: Account, id: int, note: str, now: float) -> Handover:
    """Sign for a shift.

    Raises:
        ForbiddenError: the actor may not.
        ActionError: there is no such handover, it was taken, or the actor wrote it himself.
    """
    require(actor, Action.HAND_OVER, inventory.nodes, [0])
    with engine.begin() as connection:
        try:
            given = handovers.find(connection, inventory.top, id)
            if given.by == actor.name:
                raise ActionError("Somebody else has to take it: a shift is handed from one person to another.")
            handovers.take(connection, id, actor.name, note.strip(), now)
        except LedgerError as error:
            raise ActionError(str(error)) from None
        audit.record(connection, now, actor.name, "shift.take", str(id), {"sha256": given.sha256})
        return handovers.find(connection, inventory.top, id)
