"""Making accounts, giving roles, logging in and out."""

from typing import Final

from sqlalchemy import Engine

from api.actions.errors import ForbiddenError, NotLoggedInError
from api.actions.grants import Action, require
from ledger import accounts, audit
from ledger.accounts import Account, Role

SESSION_S: Final = 12 * 3600.0
"""One shift."""


def add_account(engine: Engine, actor: Account | None, name: str, full_name: str, password: str, now: float) -> None:
    """Make an account without any role. The first one of a ledger needs no actor, and becomes its sys_admin.

    Raises:
        ActionError: the actor may not.
        AccountError: the name is taken, or the password too weak.
    """
    with engine.begin() as connection:
        first = not accounts.every(connection)
        if not first:
            require(_somebody(actor), Action.CREATE_ACCOUNT)
        by = actor.name if actor else name
        accounts.add(connection, name, full_name, password, now)
        audit.record(connection, now, by, "account.add", name)


def grant_role(engine: Engine, actor: Account | None, name: str, role: Role, division: str, now: float) -> None:
    """Give a role for a division (12 digits).

    While a ledger has no sys_admin anybody may make one, and while it has no sec_admin its sys_admin names one, who
    is somebody else: after that, only a sec_admin grants.

    Raises:
        ActionError: the actor may not.
        AccountError: no such account, or a second admin role.
    """
    with engine.begin() as connection:
        everybody = accounts.every(connection)
        if role is Role.SYS_ADMIN and not any(one.holds(Role.SYS_ADMIN) for one in everybody):
            by = actor.name if actor else name
        elif role is Role.SEC_ADMIN and not any(one.holds(Role.SEC_ADMIN) for one in everybody):
            require(_somebody(actor), Action.CREATE_ACCOUNT)
            by = _somebody(actor).name
        else:
            require(_somebody(actor), Action.GRANT)
            by = _somebody(actor).name
            if by == name:
                raise ForbiddenError("Nobody grants a role to himself.")
        accounts.grant(connection, name, role, division, by, now)
        audit.record(connection, now, by, "account.grant", name, {"role": role, "division": division})


def log_in(engine: Engine, name: str, password: str, now: float, source: str) -> str:
    """A session's token for who knows the password; failures are counted and audited.

    Raises:
        NotLoggedInError: wrong name or password; it does not say which.
        AccountError: locked or disabled.
    """
    try:
        with engine.begin() as connection:
            account = accounts.check_password(connection, name, password, now)
            action = "login" if account else "login.failed"
            audit.record(connection, now, name[:64], action, source)
            if account is not None:
                return accounts.open_session(connection, name, "session", source, now, SESSION_S)
    except accounts.AccountError:
        with engine.begin() as connection:
            audit.record(connection, now, name[:64], "login.refused", source)
        raise
    raise NotLoggedInError("The name or the password is wrong.")


def make_token(engine: Engine, actor: Account, title: str, now: float, seconds: float) -> str:
    """A token by which a program acts as this account; only its hash is kept."""
    with engine.begin() as connection:
        audit.record(connection, now, actor.name, "token.make", title, {"seconds": seconds})
        return accounts.open_session(connection, actor.name, "token", title, now, seconds)


def whoever(engine: Engine, token: str | None, now: float) -> Account:
    """Whose token it is.

    Raises:
        NotLoggedInError: nobody's.
    """
    if token:
        with engine.connect() as connection:
            account = accounts.of_token(connection, token, now)
        if account is not None:
            return account
    raise NotLoggedInError("Nobody is logged in here, or the session is over. Run: cuntong login NAME")


def log_out(engine: Engine, token: str, now: float) -> None:
    with engine.begin() as connection:
        account = accounts.of_token(connection, token, now)
        accounts.close_session(connection, token, now)
        if account is not None:
            audit.record(connection, now, account.name, "logout", "")


def _somebody(actor: Account | None) -> Account:
    if actor is None:
        raise NotLoggedInError("Nobody is logged in here. Run: cuntong login NAME")
    return actor
