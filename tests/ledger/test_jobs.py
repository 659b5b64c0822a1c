"""Timed work in the ledger: each due job is done by one worker, and a dead worker's by the next."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from ledger import jobs
from ledger.database import open_ledger
from ledger.jobs import Job, Outcome, Run

COUNTY = "511825000000"


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    engine = open_ledger(ledger_url)
    jobs.declare(engine, COUNTY, {"backup": 100.0, "bulletin": 200.0})
    yield engine
    engine.dispose()


def run(job: Job, at: float, outcome: Outcome = Outcome.DONE) -> Run:
    return Run(job.name, job.due_at, at, at + 1, outcome, "said so")


def taken(engine: Engine, holder: str, now: float) -> Job:
    job = jobs.take(engine, COUNTY, holder, now, 60)
    assert job is not None
    return job


def test_what_is_due_is_done_once_among_many(engine: Engine) -> None:
    assert jobs.take(engine, COUNTY, "a", 99, 60) is None, "nothing is due yet"
    job = taken(engine, "a", 101)
    assert job.name == "backup"
    assert jobs.take(engine, COUNTY, "b", 101, 60) is None, "the other is not due"
    assert jobs.finish(engine, job, run(job, 101), 86_500.0)
    with engine.connect() as connection:
        assert [(each.name, each.due_at, each.holder) for each in jobs.of_county(connection, COUNTY)] == [
            ("bulletin", 200.0, ""),
            ("backup", 86_500.0, ""),
        ]
        assert jobs.newest_runs(connection, COUNTY) == {"backup": run(job, 101)}


def test_a_job_whose_worker_died_is_done_by_the_next_and_only_by_it(engine: Engine) -> None:
    dead = taken(engine, "a", 101)
    assert jobs.take(engine, COUNTY, "b", 160, 60) is None, "the lease still runs"
    heir = taken(engine, "b", 162)
    assert heir.name == dead.name
    assert not jobs.renew(engine, dead, 163, 60)
    assert not jobs.finish(engine, dead, run(dead, 101), 5_000.0), "who was away too long has nothing to say"
    assert jobs.renew(engine, heir, 163, 60)
    assert jobs.finish(engine, heir, run(heir, 162), 86_500.0)


def test_the_newest_success_is_remembered_over_later_failures(engine: Engine) -> None:
    good = taken(engine, "a", 101)
    jobs.finish(engine, good, run(good, 101), 102.0)
    bad = taken(engine, "a", 103)
    jobs.finish(engine, bad, run(bad, 103, Outcome.FAILED), 86_500.0)
    with engine.connect() as connection:
        assert jobs.newest_runs(connection, COUNTY)["backup"].outcome is Outcome.FAILED
        assert jobs.newest_done(connection, COUNTY)["backup"] == run(good, 101)


def test_a_worker_that_was_away_over_the_night_does_the_nights_work(engine: Engine) -> None:
    jobs.declare(engine, COUNTY, {"backup": 86_500.0, "bulletin": 150.0, "ledger": 300.0})
    with engine.connect() as connection:
        due = {job.name: job.due_at for job in jobs.of_county(connection, COUNTY)}
    assert due == {"backup": 100.0, "bulletin": 150.0, "ledger": 300.0}, "due stays due; an earlier hour holds at once"
    jobs.declare(engine, COUNTY, {"ledger": 300.0})
    with engine.connect() as connection:
        assert [job.name for job in jobs.of_county(connection, COUNTY)] == ["ledger"], "what is off is gone"


def test_a_person_brings_a_job_forward(engine: Engine) -> None:
    assert jobs.bring_forward(engine, COUNTY, "bulletin", 50.0)
    assert taken(engine, "a", 51).name == "bulletin"
    assert not jobs.bring_forward(engine, COUNTY, "nothing", 50.0)
