"""This figure is wrong: who says so, on what evidence, by when it is decided, and from which report on it shows."""

import secrets
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from ledger.errors import LedgerError
from ledger.office_tables import appeal_decisions, appeals


@dataclass(frozen=True, slots=True)
class Ruling:
    """``result`` is upheld or rejected; ``takes_effect`` is the period whose report first shows it."""

    result: str
    reason: str
    takes_effect: str
    said_by: str
    happened_at: float


@dataclass(frozen=True, slots=True)
class Appeal:
    id: str
    site: str
    what: str
    claim: str
    evidence: str
    evidence_sha256: str | None
    said_by: str
    opened_at: float
    due_on: date
    ruling: Ruling | None


def lodge(
    connection: Connection, site: str, what: str, claim: str, evidence: str, by: str, due_on: date, now: float,
    evidence_sha256: str | None = None,
) -> str:  # fmt: skip
    """Write an appeal down; its id."""
    id = f"a-{secrets.token_hex(4)}"
    row = {"appeal": id, "site": site, "what": what, "claim": claim, "evidence": evidence, "said_by": by}
    dated = {"opened_at": now, "due_on": due_on}
    connection.execute(insert(appeals).values(**row, **dated, evidence_sha256=evidence_sha256))
    return id


def rule(connection: Connection, appeal: str, ruling: Ruling) -> None:
    """Decide an appeal.

    Raises:
        LedgerError: there is none of this id, or it is decided.
    """
    if connection.scalar(select(appeals.c.appeal).where(appeals.c.appeal == appeal)) is None:
        raise LedgerError(f"There is no appeal {appeal!r}.")
    row = {"appeal": appeal, "result": ruling.result, "reason": ruling.reason, "said_by": ruling.said_by}
    row |= {"takes_effect": ruling.takes_effect}
    try:
        with connection.begin_nested():
            connection.execute(insert(appeal_decisions).values(**row, happened_at=ruling.happened_at))
    except IntegrityError:
        raise LedgerError(f"The appeal {appeal} is decided already.") from None


def every(connection: Connection) -> list[Appeal]:
    """Every appeal, oldest first."""
    rulings = {
        row.appeal: Ruling(row.result, row.reason, row.takes_effect, row.said_by, row.happened_at)
        for row in connection.execute(select(appeal_decisions))
    }
    return [
        Appeal(
            row.appeal, row.site, row.what, row.claim, row.evidence, row.evidence_sha256, row.said_by, row.opened_at,
            row.due_on, rulings.get(row.appeal),
        )
        for row in connection.execute(select(appeals).order_by(appeals.c.id))
    ]  # fmt: skip
