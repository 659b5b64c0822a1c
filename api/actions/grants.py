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
    ACKNOWLEDGE = "acknowledge outages"
    DISPATCH = "assign outages"
    ESCALATE = "escalate outages"
    CLOSE_OUTAGE = "close outages"
    OPEN_TASK = "open tasks"
    WORK_ON_TASK = "report on tasks"
    CLOSE_TASK = "strike tasks off"
    DRAW_SPOT_CHECK = "draw spot checks"
    RECORD_VISIT = "record visits"
    TELL_FACT = "import facts"
    ACCEPT = "accept sites"
    DECIDE = "decide on targets"
    APPEAL = "appeal against figures"
    RULE_ON_APPEAL = "rule on appeals"
    SIGN = "sign reports"
    PUBLISH = "publish reports"
    EDIT_STANDARD = "edit the standard"
    SWITCH_INVENTORY = "put an inventory in force"
    CLAIM = "say how far sites are"
    EXCHANGE = "exchange signed files"
    HAND_OVER = "hand over shifts"


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
    Action.ACKNOWLEDGE: {Role.NOC_OPERATOR, Role.NETWORK_ENGINEER, Role.TOWNSHIP_CLERK, Role.VILLAGE_AGENT},
    Action.DISPATCH: {Role.NOC_OPERATOR, Role.NETWORK_ENGINEER},
    Action.ESCALATE: {Role.NOC_OPERATOR, Role.NETWORK_ENGINEER, Role.TOWNSHIP_CLERK},
    Action.CLOSE_OUTAGE: {Role.NOC_OPERATOR, Role.NETWORK_ENGINEER},
    Action.OPEN_TASK: {Role.NOC_OPERATOR, Role.NETWORK_ENGINEER, Role.REFORM_VIEWER},
    Action.WORK_ON_TASK: {Role.NOC_OPERATOR, Role.NETWORK_ENGINEER, Role.TOWNSHIP_CLERK, Role.VILLAGE_AGENT},
    Action.CLOSE_TASK: {Role.NOC_OPERATOR, Role.NETWORK_ENGINEER, Role.REFORM_VIEWER},
    Action.DRAW_SPOT_CHECK: {Role.REFORM_VIEWER},
    Action.RECORD_VISIT: {Role.REFORM_VIEWER, Role.TOWNSHIP_CLERK},
    Action.TELL_FACT: {Role.REFORM_VIEWER, Role.NETWORK_ENGINEER},
    Action.ACCEPT: {Role.REFORM_VIEWER, Role.NETWORK_ENGINEER},
    Action.DECIDE: {Role.REFORM_VIEWER},
    Action.APPEAL: {Role.TOWNSHIP_CLERK, Role.VILLAGE_AGENT, Role.REFORM_VIEWER},
    Action.RULE_ON_APPEAL: {Role.REFORM_VIEWER},
    Action.SIGN: {Role.TOWNSHIP_CLERK, Role.REFORM_VIEWER},
    Action.PUBLISH: {Role.REFORM_VIEWER},
    Action.EDIT_STANDARD: {Role.NETWORK_ENGINEER, Role.REFORM_VIEWER},
    Action.SWITCH_INVENTORY: {Role.NETWORK_ENGINEER},
    Action.HAND_OVER: {Role.NOC_OPERATOR, Role.NETWORK_ENGINEER},
    Action.EXCHANGE: {Role.NETWORK_ENGINEER, Role.REFORM_VIEWER},
    Action.CLAIM: {Role.TOWNSHIP_CLERK, Role.NETWORK_ENGINEER, Role.REFORM_VIEWER},
}


def allowed(account: Account) -> frozenset[Action]:
    """What the account may do somewhere; where, `require` decides."""
    held = {grant.role for grant in account.grants}
    return frozenset(action for action, roles in _ALLOWED.items() if held & roles)


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
            # The place is not named: whoever has no part in it need not learn what it is called.
            raise ForbiddenError(f"{account.name} may not {action} in that division.")
