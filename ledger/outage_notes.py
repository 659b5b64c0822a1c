"""What people and programs did about an outage: notified, acknowledged, on site, repaired, closed; who and when.

A step with a key is said once: however often an alert is delivered, there is one notification of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from ledger.office_tables import outage_notes

_AT_ONCE: Final = 500
"""Parameters of one statement; SQLite takes no more than some thousand."""


class Step(StrEnum):
    NOTIFIED = "notified"
    ACKNOWLEDGED = "acknowledged"
    NOTED = "noted"
    OWNED = "owned"  # somebody looks after it; his name is the note
    ASSIGNED = "assigned"  # a task was opened; its id is the note
    TICKET = "ticket"  # the carrier's number is the note
    REPORTED = "reported"  # to the carrier
    ON_SITE = "on_site"
    REPAIRED = "repaired"
    ESCALATED = "escalated"  # whoever is next was called; the channels are the note
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Note:
    """One step. ``happened_at`` is Unix time; ``key`` names what may be said once."""

    outage: str
    step: Step
    happened_at: float
    said_by: str
    note: str = ""
    key: str | None = None


def record(connection: Connection, note: Note, now: float) -> bool:
    """Append a step; False where one with the same key is there already, which is then left alone."""
    row = {
        "outage": note.outage,
        "step": note.step,
        "happened_at": note.happened_at,
        "said_by": note.said_by,
        "note": note.note,
        "key": note.key,
        "recorded_at": now,
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(outage_notes).values(row))
    except IntegrityError:
        return False
    return True


def of_outage(connection: Connection, outage: str) -> list[Note]:
    """Every step of one outage, in the order in which they happened."""
    return of_outages(connection, [outage]).get(outage, [])


def of_outages(connection: Connection, outages: Sequence[str]) -> dict[str, list[Note]]:
    """Every step of some outages by outage, each in the order in which they happened."""
    table = outage_notes.c
    found: dict[str, list[Note]] = {}
    for first in range(0, len(outages), _AT_ONCE):
        asked = outages[first : first + _AT_ONCE]
        query = select(outage_notes).where(table.outage.in_(asked)).order_by(table.happened_at, table.id)
        for row in connection.execute(query):
            note = Note(row.outage, Step(row.step), row.happened_at, row.said_by, row.note, row.key)
            found.setdefault(row.outage, []).append(note)
    return found
