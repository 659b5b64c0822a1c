"""The audit chain: who did what to what, each entry bound to the one before by its hash (duties S7, S8).

An entry that is changed or taken out breaks the chain at its place. There is no function that deletes.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from ledger.ordering import append_in_order
from ledger.tables import audit

GENESIS: Final = "0" * 64
_TRIES: Final = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. ``at`` is Unix time; ``detail`` is plain data without secrets."""

    id: int
    at: float
    actor: str
    action: str
    object: str
    detail: Mapping[str, Any]
    previous: str
    hash: str


def record(
    connection: Connection, at: float, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Append an entry, within the transaction of what it tells of: neither is there without the other."""
    text = json.dumps(detail or {}, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    # On PostgreSQL everybody would see the same last entry until one commits, and try again and again.
    append_in_order(connection, audit)
    for tries_left in range(_TRIES, -1, -1):
        previous = connection.scalar(select(audit.c.hash).order_by(audit.c.id.desc()).limit(1)) or GENESIS
        row = {"at": at, "actor": actor, "action": action, "object": subject, "detail": text, "previous": previous}
        try:
            with connection.begin_nested():
                connection.execute(insert(audit).values(**row, hash=_hash(previous, at, actor, action, subject, text)))
        except IntegrityError:  # another process has just followed the same entry: follow its one
            if not tries_left:
                raise
        else:
            return


def entries(connection: Connection, *, after: int = 0, limit: int | None = None) -> Iterator[Entry]:
    """Entries in order, from the one after row ``after``."""
    query = select(audit).where(audit.c.id > after).order_by(audit.c.id)
    for row in connection.execute(query if limit is None else query.limit(limit)):
        yield Entry(row.id, row.at, row.actor, row.action, row.object, json.loads(row.detail), row.previous, row.hash)


def first_broken(connection: Connection) -> int | None:
    """The row of the first entry that does not follow from the one before; None where the whole chain holds."""
    previous = GENESIS
    for row in connection.execute(select(audit).order_by(audit.c.id)):
        expected = _hash(previous, row.at, row.actor, row.action, row.object, row.detail)
        if row.previous != previous or row.hash != expected:
            return int(row.id)
        previous = row.hash
    return None


def _hash(previous: str, at: float, actor: str, action: str, subject: str, detail: str) -> str:
    told = json.dumps([previous, repr(at), actor, action, subject, detail], ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()
