"""What a collector writes: facts in order, and how long it has been watching. One transaction a flush.

Rows stay in memory until the database has them, so an unreachable database costs nothing but delay; a row that
arrives twice is known by (county, epoch, seq) and dropped.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from threading import Lock

from sqlalchemy import Connection, Engine, Table, insert, select, update

from health.outage import Scope
from health.rootcause import Cause
from health.verdict import Blame
from inventory.vocabulary import Aspect, Verdict
from ledger import leases
from ledger.leases import Lease
from ledger.tables import outage_events, outage_verdicts, site_events, watch_intervals


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


class Journal:
    """The pending facts of one collector under one lease.

    Args:
        clock: Unix time; the time at which a fact is recorded.
        lease_s: how long each flush extends the lease.
    """

    def __init__(self, engine: Engine, lease: Lease, clock: Callable[[], float], lease_s: float) -> None:
        self.lease = lease
        self._engine = engine
        self._clock = clock
        self._lease_s = lease_s
        self._seq = 0
        self._pending: list[tuple[int, Fact]] = []
        self._watching_since: float | None = None
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
            with self._engine.begin() as connection:
                leases.renew(connection, self.lease, now, self._lease_s)
                if rows:
                    self._write(connection, rows, now)
                if watched_at is not None:
                    self._watch(connection, self._watching_since, watched_at)
            del self._pending[: len(rows)]

    def _write(self, connection: Connection, rows: list[tuple[int, Fact]], now: float) -> None:
        key = {"county": self.lease.county, "epoch": self.lease.epoch, "recorded_at": now}
        for kind, table in _TABLES.items():
            ours = [(seq, fact) for seq, fact in rows if type(fact) is kind]
            if not ours:
                continue
            # An earlier flush may have been committed without our hearing of it.
            known = set(
                connection.scalars(
                    select(table.c.seq).where(
                        table.c.county == self.lease.county,
                        table.c.epoch == self.lease.epoch,
                        table.c.seq >= ours[0][0],
                    )
                )
            )
            fresh = [{**key, "seq": seq, **asdict(fact)} for seq, fact in ours if seq not in known]
            if fresh:
                connection.execute(insert(table), fresh)

    def _watch(self, connection: Connection, since: float | None, until: float) -> None:
        table = watch_intervals.c
        county, epoch = self.lease.county, self.lease.epoch
        extended = connection.execute(
            update(watch_intervals)
            .where(table.county == county, table.epoch == epoch, table.since == since)
            .values(until=until, cycles=self._cycles)
        )
        if not extended.rowcount:  # the first of its interval that the database takes
            values = {"county": county, "epoch": epoch, "since": since, "until": until, "cycles": self._cycles}
            connection.execute(insert(watch_intervals).values(values))

    def stop_watching(self) -> None:
        """End the watch interval: the next flush that watches begins another (after a gap, such as a clock jump)."""
        self._watching_since = None
        self._cycles = 0
