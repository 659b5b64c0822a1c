"""Published standards (统一标准): each version of a named document by its hash, never changed."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from ledger.errors import LedgerError
from ledger.office_tables import standards


@dataclass(frozen=True, slots=True)
class Edition:
    name: str
    version: str
    title: str
    document_sha256: str
    effective_on: date
    said_by: str


def publish(connection: Connection, edition: Edition, now: float) -> None:
    """Keep one version.

    Raises:
        LedgerError: it is there already.
    """
    row = {
        "name": edition.name,
        "version": edition.version,
        "title": edition.title,
        "document_sha256": edition.document_sha256,
        "effective_on": edition.effective_on,
        "said_by": edition.said_by,
        "recorded_at": now,
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(standards).values(row))
    except IntegrityError:
        raise LedgerError(f"{edition.name} {edition.version} is published already. Give the next version.") from None


def every(connection: Connection) -> list[Edition]:
    """Every version of every standard, by name and day."""
    query = select(standards).order_by(standards.c.name, standards.c.effective_on, standards.c.id)
    return [
        Edition(row.name, row.version, row.title, row.document_sha256, row.effective_on, row.said_by)
        for row in connection.execute(query)
    ]
