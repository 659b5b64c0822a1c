#!/usr/bin/env python3
"""The citizen's session: one browser on one page, and nothing of one citizen left for the next.

Started by cuntong-kiosk.service inside an X server. It holds the browser, tells systemd that it lives (sd_notify), and
after so many seconds without a touch ends the browser, wipes everything that was left, and begins anew. Everything of
a session stands below $HOME, which is in memory. A page that hangs ends the session, and systemd begins the next.
Standard library only, for Python 3.7 and newer.
"""

# ruff: noqa: S603, S607  programs of the system by name, never through a shell; one spelling for their output

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

CONFIG = Path("/etc/cuntong/kiosk.json")
STATE = Path("/run/cuntong-kiosk")
TICK_S = 1.0
BUSY = 0.9
"""Of the time between two looks: a thread that ran so much of it did not rest."""
DEATHS = 5
"""So many deaths of the browser within a minute are systemd's business: it starts the whole session anew."""


def notify(words: str) -> None:
    """Tell systemd (sd_notify(3)); outside of systemd nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(words.encode(), address)


def idle_s(command: list[str]) -> float | None:
    """Seconds since the last touch or key; None where nobody can tell."""
    try:
        said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=5, check=True)
        return int(said.stdout) / 1000.0
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def main_threads(group: int, proc: Path) -> dict[int, tuple[str, float, str]]:
    """State, CPU seconds and how often it rested, of the main thread of each process of a group (proc(5))."""
    found = {}
    for place in proc.iterdir():
        if not place.name.isdigit():
            continue
        try:
            fields = (place / "task" / place.name / "stat").read_text("ascii", "replace").rpartition(")")[2].split()
            if int(fields[2]) != group:
                continue
            status = (place / "task" / place.name / "status").read_text("ascii", "replace")
        except OSError:  # it ended while we looked
            continue
        cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        # Switches that it asked for itself, by waiting for something; a script that never ends waits for nothing,
        # however little of a busy machine's time it gets.
        rests = status.partition("\nvoluntary_ctxt_switches:")[2].split("\n")[0].strip()
        found[int(place.name)] = fields[0], cpu_s, rests
    return found


class Rest:
    """Notices a browser that hangs: the main thread of one of its processes stands still, or never rests.

    Scripts run in a page's main thread: while one never ends, nothing that a citizen touches is heard. Asking the page
    would need the developer tools, which the policy shuts, and would take an open dialogue for a hang.
    """

    def __init__(self, hung_s: float, proc: Path = Path("/proc")) -> None:
        self._hung_s, self._proc = hung_s, proc
        self._last: dict[int, tuple[float, float, str, float]] = {}  # looked at, CPU seconds, rests, none since

    def hangs(self, group: int, now: float) -> bool:
        """Whether a process of this group has not rested for ``hung_s``; ``now`` in seconds of a steady clock."""
        looks = {}
        for pid, (state, cpu, rests) in main_threads(group, self._proc).items():
            before, spent, rested, since = self._last.get(pid, (now, cpu, rests, now))
            restless = state == "T" or (state == "R" and rests == rested) or cpu - spent >= BUSY * (now - before)
            looks[pid] = now, cpu, rests, since if restless else now
        self._last = looks
        return any(now - since >= self._hung_s for *_, since in looks.values())


class Session:
    """One browser and what it leaves behind."""

    def __init__(self, config: Any, home: Path, state: Path) -> None:
        self.config, self.home, self.state = config, home, state
        self.browser: subprocess.Popen[bytes] | None = None
        self.used = False
        self.deaths: list[float] = []
        self.ending = False
        self.rest = Rest(config["hung_s"])

    def begin(self) -> None:
        """Wipe, then start the browser on its page."""
        self.wipe()
        words = [*self.config["browser"], f"--user-data-dir={self.home / 'profile'}", self.config["home"]]
        self.browser = subprocess.Popen(words, cwd=str(self.home), start_new_session=True)
        self.used = False

    def end(self) -> None:
        """End the browser with everything that it started."""
        if self.browser is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.browser.pid, number)
                self.browser.wait(3)
                break
            except ProcessLookupError:
                self.browser.wait()
                break
            except subprocess.TimeoutExpired:
                continue
        self.browser = None

    def wipe(self) -> None:
        """Profile, cookies, downloads, scans, print jobs, temporary files: everything that a citizen could leave.

        Raises:
            OSError: something stayed. The session then ends: nobody is served beside another's data.
        """
        if self.home.exists():
            shutil.rmtree(str(self.home))
        self.home.mkdir(mode=0o700, parents=True)
        own = os.getuid()
        for left in Path(self.config["temporary"]).iterdir():
            # The X server's own socket and lock stand here, too; only what the browser made goes.
            if left.name.startswith((".X", "xinit", "serverauth.")) or left.lstat().st_uid != own:
                continue
            shutil.rmtree(str(left)) if left.is_dir() and not left.is_symlink() else left.unlink()
        if self.config["queues"]:
            user = pwd.getpwuid(own).pw_name
            subprocess.run(["cancel", "-a", "-x", "-u", user], stderr=subprocess.DEVNULL, timeout=20, check=False)
        (self.state / "reset").write_text(f"{int(time.time())}\n")

    def tick(self) -> None:
        """One look: is the browser alive, is somebody there?"""
        if self.browser is None or self.browser.poll() is not None:
            now = time.monotonic()
            self.deaths = [at for at in self.deaths if now - at < 60.0] + [now]
            if len(self.deaths) > DEATHS:
                raise SystemExit("the browser died too often")
            self.end()
            self.begin()
        assert self.browser is not None  # noqa: S101  begun just now, if it was not there
        if self.rest.hangs(self.browser.pid, time.monotonic()):
            raise SystemExit(f"the page hangs: it has not rested for {self.config['hung_s']} s")
        idle = idle_s(self.config["idle"])
        if idle is None:
            # Nobody can tell whether somebody is there. To go on would mean that nothing is ever wiped.
            raise SystemExit(f"{self.config['idle'][0]} does not say how long nobody has touched the screen")
        if idle < self.config["idle_s"] / 2:
            self.used = True
        # Two ticks early, so that everything is gone before the promised second.
        if self.used and idle >= self.config["idle_s"] - 2 * TICK_S:
            self.end()
            self.begin()
        (self.state / "alive").write_text(f"{int(time.time())}\n")
        notify("WATCHDOG=1")

    def stop(self, _number: int, _frame: Any) -> None:
        self.ending = True


def main() -> int:
    session = Session(json.loads(CONFIG.read_text("utf-8")), Path(os.environ["HOME"]), STATE)
    signal.signal(signal.SIGTERM, session.stop)
    signal.signal(signal.SIGINT, session.stop)
    signal.signal(signal.SIGHUP, session.stop)
    try:
        session.begin()
        notify("READY=1")
        while not session.ending:
            session.tick()
            time.sleep(TICK_S)
    finally:
        session.end()
        session.wipe()
    return 0


if __name__ == "__main__":
    sys.exit(main())
