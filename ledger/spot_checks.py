"""Unannounced checks (周暗访): each draw with its seed and what was in the drum, and what the visitors found."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, insert, select
from sqlalchemy.exc import IntegrityError

from health.sampling import population_hash, sample
from ledger.errors import LedgerError
from ledger.office_tables import spot_draws, spot_results


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw. ``seed`` did not exist before ``drawn_at``; with it and ``population`` anybody draws the same again."""

    id: str
    division: str
    period: str
    seed: bytes
    population: tuple[str, ...]
    size: int
    drawn_by: str
    drawn_at: float

    @property
    def sites(self) -> Sequence[str]:
        """Ids of the sites to visit, in the order drawn."""
        return sample(self.seed, self.population, self.size)


@dataclass(frozen=True, slots=True)
class Visit:
    """What was found at one site: passed, failed or closed; ``form`` is item to answer."""

    draw: str
    site: str
    result: str
    form: Mapping[str, str | bool | float]
    visited_at: float
    said_by: str


def record_draw(connection: Connection, draw: Draw) -> None:
    """Keep a draw.

    Raises:
        LedgerError: this division has a draw for this period already; there is one only.
    """
    row = {
        "draw": draw.id,
        "division": draw.division,
        "period": draw.period,
        "seed": draw.seed.hex(),
        "population": json.dumps(draw.population),
        "population_sha256": population_hash(draw.population),
        "size": draw.size,
        "drawn_by": draw.drawn_by,
        "drawn_at": draw.drawn_at,
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(spot_draws).values(row))
    except IntegrityError:
        raise LedgerError(
            f"{draw.division} has a draw for {draw.period} already. There is one in each period."
        ) from None


def new_id() -> str:
    return f"s-{secrets.token_hex(4)}"


def find_draw(connection: Connection, division: str, period: str, until: float | None = None) -> Draw | None:
    """The draw of a division and period; None before it was made (as of ``until``, if given)."""
    table = spot_draws.c
    query = select(spot_draws).where(table.division == division, table.period == period)
    if until is not None:
        query = query.where(table.drawn_at <= until)
    row = connection.execute(query).one_or_none()
    return None if row is None else _draw(row)


def draws(connection: Connection) -> list[Draw]:
    """Every draw, oldest first."""
    return [_draw(row) for row in connection.execute(select(spot_draws).order_by(spot_draws.c.id))]


def _draw(row: Row[tuple[object, ...]]) -> Draw:
    population = tuple(json.loads(row.population))
    if population_hash(population) != row.population_sha256:
        raise LedgerError(f"The drum of {row.draw} is not what was drawn from: its hash differs.")
    return Draw(
        row.draw, row.division, row.period, bytes.fromhex(row.seed), population, row.size, row.drawn_by, row.drawn_at
    )


def record_visit(connection: Connection, visit: Visit, now: float) -> None:
    row = {
        "draw": visit.draw,
        "site": visit.site,
        "result": visit.result,
        "form": json.dumps(dict(visit.form), ensure_ascii=False),
        "visited_at": visit.visited_at,
        "said_by": visit.said_by,
    }
    connection.execute(insert(spot_results).values(**row, recorded_at=now))


def visits_of(connection: Connection, draw: str) -> list[Visit]:
    query = select(spot_results).where(spot_results.c.draw == draw).order_by(spot_results.c.id)
    return [
        Visit(row.draw, row.site, row.result, json.loads(row.form), row.visited_at, row.said_by)
        for row in connection.execute(query)
    ]
