"""One simulated router: running and startup configuration, files, timers, and whether anything gets through to it."""

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

from rollout.platform import Platform
from simulator.routers import ciphers
from simulator.routers.editing import Done, Editor, Place, Refused
from simulator.routers.faults import RouterFaults
from simulator.routers.language import Language, language
from simulator.routers.reading import Path, Reading
from simulator.routers.scheduler import Scheduler
from simulator.routers.timers import Timer, Timers
from simulator.routers.tree import Tree

_MOST_COMMANDS: Final = 10_000
_MOST_EVENTS: Final = 400


@dataclass(frozen=True)
class Options:
    """What all routers of a fleet have in common.

    Args:
        minute_s: seconds that a minute of a device's timers lasts.
        boot_s: seconds that a reboot takes, scaled by nothing.
        rate_bit_s: of each session, in both directions; 0 for no limit.
        delay_s: added to everything that travels, one way.
        when_silent: what a new connection to a box that cannot be reached meets: ``refuse`` ends it at once, which is
            quick for tests; ``hang`` takes it and never says a word, as a dead line does but for the TCP handshake.
        restless: ciphers that can be read back are written anew on every display.
        seed: of the host keys.
        lines: of a screen, before paging is switched off.
    """

    minute_s: float = 60.0
    boot_s: float = 90.0
    rate_bit_s: float = 0.0
    delay_s: float = 0.0
    when_silent: Literal["refuse", "hang"] = "refuse"
    restless: bool = False
    seed: str = "cuntong"
    lines: int = 24


@dataclass(frozen=True)
class RouterSpec:
    """One router.

    Args:
        ordinal: gives its address, see `simulator.dial`.
        text: its startup configuration, or what makes it when it is first needed.
        users: of a Linux box's login, to their passwords; the other platforms have them in the configuration.
        keys: users to the OpenSSH public keys (lines) that let them in.
        path: how the manager reaches it; None: always.
        lacks: what this release does not have: ``commit_delay``, ``scheduler_job``, ``schedule_reboot``, ``systemd``.
    """

    device_id: str
    ordinal: int
    platform: Platform
    text: str | Callable[[], str]
    model: str = ""
    serial: str = ""
    users: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    path: Path | None = None
    lacks: frozenset[str] = frozenset()
    ports: tuple[str, ...] = ()


class SimulatedRouter:
    """One box; `simulator.routers.fleet` makes them and lets them answer."""

    def __init__(self, spec: RouterSpec, options: Options, timers: Timers) -> None:
        self.spec, self.options, self.timers = spec, options, timers
        self.faults = RouterFaults()
        self.reboots = 0
        self.key_generation = 0
        """Counts up when the box is replaced: it then shows another host key."""
        self.commands: list[str] = []
        """Configuration lines and commands that were taken, oldest first; secrets as ciphertext."""
        self.events: deque[tuple[float, str]] = deque(maxlen=_MOST_EVENTS)
        """What happened to it and when, on its own clock: sessions, lines, cuts, timers; the newest, oldest first."""
        self.logins = 0
        self.up = True
        self.outside: Callable[[int], bool] | None = None
        """Whether the network leads to the box at all; asked with its ordinal. None: it does."""
        self.files: dict[str, str] = {}
        self._texts: tuple[Tree, Tree] | None = None
        self._reading: Reading | None = None
        self._watchers: set[Callable[[], None]] = set()
        self.lines_seen = 0
        """Lines that arrived over all sessions, counted anew from each ``cut_at`` that is injected."""
        self._reboot: Timer | None = None
        self._rollback: tuple[Timer, Tree] | None = None
        self._jobs: dict[str, Timer] = {}
        self._heal: Timer | None = None
        self._booted = timers.now()
        self._scheduler = Scheduler(self)
        self.holder: tuple[object, str] | None = None
        """VRP: the session (and its user) that locked the configuration for itself."""
        self.configuring: dict[object, str] = {}
        """Linux: sessions that stand in vtysh, to their user, age and command as ``ps`` shows them."""

    def happened(self, what: str) -> None:
        """Keep an event."""
        self.events.append((self.timers.now(), what))

    def forget(self, session: object) -> None:
        """A session ended, and what it held with it."""
        self.configuring.pop(session, None)
        if self.holder is not None and self.holder[0] is session:
            self.holder = None

    @property
    def language(self) -> Language:
        return language(self.spec.platform)

    @property
    def editor(self) -> Editor:
        return _editor(self.spec.platform)

    @property
    def ports(self) -> tuple[str, ...]:
        return self.spec.ports or tuple(self.language.ports)

    @property
    def name(self) -> str:
        """What its prompt shows."""
        start = f"{self.language.name} "
        named = next((line for line in self.tree if line.startswith(start)), "")
        return named.removeprefix(start) or self.language.unnamed

    @property
    def tree(self) -> Tree:
        """The running configuration; changed only through this class."""
        return self._trees()[0]

    @property
    def running(self) -> str:
        """The running configuration as the box prints it."""
        return self.text_of(self.tree)

    @property
    def startup(self) -> str:
        """The configuration that it boots with."""
        return self.text_of(self._trees()[1])

    @property
    def unsaved(self) -> bool:
        running, saved = self._trees()
        return self.editor.show(running) != self.editor.show(saved)

    @property
    def reading(self) -> Reading:
        if self._reading is None:
            self._reading = Reading(self.language, self.tree)
        return self._reading

    @property
    def reachable(self) -> bool:
        """Whether packets get from the manager to the box and back, now."""
        return self.leads and (self.outside is None or self.outside(self.spec.ordinal))

    @property
    def leads(self) -> bool:
        """The box's own part in that: it is up, not cut off, and its configuration keeps the way open."""
        if not self.up or self.faults.cut:
            return False
        return self.spec.path is None or self.reading.reaches(self.spec.path)

    @property
    def takes_sessions(self) -> bool:
        """Whether a new SSH session would be taken."""
        path = self.spec.path
        if self.spec.platform is Platform.FRR:  # its sshd is the operating system's, no part of what FRR configures
            return self.reachable
        return self.reachable and self.reading.serves_ssh(path.manager if path is not None else None)

    @property
    def uptime_s(self) -> float:
        return self.timers.now() - self._booted

    def accepts(self, user: str, password: str) -> bool:
        """Whether this login is let in; ``password`` is plain."""
        if self.spec.platform is Platform.FRR:
            return self.spec.users.get(user) == password
        return self.reading.accepts(user, password)

    def knows(self, user: str) -> bool:
        """Whether there is such a user who may log in at all."""
        if self.spec.platform is Platform.FRR:
            return user in self.spec.users or user in self.spec.keys
        return user in self.reading.users and self.reading.may_log_in(user)

    def text_of(self, tree: Tree) -> str:
        """A configuration as the box prints it, head and last line included."""
        lines = self.editor.show(tree)
        if self.options.restless:
            lines = [ciphers.again(line) for line in lines]
        else:
            lines = [ciphers.again(line) if line.startswith(" pin verify") else line for line in lines]
        fields = {**self.fields, "name": self.name}
        head = [line.format(**fields, bytes=sum(map(len, lines)) + len(lines)) for line in self.language.head]
        return "\n".join([*head, *lines, self.language.last]) + "\n"

    @cached_property
    def fields(self) -> dict[str, str]:
        """What its texts may mention: model, release, serial number."""
        models = self.language.models
        serial = self.spec.serial or f"CT{self.spec.ordinal:010d}"
        return {**models.get(self.spec.model, models["default"]), "serial": serial}

    # What happens to it.

    def inject(self, **faults: object) -> None:
        """Put faults in force, see `RouterFaults`.

        Raises:
            SimulationError: there is no such fault.
        """
        self.faults = self.faults.with_faults(faults)
        if "cut_at" in faults:
            self.lines_seen = 0
        if faults.get("cut"):
            self._cut()
        self._look()

    def clear(self, *names: str) -> None:
        """End faults; without names, all.

        Raises:
            SimulationError: there is no such fault.
        """
        if self.faults.cut and (not names or "cut" in names):
            self.happened("no longer cut")
        self.faults = self.faults.without(*names)
        self._look()

    def replace_box(self) -> None:
        """Another box of the same kind in its place: the same startup configuration, another host key."""
        self.key_generation += 1
        self.reboot()

    def watch(self, look: Callable[[], None]) -> Callable[[], None]:
        """Call ``look`` whenever reachability may have changed; returns what ends that."""
        self._watchers.add(look)
        return lambda: self._watchers.discard(look)

    def line_arrives(self, line: str) -> bool:
        """A typed line reaches the box, before it does anything; False where a fault has it lost."""
        self.lines_seen += 1
        faults = self.faults
        if (faults.cut_at and self.lines_seen >= faults.cut_at) or _found(faults.cut_before, line):
            self._cut()
            return False
        return True

    def line_done(self, line: str) -> None:
        """A typed line was done; its answer is about to leave."""
        if _found(self.faults.cut_after, line):
            self._cut()

    def enter(self, place: Place, line: str) -> Done | Refused:
        """A configuration line."""
        outcome = self.editor.enter(self.tree, place, line, self.ports)
        if isinstance(outcome, Done):
            self.note(self.editor.sealed(line))
            self._changed()
        return outcome

    def note(self, line: str) -> None:
        """Keep a line in the log of what was taken."""
        if len(self.commands) < _MOST_COMMANDS:
            self.commands.append(line)

    def save(self, name: str = "") -> bool:
        """Write the running configuration to the startup file, or to another; False where a fault forbids it."""
        if self.faults.save_fails or self.faults.disk_full:
            return False
        if name:
            self.files[name] = self.text_of(self.tree)
        else:
            self._texts = (self.tree, self.tree.copy_deep())
        return True

    def set_startup(self, text: str) -> None:
        """Exchange the startup configuration, as somebody who writes the file."""
        self._texts = (self.tree, self.editor.load(text, self.ports))

    def set_running(self, tree: Tree) -> None:
        """Exchange the running configuration for another, at once."""
        running = self.tree
        replaced = tree.copy_deep()
        running.clear()
        running.update(replaced)
        self._changed()

    def file(self, name: str) -> Tree | None:
        """The configuration in a file on flash; None where there is none."""
        plain = _flash(name)
        if plain == _flash(self.language.startup_file):
            return self._trees()[1]
        text = self.files.get(plain)
        return None if text is None else self.editor.load(text, self.ports)

    def reboot(self) -> None:
        """Go down now; sessions go silent, and after ``boot_s`` the startup configuration runs."""
        self.up = False
        self.happened("goes down to reboot")
        self._stop_timers()
        self.timers.later(self.options.boot_s, self._boot)
        self._look()

    def schedule_reboot(self, minutes: float) -> None:
        """Reboot in so many minutes; replaces an earlier schedule."""
        self.unschedule_reboot()
        delay_s = minutes * self.options.minute_s
        self.happened(f"reboot armed, in {delay_s:.1f} s")
        self._reboot = self._timer(delay_s, self.reboot)

    def unschedule_reboot(self) -> bool:
        """False where none was scheduled."""
        timer, self._reboot = self._reboot, None
        if timer is None:
            return False
        timer.handle.cancel()
        return True

    @property
    def reboot_in_minutes(self) -> float | None:
        return None if self._reboot is None else self._left(self._reboot)

    def commit_delay(self, minutes: float) -> None:
        """Set a rollback point and start its timer; while one runs, only move the deadline."""
        point = self.tree.copy_deep()
        self.happened(f"rollback armed, in {minutes * self.options.minute_s:.1f} s")
        if self._rollback is not None:
            timer, point = self._rollback
            timer.handle.cancel()
        self._rollback = self._timer(minutes * self.options.minute_s, self._roll_back), point

    def commit(self) -> bool:
        """Keep what was configured since the rollback point; False where there is none."""
        if self._rollback is None:
            return False
        self._rollback[0].handle.cancel()
        self._rollback = None
        return True

    @property
    def rollback_in_minutes(self) -> float | None:
        return None if self._rollback is None else self._left(self._rollback[0])

    def schedule(self, name: str, minutes: float, call: Callable[[], None]) -> None:
        """Something of the box's own (a job, a systemd timer), in so many minutes; the same name replaces."""
        self.unschedule(name)

        def due() -> None:
            self._jobs.pop(name, None)
            self.happened(f"{name} is due")
            call()

        self._jobs[name] = self._timer(minutes * self.options.minute_s, due)

    def unschedule(self, name: str) -> bool:
        """False where nothing of that name was scheduled."""
        timer = self._jobs.pop(name, None)
        if timer is None:
            return False
        timer.handle.cancel()
        return True

    @property
    def jobs(self) -> dict[str, float]:
        """Names of what is scheduled, to the minutes left."""
        return {name: self._left(timer) for name, timer in self._jobs.items()}

    def state(self) -> dict[str, object]:
        """For people: see the control channel."""
        return {
            "device": self.spec.device_id,
            "platform": self.spec.platform.value,
            "up": self.up,
            "reachable": self.reachable,
            "takes_sessions": self.takes_sessions,
            "unsaved": self.unsaved,
            "reboots": self.reboots,
            "reboot_in_minutes": self.reboot_in_minutes,
            "rollback_in_minutes": self.rollback_in_minutes,
            "jobs": self.jobs,
            "faults": self.faults.as_plain(),
            "logins": self.logins,
        }

    def close(self) -> None:
        """Let no timer fire any more."""
        self._stop_timers()
        if self._heal is not None:
            self._heal.handle.cancel()

    def look(self) -> None:
        """Something around the box changed: sessions find out."""
        self._look()

    # Inside.

    def _trees(self) -> tuple[Tree, Tree]:
        if self._texts is None:
            # Not before somebody asks: most of 5,000 boxes are never looked at twice.
            text = self.spec.text if isinstance(self.spec.text, str) else self.spec.text()
            saved = self.editor.load(text, self.ports)
            self._texts = (saved.copy_deep(), saved)
        return self._texts

    def _changed(self) -> None:
        self._reading = None
        if self.spec.platform is Platform.COMWARE:
            self._scheduler.follow()
        self._look()

    def _look(self) -> None:
        for look in tuple(self._watchers):
            look()

    def _cut(self) -> None:
        self.faults = self.faults.with_faults({"cut": True}).without("cut_at", "cut_before", "cut_after")
        if self._heal is not None:
            self._heal.handle.cancel()
        if self.faults.cut_for_s:
            self._heal = Timer(0, self.timers.later(self.faults.cut_for_s, lambda: self.clear("cut", "cut_for_s")))
        self.happened(f"cut, for {self.faults.cut_for_s or 'ever'} s")
        self._look()

    def _timer(self, delay_s: float, call: Callable[[], None]) -> Timer:
        def due() -> None:
            if not self.faults.forgets_timer:
                call()

        return Timer(self.timers.now() + delay_s, self.timers.later(delay_s, due))

    def _left(self, timer: Timer) -> float:
        return max(0.0, timer.due - self.timers.now()) / self.options.minute_s

    def _stop_timers(self) -> None:
        self.unschedule_reboot()
        self.commit()
        for name in tuple(self._jobs):
            self.unschedule(name)

    def _boot(self) -> None:
        self.reboots += 1
        self.up = True
        self._booted = self.timers.now()
        self.happened("booted")
        self.set_running(self._trees()[1])

    def _roll_back(self) -> None:
        if self._rollback is not None:
            point = self._rollback[1]
            self._rollback = None
            self.happened("rolled back by itself")
            self.set_running(point)


def _flash(name: str) -> str:
    return name.removeprefix("flash:/").removeprefix("flash:").removeprefix("/")


def _found(pattern: str, line: str) -> bool:
    return bool(pattern) and re.search(pattern, line) is not None


_EDITORS: Final[dict[Platform, Editor]] = {}


def _editor(platform: Platform) -> Editor:
    editor = _EDITORS.get(platform)
    if editor is None:
        editor = _EDITORS[platform] = Editor(language(platform))
    return editor
