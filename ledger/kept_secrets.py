"""Secrets of devices and services by name, sealed with the vault's key. Only the newest text of each is kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, inspect, select

from ledger import audit
from ledger.tables import kept_secrets
from ledger.vault import Vault


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """That a secret is kept, since when (Unix time) and by whom; never its text."""

    name: str
    at: float
    by: str


def keep_secret(connection: Connection, vault: Vault, name: str, text: str, by: str, now: float) -> bool:
    """Seals a secret in place of what had its name. True where there was one."""
    replaced = _remove(connection, name)
    connection.execute(
        insert(kept_secrets).values(name=name, kept_at=now, kept_by=by, sealed=vault.seal(text.encode(), _about(name)))
    )
    audit.record(connection, now, by, "secret.set", name, {"replaced": replaced})
    return replaced


def forget_secret(connection: Connection, name: str, by: str, now: float) -> bool:
    """Removes a secret; False where none has that name."""
    there = _remove(connection, name)
    if there:
        audit.record(connection, now, by, "secret.forget", name)
    return there


def every_secret(connection: Connection) -> list[KeptSecret]:
    """What is kept, by name."""
    rows = connection.execute(
        select(kept_secrets.c.name, kept_secrets.c.kept_at, kept_secrets.c.kept_by).order_by(kept_secrets.c.name)
    )
    return [KeptSecret(*row) for row in rows]


def sealed_secret(connection: Connection, name: str) -> bytes | None:
    """What `open_secret` opens; None where none has that name, or the ledger is older than the vault of secrets."""
    if not inspect(connection).has_table(kept_secrets.name):
        return None
    return connection.scalar(select(kept_secrets.c.sealed).where(kept_secrets.c.name == name))


def open_secret(vault: Vault, name: str, sealed: bytes) -> str:
    """The text of a secret.

    Raises:
        LedgerError: sealed with another key, for another name, or damaged.
    """
    return vault.open(sealed, _about(name)).decode()


def unopened(connection: Connection, vault: Vault) -> Sequence[str]:
    """The names of what this key does not open."""
    return [
        name
        for name, sealed in connection.execute(select(kept_secrets.c.name, kept_secrets.c.sealed))
        if not vault.opens(sealed, _about(name))
    ]


def _remove(connection: Connection, name: str) -> bool:
    return connection.execute(delete(kept_secrets).where(kept_secrets.c.name == name)).rowcount > 0


def _about(name: str) -> str:
    return f"the secret {name}"
