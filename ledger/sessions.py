"""The tokens by which accounts are known: people's sessions at a terminal or in a browser, and tokens of programs.

A token has 256 random bits and is kept as its SHA-256, which needs no salt: nobody guesses 256 bits. It may be
narrowed in what it does (scopes) and where (a division below those that the account was granted).
"""

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from ledger.access_tables import login_failures
from ledger.accounts import Account, find
from ledger.tables import sessions

PREFIX: Final = "ct_"
IDLE_S: Final = 600.0
"""A browser's session ends when nothing was asked for so long (duty S2)."""
_USED_EVERY_S: Final = 30.0
FAILURES_PER_ADDRESS: Final = 20
WINDOW_S: Final = 900.0


class Scope(StrEnum):
    READ = "read"
    WRITE = "write"


EVERYTHING: Final = (Scope.READ, Scope.WRITE)


class Kind(StrEnum):
    SESSION = "session"
    WEB = "web"
    TOKEN = "token"  # noqa: S105  the word, not one of them


@dataclass(frozen=True, slots=True)
class Session:
    """One token, without itself. ``id`` is the head of its hash: enough to name it, useless to enter with."""

    id: str
    account: str
    kind: Kind
    title: str
    scopes: frozenset[Scope]
    division: str
    created_at: float
    expires_at: float
    last_used_at: float | None
    revoked_at: float | None

    def lives(self, now: float) -> bool:
        """Neither over, nor revoked, nor (in a browser) idle for too long."""
        used = self.created_at if self.last_used_at is None else self.last_used_at
        idle = self.kind is Kind.WEB and now - used > IDLE_S + _USED_EVERY_S
        return self.revoked_at is None and now < self.expires_at and not idle

    def used_long_ago(self, now: float) -> bool:
        """Whether its last use is worth writing down: a busy program does not write at every question."""
        return self.last_used_at is None or now - self.last_used_at > _USED_EVERY_S


def open_session(
    connection: Connection,
    name: str,
    kind: Kind,
    title: str,
    now: float,
    seconds: float,
    scopes: tuple[Scope, ...] = EVERYTHING,
    division: str = "",
) -> str:
    """A new token for an account; shown once, kept as its hash."""
    token = PREFIX + secrets.token_urlsafe(32)
    row = {"token_sha256": _sha256(token), "account": name, "kind": kind, "title": title[:128]}
    limits = {"scopes": ",".join(scopes), "division": division}
    connection.execute(insert(sessions).values(**row, **limits, created_at=now, expires_at=now + seconds))
    return token


def of_token(connection: Connection, token: str, now: float) -> tuple[Session, Account] | None:
    """What a token is and whose; None where it is unknown, over, revoked, or its account disabled."""
    row = connection.execute(select(sessions).where(sessions.c.token_sha256 == _sha256(token))).one_or_none()
    if row is None:
        return None
    session = _session(row)
    if not session.lives(now):
        return None
    account = find(connection, session.account)
    return None if account.disabled else (session, account)


def used(connection: Connection, token: str, now: float) -> None:
    """Keep when a token was last used."""
    connection.execute(update(sessions).where(sessions.c.token_sha256 == _sha256(token)).values(last_used_at=now))


def close_session(connection: Connection, token: str, now: float) -> None:
    _revoke(connection, _sha256(token), now)


def revoke(connection: Connection, id: str, now: float) -> None:
    """End the session or token whose hash begins with ``id``."""
    begins = sessions.c.token_sha256.startswith(id, autoescape=True)
    full = connection.scalar(select(sessions.c.token_sha256).where(begins))
    if full is not None:
        _revoke(connection, full, now)


def _revoke(connection: Connection, sha256: str, now: float) -> None:
    table = sessions.c
    mine = table.token_sha256 == sha256
    connection.execute(update(sessions).where(mine, table.revoked_at.is_(None)).values(revoked_at=now))


def every(connection: Connection, account: str | None = None) -> list[Session]:
    """Sessions and tokens in the order in which they were made, of one account or of all; ended ones, too."""
    query = select(sessions).order_by(sessions.c.created_at, sessions.c.token_sha256)
    if account is not None:
        query = query.where(sessions.c.account == account)
    return [_session(row) for row in connection.execute(query)]


def failed_from(connection: Connection, address: str, now: float) -> None:
    """Keep a wrong login; what is too old to count is forgotten."""
    connection.execute(delete(login_failures).where(login_failures.c.at < now - WINDOW_S))
    connection.execute(insert(login_failures).values(address=address[:64], at=now))


def barred_s(connection: Connection, address: str, now: float) -> float:
    """For how long nobody may log in from an address, because too many tried in vain; 0: go on."""
    table = login_failures.c
    recent = select(func.count(), func.min(table.at)).where(table.address == address[:64], table.at >= now - WINDOW_S)
    count, first = connection.execute(recent).one()
    return float(first) + WINDOW_S - now if count >= FAILURES_PER_ADDRESS else 0.0


def _session(row: Row[tuple[object, ...]]) -> Session:
    return Session(
        row.token_sha256[:12],
        row.account,
        Kind(row.kind),
        row.title,
        frozenset(Scope(name) for name in row.scopes.split(",") if name),
        row.division,
        row.created_at,
        row.expires_at,
        row.last_used_at,
        row.revoked_at,
    )


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
