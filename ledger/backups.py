"""Backups of running configurations: the raw text sealed, so that it can be restored; the redacted one to read."""

from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, insert, select

from ledger.tables import backups
from ledger.vault import Vault


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup without its sealed text. ``taken_at`` is Unix time.

    Args:
        saved: whether the device had saved what it ran; None where nobody asked or it does not show it.
    """

    id: int
    device: str
    taken_at: float
    reason: str
    platform: str
    fingerprint: str
    redacted: str
    saved: bool | None = None


def keep_backup(
    connection: Connection,
    vault: Vault,
    device: str,
    platform: str,
    reason: str,
    raw: str,
    fingerprint: str,
    redacted: str,
    now: float,
    saved: bool | None = None,
) -> None:
    connection.execute(
        insert(backups).values(
            device=device,
            taken_at=now,
            reason=reason,
            platform=platform,
            fingerprint=fingerprint,
            redacted=redacted,
            saved=saved,
            sealed=vault.seal(raw.encode(), device),
        )
    )


def backups_of(connection: Connection, device: str, limit: int = 20) -> list[Backup]:
    """The newest first."""
    rows = connection.execute(
        select(backups).where(backups.c.device == device).order_by(backups.c.id.desc()).limit(limit)
    )
    return [_backup(row) for row in rows]


def newest_backups(connection: Connection) -> dict[str, Backup]:
    """The newest of each device."""
    newest = select(func.max(backups.c.id)).group_by(backups.c.device)
    rows = connection.execute(select(backups).where(backups.c.id.in_(newest)))
    return {row.device: _backup(row) for row in rows}


def _backup(row: Row[tuple[object, ...]]) -> Backup:
    return Backup(row.id, row.device, row.taken_at, row.reason, row.platform, row.fingerprint, row.redacted, row.saved)


def open_backup(
    connection: Connection, vault: Vault, device: str, *, id: int | None = None, reason: str = ""
) -> str | None:
    """The raw text of a backup: the one of this row, or the newest taken for ``reason``; None where there is none.

    Raises:
        LedgerError: it was sealed with another key.
    """
    query = select(backups.c.sealed).where(backups.c.device == device).order_by(backups.c.id.desc()).limit(1)
    query = query.where(backups.c.id == id) if id is not None else query.where(backups.c.reason == reason)
    sealed = connection.scalar(query)
    return None if sealed is None else vault.open(sealed, device).decode()
