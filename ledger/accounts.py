"""Accounts, and what each may do and where (decision D5, duties S1, S2, S5).

A password is kept as scrypt's hash: the ledger holds nothing that lets anybody in.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, insert, select, update

from ledger.errors import LedgerError
from ledger.tables import accounts, grants

_COST: Final = {"n": 1 << 14, "r": 8, "p": 1}  # 16 MiB and some 50 ms: dear for a guesser, cheap for a login
FAILURES: Final = 5
LOCKED_S: Final = 30 * 60.0
PASSWORD_LENGTH: Final = 12


class Role(StrEnum):
    """What an account may do; one person holds at most one of the first three."""

    SYS_ADMIN = "sys_admin"
    SEC_ADMIN = "sec_admin"
    AUDIT_ADMIN = "audit_admin"
    NOC_OPERATOR = "noc_operator"
    NETWORK_ENGINEER = "network_engineer"
    REFORM_VIEWER = "reform_viewer"
    TOWNSHIP_CLERK = "township_clerk"
    VILLAGE_AGENT = "village_agent"


ADMINS: Final = frozenset({Role.SYS_ADMIN, Role.SEC_ADMIN, Role.AUDIT_ADMIN})


class AccountError(LedgerError):
    """An account that cannot be made, found, or let in."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, for one division (12 digits) and everything below it."""

    role: Role
    division: str


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    full_name: str
    grants: tuple[Grant, ...]
    disabled: bool

    def holds(self, *roles: Role) -> bool:
        return any(grant.role in roles for grant in self.grants)


def hashed(password: str) -> str:
    """``scrypt$salt$hash``, both in base 64."""
    salt = secrets.token_bytes(16)
    return "$".join(("scrypt", _base64(salt), _base64(_derive(password, salt))))


def weakness(password: str, name: str) -> str | None:
    """Why a password is too weak, as a sentence; None where it will do."""
    if len(password) < PASSWORD_LENGTH:
        return f"A password has at least {PASSWORD_LENGTH} characters."
    classes = (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())
    if sum(any(map(one, password)) for one in classes) < 3:
        return "A password mixes at least three of: small letters, capitals, digits, signs."
    if name.lower() in password.lower():
        return "A password does not hold its account's name."
    return None


def add(connection: Connection, name: str, full_name: str, password: str, now: float) -> None:
    """Make an account; it may do nothing before it is granted a role.

    Raises:
        AccountError: the name is taken, or the password too weak.
    """
    weak = weakness(password, name)
    if weak:
        raise AccountError(weak)
    if connection.scalar(select(accounts.c.name).where(accounts.c.name == name)) is not None:
        raise AccountError(f"There is an account {name!r} already.")
    row = {"name": name, "full_name": full_name, "password": hashed(password), "password_at": now, "created_at": now}
    connection.execute(insert(accounts).values(**row, failures=0, locked_until=0.0))


def grant(connection: Connection, name: str, role: Role, division: str, by: str, now: float) -> None:
    """Give a role for a division and what is below it.

    Raises:
        AccountError: no such account, or a second one of the three admin roles (separation of duties).
    """
    account = find(connection, name)
    if role in ADMINS and any(held.role in ADMINS and held.role is not role for held in account.grants):
        raise AccountError(f"{name} holds another admin role; one person holds one of {', '.join(sorted(ADMINS))}.")
    if Grant(role, division) in account.grants:
        return
    row = {"account": name, "role": role, "division": division, "granted_by": by, "granted_at": now}
    connection.execute(insert(grants).values(row))


def find(connection: Connection, name: str) -> Account:
    """An account with what it may do.

    Raises:
        AccountError: no such account.
    """
    row = connection.execute(select(accounts).where(accounts.c.name == name)).one_or_none()
    if row is None:
        raise AccountError(f"There is no account {name!r}. `cuntong user add` makes one.")
    return Account(row.name, row.full_name, _grants(connection, name), row.disabled_at is not None)


def every(connection: Connection) -> list[Account]:
    """Every account, disabled ones too, by name."""
    return [find(connection, name) for name in connection.scalars(select(accounts.c.name).order_by(accounts.c.name))]


def _grants(connection: Connection, name: str) -> tuple[Grant, ...]:
    rows = connection.execute(
        select(grants).where(grants.c.account == name, grants.c.revoked_at.is_(None)).order_by(grants.c.id)
    )
    return tuple(Grant(Role(row.role), row.division) for row in rows)


def check_password(connection: Connection, name: str, password: str, now: float) -> Account | None:
    """The account, if the password is its own; None if not. The caller commits either way: failures are counted.

    Raises:
        AccountError: locked after too many failures, or disabled.
    """
    row = connection.execute(select(accounts).where(accounts.c.name == name)).one_or_none()
    if row is None:
        _derive(password, b"\0" * 16)  # as slow as a real one: the answer's time does not tell which names exist
        return None
    if row.disabled_at is not None:
        raise AccountError(f"The account {name!r} is disabled.")
    if row.locked_until > now:
        raise AccountError(f"{name!r} is locked for another {(row.locked_until - now) / 60:.0f} minutes.")
    if not _matches(password, row.password):
        failures = row.failures + 1
        locked = {"locked_until": now + LOCKED_S, "failures": 0} if failures >= FAILURES else {"failures": failures}
        connection.execute(update(accounts).where(accounts.c.name == name).values(locked))
        return None
    connection.execute(update(accounts).where(accounts.c.name == name).values(failures=0))
    return find(connection, name)


def _derive(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST, dklen=32)


def _matches(password: str, kept: str) -> bool:
    kind, _, rest = kept.partition("$")
    salt, _, expected = rest.partition("$")
    if kind != "scrypt":
        return False
    return hmac.compare_digest(_derive(password, base64.b64decode(salt)), base64.b64decode(expected))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
