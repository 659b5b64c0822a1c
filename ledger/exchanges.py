"""Which signed files were taken in: each once, and none older than the last of the same division."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from ledger.tables import exchanges


@dataclass(frozen=True, slots=True)
class Exchange:
    """One file. Times are Unix seconds; ``sites`` were found here, ``unmatched`` were not."""

    sha256: str
    instance: str
    key: str
    division: str
    snapshot: str
    made_at: float
    taken_at: float
    taken_by: str
    sites: int
    unmatched: int


def taken(connection: Connection, sha256: str) -> bool:
    return bool(connection.scalar(select(func.count()).where(exchanges.c.sha256 == sha256)))


def newest_of(connection: Connection, instance: str, division: str) -> float | None:
    """When the newest file of an instance and division was made."""
    table = exchanges.c
    query = select(func.max(table.made_at)).where(table.instance == instance, table.division == division)
    found: float | None = connection.scalar(query)
    return found


def record(connection: Connection, one: Exchange) -> None:
    values = {name: getattr(one, name) for name in Exchange.__dataclass_fields__}
    connection.execute(insert(exchanges).values(values))


def every(connection: Connection, limit: int = 1000) -> list[Exchange]:
    """The files that were taken in, the newest first."""
    names = list(Exchange.__dataclass_fields__)
    query = select(*(exchanges.c[name] for name in names)).order_by(exchanges.c.id.desc()).limit(limit)
    return [Exchange(*row) for row in connection.execute(query)]
