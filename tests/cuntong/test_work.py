"""``cuntong work``: real children on a real ledger, interrupted and failing."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from cuntong.demo import EXAMPLE
from cuntong.work import Duty, Worker, duties
from inventory.model import Inventory
from inventory.timetable import CHINA, timetable
from ledger import jobs
from ledger.database import open_ledger, sqlite_url
from ledger.jobs import Outcome, Run

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command

NIGHT = datetime(2026, 12, 1, 6, 0, tzinfo=CHINA)


@pytest.fixture
def engine(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    url = sqlite_url(home / "ledger.sqlite3")
    monkeypatch.setenv("CUNTONG_LEDGER", url)
    engine = open_ledger(url)
    yield engine
    engine.dispose()


class Clock:
    def __init__(self) -> None:
        self.now = NIGHT.timestamp() - 1

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def worker(engine: Engine, example: Inventory, home: Path) -> Worker:
    (home / "papers").mkdir()
    worker = Worker(engine, example, home / "papers", {"CUNTONG_INVENTORY": str(EXAMPLE)}, Clock())
    worker.declare()
    return worker


def only(worker: Worker, name: str, command: Callable[[datetime, Path], Sequence[str]]) -> None:
    worker._duties = {name: Duty(timetable("06:00"), command)}
    worker.declare()
    worker._clock.now += 2  # type: ignore[attr-defined]


def newest(engine: Engine, example: Inventory) -> dict[str, Run]:
    with engine.connect() as connection:
        return jobs.newest_runs(connection, example.top)


def test_the_first_of_a_month_brings_a_draft_of_the_last_months_bulletin(
    worker: Worker, engine: Engine, example: Inventory, home: Path, cuntong: "Command"
) -> None:
    only(worker, "bulletin", duties(example)["bulletin"].command)
    assert worker.work_once(threading.Event())
    draft = home / "papers" / "bulletin-2026-11-draft.docx"
    assert draft.stat().st_size > 5_000
    told = newest(engine, example)["bulletin"]
    assert (told.outcome, told.due_at) == (Outcome.DONE, NIGHT.timestamp())
    assert "bulletin-2026-11-draft.docx" in told.said
    assert not worker.work_once(threading.Event()), "it is done until tomorrow"
    (row,) = json.loads(cuntong("jobs", EXAMPLE, "--json").out)
    assert (row["job"], row["outcome"], row["due"]) == ("bulletin", "done", "2026-12-02 06:00")


def test_a_job_that_fails_says_why_and_is_due_at_its_next_hour(
    worker: Worker, engine: Engine, example: Inventory, cuntong: "Command"
) -> None:
    only(worker, "backup", duties(example)["backup"].command)  # nobody is logged in here
    assert worker.work_once(threading.Event())
    told = newest(engine, example)["backup"]
    assert told.outcome is Outcome.FAILED
    assert "cuntong login" in told.said
    assert "2026-12-02 06:00" in cuntong("jobs", EXAMPLE).out
    assert cuntong("jobs", EXAMPLE, "--run", "nothing").code == 2
    assert cuntong("jobs", EXAMPLE, "--run", "backup").code == 0
    assert "2026-12-02 06:00" not in cuntong("jobs", EXAMPLE).out


def test_what_a_signal_interrupts_is_due_still(worker: Worker, engine: Engine, example: Inventory, home: Path) -> None:
    only(worker, "long", lambda _due, _papers: ["collect", str(EXAMPLE), "--simulated", "9", "--port", "0"])
    stop = threading.Event()
    threading.Timer(1.5, stop.set).start()
    assert worker.work_once(stop)
    assert newest(engine, example)["long"].outcome is Outcome.INTERRUPTED
    with engine.connect() as connection:
        (job,) = jobs.of_county(connection, example.top)
    assert (job.due_at, job.holder) == (NIGHT.timestamp(), "")


def test_a_county_without_network_has_no_backups_and_what_is_off_is_left_to_people(example: Inventory) -> None:
    assert set(duties(example)) == {"backup", "bulletin", "inspection", "ledger"}
    due = datetime(2026, 3, 1, 6, 0, tzinfo=CHINA)
    assert duties(example)["inspection"].command(due, Path("p"))[2] == "2026-02-28"
    assert duties(example)["bulletin"].command(due, Path("p"))[2] == "2026-02"
