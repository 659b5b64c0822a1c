"""Shifts handed over: what the outgoing person wrote down, frozen with its hash, and who took it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select
from sqlalchemy.exc import IntegrityError

from ledger.errors import LedgerError
from ledger.work_tables import handovers, handovers_taken


@dataclass(frozen=True, slots=True)
class Handover:
    """One handover. ``taken_by`` is empty until somebody signed for it; times are Unix seconds."""

    id: int
    county: str
    at: float
    by: str
    note: str
    document: Mapping[str, Any]
    sha256: str
    taken_at: float | None = None
    taken_by: str = ""
    taken_note: str = ""

    @property
    def intact(self) -> bool:
        """Whether it still says what was signed."""
        return self.sha256 == _hash(self.county, self.at, self.by, self.note, _text(self.document))


def give(connection: Connection, county: str, by: str, note: str, document: Mapping[str, Any], now: float) -> Handover:
    """Write a handover down, signed by who gives it."""
    text = _text(document)
    sha256 = _hash(county, now, by, note, text)
    row = {"county": county, "at": now, "by": by, "note": note, "document": text, "sha256": sha256}
    (id,) = connection.execute(insert(handovers).values(row)).inserted_primary_key or (0,)
    return Handover(int(id), county, now, by, note, document, sha256)


def take(connection: Connection, id: int, by: str, note: str, now: float) -> None:
    """Sign for a handover.

    Raises:
        LedgerError: somebody has signed for it already.
    """
    try:
        with connection.begin_nested():
            connection.execute(insert(handovers_taken).values(handover=id, at=now, by=by, note=note))
    except IntegrityError:
        raise LedgerError(f"Handover {id} was taken already.") from None


def newest(connection: Connection, county: str, limit: int = 50) -> list[Handover]:
    """The newest handovers of a county, the last one first."""
    query = _joined().where(handovers.c.county == county).order_by(handovers.c.id.desc()).limit(limit)
    return [_handover(row) for row in connection.execute(query)]


def find(connection: Connection, county: str, id: int) -> Handover:
    """One handover.

    Raises:
        LedgerError: the county has no such.
    """
    row = connection.execute(_joined().where(handovers.c.county == county, handovers.c.id == id)).one_or_none()
    if row is None:
        raise LedgerError(f"There is no handover {id}.")
    return _handover(row)


def _joined() -> Select[Any]:
    taken = handovers_taken.c
    told = (taken.at.label("taken_at"), taken.by.label("taken_by"), taken.note.label("taken_note"))
    return select(handovers, *told).outerjoin(handovers_taken, taken.handover == handovers.c.id)


def _handover(row: Row[Any]) -> Handover:
    return Handover(
        row.id, row.county, row.at, row.by, row.note, json.loads(row.document), row.sha256, row.taken_at,
        row.taken_by or "", row.taken_note or "",
    )  # fmt: skip


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _hash(county: str, at: float, by: str, note: str, text: str) -> str:
    return hashlib.sha256(f"{county}\0{at!r}\0{by}\0{note}\0{text}".encode()).hexdigest()
