"""``cuntong work``: does at its hour what nobody should have to be asked for, each thing a command of ours in a child.

A job is a command line, so whatever the worker does a person can do by hand, sees the same output, and leaves the
same trail. Several workers may run on one ledger: each due job is done by one of them.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Final

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from cuntong.reloading import Switchover
from cuntong.supervise import die_with_parent
from inventory.model import Inventory
from inventory.timetable import CHINA, Timetable, timetable
from ledger import jobs
from ledger.jobs import Job, Outcome, Run

log = logging.getLogger(__name__)

_LOOK_S: Final = 5.0
_LEASE_S: Final = 60.0
_RENEW_S: Final = 15.0
_GRACE_S: Final = 30.0
_LONGEST_S: Final = 6 * 3600.0
_SAID: Final = 2000  # characters of a job's output that are kept: its end, where the outcome stands


@dataclass(frozen=True, slots=True)
class Duty:
    """One kind of timed work.

    Args:
        command: what follows ``cuntong``, given the moment at which it was due and the folder for papers.
    """

    when: Timetable
    command: Callable[[datetime, Path], Sequence[str]]


def duties(inventory: Inventory) -> dict[str, Duty]:
    """What a county's worker does, by name; what is ``off``, or cannot be done there, is left out."""
    commands: dict[str, Callable[[datetime, Path], Sequence[str]]] = {
        "inspection": _inspection,
        "bulletin": _bulletin,
        "ledger": _ledger,
        "dump": _dump,
    }
    if inventory.county.network is not None:
        commands["backup"] = lambda _due, _papers: ["backup"]
    written = inventory.county.work.model_dump()
    return {
        name: Duty(timetable(written[name]), command) for name, command in commands.items() if written[name] != "off"
    }


def _inspection(due: datetime, papers: Path) -> Sequence[str]:
    day = (due.astimezone(CHINA) - timedelta(days=1)).date()
    return ["report", "daily", str(day), "-o", str(papers / f"daily-{day}.xlsx")]


def _bulletin(due: datetime, papers: Path) -> Sequence[str]:
    last = due.astimezone(CHINA).replace(day=1) - timedelta(days=1)
    month = f"{last:%Y-%m}"
    return ["report", "bulletin", month, "-o", str(papers / f"bulletin-{month}-draft.docx")]


def _ledger(due: datetime, papers: Path) -> Sequence[str]:
    month = f"{due.astimezone(CHINA):%Y-%m}"
    return ["report", "ledger", month, "-o", str(papers / f"ledger-{month}.xlsx")]


def _dump(due: datetime, papers: Path) -> Sequence[str]:
    dumps = papers.parent / "dumps"
    dumps.mkdir(mode=0o700, parents=True, exist_ok=True)
    return ["dump", str(dumps / f"{due.astimezone(CHINA):%Y-%m-%d-%H%M}.dump"), "--keep", "14"]


class Worker:
    """Takes what is due and does it, one thing after the other.

    Args:
        papers: the folder for what is written.
        environment: of the children, beside ours.
    """

    def __init__(
        self,
        engine: Engine,
        inventory: Inventory,
        papers: Path,
        environment: Mapping[str, str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine, self._inventory, self._papers, self._clock = engine, inventory, papers, clock
        self._environment = {**os.environ, **environment}
        self._holder = f"{socket.gethostname()}:{os.getpid()}"
        self._duties = duties(inventory)
        self.switchover = Switchover(engine, inventory)

    def run(self, stop: threading.Event) -> None:
        """Until told, or another inventory is in force. A ledger that does not answer is waited for."""
        self._papers.mkdir(mode=0o700, parents=True, exist_ok=True)
        declared = False
        while not stop.is_set():
            try:
                if not declared:
                    self.declare()
                    declared = True
                while not stop.is_set() and not self.switchover.look() and self.work_once(stop):
                    pass
                if self.switchover.wanted:
                    log.info("changing over to another inventory")
                    return
            except DBAPIError as error:
                log.warning("the ledger does not answer: %s", error.orig)
            stop.wait(_LOOK_S)

    def declare(self) -> None:
        """Tell the ledger what is due when."""
        now = self._moment()
        due = {name: duty.when.after(now).timestamp() for name, duty in self._duties.items()}
        jobs.declare(self._engine, self._inventory.top, due)

    def work_once(self, stop: threading.Event) -> bool:
        """Do the next thing that is due; False where nothing is."""
        job = jobs.take(self._engine, self._inventory.top, self._holder, self._clock(), _LEASE_S)
        if job is None:
            return False
        duty = self._duties[job.name]
        began = self._clock()
        log.info("%s begins", job.name)
        outcome, said = self._do(job, duty.command(datetime.fromtimestamp(job.due_at, CHINA), self._papers), stop)
        ended = self._clock()
        # What was interrupted is due still; what failed has its next try at its next hour, and is told until then.
        due = job.due_at if outcome is Outcome.INTERRUPTED else duty.when.after(self._moment()).timestamp()
        jobs.finish(self._engine, job, Run(job.name, job.due_at, began, ended, outcome, said), due)
        log.log(
            logging.INFO if outcome is Outcome.DONE else logging.WARNING,
            "%s: %s after %.0f s: %s", job.name, outcome, ended - began, said.rpartition("\n")[2],
        )  # fmt: skip
        return True

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), CHINA)

    def _do(self, job: Job, command: Sequence[str], stop: threading.Event) -> tuple[Outcome, str]:
        with tempfile.TemporaryFile() as printed:
            # The arguments are ours; nothing of them comes from a shell or a request.
            child = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "cuntong", *command],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                env=self._environment,
                preexec_fn=die_with_parent,
            )
            outcome = self._wait(child, job, stop)
            return outcome, _end_of(printed)

    def _wait(self, child: subprocess.Popen[bytes], job: Job, stop: threading.Event) -> Outcome:
        """Until it ends, holding on to the lease; ended by us when told to stop, or when another took it over."""
        since = time.monotonic()
        renewed = since
        while child.poll() is None:
            now = time.monotonic()
            if now - renewed >= _RENEW_S:
                renewed = now
                if not self._hold(job):
                    log.warning("%s was taken over by another worker", job.name)
                    stop_child(child)
                    return Outcome.INTERRUPTED
            if stop.is_set() or now - since > _LONGEST_S:
                stop_child(child)
                return Outcome.INTERRUPTED if stop.is_set() else Outcome.FAILED
            stop.wait(0.05)
        return Outcome.DONE if child.returncode == 0 else Outcome.FAILED

    def _hold(self, job: Job) -> bool:
        """Whether the job is ours still; a ledger that does not answer takes nothing away."""
        try:
            return jobs.renew(self._engine, job, self._clock(), _LEASE_S)
        except DBAPIError as error:
            log.warning("the lease of %s is not renewed: %s", job.name, error.orig)
            return True


def stop_child(child: subprocess.Popen[bytes]) -> None:
    """Ask it to end as Ctrl-C does, so that it lets armed timers resolve; insist after a while."""
    child.send_signal(signal.SIGINT)
    try:
        child.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _end_of(printed: IO[bytes]) -> str:
    size = printed.seek(0, os.SEEK_END)
    printed.seek(max(0, size - 4 * _SAID))
    return printed.read().decode("utf-8", "replace").strip()[-_SAID:]
