"""Saying how far a site is: planned, built, connected, accepted, in service. By people, each with a proof."""

from datetime import date

from sqlalchemy import Engine

from api.actions.errors import ActionError
from api.actions.grants import Action, require
from api.actions.tasks import target_of
from inventory.model import Inventory
from ledger import audit, claims
from ledger.accounts import Account
from ledger.claims import SaidClaim


def claim(engine: Engine, inventory: Inventory, actor: Account, said: SaidClaim, today: date, now: float) -> None:
    """Keep what somebody says of a site.

    Raises:
        ActionError: the actor may not there, there is no such site, it lies in the future, or no proof is named.
    """
    site, node = target_of(inventory, said.site)
    if not site:
        raise ActionError(f"There is no site {said.site!r}.")
    require(actor, Action.CLAIM, inventory.nodes, [node])
    if said.happened_on > today:
        raise ActionError(f"{said.happened_on} is still to come: a claim speaks of what is.")
    if not said.proof.strip():
        raise ActionError("A claim needs a proof: the document that shows it.")
    with engine.begin() as connection:
        claims.record(connection, said, now)
        told = {"claim": said.claim, "on": said.happened_on, "proof": said.proof}
        audit.record(connection, now, actor.name, "site.claim", said.site, told)
