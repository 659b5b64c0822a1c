"""Who polls which county: a lease with an epoch, taken and renewed by conditional updates (decision D18).

Each taking raises the epoch. Facts carry it, and the ledger refuses facts of an older one: a collector that was
cut off and replaced cannot write over its successor.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger.errors import FencedError, LedgerError
from ledger.tables import leases


@dataclass(frozen=True, slots=True)
class Lease:
    """``address`` is host:port of the holder's metrics; ``expires_at`` is Unix time."""

    county: str
    epoch: int
    holder: str
    address: str
    expires_at: float


def acquire(engine: Engine, county: str, holder: str, address: str, now: float, seconds: float) -> Lease:
    """Take a county that nobody holds, whose lease is over, or that this holder held before.

    Raises:
        LedgerError: another collector holds it.
    """
    with engine.begin() as connection:
        current = connection.execute(select(leases).where(leases.c.county == county)).one_or_none()
        taken = Lease(county, current.epoch + 1 if current else 1, holder, address, now + seconds)
        values = {"epoch": taken.epoch, "holder": holder, "address": address, "expires_at": taken.expires_at}
        if current is None:
            try:
                connection.execute(insert(leases).values(county=county, **values))
            except IntegrityError:
                raise LedgerError(f"Another collector has just taken county {county}.") from None
            return taken
        if current.holder != holder and current.expires_at > now:
            raise LedgerError(
                f"County {county} is polled by {current.holder}, whose lease runs for another "
                f"{current.expires_at - now:.0f} s. Stop that collector, or wait."
            )
        won = connection.execute(
            update(leases).where(leases.c.county == county, leases.c.epoch == current.epoch).values(values)
        )
        if won.rowcount != 1:
            raise LedgerError(f"Another collector has just taken county {county}.")
        return taken


def renew(connection: Connection, lease: Lease, now: float, seconds: float) -> None:
    """Extend a lease, within the transaction that writes under it.

    Raises:
        FencedError: another collector took the county over.
    """
    kept = connection.execute(
        update(leases)
        .where(leases.c.county == lease.county, leases.c.epoch == lease.epoch)
        .values(expires_at=now + seconds)
    )
    if kept.rowcount != 1:
        raise FencedError(f"County {lease.county} was taken over by another collector (ours was epoch {lease.epoch}).")


def release(engine: Engine, lease: Lease, now: float) -> None:
    """Let go at a clean end, so that the next collector need not wait."""
    with engine.begin() as connection:
        connection.execute(
            update(leases).where(leases.c.county == lease.county, leases.c.epoch == lease.epoch).values(expires_at=now)
        )


def current(engine: Engine, now: float) -> list[Lease]:
    """Every lease that still runs, by county."""
    with engine.connect() as connection:
        rows = connection.execute(select(leases).where(leases.c.expires_at > now).order_by(leases.c.county))
        return [Lease(row.county, row.epoch, row.holder, row.address, row.expires_at) for row in rows]
