"""Cut the path at every step of a transaction, crash the controller at every step: where does the device end?

Claim: on VRP, Comware and FRR no device is lost and none ends between its old and its new configuration.

    python -m benchmarks.cut_the_branch [--quick]

Each run gives a fresh simulated router a change, over real SSH, and disturbs it once: its line is cut at the n-th
line that we type (the line lost, or done and its answer lost), silently or by a reset, for a moment or until after
the dead-man's deadline; or the change itself cuts the line that it came over; or the controller dies at its n-th
callback and another one resolves what it left. Printed: how many runs, how they ended, and what must be 0; a run that
ended as none may is told whole: every step, every session that failed, what happened to the router, how late we were.
"""

import argparse
import collections
import itertools
import json
import logging
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from ipaddress import IPv4Address, IPv4Interface

from benchmarks.cut_cases import CASES, PASSWORD
from rollout.change import Change, ChangeState, DeadMan, Outcome
from rollout.platform import PathClass, Platform
from rollout.router import OsTimer, Router
from rollout.running import fingerprint
from rollout.transaction import resolve, transact
from rollout.watch import Check
from simulator.routers.device import Options, RouterSpec, SimulatedRouter
from simulator.routers.fleet import Fleet, serving
from simulator.routers.reading import Path

SECRET = "canary-5b1f9c"  # noqa: S105  what the vault opens; it must appear nowhere but on the wire
MINUTE_S, BOOT_S = 4.0, 0.5
PATH = Path(manager=IPv4Address("10.0.0.9"), peers=(IPv4Interface("10.9.0.1/30"), IPv4Interface("10.9.0.5/30")))

Job = tuple[str, Callable[[], "Verdict | None"]]


_TELLING = ("dead_man", "deadline", "lines", "reason")
"""Details of a step that say why a run went as it did."""


def _ago(unix: float) -> str:
    return f"{unix - time.time():+.1f} s"


class Failures(logging.Handler):
    """Writes each action that failed into the notebook of its thread's run."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._here = threading.local()

    def into(self, told: list[tuple[float, str]]) -> None:
        self._here.told = told

    def emit(self, record: logging.LogRecord) -> None:
        told: list[tuple[float, str]] | None = getattr(self._here, "told", None)
        if told is not None:
            told.append((time.monotonic(), record.getMessage()))


FAILURES = Failures()


class Killed(BaseException):
    """The controller's process died."""


@dataclass
class Notebook:
    """A watchman that writes into memory, and dies at its n-th callback where it is told to."""

    dies_at: int = 0
    checks: Sequence[Check] = ()
    steps: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    backup: str | None = None
    calls: int = 0
    told: list[tuple[float, str]] = field(default_factory=list)
    """Each step, and each action that failed, with its moment on the monotonic clock."""
    before: Callable[[str], None] = lambda call: None
    """Called with the name of each callback before it does anything; may raise."""

    def _call(self, name: str) -> None:
        self.calls += 1
        if self.calls == self.dies_at:
            raise Killed
        self.before(name)

    def lock(self) -> AbstractContextManager[None]:
        self._call("lock")
        return nullcontext()

    def step(self, name: str, detail: Mapping[str, str]) -> None:
        self._call(f"step {name}")
        self.steps.append((name, dict(detail)))
        shown = {key: _ago(float(value)) if key == "deadline" else value for key, value in detail.items()}
        telling = " ".join(f"{key}={value}" for key, value in shown.items() if key in _TELLING)
        self.told.append((time.monotonic(), f"{name} {telling}"))

    def may_start(self) -> None:
        self._call("may_start")

    def may_go_on(self) -> None:
        self._call("may_go_on")

    def keep_backup(self, text: str) -> None:
        self._call("keep_backup")
        self.backup = text

    def kept_backup(self) -> str | None:
        return self.backup

    def recorded(self) -> Sequence[tuple[str, Mapping[str, str]]]:
        return self.steps

    def open_secret(self, reference: str) -> str:
        self._call("open_secret")
        return SECRET


@dataclass
class Bench:
    """A fleet of fresh routers, one for each run."""

    fleet: Fleet
    cases: list[str]
    _used: collections.Counter[str] = field(default_factory=collections.Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fresh(self, case: str) -> tuple[SimulatedRouter, Router]:
        """A router that nobody has touched, and how to reach it."""
        with self._lock:
            name = f"{case} {self._used[case]}"
            self._used[case] += 1
        box = self.fleet[name]
        frr = CASES[case].platform is Platform.FRR
        return box, Router(
            device=name, platform=CASES[case].platform, host=self.fleet.address(name), port=self.fleet.port,
            username="root" if frr else "ops", password=PASSWORD, enable=PASSWORD,
            host_keys=(self.fleet.host_key(name),), silence_s=1.2, connect_s=3.0, keepalive_s=1.0, minute_s=MINUTE_S,
            boot_s=6.0, retry_s=0.15,
        )  # fmt: skip


@contextmanager
def bench(runs: int, cases: Sequence[str] = tuple(CASES)) -> Iterator[Bench]:
    """Serve enough routers for so many runs of each case."""
    specs, ordinal = [], itertools.count()
    for case in cases:
        made = CASES[case]
        users = {"root": PASSWORD} if made.platform is Platform.FRR else {}
        for number in range(runs):
            specs.append(
                RouterSpec(
                    f"{case} {number}",
                    next(ordinal),
                    made.platform,
                    made.text,
                    path=PATH,
                    lacks=made.lacks,
                    users=users,
                )
            )
    with serving(specs, Options(minute_s=MINUTE_S, boot_s=BOOT_S)) as fleet:
        made_bench = Bench(fleet, list(cases))
        yield made_bench


def change_of(case: str, kind: str, router: Router, shown: str) -> Change:
    """The change of a case, planned on a running configuration with this fingerprint."""
    made = CASES[case]
    commands, rollback = made.changes[kind]
    return Change(
        router.device, made.platform, shown, commands, rollback,
        PathClass.LOCAL if made.dead_man is DeadMan.NONE else PathClass.PATH, made.dead_man,
        0 if made.dead_man is DeadMan.NONE else 1,
    )  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """How a run ended; ``wrong`` says what must not be, and is empty where all is well.

    Attributes:
        account: what happened, line by line, where something is wrong.
    """

    state: str
    wrong: str = ""
    account: tuple[str, ...] = ()


def account(box: SimulatedRouter, told: Sequence[tuple[float, str]]) -> tuple[str, ...]:
    """What we did and what happened to the router, on one clock (s since the first thing told)."""
    began = told[0][0]
    both = [(at, f"      {what}") for at, what in told] + [(at, f"box   {what}") for at, what in tuple(box.events)]
    lines = [f"{at - began:8.2f} {what}" for at, what in sorted(both) if at >= began]
    return (*lines, f"{time.monotonic() - began:8.2f} at the end: {box.state()}")


def settle(box: SimulatedRouter) -> None:
    """Wait until nothing is under way in the router any more."""
    until = time.monotonic() + 4 * MINUTE_S
    while time.monotonic() < until:
        state = box.state()
        quiet = state["up"] and state["reboot_in_minutes"] is None and state["rollback_in_minutes"] is None
        if quiet and not state["jobs"]:
            return
        time.sleep(0.05)


def judge(case: str, kind: str, box: SimulatedRouter, old: str, new: str, outcome: Outcome) -> Verdict:
    """Exactly old or exactly new, running as saved, and as the outcome says."""
    box.clear()
    settle(box)
    platform = CASES[case].platform
    mark, saved = fingerprint(platform, box.running), fingerprint(platform, box.startup)
    state = outcome.state
    if mark not in (old, new):
        return Verdict(state.value, f"between: {outcome.reason}")
    if state is ChangeState.LOST:
        return Verdict(state.value, f"lost: {outcome.reason}")
    if mark != saved:
        return Verdict(state.value, f"running is not saved: {outcome.reason}")
    if (state is ChangeState.CONFIRMED) != (mark == new):
        return Verdict(
            state.value, f"said {state.value}, and it is {'new' if mark == new else 'old'}: {outcome.reason}"
        )
    if state not in (ChangeState.CONFIRMED, ChangeState.ROLLED_BACK, ChangeState.FAILED):
        return Verdict(state.value, f"ended as {state.value}: {outcome.reason}")
    return Verdict(state.value)


def _judged(
    case: str, kind: str, box: SimulatedRouter, change: Change, new: str, outcome: Outcome, notes: Notebook
) -> Verdict:
    verdict = judge(case, kind, box, change.fingerprint, new, outcome)
    return replace(verdict, account=account(box, notes.told)) if verdict.wrong else verdict


def run_cut(place: Bench, case: str, kind: str, faults: Mapping[str, object], new: str) -> Verdict:
    """One change under one fault."""
    box, router = place.fresh(case)
    change = change_of(case, kind, router, fingerprint(router.platform, box.running))
    notes = Notebook()
    FAILURES.into(notes.told)
    notes.told.append((time.monotonic(), f"{kind}, {dict(faults)}"))
    box.inject(**faults)
    outcome = transact(change, router, notes)
    return _judged(case, kind, box, change, new, outcome, notes)


def run_crash(place: Bench, case: str, kind: str, dies_at: int, pause_s: float, new: str) -> Verdict | None:
    """One change whose controller dies at its n-th callback; None where there is no such callback."""
    box, router = place.fresh(case)
    change = change_of(case, kind, router, fingerprint(router.platform, box.running))
    first = Notebook(dies_at=dies_at)
    FAILURES.into(first.told)
    what = f"{kind}, the controller dies at callback {dies_at}, another comes {pause_s} s later"
    first.told.append((time.monotonic(), what))
    try:
        transact(change, router, first)
        return None
    except Killed:
        pass
    time.sleep(pause_s)
    second = Notebook(steps=first.steps, backup=first.backup, told=first.told)
    outcome = resolve(change, router, second)
    return _judged(case, kind, box, change, new, outcome, second)


@dataclass(frozen=True)
class Clean:
    """A run that nobody disturbed.

    Attributes:
        new: fingerprint of where it ended.
        lines: that were typed.
        callbacks: to the watchman.
    """

    new: str
    lines: int
    callbacks: int
    outcome: Outcome


def undisturbed(place: Bench, case: str, kind: str) -> Clean:
    """One change under no fault."""
    box, router = place.fresh(case)
    notes = Notebook()
    change = change_of(case, kind, router, fingerprint(router.platform, box.running))
    box.inject(cut_at=10_000)
    outcome = transact(change, router, notes)
    lines = box.lines_seen
    settle(box)
    return Clean(fingerprint(change.platform, box.running), lines, notes.calls, outcome)


def _jobs(place: Bench, case: str, kind: str, clean: Clean, new: str, step: int) -> Iterator[Job]:
    """Every run of one change: what is done to it, and the run."""
    for line in range(1, clean.lines + 1, step):
        for heal_s in (0.4, 1.5 * MINUTE_S):
            yield "silent cut", partial(run_cut, place, case, kind, {"cut_at": line, "cut_for_s": heal_s}, new)
        yield "reset", partial(run_cut, place, case, kind, {"drop_after": line}, new)
    for command in dict.fromkeys(CASES[case].changes[kind][0][::step]):
        faults = {"cut_after": rf"^\s*{command.strip().split(' secret')[0]}", "cut_for_s": 0.4}
        yield "answer lost", partial(run_cut, place, case, kind, faults, new)
    for call in range(1, clean.callbacks + 1, step):
        for pause_s in (0.0, 1.2 * MINUTE_S):
            yield "crash", partial(run_crash, place, case, kind, call, pause_s, new)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def campaign(quick: bool, only: str | None) -> int:
    """Print the table; the number of runs that ended as none may."""
    cases = [name for name in CASES if CASES[name].dead_man is not DeadMan.NONE and only in (None, name)]
    wrong = 0
    with bench(1000, cases) as place, ThreadPoolExecutor(16) as pool:
        for case in cases:
            jobs: list[Job] = []
            for kind in ("harmless", "moves", "cuts"):
                clean = undisturbed(place, case, kind)
                new, outcome = clean.new, clean.outcome
                expected = ChangeState.ROLLED_BACK if kind == "cuts" else ChangeState.CONFIRMED
                if outcome.state is not expected:
                    print(f"{case}, {kind}: undisturbed it ends {outcome.state.value}: {outcome.reason}")
                    wrong += 1
                    continue
                if kind == "cuts":
                    new = "the path does not survive the new one"
                jobs += _jobs(place, case, kind, clean, new, 4 if quick else 1)
            counts: collections.Counter[tuple[str, str]] = collections.Counter()
            for what, verdict in pool.map(lambda job: (job[0], job[1]()), jobs):
                if verdict is None:
                    continue
                counts[what, verdict.state] += 1
                if verdict.wrong:
                    wrong += 1
                    print(f"WRONG {case}, {what}: {verdict.wrong}", *verdict.account, sep="\n  ", flush=True)
            for what in dict.fromkeys(kind for kind, _ in counts):
                ends = ", ".join(f"{count} {state}" for (kind, state), count in sorted(counts.items()) if kind == what)
                total = sum(count for (kind, _), count in counts.items() if kind == what)
                print(f"{case:<24}{what:<12}{total:>5} runs: {ends}", flush=True)
    return wrong


@contextmanager
def lateness() -> Iterator[list[float]]:
    """How late (s, at most) this process woke up: routers and controllers live in it, by budgets of seconds."""
    worst, over = [0.0], threading.Event()

    def look() -> None:
        while True:
            before = time.monotonic()
            if over.wait(0.1):
                return
            worst[0] = max(worst[0], time.monotonic() - before - 0.1)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield worst
    finally:
        over.set()
        watcher.join()


_CHANGES = 20


def cost() -> None:
    """CPU of our side of one undisturbed change; the routers are simulated by this process, so another one changes."""
    for case in CASES:
        with bench(_CHANGES, [case]) as place:
            routers = []
            for _ in range(_CHANGES):
                box, router = place.fresh(case)
                routers.append((asdict(router), fingerprint(router.platform, box.running)))
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.cut_the_branch", "--change", case],
                input=json.dumps(routers), text=True, capture_output=True, check=True,
            )  # fmt: skip
            print(f"one change of a router, {case:<24}{done.stdout.strip()}", flush=True)


def change_these(case: str) -> None:
    """Change the routers that are named on standard input, one after the other; print what one took."""
    cpu_s, wall_s = [], []
    for fields, shown in json.load(sys.stdin):
        router = Router(
            **{**fields, "platform": Platform(fields["platform"]), "os_timer": OsTimer(fields["os_timer"]),
               "host_keys": tuple(fields["host_keys"])}
        )  # fmt: skip
        change = change_of(case, "harmless", router, shown)
        before, began = _cpu_s(), time.monotonic()
        outcome = transact(change, router, Notebook())
        cpu_s.append(_cpu_s() - before)
        wall_s.append(time.monotonic() - began)
        assert outcome.state is ChangeState.CONFIRMED, outcome  # noqa: S101
    print(f"{statistics.median(cpu_s) * 1000:5.0f} ms CPU, {statistics.median(wall_s) * 1000:5.0f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=[name for name in CASES if CASES[name].dead_man is not DeadMan.NONE])
    parser.add_argument("--quick", action="store_true", help="every fourth step")
    parser.add_argument("--change", choices=CASES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.change:
        change_these(arguments.change)
        sys.exit()
    print(f"cut the branch, on {os.cpu_count()} cores; a device's minute lasts {MINUTE_S} s")
    failed = logging.getLogger("rollout.transaction")
    failed.setLevel(logging.DEBUG)
    failed.addHandler(FAILURES)
    began = time.monotonic()
    with lateness() as late:
        bad = campaign(arguments.quick, arguments.case)
    cost()
    print(
        f"runs that were lost, or between old and new: {bad} (must be 0); {time.monotonic() - began:.0f} s; this "
        f"process was late by {late[0]:.1f} s at most (a busy machine: above 1 s `lost` says nothing of the code)"
    )
    sys.exit(bad > 0)
