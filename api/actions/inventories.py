"""Putting an inventory in force: every program of the county changes over to it."""

from sqlalchemy import Engine

from api.actions.grants import Action, require
from inventory.model import Inventory
from ledger import audit, inventories
from ledger.accounts import Account


def switch(engine: Engine, inventory: Inventory, actor: Account, now: float) -> bool:
    """Keep an inventory and tell all programs to use it; False where they were told so already.

    Raises:
        ForbiddenError: the actor may not.
        LedgerError: its files are no longer what was loaded.
    """
    require(actor, Action.SWITCH_INVENTORY, inventory.nodes, [0])
    inventories.keep(engine, inventory, now)
    with engine.begin() as connection:
        newest = inventories.newest_switch(connection, inventory.top)
        if newest is not None and newest.content_hash == inventory.content_hash:
            return False
        inventories.switch(connection, inventory.top, inventory.content_hash, actor.name, now)
        audit.record(
            connection, now, actor.name, "switch inventory", inventory.top,
            {"from": newest.content_hash if newest else None, "to": inventory.content_hash},
        )  # fmt: skip
    return True
