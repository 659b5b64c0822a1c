"""Making accounts, giving roles, logging in and out."""

from typing import Final

from sqlalchemy import Engine

from api.actions.errors import ActionError, ForbiddenError, NotLoggedInError
from api.actions.grants import Action, require
from ledger import accounts, audit, sessions
from ledger.accounts import Account, Role
from ledger.sessions import Kind, Scope, Session

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


class TooManyTriesError(ActionError):
    """Too many wrong passwords came from one address; it waits for ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Too many wrong passwords came from here. Try again in {seconds / 60:.0f} minutes.")
        self.seconds = seconds


def log_in(
    engine: Engine, name: str, password: str, now: float, source: str, kind: Kind = Kind.SESSION, address: str = ""
) -> str:
    """A session's token for who knows the password; failures are counted, of the account and of the address.

    Raises:
        NotLoggedInError: wrong name or password; it does not say which.
        TooManyTriesError: the address tried too often.
        AccountError: locked or disabled.
    """
    if address:
        with engine.connect() as connection:
            barred = sessions.barred_s(connection, address, now)
        if barred > 0:
            raise TooManyTriesError(barred)
    try:
        with engine.begin() as connection:
            account = accounts.check_password(connection, name, password, now)
            action = "login" if account else "login.failed"
            audit.record(connection, now, name[:64], action, source)
            if account is not None:
                return sessions.open_session(connection, account.name, kind, source, now, SESSION_S)
            if address:
                sessions.failed_from(connection, address, now)
    except accounts.AccountError:
        with engine.begin() as connection:
            audit.record(connection, now, name[:64], "login.refused", source)
            if address:
                sessions.failed_from(connection, address, now)
        raise
    raise NotLoggedInError("The name or the password is wrong.")


def make_token(
    engine: Engine,
    actor: Account,
    title: str,
    now: float,
    seconds: float,
    scopes: tuple[Scope, ...] = sessions.EVERYTHING,
    division: str = "",
) -> str:
    """A token by which a program acts as this account; only its hash is kept.

    Args:
        division: 12 digits below which alone it reads and acts; empty for all that the account may.

    Raises:
        ActionError: it has no title, or may do nothing at all.
    """
    if not title.strip() or not scopes:
        raise ActionError("A token has a title that says what it is for, and at least one scope: read, write.")
    with engine.begin() as connection:
        told = {"seconds": seconds, "scopes": sorted(scopes), "division": division}
        audit.record(connection, now, actor.name, "token.make", title.strip(), told)
        return sessions.open_session(connection, actor.name, Kind.TOKEN, title.strip(), now, seconds, scopes, division)


def tokens_of(engine: Engine, actor: Account) -> list[Session]:
    """The actor's own sessions and tokens, ended ones, too; of a sec_admin: everybody's."""
    with engine.connect() as connection:
        return sessions.every(connection, None if actor.holds(Role.SEC_ADMIN) else actor.name)


def revoke_token(engine: Engine, actor: Account, id: str, now: float) -> None:
    """End a session or token at once: one of the actor's own, or any as sec_admin.

    Raises:
        ActionError: the actor has none of this id.
    """
    found = next((one for one in tokens_of(engine, actor) if one.id == id), None)
    if found is None:
        raise ActionError(f"There is no token {id!r}. `cuntong token list` names them.")
    with engine.begin() as connection:
        sessions.revoke(connection, found.id, now)
        audit.record(connection, now, actor.name, "token.revoke", found.id, {"account": found.account})


def whoever(engine: Engine, token: str | None, now: float) -> Account:
    """Whose token it is.

    Raises:
        NotLoggedInError: nobody's.
    """
    return session_of(engine, token, now)[1]


def session_of(engine: Engine, token: str | None, now: float) -> tuple[Session, Account]:
    """What a token is, and whose.

    Raises:
        NotLoggedInError: nobody's.
    """
    if token and len(token) < 128:
        with engine.connect() as connection:
            found = sessions.of_token(connection, token, now)
        if found is not None:
            if found[0].used_long_ago(now):
                with engine.begin() as connection:
                    sessions.used(connection, token, now)
            return found
    raise NotLoggedInError("Nobody is logged in here, or the session is over. Run: cuntong login NAME")


def log_out(engine: Engine, token: str, now: float) -> None:
    with engine.begin() as connection:
        found = sessions.of_token(connection, token, now)
        sessions.close_session(connection, token, now)
        if found is not None:
            audit.record(connection, now, found[1].name, "logout", "")


def _somebody(actor: Account | None) -> Account:
    if actor is None:
        raise NotLoggedInError("Nobody is logged in here. Run: cuntong login NAME")
    return actor
