"""What Alertmanager told us: each alert once for each receiver, status and beginning, beside the outage it is about."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

from ledger.alert_tables import alerts

Status = Literal["firing", "resolved"]
_BATCH = 500  # names in one IN (...): SQLite's oldest limit on variables is 999


@dataclass(frozen=True, slots=True)
class HeardAlert:
    """One alert as it was told. Times are Unix seconds; ``ends_at`` is None while it fires."""

    receiver: str
    fingerprint: str
    status: Status
    starts_at: float
    ends_at: float | None
    alertname: str
    severity: str
    scope: str
    county: str
    node: str
    outage: str | None
    summary: str
    recorded_at: float


_COLUMNS = tuple(HeardAlert.__dataclass_fields__)


def record(connection: Connection, told: Sequence[HeardAlert]) -> int:
    """Append what is new of these alerts, and leave alone what was told before; how many were new."""
    rows = {_identity(one): {column: getattr(one, column) for column in _COLUMNS} for one in told}
    fingerprints = sorted({one.fingerprint for one in told})
    for start in range(0, len(fingerprints), _BATCH):
        batch = fingerprints[start : start + _BATCH]
        query = select(alerts).where(alerts.c.fingerprint.in_(batch))
        for known in connection.execute(query):
            rows.pop(_identity(known), None)
    if not rows:
        return 0
    try:
        with connection.begin_nested():
            connection.execute(insert(alerts), list(rows.values()))
    except IntegrityError:  # another delivery of the same was quicker with some of them
        return sum(_record_one(connection, row) for row in rows.values())
    return len(rows)


def _identity(one: Any) -> tuple[str, str, str, float]:
    return one.receiver, one.fingerprint, one.status, one.starts_at


def _record_one(connection: Connection, row: Mapping[str, Any]) -> bool:
    try:
        with connection.begin_nested():
            connection.execute(insert(alerts).values(row))
    except IntegrityError:
        return False
    return True


def heard(
    connection: Connection, *, outages: Sequence[str] | None = None, limit: int | None = None
) -> list[HeardAlert]:
    """Alerts as they were told, newest first.

    Args:
        outages: only those about these.
    """
    query = select(alerts).order_by(alerts.c.id.desc())
    if outages is not None:
        query = query.where(alerts.c.outage.in_(outages))
    if limit is not None:
        query = query.limit(limit)
    return [HeardAlert(**{column: getattr(row, column) for column in _COLUMNS}) for row in connection.execute(query)]


def counts(connection: Connection) -> Counter[tuple[str, bool]]:
    """How many were told, by status and by whether an outage explains them."""
    explained = alerts.c.outage.is_not(None).label("explained")
    query = select(alerts.c.status, explained, func.count()).group_by(alerts.c.status, explained)
    return Counter({(status, bool(yes)): number for status, yes, number in connection.execute(query)})


def firing_since(connection: Connection, severity: str, outages: Sequence[str]) -> dict[str, float]:
    """Of these outages, the Unix time at which the first firing alert of a severity was told about each."""
    found: dict[str, float] = {}
    for start in range(0, len(outages), _BATCH):
        query = (
            select(alerts.c.outage, func.min(alerts.c.recorded_at))
            .where(
                alerts.c.outage.in_(outages[start : start + _BATCH]),
                alerts.c.severity == severity,
                alerts.c.status == "firing",
            )
            .group_by(alerts.c.outage)
        )
        found |= {outage: at for outage, at in connection.execute(query)}
    return found
