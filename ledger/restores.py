"""Which instance a ledger is, and what a ledger needs that comes back from a dump.

Between the dump and the loss the old server went on: its collectors took leases, its runs armed timers on routers, and
nothing of that is in the dump. So what comes back must neither be written to by what is left of the old server, nor
change a router that may still fall back by itself.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, insert, or_, select, update

from ledger import audit
from ledger.alert_tables import messages, senders
from ledger.instance_tables import instance, restores
from ledger.messages import MessageState
from ledger.rollouts import Run, RunState, every_open
from ledger.tables import device_locks, leases, runs, sessions, watch_intervals
from ledger.work_tables import jobs

EPOCHS_AHEAD: Final = 1000
"""No server takes a county so often between a dump and its loss: outages of the restored one never get ids that the
lost one has given to people, and facts that arrive late from it are of an older epoch."""

_IN_PERSON: Final = ("session", "web")


@dataclass(frozen=True, slots=True)
class Restore:
    """One restore. Unix seconds; until ``hold_until`` a router may fall back by itself."""

    dump: str
    dumped_at: float
    restored_at: float
    by: str
    hold_until: float


def instance_id(connection: Connection) -> str:
    """The instance whose ledger this is."""
    return str(connection.scalar(select(instance.c.id)))


def watched_until(connection: Connection) -> float | None:
    """The end of the newest time that anybody watched; None: nobody ever did."""
    newest: float | None = connection.scalar(select(func.max(watch_intervals.c.until)))
    return newest


def newest(connection: Connection) -> Restore | None:
    row = connection.execute(select(restores).order_by(restores.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else Restore(row.dump, row.dumped_at, row.restored_at, row.by, row.hold_until)


def begin_anew(connection: Connection, restore: Restore) -> list[Run]:
    """Make a ledger that was just loaded fit to go on; the runs that were under way when it was dumped.

    Every lease is free and far ahead of what the old server may have reached, so whoever is left of it is fenced.
    Logins end: one that was revoked since must not come back. Messages that waited are given up: their news is old.
    """
    now = restore.restored_at
    connection.execute(update(leases).values(epoch=leases.c.epoch + EPOCHS_AHEAD, holder="", expires_at=0.0))
    connection.execute(update(jobs).values(epoch=jobs.c.epoch + EPOCHS_AHEAD, holder="", expires_at=0.0))
    connection.execute(update(senders).values(epoch=senders.c.epoch + EPOCHS_AHEAD, holder="", expires_at=0.0))
    connection.execute(
        update(messages).where(messages.c.state == MessageState.WAITING).values(state=MessageState.GIVEN_UP)
    )
    connection.execute(
        update(sessions).where(sessions.c.kind.in_(_IN_PERSON), sessions.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    open_runs = every_open(connection)
    connection.execute(
        update(runs)
        .where(runs.c.state != RunState.ENDED)
        .values(epoch=runs.c.epoch + EPOCHS_AHEAD, holder="", expires_at=0.0, state=RunState.PAUSING)
    )
    ids = [run.id for run in open_runs]
    connection.execute(
        update(device_locks).where(or_(device_locks.c.run.in_(ids), device_locks.c.expires_at > now))
        .values(expires_at=restore.hold_until)
    )  # fmt: skip
    connection.execute(
        insert(restores).values(
            dump=restore.dump, dumped_at=restore.dumped_at, restored_at=now, by=restore.by,
            hold_until=restore.hold_until,
        )
    )  # fmt: skip
    audit.record(connection, now, restore.by, "system.restore", restore.dump, {"dumped_at": restore.dumped_at})
    return open_runs
