"""Plans, approvals and runs as they are kept: what was planned, who agreed, what was done to which device.

A run belongs to one controller at a time. Taking it over raises its epoch; every worker checks the epoch before it
sends, so that one left over from a controller that died sends nothing more.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, Engine, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger.errors import FencedError, LedgerError
from ledger.settling import require_settled
from ledger.tables import applied, approvals, device_locks, plans, run_events, runs

APPROVED: Final = "approve"
_OLDEST_PLAN_S: Final = 30 * 86_400.0  # none lives longer: who plans reads the routers again


class RunState(StrEnum):
    RUNNING = "running"
    PAUSING = "pausing"
    """Nothing new starts until somebody resumes it."""
    STOPPING = "stopping"
    """Nothing new starts; what is under way comes to its end."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class KeptPlan:
    sha256: str
    author: str
    title: str
    made_at: float
    document: str


@dataclass(frozen=True, slots=True)
class Approval:
    account: str
    verdict: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class Run:
    id: str
    plan: str
    started_by: str
    started_at: float
    epoch: int
    state: RunState
    holder: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class RunEvent:
    """What happened in a run. ``wave`` 0 is the whole run; an empty ``device`` the wave or the run."""

    at: float
    kind: str
    wave: int
    device: str
    what: str
    detail: str


def keep_plan(connection: Connection, plan: KeptPlan) -> None:
    """Store a plan; the same document is the same plan."""
    if connection.scalar(select(plans.c.sha256).where(plans.c.sha256 == plan.sha256)) is None:
        connection.execute(
            insert(plans).values(
                sha256=plan.sha256, author=plan.author, title=plan.title, made_at=plan.made_at, document=plan.document
            )
        )


def find_plan(connection: Connection, start: str) -> KeptPlan:
    """The plan whose hash begins so.

    Raises:
        LedgerError: none does, or several do.
    """
    if not start or set(start) - set("0123456789abcdef"):
        raise LedgerError(f"{start!r} is no plan: write the hash, or its first eight digits.")
    rows = connection.execute(select(plans).where(plans.c.sha256.startswith(start)).limit(2)).all()
    if len(rows) != 1:
        raise LedgerError(f"{'No plan begins' if not rows else 'Several plans begin'} with {start}.")
    return KeptPlan(rows[0].sha256, rows[0].author, rows[0].title, rows[0].made_at, rows[0].document)


@dataclass(frozen=True, slots=True)
class WaitingPlan:
    """A plan that was neither run nor refused and is still valid."""

    sha256: str
    author: str
    title: str
    made_at: float
    approved: bool


def waiting_plans(connection: Connection, now: float) -> list[WaitingPlan]:
    """Plans that wait for an approval or for their run, the oldest first."""
    begun = select(runs.c.plan)
    rows = connection.execute(
        select(plans)
        .where(plans.c.made_at > now - _OLDEST_PLAN_S, plans.c.sha256.not_in(begun))
        .order_by(plans.c.made_at)
    ).all()
    said: dict[str, list[str]] = {}
    wanted = [row.sha256 for row in rows]
    for plan, verdict in connection.execute(
        select(approvals.c.plan, approvals.c.verdict).where(approvals.c.plan.in_(wanted)).order_by(approvals.c.id)
    ):
        said.setdefault(plan, []).append(verdict)
    found = []
    for row in rows:
        verdicts = said.get(row.sha256, [])
        refused = bool(verdicts) and verdicts[-1] != APPROVED  # the last word counts
        if not refused and float(json.loads(row.document).get("expires_at", 0.0)) > now:
            found.append(WaitingPlan(row.sha256, row.author, row.title, row.made_at, bool(verdicts)))
    return found


def approve(connection: Connection, plan: str, given: Approval) -> None:
    connection.execute(
        insert(approvals).values(
            plan=plan, account=given.account, verdict=given.verdict, reason=given.reason, at=given.at
        )
    )


def approvals_of(connection: Connection, plan: str) -> list[Approval]:
    """What was said of a plan, in order."""
    rows = connection.execute(select(approvals).where(approvals.c.plan == plan).order_by(approvals.c.id))
    return [Approval(row.account, row.verdict, row.reason, row.at) for row in rows]


def start(engine: Engine, id: str, plan: str, by: str, holder: str, now: float, seconds: float) -> Run:
    """Begin a run of a plan.

    Raises:
        LedgerError: another run of this plan has not ended.
        UnsettledError: routers of the time before a restore come first.
    """
    with engine.begin() as connection:
        require_settled(connection, now)
        open_run = select(runs).where(runs.c.plan == plan, runs.c.state != RunState.ENDED)
        other = connection.execute(open_run.limit(1)).one_or_none()
        if other is not None and other.expires_at > now:
            raise LedgerError(f"This plan is being carried out already: run {other.id}, led by {other.holder}.")
        if other is not None:
            raise LedgerError(
                f"Run {other.id} of this plan has not ended. `cuntong apply --resume {other.id}` goes on."
            )
        run = Run(id, plan, by, now, 1, RunState.RUNNING, holder, now + seconds)
        connection.execute(
            insert(runs).values(
                id=id, plan=plan, started_by=by, started_at=now, epoch=1, state=run.state, holder=holder,
                expires_at=run.expires_at,
            )
        )  # fmt: skip
    return run


def take_over(engine: Engine, id: str, holder: str, now: float, seconds: float) -> Run:
    """Become the controller of a run whose own one is gone: its epoch rises.

    Raises:
        LedgerError: no such run, it has ended, or its controller is alive.
        UnsettledError: a router may still fall back by itself after a restore.
    """
    with engine.begin() as connection:
        require_settled(connection, now, resuming=True)
        run = find_run(connection, id)
        if run.state is RunState.ENDED:
            raise LedgerError(f"Run {run.id} has ended. `cuntong runs {run.id}` shows how.")
        if run.expires_at > now and run.holder != holder:
            raise LedgerError(
                f"Run {run.id} is led by {run.holder}, whose lease runs for another {run.expires_at - now:.0f} s."
            )
        won = connection.execute(
            update(runs)
            .where(runs.c.id == run.id, runs.c.epoch == run.epoch)
            .values(epoch=run.epoch + 1, holder=holder, state=RunState.RUNNING, expires_at=now + seconds)
        )
        if won.rowcount != 1:
            raise LedgerError(f"Another controller has just taken run {run.id} over.")
        return find_run(connection, run.id)


def renew(connection: Connection, run: Run, now: float, seconds: float) -> RunState:
    """Extend the controller's lease; what the run is to do now.

    Raises:
        FencedError: another controller took the run over.
    """
    kept = connection.execute(
        update(runs).where(runs.c.id == run.id, runs.c.epoch == run.epoch).values(expires_at=now + seconds)
    )
    if kept.rowcount != 1:
        raise FencedError(f"Run {run.id} was taken over by another controller (ours was epoch {run.epoch}).")
    return find_run(connection, run.id).state


def steer(connection: Connection, run: str, state: RunState) -> None:
    """Let a run that has not ended go on, pause or stop."""
    connection.execute(update(runs).where(runs.c.id == run, runs.c.state != RunState.ENDED).values(state=state))


def find_run(connection: Connection, id: str) -> Run:
    """A run as it stands.

    Raises:
        LedgerError: no such run.
    """
    row = connection.execute(select(runs).where(runs.c.id == id)).one_or_none()
    if row is None:
        raise LedgerError(f"There is no run {id!r}. `cuntong runs` lists them.")
    return _run(row)


def every_run(connection: Connection, limit: int = 50) -> list[Run]:
    """The newest first."""
    return [_run(row) for row in connection.execute(select(runs).order_by(runs.c.started_at.desc()).limit(limit))]


def every_open(connection: Connection) -> list[Run]:
    """Those that have not ended, the oldest first."""
    return [
        _run(row)
        for row in connection.execute(select(runs).where(runs.c.state != RunState.ENDED).order_by(runs.c.started_at))
    ]


def _run(row: object) -> Run:
    r: Run = row  # type: ignore[assignment]  # a row has the columns as attributes
    return Run(r.id, r.plan, r.started_by, r.started_at, r.epoch, RunState(r.state), r.holder, r.expires_at)


_MAY_SEND = select(runs.c.epoch, runs.c.state, runs.c.expires_at).where(runs.c.id == bindparam("run"))
"""Asked before every line that is sent: built once."""


def may_send(connection: Connection, run: str, epoch: int, now: float) -> RunState:
    """What a worker of this epoch may do.

    Raises:
        FencedError: another controller leads the run, or its own one is gone.
    """
    found = connection.execute(_MAY_SEND, {"run": run}).one_or_none()
    if found is None or found.epoch != epoch:
        raise FencedError(f"Run {run} has another controller ({found and found.epoch}, ours was epoch {epoch}).")
    state = RunState(found.state)
    if found.expires_at <= now or state is RunState.ENDED:
        raise FencedError(f"The controller of run {run} is gone.")
    return state


def tell(connection: Connection, run: str, epoch: int, event: RunEvent) -> None:
    connection.execute(
        insert(run_events).values(
            run=run, epoch=epoch, at=event.at, kind=event.kind, wave=event.wave, device=event.device,
            what=event.what, detail=event.detail,
        )
    )  # fmt: skip


def events(
    connection: Connection, run: str, *, kinds: Iterable[str] = (), after: int = 0, device: str = ""
) -> list[tuple[int, RunEvent]]:
    """What happened in a run (to one device, where one is named), in order, each with its row."""
    query = select(run_events).where(run_events.c.run == run, run_events.c.id > after).order_by(run_events.c.id)
    wanted = list(kinds)
    if wanted:
        query = query.where(run_events.c.kind.in_(wanted))
    if device:
        query = query.where(run_events.c.device == device)
    return [(r.id, RunEvent(r.at, r.kind, r.wave, r.device, r.what, r.detail)) for r in connection.execute(query)]


def lock_device(
    engine: Engine, device: str, uplink: str, run: str, epoch: int, now: float, seconds: float, per_uplink: int
) -> bool:
    """Take a device for a run; False while too many beneath the same uplink are taken.

    Raises:
        LedgerError: another run holds the device.
    """
    table = device_locks.c
    with engine.begin() as connection:
        held = connection.execute(select(device_locks).where(table.device == device)).one_or_none()
        if held is not None and held.expires_at > now and (held.run, held.epoch) != (run, epoch):
            raise LedgerError(
                f"{device} is held by run {held.run} for another {held.expires_at - now:.0f} s. "
                "Wait until that run ends."
            )
        busy = connection.scalar(
            select(func.count()).where(table.uplink == uplink, table.expires_at > now, table.device != device)
        )
        if uplink and (busy or 0) >= per_uplink:
            return False
        values = {"run": run, "epoch": epoch, "uplink": uplink, "expires_at": now + seconds}
        if held is None:
            try:
                connection.execute(insert(device_locks).values(device=device, **values))
            except IntegrityError:
                raise LedgerError(f"Another run has just taken {device}.") from None
        else:
            same = (table.device == device, table.run == held.run, table.epoch == held.epoch)
            if connection.execute(update(device_locks).where(*same).values(values)).rowcount != 1:
                raise LedgerError(f"Another run has just taken {device}.")
    return True


def hold_device(connection: Connection, device: str, run: str, epoch: int, now: float, seconds: float) -> None:
    """Extend the hold on a device.

    Raises:
        FencedError: it is no longer ours.
    """
    table = device_locks.c
    mine = (table.device == device, table.run == run, table.epoch == epoch)
    if connection.execute(update(device_locks).where(*mine).values(expires_at=now + seconds)).rowcount != 1:
        raise FencedError(f"{device} is no longer held by run {run}.")


def release_device(connection: Connection, device: str, run: str, epoch: int) -> None:
    table = device_locks.c
    connection.execute(delete(device_locks).where(table.device == device, table.run == run, table.epoch == epoch))


def held_until(connection: Connection, run: str, now: float) -> float:
    """When the last device of a run that is still held comes free; ``now`` where none is."""
    table = device_locks.c
    latest = connection.scalar(select(func.max(table.expires_at)).where(table.run == run))
    return max(now, latest or now)


def note_applied(
    connection: Connection,
    device: str,
    run: str,
    plan: str,
    fingerprint: str,
    templates: str,
    standard: str,
    now: float,
) -> None:
    """What a device was left with."""
    connection.execute(
        insert(applied).values(
            device=device, at=now, run=run, plan=plan, fingerprint=fingerprint, templates=templates, standard=standard
        )
    )


def last_applied(connection: Connection) -> dict[str, str]:
    """For each device that was ever changed by us, the fingerprint that it was left with last."""
    newest = select(func.max(applied.c.id)).group_by(applied.c.device)
    rows = connection.execute(select(applied.c.device, applied.c.fingerprint).where(applied.c.id.in_(newest)))
    return {device: fingerprint for device, fingerprint in rows}
