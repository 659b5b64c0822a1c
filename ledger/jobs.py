"""Timed work: who does a thing that is due, once among many workers, and what came of it (decision D18).

A job is taken by a conditional update and held by a lease that its worker renews. A worker that dies lets the lease
run out; the next one finds the job due still and does it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Engine, Update, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger.work_tables import job_runs, jobs


class Outcome(StrEnum):
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # the worker was told to stop


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of timed work. ``holder`` is empty while nobody does it; times are Unix seconds."""

    county: str
    name: str
    due_at: float
    epoch: int
    holder: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Run:
    """One run that ended. ``said`` is the end of what it printed."""

    name: str
    due_at: float
    began_at: float
    ended_at: float
    outcome: Outcome
    said: str


def declare(engine: Engine, county: str, due: Mapping[str, float]) -> None:
    """Let the ledger know these jobs, and no others, of a county.

    What is due already stays due: a worker that was away over the night does the night's work when it is back. A later
    moment follows the timetable as it is written now.

    Args:
        due: by job the first due moment after now.
    """
    with engine.begin() as connection:
        known = {job.name: job for job in _of(connection, county)}
        for name, at in due.items():
            job = known.pop(name, None)
            if job is None:
                row = {"county": county, "job": name, "due_at": at, "epoch": 0, "holder": "", "expires_at": 0.0}
                try:
                    with connection.begin_nested():
                        connection.execute(insert(jobs).values(row))
                except IntegrityError:
                    continue  # another worker declares the same
            elif job.due_at > at:
                connection.execute(_row(job).values(due_at=at))
        for gone in known.values():
            connection.execute(
                jobs.delete().where(jobs.c.county == county, jobs.c.job == gone.name, jobs.c.epoch == gone.epoch)
            )


def take(engine: Engine, county: str, holder: str, now: float, seconds: float) -> Job | None:
    """The job that is due longest and that nobody does, now ours for ``seconds``; None where there is none."""
    with engine.begin() as connection:
        for job in sorted(_of(connection, county), key=lambda job: job.due_at):
            if job.due_at > now or job.expires_at > now:
                continue
            taken = Job(county, job.name, job.due_at, job.epoch + 1, holder, now + seconds)
            values = {"epoch": taken.epoch, "holder": holder, "expires_at": taken.expires_at}
            if connection.execute(_row(job).values(values)).rowcount == 1:
                return taken
    return None


def renew(engine: Engine, job: Job, now: float, seconds: float) -> bool:
    """Hold on to a job; False where another worker has it."""
    with engine.begin() as connection:
        return connection.execute(_row(job).values(expires_at=now + seconds)).rowcount == 1


def finish(engine: Engine, job: Job, run: Run, next_due: float) -> bool:
    """Keep what came of it and let it go until the next time; False, and nothing is kept, where another has it."""
    with engine.begin() as connection:
        freed = connection.execute(_row(job).values(holder="", expires_at=0.0, due_at=next_due))
        if freed.rowcount != 1:
            return False
        connection.execute(
            insert(job_runs).values(
                county=job.county, job=run.name, due_at=run.due_at, began_at=run.began_at, ended_at=run.ended_at,
                outcome=run.outcome, said=run.said,
            )
        )  # fmt: skip
        return True


def bring_forward(engine: Engine, county: str, name: str, now: float) -> bool:
    """Make a job due now; False where the county has no such job."""
    with engine.begin() as connection:
        return connection.execute(
            update(jobs).where(jobs.c.county == county, jobs.c.job == name).values(due_at=now)
        ).rowcount == 1  # fmt: skip


def of_county(connection: Connection, county: str) -> list[Job]:
    """Every job of a county, the next one first."""
    return sorted(_of(connection, county), key=lambda job: job.due_at)


def newest_runs(connection: Connection, county: str) -> dict[str, Run]:
    """By job its newest run."""
    return _runs(connection, county, None)


def newest_done(connection: Connection, county: str) -> dict[str, Run]:
    """By job its newest run that did what it should."""
    return _runs(connection, county, Outcome.DONE)


def _runs(connection: Connection, county: str, outcome: Outcome | None) -> dict[str, Run]:
    newest = select(func.max(job_runs.c.id)).where(job_runs.c.county == county).group_by(job_runs.c.job)
    if outcome is not None:
        newest = newest.where(job_runs.c.outcome == outcome)
    rows = connection.execute(select(job_runs).where(job_runs.c.id.in_(newest)))
    return {
        row.job: Run(row.job, row.due_at, row.began_at, row.ended_at, Outcome(row.outcome), row.said) for row in rows
    }


def _of(connection: Connection, county: str) -> list[Job]:
    rows = connection.execute(select(jobs).where(jobs.c.county == county))
    return [Job(row.county, row.job, row.due_at, row.epoch, row.holder, row.expires_at) for row in rows]


def _row(job: Job) -> Update:
    """The row, if nobody took it since."""
    return update(jobs).where(jobs.c.county == job.county, jobs.c.job == job.name, jobs.c.epoch == job.epoch)
