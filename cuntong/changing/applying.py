"""``cuntong apply``: leads a run through its waves. Each wave is one ansible-runner run of a playbook.

The controller sends nothing to devices. It holds the run's lease, starts Ansible for one wave after the other, reads
from the ledger what the workers wrote, and decides by our own measured health whether the next wave may start.
"""

import json
import os
import re
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final

import ansible_runner
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from cuntong.changing import gates, lines
from cuntong.changing.outcomes import begun, outcomes
from cuntong.changing.planning import PLAYBOOKS
from cuntong.changing.reach import environment
from cuntong.settings import Settings
from inventory.model import Inventory
from ledger import audit, rollouts
from ledger.errors import FencedError, LedgerError
from ledger.rollouts import Run, RunEvent, RunState
from rollout.change import ChangeState, Outcome
from rollout.plan import Plan, PlannedWave

LEASE_S: Final = 15.0
_RENEW_S: Final = 2.0
_LOOK_S: Final = 0.5
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")

Tell = Callable[[RunEvent], None]
"""Hears what happens, for progress on a screen."""


@dataclass(frozen=True)
class Result:
    """How a run ended. ``stopped`` is one sentence, empty where every wave went through."""

    run: str
    outcomes: Mapping[str, Outcome]
    stopped: str

    @property
    def ok(self) -> bool:
        return not self.stopped and all(one.state is ChangeState.CONFIRMED for one in self.outcomes.values())


def new_run_id(now: float) -> str:
    """Sortable by time, and no two alike: ``20261121-2130-4f2a``."""
    return time.strftime("%Y%m%d-%H%M", time.gmtime(now)) + f"-{secrets.token_hex(2)}"


class Controller:
    """Leads one run. ``lead`` is called once, from the main thread."""

    def __init__(
        self,
        inventory: Inventory,
        settings: Settings,
        engine: Engine,
        plan: Plan,
        run: Run,
        tell: Tell,
        *,
        blind: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._inventory, self._settings, self._engine = inventory, settings, engine
        self._plan, self._run, self._tell, self._blind, self._clock = plan, run, tell, blind, clock
        self._state = RunState.RUNNING
        self._fenced = threading.Event()
        self._over = threading.Event()

    def lead(self) -> Result:
        """Go through the waves that have not ended yet.

        Raises:
            FencedError: another controller took the run over.
            LedgerError: the ledger cannot be written any more. Workers then send nothing more either, and what is
                armed on devices brings them back.
        """
        try:
            return self._led()
        except DBAPIError as error:
            raise LedgerError(
                f"The ledger stopped working ({error.orig}), and run {self._run.id} with it; devices that were under "
                f"way finish, or come back by themselves. Mend it, then `cuntong apply --resume {self._run.id}`."
            ) from None

    def _led(self) -> Result:
        renewer = threading.Thread(target=self._renew, daemon=True)
        renewer.start()
        try:
            with self._stops_on_interrupt():
                stopped = self._waves()
        finally:
            self._over.set()
            renewer.join()
        if self._fenced.is_set():
            raise FencedError(f"Run {self._run.id} was taken over by another controller.")
        self._say("ended", 0, "", stopped or "done", "")
        with self._engine.begin() as connection:
            rollouts.steer(connection, self._run.id, RunState.ENDED)
            audit.record(connection, self._clock(), self._run.started_by, "run.end", self._run.id, {"why": stopped})
        return Result(self._run.id, self._outcomes(), stopped)

    def _waves(self) -> str:
        """Why the run stopped; empty where it did not."""
        for number, wave in enumerate(self._plan.waves, 1):
            done = self._outcomes()
            left = [device for device in wave.devices if device not in done]
            stopped = self._hold() or (self._wave(number, wave, left) if left else "")
            if stopped:
                self._say("stopped", number, "", "stopped", stopped)
                return stopped
        return ""

    def _wave(self, number: int, wave: PlannedWave, left: Sequence[str]) -> str:
        with self._engine.connect() as connection:
            began = begun(connection, self._run.id)
        if why := self._barred([device for device in left if device not in began]):
            # What an earlier controller began is settled all the same; nothing else is sent.
            if settled := [device for device in left if device in began]:
                self._ansible(number, settled)
            return why
        self._say("wave", number, "", "started", f"{wave.title}: {len(left)}")
        sites = self._sites_of(wave.devices)
        before = self._measured(sites)
        failed = self._ansible(number, left)
        ended = self._clock()
        done = self._outcomes()
        missing = [device for device in left if device not in done]
        stopped = self._judge({device: done[device] for device in wave.devices if device in done})
        if not stopped and missing and self._state is RunState.RUNNING:
            # Ansible ended without a word on them: what it said is all there is to tell.
            stopped = f"{len(missing)} of wave {number} came to no end ({failed or 'no reason given'})."
        return stopped or self._gate(number, before, sites, ended) or self._soak(number, before, sites, ended)

    def _barred(self, devices: Sequence[str]) -> str:
        """Why a site would lose the line that it has; empty where none does."""
        measure = lines.Measure(self._settings.line_proof_s, self._settings.interval_s)
        with self._engine.connect() as connection:
            reasons = lines.barred(connection, self._inventory, self._plan, devices, measure, self._clock())
        return next(iter(reasons.values()), "")

    def _judge(self, done: Mapping[str, Outcome]) -> str:
        rules = self._plan.terms.stop
        lost = sorted(id for id, one in done.items() if one.state is ChangeState.LOST)
        back = sorted(id for id, one in done.items() if one.state is not ChangeState.CONFIRMED)
        if len(lost) >= rules.lost:
            return f"{', '.join(lost)} did not come back."
        if len(back) >= rules.rolled_back:
            return f"{len(back)} of this wave were not changed: {', '.join(back[:5])}: {done[back[0]].reason}"
        if len(done) >= rules.sample and len(back) > rules.rolled_back_ratio * len(done):
            return f"{len(back)} of {len(done)} were not changed: {', '.join(back)}: {done[back[0]].reason}"
        if back and len(done) == 1:
            return f"{back[0]} was not changed: {done[back[0]].reason}"  # a wave of one that fails has failed
        return ""

    def _gate(self, number: int, before: gates.Health, sites: Sequence[str], since: float) -> str:
        """Wait until every site was asked after the change, then compare."""
        if self._blind:
            return ""
        interval = self._settings.interval_s
        deadline = self._clock() + gates.CYCLES * interval + LEASE_S
        while (now := self._measured(sites)).until < since + interval:
            if self._clock() > deadline:
                return f"Nobody has measured the sites of wave {number} since it ended: the collector is silent."
            if self._pause():
                return self._why()
        return self._compare(number, before, now, "gate")

    def _soak(self, number: int, before: gates.Health, sites: Sequence[str], since: float) -> str:
        if number == len(self._plan.waves) or self._blind:
            return ""
        while self._clock() < since + self._plan.terms.soak_s:
            worse = self._compare(number, before, self._measured(sites), "")
            if worse or self._pause():
                return worse or self._why()
        return ""

    def _compare(self, number: int, before: gates.Health, now: gates.Health, say: str) -> str:
        worse = now.worse_than(before)
        if len(worse) >= self._plan.terms.stop.worse:
            return f"Reachable before wave {number} and not after it: {', '.join(worse)}."
        if say:
            good = sum(verdict == "yes" for verdict in now.reachable.values())
            self._say("gate", number, "", "open", f"{good} of {len(now.reachable)} measured sites are reachable")
        return ""

    def _hold(self) -> str:
        """Wait while the run is paused; why it is to stop, if it is."""
        closes = self._plan.terms.closes_at
        if closes is not None and self._clock() >= closes:
            return "The change window has closed."
        while self._state is RunState.PAUSING:
            if self._pause():
                return self._why()
        return self._why()

    def _why(self) -> str:
        if self._fenced.is_set():
            return "Another controller took the run over."
        return "Stopped by the operator." if self._state is RunState.STOPPING else ""

    def _pause(self) -> bool:
        """A short wait; True when the run is to end."""
        self._fenced.wait(_LOOK_S)
        return self._fenced.is_set() or self._state is RunState.STOPPING

    def _ansible(self, number: int, devices: Sequence[str]) -> str:
        """Run the playbook on these devices; what Ansible said where it failed."""
        with private_folder() as folder:
            limit = folder / "devices"
            limit.write_text("\n".join(devices) + "\n", "utf-8")
            source = folder / "county.cuntong.yml"
            county = json.dumps(str(self._inventory.folder.resolve()))
            source.write_text(f"plugin: cuntong\nfolder: {county}\n", "utf-8")
            said: list[str] = []
            ended = ansible_runner.run(
                private_data_dir=str(folder),
                project_dir=str(PLAYBOOKS),
                ident=f"{self._run.id}-{self._run.epoch}-{number}",
                playbook="extranet_link.yml",
                inventory=str(source),
                limit=f"@{limit}",
                forks=self._plan.terms.parallel,
                extravars={"cuntong_run": self._run.id, "cuntong_epoch": self._run.epoch},
                envvars=envvars(self._settings, self._inventory.folder, folder) | {"CUNTONG_RUN": self._run.id},
                event_handler=lambda event: self._hear(event, said),
                cancel_callback=lambda: False,  # else ansible-runner takes the signals, and kills what is under way
                suppress_env_files=True,
                quiet=True,
            )
            if not said and ended.status != "successful":
                # Ansible did not get as far as a device: its own words, without the colours.
                written = _COLOURS.sub("", ended.stdout.read()).strip().splitlines()
                said = [f"ansible-playbook {ended.status}: {' '.join(written[-3:])}"]
            return said[-1] if said else ""

    def _hear(self, event: Mapping[str, Any], said: list[str]) -> bool:
        """Pass on what a device came to; True keeps the event, which ansible-runner counts by."""
        data = event.get("event_data", {})
        if event.get("event") in ("runner_on_failed", "runner_on_unreachable"):
            said.append(str(data.get("res", {}).get("msg", "")))
        if event.get("event", "").startswith("runner_on_") and event["event"] != "runner_on_start":
            result = data.get("res", {})
            state, reason = result.get("cuntong_state"), result.get("cuntong_reason", "")
            if state:
                number = self._plan.wave_of(data["host"])
                self._tell(RunEvent(self._clock(), "device", number, data["host"], state, reason))
        return True

    def _renew(self) -> None:
        while not self._over.wait(_RENEW_S):
            try:
                with self._engine.begin() as connection:
                    self._state = rollouts.renew(connection, self._run, self._clock(), LEASE_S)
            except FencedError:
                self._fenced.set()
                return
            except DBAPIError:
                continue  # it may come back before the lease is over; if it does not, the workers stop by themselves

    @contextmanager
    def _stops_on_interrupt(self) -> Iterator[None]:
        """Ctrl-C starts nothing new and lets what is under way come to its end."""

        def stop(_number: int, _frame: FrameType | None) -> None:
            first, self._state = self._state is not RunState.STOPPING, RunState.STOPPING
            if first:
                threading.Thread(target=self._steer_to_stop).start()

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _steer_to_stop(self) -> None:
        with suppress(DBAPIError):  # said or not: this controller starts nothing new
            with self._engine.begin() as connection:
                rollouts.steer(connection, self._run.id, RunState.STOPPING)
            self._say("stopping", 0, "", "interrupted", "nothing new starts; what is under way comes to its end")

    def _measured(self, sites: Sequence[str]) -> gates.Health:
        with self._engine.connect() as connection:
            return gates.measured(connection, sites)

    def _sites_of(self, devices: Sequence[str]) -> list[str]:
        """The sites of these devices and every site below them."""
        inventory = self._inventory
        own = {inventory.devices.find(device).site for device in devices}
        found = set(own)
        for site in range(len(inventory.sites)):
            trail = list(inventory.site_uplinks(site))
            while trail:
                above = trail.pop()
                if above in own:
                    found.add(site)
                    break
                trail += inventory.site_uplinks(above)
        return [inventory.sites.ids[site] for site in sorted(found)]

    def _outcomes(self) -> dict[str, Outcome]:
        with self._engine.connect() as connection:
            return outcomes(rollouts.events(connection, self._run.id, kinds=["device"]))

    def _say(self, kind: str, wave: int, device: str, what: str, detail: str) -> None:
        event = RunEvent(self._clock(), kind, wave, device, what[:48], detail)
        with self._engine.begin() as connection:
            rollouts.tell(connection, self._run.id, self._run.epoch, event)
        self._tell(event)


def envvars(settings: Settings, folder: Path, private: Path) -> dict[str, str]:
    """What ansible-playbook is started with; what it writes by itself goes where all of the run's files go."""
    told = environment(settings, folder)
    return {
        **{name: value for name, value in told.items() if name.startswith("CUNTONG_")},
        "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"),
        "ANSIBLE_HOME": str(private / "home"),
        "ANSIBLE_LOCAL_TEMP": str(private / "temp"),
        "LC_ALL": "C.UTF-8",  # Ansible refuses to start in a locale that is not UTF-8
        # ansible-playbook stands beside the Python that runs this, also where no virtual environment was activated.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    }


_RUN_FOLDER: Final = "cuntong-run-"


@contextmanager
def private_folder() -> Iterator[Path]:
    """What ansible-runner writes, in memory where there is such a place, and gone afterwards."""
    memory = Path("/dev/shm")  # noqa: S108  ours alone: mkdtemp makes it 0700 under a random name
    place = memory if memory.is_dir() else Path(tempfile.gettempdir())
    _sweep(place)
    folder = Path(tempfile.mkdtemp(prefix=f"{_RUN_FOLDER}{os.getpid()}-", dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(place: Path) -> None:
    """Remove what controllers that were killed left behind."""
    for folder in place.glob(f"{_RUN_FOLDER}*"):
        pid = folder.name.removeprefix(_RUN_FOLDER).partition("-")[0]
        with suppress(OSError):
            if folder.stat().st_uid == os.getuid() and not Path("/proc", pid).exists():
                shutil.rmtree(folder, ignore_errors=True)
