"""Announcing work and taking it back: outages in between are planned."""

from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from api.actions.errors import ActionError
from api.actions.grants import Action, require
from health.maintenance import Reach, Window
from inventory.divisions import full_code
from inventory.model import Inventory
from ledger import audit, maintenance
from ledger.accounts import Account

LONGEST_S: Final = 14 * 86_400.0
"""Longer is no maintenance: such a site is out of service, and its claim says so."""


def announce(
    engine: Engine,
    inventory: Inventory,
    actor: Account,
    target: str,
    since: float,
    until: float,
    reason: str,
    now: float,
) -> Window:
    """Announce work at a device, a site, or a division with everything below it.

    Raises:
        ActionError: the actor may not there, there is no such target, or the window is none.
    """
    reach, name, node = scope_of(inventory, target)
    require(actor, Action.ANNOUNCE_WORK, inventory.nodes, [node])
    if not reason.strip():
        raise ActionError("Work needs a reason: what is done, and by whom.")
    if until <= since or until <= now:
        raise ActionError("The window ends before it begins, or before now: nobody plans an outage afterwards.")
    if until - since > LONGEST_S:
        raise ActionError(
            f"The window is longer than {LONGEST_S / 86_400:.0f} days. Announce the days that are needed."
        )
    with engine.begin() as connection:
        id = maintenance.announce(connection, reach, name, since, until, reason.strip(), actor.name, now)
        detail = {"reach": reach, "target": name, "since": since, "until": until, "reason": reason.strip()}
        audit.record(connection, now, actor.name, "maintenance.announce", id, detail)
    return Window(id, reach, name, since, until, reason.strip(), actor.name, now)


def cancel(engine: Engine, inventory: Inventory, actor: Account, id: str, reason: str, now: float) -> Window:
    """Take a window back from now on.

    Raises:
        ActionError: the actor may not there, there is no such window, or it is over or was taken back already.
    """
    with engine.begin() as connection:
        window = next((one for one in maintenance.windows(connection) if one.id == id), None)
        if window is None:
            raise ActionError(f"There is no window {id!r}. `cuntong maintenance list` names them.")
        try:
            _, _, node = scope_of(inventory, window.target)
        except ActionError:  # gone from the inventory: whoever may anywhere may tidy up
            require(actor, Action.ANNOUNCE_WORK)
        else:
            require(actor, Action.ANNOUNCE_WORK, inventory.nodes, [node])
        if window.cancelled_at is not None or window.until <= now:
            raise ActionError(f"{id} is over or was taken back already.")
        try:
            with connection.begin_nested():
                maintenance.cancel(connection, window, reason.strip(), actor.name, now)
        except IntegrityError:
            raise ActionError(f"{id} was taken back by somebody else just now.") from None
        audit.record(connection, now, actor.name, "maintenance.cancel", id, {"reason": reason.strip()})
    return window


def scope_of(inventory: Inventory, target: str) -> tuple[Reach, str, int]:
    """What people named: a device's id, a site's id, or a division's code; and the position of its division.

    Raises:
        ActionError: none of them.
    """
    sites = inventory.sites
    if target in sites.index:
        return Reach.SITE, target, int(sites.nodes[sites.index[target]])
    if target.isdecimal() and full_code(target) in inventory.nodes.index:
        code = full_code(target)
        return Reach.DIVISION, code, inventory.nodes.index[code]
    try:
        device = inventory.devices.find(target)
    except KeyError:
        raise ActionError(
            f"{target!r} is no device, no site and no division of {inventory.title}. `cuntong show sites` lists them."
        ) from None
    return Reach.DEVICE, target, int(sites.nodes[device.site])
