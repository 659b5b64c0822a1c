"""What people said of sites after the inventory was written: who, when, and the proof. Appended, never changed."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, insert, select

from inventory.vocabulary import Claim
from ledger.ordering import append_in_order
from ledger.tables import claims


@dataclass(frozen=True, slots=True)
class SaidClaim:
    """One claim. ``proof`` names the document; ``proof_sha256`` is the hash of its file, where there is one."""

    site: str
    claim: Claim
    happened_on: date
    said_by: str
    proof: str
    proof_sha256: str | None = None


def record(connection: Connection, said: SaidClaim, now: float) -> None:
    append_in_order(connection, claims)
    connection.execute(
        insert(claims).values(
            site=said.site,
            claim=said.claim,
            happened_on=said.happened_on,
            said_by=said.said_by,
            proof=said.proof,
            proof_sha256=said.proof_sha256,
            recorded_at=now,
        )
    )


def said_since(connection: Connection, row: int, known_at: float | None = None) -> list[tuple[int, SaidClaim]]:
    """Every claim recorded after row ``row`` (0 gives all), up to Unix time ``known_at``, with its row."""
    query = select(claims).where(claims.c.id > row).order_by(claims.c.id)
    if known_at is not None:
        query = query.where(claims.c.recorded_at <= known_at)
    return [
        (r.id, SaidClaim(r.site, Claim(r.claim), r.happened_on, r.said_by, r.proof, r.proof_sha256))
        for r in connection.execute(query)
    ]
