"""Frozen reports and who signed them: a published figure never changes, a correction is another edition.

A report is a canonical JSON document under its SHA-256, with the moment that it speaks of (``as_of``), what was known
then (``known_at``) and the inventory's hash: enough to make it again byte for byte.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select
from sqlalchemy.exc import IntegrityError

from ledger.errors import LedgerError
from ledger.office_tables import reports, signatures


@dataclass(frozen=True, slots=True)
class Frozen:
    """One edition. Times are Unix seconds; ``reason`` says why a correction was published."""

    report: str
    period: str
    division: str
    edition: int
    document: Mapping[str, Any]
    sha256: str
    as_of: float
    known_at: float
    inventory: str
    reason: str
    frozen_by: str
    frozen_at: float


def canonical(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def freeze(
    connection: Connection,
    report: str,
    period: str,
    division: str,
    document: Mapping[str, Any],
    *,
    as_of: float,
    inventory: str,
    by: str,
    now: float,
    reason: str = "",
) -> Frozen:
    """Publish a report; a second edition of the same needs its reason.

    Raises:
        LedgerError: it is published already and no reason is given, or somebody else published at this moment.
    """
    newest = fetch(connection, report, period, division)
    if newest is not None and not reason.strip():
        raise LedgerError(f"{report} {period} of {division} is published. A correction needs its reason.")
    text = canonical(document)
    row = {
        "report": report,
        "period": period,
        "division": division,
        "edition": newest.edition + 1 if newest else 1,
        "document": text,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "as_of": as_of,
        "known_at": now,
        "inventory": inventory,
        "reason": reason.strip(),
        "frozen_by": by,
        "frozen_at": now,
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(reports).values(row))
    except IntegrityError:
        raise LedgerError(f"{report} {period} of {division} was published by somebody else just now.") from None
    found = fetch(connection, report, period, division)
    if found is None:
        raise LedgerError(f"{report} {period} of {division} was not kept.")
    return found


def fetch(connection: Connection, report: str, period: str, division: str, edition: int | None = None) -> Frozen | None:
    """One edition, the newest if none is named; None where there is none.

    Raises:
        LedgerError: its text is not what was published: the hash differs.
    """
    table = reports.c
    query = select(reports).where(table.report == report, table.period == period, table.division == division)
    query = query.order_by(table.edition.desc()) if edition is None else query.where(table.edition == edition)
    row = connection.execute(query.limit(1)).one_or_none()
    return None if row is None else _frozen(row)


def every(connection: Connection, report: str, division: str | None = None) -> list[Frozen]:
    """The newest edition of each period, oldest period first."""
    table = reports.c
    newest = select(func.max(table.id).label("id")).where(table.report == report).group_by(table.period, table.division)
    chosen = newest.subquery()
    query = select(reports).join(chosen, table.id == chosen.c.id).order_by(table.period, table.division)
    if division is not None:
        query = query.where(table.division == division)
    return [_frozen(row) for row in connection.execute(query)]


def _frozen(row: Row[tuple[object, ...]]) -> Frozen:
    if hashlib.sha256(row.document.encode()).hexdigest() != row.sha256:
        raise LedgerError(f"{row.report} {row.period} of {row.division} is not what was published: its hash differs.")
    return Frozen(
        row.report,
        row.period,
        row.division,
        row.edition,
        json.loads(row.document),
        row.sha256,
        row.as_of,
        row.known_at,
        row.inventory,
        row.reason,
        row.frozen_by,
        row.frozen_at,
    )


@dataclass(frozen=True, slots=True)
class Signature:
    """A division's head signed a report; ``columns`` is what people wrote into the manual columns."""

    report: str
    period: str
    division: str
    signed_on: date
    signed_by: str
    columns: Mapping[str, str]


def sign(connection: Connection, signature: Signature, now: float) -> None:
    """Keep a signature.

    Raises:
        LedgerError: this division signed this report already.
    """
    row = {
        "report": signature.report,
        "period": signature.period,
        "division": signature.division,
        "signed_on": signature.signed_on,
        "signed_by": signature.signed_by,
        "columns": json.dumps(dict(signature.columns), ensure_ascii=False),
        "recorded_at": now,
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(signatures).values(row))
    except IntegrityError:
        raise LedgerError(f"{signature.division} signed {signature.report} {signature.period} already.") from None


def signed(connection: Connection, report: str, period: str) -> list[Signature]:
    """Every signature under one report, by division."""
    table = signatures.c
    query = select(signatures).where(table.report == report, table.period == period).order_by(table.division)
    return [
        Signature(row.report, row.period, row.division, row.signed_on, row.signed_by, json.loads(row.columns))
        for row in connection.execute(query)
    ]
