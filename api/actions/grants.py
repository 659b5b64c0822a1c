"""Which role may do what (security duties, section 2), and where: a grant covers a division and what is below it."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from api.actions.errors import ForbiddenError
from inventory.divisions import Nodes
from ledger.accounts import Account, Role


class Action(StrEnum):
    CREATE_ACCOUNT = "create accounts"
    GRANT = "grant roles"
    READ_AUDIT = "read the audit chain"
    AUTHOR_PLAN = "author plans"
    APPROVE_PLAN = "approve plans"
    RUN_PLAN = "run approved plans"
    TAKE_BACKUP = "take backups"
    OPEN_BACKUP = "open sealed backups"
    ANNOUNCE_WORK = "announce maintenance"


_ALLOWED: Final = {
    Action.CREATE_ACCOUNT: {Role.SYS_ADMIN},
    Action.GRANT: {Role.SEC_ADMIN},
    Action.READ_AUDIT: {Role.AUDIT_ADMIN},
    Action.AUTHOR_PLAN: {Role.NETWORK_ENGINEER},
    Action.APPROVE_PLAN: {Role.SEC_ADMIN, Role.NETWORK_ENGINEER},
    Action.RUN_PLAN: {Role.NOC_OPERATOR, Role.NETWORK_ENGINEER},
    Action.TAKE_BACKUP: {Role.NOC_OPERATOR, Role.NETWORK_ENGINEER},
    Action.OPEN_BACKUP: {Role.NETWORK_ENGINEER},
    Action.ANNOUNCE_WORK: {Role.NOC_OPERATOR, Role.NETWORK_ENGINEER},
}


def require(account: Account, action: Action, nodes: Nodes | None = None, divisions: Iterable[int] = ()) -> None:
    """Let through who may.

    Args:
        divisions: positions in ``nodes``; the role must reach each of them. None at all: anywhere will do.

    Raises:
        ForbiddenError: no grant of the account allows it, or not in each of these divisions.
    """
    roles = _ALLOWED[action]
    held = [grant for grant in account.grants if grant.role in roles]
    if not held:
        raise ForbiddenError(
            f"{account.name} may not {action}: that takes the role {' or '.join(sorted(roles))}. "
            "A sec_admin grants it with `cuntong user grant`."
        )
    if nodes is None:
        return
    spans = [
        (nodes.index[grant.division], nodes.ends[nodes.index[grant.division]])
        for grant in held
        if grant.division in nodes.index
    ]
    for division in divisions:
        if not any(first <= division < last for first, last in spans):
            raise ForbiddenError(
                f"{account.name} may not {action} in {nodes.names[division]} ({nodes.codes[division]})."
            )
