"""Announced work: who said what will be down, where, from when to when. Appended; taking one back is another fact."""

import secrets

from sqlalchemy import Connection, insert, select

from health.maintenance import Reach, Window
from ledger.ordering import append_in_order
from ledger.tables import maintenance


def announce(
    connection: Connection, reach: Reach, target: str, since: float, until: float, reason: str, by: str, now: float
) -> str:
    """Write a window down; its id, which is short because people type it."""
    window = f"m-{secrets.token_hex(4)}"
    _append(connection, Window(window, reach, target, since, until, reason, by, now), "announced", by, reason, now)
    return window


def cancel(connection: Connection, window: Window, reason: str, by: str, now: float) -> None:
    """Take a window back from now on; what lay in it before stays planned."""
    _append(connection, window, "cancelled", by, reason, now)


def windows(connection: Connection, known_at: float | None = None) -> list[Window]:
    """Every window that was announced (by Unix time ``known_at``, if given), in the order in which they were."""
    found: dict[str, Window] = {}
    query = select(maintenance).order_by(maintenance.c.id)
    if known_at is not None:
        query = query.where(maintenance.c.recorded_at <= known_at)
    for row in connection.execute(query):
        if row.kind == "announced":
            found[row.window] = Window(
                row.window, Reach(row.reach), row.target, row.since, row.until, row.reason, row.said_by, row.recorded_at
            )
        elif row.window in found:
            one = found[row.window]
            found[row.window] = Window(
                one.id, one.reach, one.target, one.since, one.until, one.reason, one.by, one.recorded_at,
                row.recorded_at,
            )  # fmt: skip
    return list(found.values())


def _append(connection: Connection, window: Window, kind: str, by: str, reason: str, now: float) -> None:
    append_in_order(connection, maintenance)
    connection.execute(
        insert(maintenance).values(
            window=window.id,
            kind=kind,
            reach=window.reach,
            target=window.target,
            since=window.since,
            until=window.until,
            reason=reason,
            said_by=by,
            recorded_at=now,
        )
    )
