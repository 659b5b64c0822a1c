"""Counts over runs and backups, for those who watch provisioning: no plan, no configuration is read for them."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from ledger.rollouts import RunState
from ledger.tables import applied, backups, run_events, runs


@dataclass(frozen=True, slots=True)
class EndedRun:
    """``done`` or stopped before its last wave; times are Unix seconds."""

    done: bool
    at: float
    seconds: float


def ended_runs(connection: Connection) -> list[EndedRun]:
    """Every run that ended, oldest first."""
    rows = connection.execute(
        select(run_events.c.what, run_events.c.at, runs.c.started_at)
        .join(runs, runs.c.id == run_events.c.run)
        .where(run_events.c.kind == "ended")
        .order_by(run_events.c.at)
    )
    return [EndedRun(what == "done", at, max(0.0, at - started)) for what, at, started in rows]


ABANDONED = "abandoned"


def runs_in_progress(connection: Connection, now: float) -> Counter[str]:
    """Runs that have not ended by state; `ABANDONED` where no controller leads them any more."""
    rows = connection.execute(select(runs.c.state, runs.c.expires_at).where(runs.c.state != RunState.ENDED))
    return Counter(str(state) if expires_at > now else ABANDONED for state, expires_at in rows)


def device_changes(connection: Connection) -> Counter[tuple[str, str]]:
    """How often a device's change ended in each state: by device and state."""
    rows = connection.execute(
        select(run_events.c.device, run_events.c.what, func.count())
        .where(run_events.c.kind == "device")
        .group_by(run_events.c.device, run_events.c.what)
    )
    return Counter({(device, state): count for device, state, count in rows})


@dataclass(frozen=True, slots=True)
class Kept:
    """The newest backup of a device, and whether it still is what our last change left behind.

    Attributes:
        drifted: None where we never changed it, or no backup was taken since.
    """

    taken_at: float
    drifted: bool | None


def newest_kept(connection: Connection) -> dict[str, Kept]:
    """Each device of which a configuration was kept."""
    last = select(func.max(applied.c.id)).group_by(applied.c.device)
    left = {
        device: (at, fingerprint)
        for device, at, fingerprint in connection.execute(
            select(applied.c.device, applied.c.at, applied.c.fingerprint).where(applied.c.id.in_(last))
        )
    }
    newest = select(func.max(backups.c.id)).group_by(backups.c.device)
    kept = {}
    for device, taken_at, fingerprint in connection.execute(
        select(backups.c.device, backups.c.taken_at, backups.c.fingerprint).where(backups.c.id.in_(newest))
    ):
        changed_at, expected = left.get(device, (None, ""))
        known = changed_at is not None and taken_at >= changed_at
        kept[device] = Kept(taken_at, fingerprint != expected if known else None)
    return kept
