"""What a collector writes: facts in order, and how long it has been watching. One transaction a flush.

Rows stay in memory until the database has them (and on the disk, where it is on another machine: `ledger.spool`), so
an unreachable database costs nothing but delay; a row that arrives twice is known by (county, epoch, seq) and dropped.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Protocol

from sqlalchemy import Connection, Engine, Table, insert, select, update
from sqlalchemy.exc import DBAPIError

from health.outage import Scope
from health.rootcause import Cause
from health.verdict import Blame
from inventory.vocabulary import Aspect, Verdict
from ledger import leases
from ledger.leases import Lease
from ledger.ordering import append_in_order
from ledger.tables import outage_events, outage_verdicts, site_events, watch_intervals, watch_marks


@dataclass(frozen=True, slots=True)
class SiteEvent:
    """An aspect of a site changed its verdict. Times are Unix seconds."""

    happened_at: float
    site: str
    aspect: Aspect
    verdict: Verdict
    reason: str = ""
    proved_at: float | None = None
    outage: str | None = None


@dataclass(frozen=True, slots=True)
class OutageEvent:
    """An outage was opened or closed; or its node flaps, and it was kept open when the node answered again."""

    happened_at: float
    outage: str
    kind: str
    scope: Scope
    node: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class VerdictEvent:
    """What failed in an outage, as it is known from now on.

    Args:
        clues: `health.verdict.as_text` of them.
        window: id of the maintenance window that covers it; None for one that nobody planned.
    """

    happened_at: float
    outage: str
    blame: Blame
    clues: str
    window: str | None = None


Fact = SiteEvent | OutageEvent | VerdictEvent
_TABLES: dict[type[Fact], Table] = {
    SiteEvent: site_events,
    OutageEvent: outage_events,
    VerdictEvent: outage_verdicts,
}


LATE_S = 300.0
"""Watched time that is written so long after it was is learnt late: a mark says from when on the ledger knew."""

Numbered = tuple[int, Fact]
"""A fact and its place among those of its county and epoch."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A watch interval. Unix seconds; ``cycles`` are flushes."""

    since: float
    until: float
    cycles: int


class Keeper(Protocol):
    """Where facts stay while the database is away: `ledger.spool.Spool`."""

    def keep(self, rows: Sequence[Numbered], watched: Watched | None) -> None: ...

    def clear(self) -> None: ...


class Journal:
    """The pending facts of one collector under one lease.

    Args:
        clock: Unix time; the time at which a fact is recorded.
        lease_s: how long each flush extends the lease.
        keeper: outlives us while the database is away; None: nothing does.
    """

    def __init__(
        self,
        engine: Engine,
        lease: Lease,
        clock: Callable[[], float],
        lease_s: float,
        keeper: Keeper | None = None,
    ) -> None:
        self.lease = lease
        self._engine = engine
        self._clock = clock
        self._lease_s = lease_s
        self._seq = 0
        self._keeper = keeper
        self._pending: list[Numbered] = []
        self._watching_since: float | None = None
        self._watched_until: float | None = None  # as far as the database took it
        self._cycles = 0
        self._flushing = Lock()  # a flush whose caller was cancelled still runs in its thread

    @property
    def pending(self) -> int:
        return len(self._pending)

    def new_outage_id(self) -> str:
        """An id that no other epoch can give: the place of the fact that opens the outage."""
        return f"{self.lease.county}-{self.lease.epoch}-{self._seq + 1}"

    def add(self, fact: Fact) -> None:
        self._seq += 1
        self._pending.append((self._seq, fact))

    @property
    def newest(self) -> int:
        """The number of the fact that was added last."""
        return self._seq

    def flush(self, watched_at: float | None, newest: int | None = None) -> None:
        """Write what is pending and extend the watch interval to ``watched_at`` (None: nothing was watched yet).

        Safe to call from a worker thread while the collector goes on adding; ``newest`` then is the fact up to which
        to write, so that what was said together is also written together.

        Raises:
            FencedError: another collector holds the county now; nothing was written.
            sqlalchemy.exc.DBAPIError: the database did not take it; everything stays pending.
        """
        with self._flushing:
            rows = [row for row in list(self._pending) if newest is None or row[0] <= newest]
            now = self._clock()
            if watched_at is not None:
                self._watching_since = watched_at if self._watching_since is None else self._watching_since
                self._cycles += 1
            watched = None
            if watched_at is not None and self._watching_since is not None:
                watched = Watched(self._watching_since, watched_at, self._cycles)
            try:
                with self._engine.begin() as connection:
                    leases.renew(connection, self.lease, now, self._lease_s)
                    if rows:
                        write_facts(connection, self.lease.county, self.lease.epoch, rows, now)
                    if watched is not None:
                        write_watched(
                            connection, self.lease.county, self.lease.epoch, watched, self._watched_until, now
                        )
            except DBAPIError:
                if self._keeper is not None:
                    self._keeper.keep(rows, watched)
                raise
            if self._keeper is not None:
                self._keeper.clear()
            self._watched_until = watched_at if watched_at is not None else self._watched_until
            del self._pending[: len(rows)]

    def stop_watching(self) -> None:
        """End the watch interval: the next flush that watches begins another (after a gap, such as a clock jump)."""
        self._watching_since = self._watched_until = None
        self._cycles = 0


def write_facts(connection: Connection, county: str, epoch: int, rows: Sequence[Numbered], now: float) -> None:
    """Insert those of these facts that the ledger lacks: an earlier writing may have come through unheard of."""
    key = {"county": county, "epoch": epoch, "recorded_at": now}
    for kind, table in _TABLES.items():
        ours = [(seq, fact) for seq, fact in rows if type(fact) is kind]
        if not ours:
            continue
        known = set(
            connection.scalars(
                select(table.c.seq).where(table.c.county == county, table.c.epoch == epoch, table.c.seq >= ours[0][0])
            )
        )
        fresh = [{**key, "seq": seq, **asdict(fact)} for seq, fact in ours if seq not in known]
        if fresh:
            append_in_order(connection, table)
            connection.execute(insert(table), fresh)


def write_watched(
    connection: Connection, county: str, epoch: int, watched: Watched, known_until: float | None, now: float
) -> None:
    """Extend a watch interval, or begin it.

    Args:
        known_until: as far as the database has it; None: it does not.
    """
    before = known_until if known_until is not None else watched.since
    if min(now, watched.until) - before > LATE_S:
        mark = {"county": county, "epoch": epoch, "since": watched.since}
        connection.execute(insert(watch_marks).values(**mark, known_until=before, recorded_at=now))
    table = watch_intervals.c
    values = {"until": watched.until, "cycles": watched.cycles}
    extended = connection.execute(
        update(watch_intervals)
        .where(table.county == county, table.epoch == epoch, table.since == watched.since)
        .values(values)
    )
    if not extended.rowcount:  # the first of its interval that the database takes
        connection.execute(insert(watch_intervals).values(county=county, epoch=epoch, since=watched.since, **values))
