"""What people decided after looking: acceptance of a site by tier, and whether a qualitative target is reached."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, insert, select

from ledger.office_tables import acceptances, decisions


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One acceptance. ``tier`` came to look: township, county, city, province; ``result`` is passed or failed."""

    site: str
    tier: str
    result: str
    demonstration: bool
    happened_on: date
    said_by: str
    proof: str
    proof_sha256: str | None = None


def accept(connection: Connection, acceptance: Acceptance, now: float) -> None:
    row = {
        "site": acceptance.site,
        "tier": acceptance.tier,
        "result": acceptance.result,
        "demonstration": "yes" if acceptance.demonstration else "no",
        "happened_on": acceptance.happened_on,
        "said_by": acceptance.said_by,
        "proof": acceptance.proof,
        "proof_sha256": acceptance.proof_sha256,
        "recorded_at": now,
    }
    connection.execute(insert(acceptances).values(row))


def acceptances_of(connection: Connection, site: str | None = None) -> list[Acceptance]:
    """Acceptances in the order in which they were recorded, of one site or of all."""
    query = select(acceptances).order_by(acceptances.c.id)
    if site is not None:
        query = query.where(acceptances.c.site == site)
    return [
        Acceptance(
            row.site,
            row.tier,
            row.result,
            row.demonstration == "yes",
            row.happened_on,
            row.said_by,
            row.proof,
            row.proof_sha256,
        )
        for row in connection.execute(query)
    ]


@dataclass(frozen=True, slots=True)
class Decision:
    """Somebody decided that a milestone without a figure is ``reached`` or ``missed``, and says by which proof."""

    milestone: str
    division: str
    result: str
    happened_on: date
    said_by: str
    proof: str
    proof_sha256: str | None = None


def decide(connection: Connection, decision: Decision, now: float) -> None:
    row = {
        "milestone": decision.milestone,
        "division": decision.division,
        "result": decision.result,
        "happened_on": decision.happened_on,
        "said_by": decision.said_by,
        "proof": decision.proof,
        "proof_sha256": decision.proof_sha256,
        "recorded_at": now,
    }
    connection.execute(insert(decisions).values(row))


def decisions_of(connection: Connection, until: date) -> dict[tuple[str, str], Decision]:
    """The newest decision on each milestone and division up to a day."""
    query = select(decisions).where(decisions.c.happened_on <= until)
    return {
        (row.milestone, row.division): Decision(
            row.milestone, row.division, row.result, row.happened_on, row.said_by, row.proof, row.proof_sha256
        )
        for row in connection.execute(query.order_by(decisions.c.happened_on, decisions.c.id))
    }
