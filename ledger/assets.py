"""Events of devices as things, append-only: who replaced, moved or retired what, when and why.

A replacement waits for its box: until it expires, and once, the box may show a host key that nobody knows.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select

from ledger.asset_tables import asset_events
from ledger.ordering import append_in_order
from ledger.tables import engine_keys


class AssetKind(StrEnum):
    REPLACED = "replaced"
    """Another box takes the place; its id, addresses and history stay."""
    ARRIVED = "arrived"
    """The awaited box was met and its host key taken."""
    MOVED = "moved"
    RETIRED = "retired"


@dataclass(frozen=True)
class AssetEvent:
    """One event. Times are Unix seconds; ``successor`` is the id under which a moved device goes on."""

    device: str
    kind: AssetKind
    happened_at: float
    said_by: str
    reason: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    successor: str = ""
    expires_at: float | None = None
    replaces: int | None = None
    id: int = 0
    recorded_at: float = 0.0


def record(connection: Connection, event: AssetEvent, now: float) -> None:
    """Append an event."""
    append_in_order(connection, asset_events)
    connection.execute(
        insert(asset_events).values(
            device=event.device,
            kind=str(event.kind),
            successor=event.successor,
            happened_at=event.happened_at,
            recorded_at=now,
            expires_at=event.expires_at,
            said_by=event.said_by,
            reason=event.reason,
            detail=json.dumps(dict(event.detail), ensure_ascii=False, sort_keys=True),
            replaces=event.replaces,
        )
    )


def history_of(connection: Connection, device: str) -> list[AssetEvent]:
    """Everything of a device and of what it was before it moved here, oldest first."""
    names, trail = {device}, [device]
    rows: dict[int, Any] = {}
    while trail:
        name = trail.pop()
        own = or_(asset_events.c.device == name, asset_events.c.successor == name)
        for row in connection.execute(select(asset_events).where(own)):
            rows[row.id] = row
            if row.successor == name and row.device not in names:
                names.add(row.device)
                trail.append(row.device)
    return [_event(rows[id]) for id in sorted(rows)]


def awaited(connection: Connection, device: str, now: float) -> AssetEvent | None:
    """The replacement whose box may still show itself: the newest, not expired, and not met yet."""
    query = select(asset_events).where(asset_events.c.device == device).order_by(asset_events.c.id.desc())
    for row in connection.execute(query):
        if row.kind == AssetKind.REPLACED:
            return _event(row) if row.expires_at is not None and row.expires_at > now else None
        if row.kind in (AssetKind.ARRIVED, AssetKind.RETIRED, AssetKind.MOVED):
            return None
    return None


def forget_engine(connection: Connection, device: str) -> bool:
    """Forget the keys that were derived for a device's SNMP engine; whether there were any."""
    return bool(connection.execute(delete(engine_keys).where(engine_keys.c.device == device)).rowcount)


def _event(row: Any) -> AssetEvent:
    return AssetEvent(
        row.device, AssetKind(row.kind), row.happened_at, row.said_by, row.reason, json.loads(row.detail),
        row.successor, row.expires_at, row.replaces, row.id, row.recorded_at,
    )  # fmt: skip
