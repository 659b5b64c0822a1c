"""Imported facts: what another system or a person told of a site or a division, dated, with its source.

The newest day wins, then the later word; older values stay, so that two dated values of one counter can be shown.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Row, insert, select

from ledger.office_tables import facts
from ledger.ordering import append_in_order

FactValue = bool | float | str


@dataclass(frozen=True, slots=True)
class Fact:
    """One dated value. ``subject`` is a site's id or a division's 12-digit code."""

    subject: str
    name: str
    value: FactValue
    happened_on: date
    said_by: str
    source: str
    proof_sha256: str | None = None


def record(connection: Connection, told: Sequence[Fact], now: float) -> None:
    """Append facts, in the order given."""
    rows = [
        {
            "subject": one.subject,
            "name": one.name,
            "value": json.dumps(one.value, ensure_ascii=False),
            "happened_on": one.happened_on,
            "said_by": one.said_by,
            "source": one.source,
            "proof_sha256": one.proof_sha256,
            "recorded_at": now,
        }
        for one in told
    ]
    if rows:
        append_in_order(connection, facts)
        connection.execute(insert(facts), rows)


def told_since(connection: Connection, row: int, known_at: float | None = None) -> list[tuple[int, Fact]]:
    """Every fact recorded after row ``row`` (0 gives all), up to Unix time ``known_at``, with its row."""
    query = select(facts).where(facts.c.id > row).order_by(facts.c.id)
    if known_at is not None:
        query = query.where(facts.c.recorded_at <= known_at)
    return [(row.id, _fact(row)) for row in connection.execute(query)]


def dated(connection: Connection, subject: str, name: str) -> list[Fact]:
    """Every value of one counter, oldest day first."""
    query = select(facts).where(facts.c.subject == subject, facts.c.name == name)
    return [_fact(row) for row in connection.execute(query.order_by(facts.c.happened_on, facts.c.id))]


def _fact(row: Row[tuple[object, ...]]) -> Fact:
    value = json.loads(row.value)
    return Fact(row.subject, row.name, value, row.happened_on, row.said_by, row.source, row.proof_sha256)
