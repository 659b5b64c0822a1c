"""Runs several programs of ours on one machine, restarts what dies, and ends all when told to."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_SHORTEST_LIFE_S = 5.0  # a program that dies sooner is started again only after a pause, which doubles
_LONGEST_PAUSE_S = 30.0
_GRACE_S = 10.0
_READY_S = 60.0


@dataclass
class Program:
    """One child.

    Args:
        arguments: what follows ``command``.
        log: where its output goes; to our own if left out.
        environment: what it has beside ours.
        ready: whether the programs after it may start; None: at once.
        command: ``cuntong`` unless it is somebody else's program.
    """

    name: str
    arguments: Sequence[str]
    log: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    command: Sequence[str] = (sys.executable, "-m", "cuntong")
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    seen_alive: float = 0.0
    pause_s: float = 1.0
    restarts: int = 0
    _out: IO[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        if self.log is not None and self._out is None:
            self._out = self.log.open("ab")
        # The arguments are ours; nothing of them comes from a shell or a request.
        self.process = subprocess.Popen(  # noqa: S603
            [*self.command, *self.arguments],
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._out,
            env={**os.environ, **self.environment},
            preexec_fn=die_with_parent,
        )
        self.started = time.monotonic()

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self, deadline: float) -> None:
        """Wait for an end that was asked for, until ``deadline`` (monotonic); then insist."""
        if self.process is not None:
            try:
                self.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._out is not None:
            self._out.close()
            self._out = None


def die_with_parent() -> None:
    """Runs in the child: when we are killed, the kernel ends it, and no orphan goes on polling."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    os.setpgid(0, 0)  # Ctrl-C in the terminal reaches us alone, and we end the children in order


class Supervisor:
    """Started programs, in order; stopped in the opposite one."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self.programs = programs

    def __enter__(self) -> "Supervisor":
        try:
            for program in self.programs:
                program.start()
                deadline = time.monotonic() + _READY_S
                while program.ready and program.alive and time.monotonic() < deadline and not program.ready():
                    time.sleep(0.05)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for program in reversed(self.programs):
            if program.process is not None and program.alive:
                program.process.terminate()
        deadline = time.monotonic() + _GRACE_S
        for program in self.programs:
            program.stop(deadline)

    def restart_the_dead(self) -> list[Program]:
        """Start again what died, each after its pause; the programs that were started."""
        started = []
        now = time.monotonic()
        for program in self.programs:
            if program.alive:
                program.seen_alive = now
                continue
            if now - program.started < program.pause_s:
                continue
            lived = program.seen_alive - program.started
            program.pause_s = 1.0 if lived > _SHORTEST_LIFE_S else min(2 * program.pause_s, _LONGEST_PAUSE_S)
            program.restarts += 1
            program.start()
            started.append(program)
        return started
