"""The dead-man's switches: what is typed to arm, to look at and to disarm what brings a device back by itself.

Each is armed before the first line of the change and disarmed only after a new login. What they rest on:

- ``commit_delay``  Comware keeps a rollback point and a timer of its own (H3C's configuration file management).
  Not every MSR release has it; arming it is the probe.
- ``timed_replace`` A scheduled job replaces the configuration by the startup file, so running must equal saved.
- ``reboot``        VRP reboots into the saved configuration. Only safe when running equals saved, a startup file is
  there, and nothing saves behind our back.
- ``os_timer``      Linux runs ``frr-reload.py`` on the configuration that was kept just before.

What a device shows of its own arrangements (the scheduled job of ``timed_replace``) is no difference: `without_own`.
"""

import re
from dataclasses import dataclass
from math import ceil
from typing import Final

from rollout.change import DeadMan
from rollout.platform import Platform
from rollout.router import OsTimer, Router

_NAME: Final = "cuntong-deadman"
_KEPT: Final = "/etc/frr/cuntong-keep.conf"
_PID: Final = "/run/cuntong-deadman.pid"
_RELOAD: Final = "/usr/lib/frr/frr-reload.py"


@dataclass(frozen=True)
class Typed:
    """One line for the device.

    Attributes:
        configuration: whether it belongs to the configuration mode.
        refused_if: what the device answers when the line did not work, beyond its words for no.
    """

    line: str
    configuration: bool = False
    refused_if: str = ""


@dataclass(frozen=True)
class Switch:
    """One device's dead-man.

    Attributes:
        looks: command that shows whether it is armed; None where the platform has none.
        armed: found in its output exactly while the timer runs.
        shows_kept: command that shows the configuration it would bring back, to be compared before anything is
            sent; None where the platform keeps it out of sight.
        restore: lines that bring the old configuration back at once; empty where only undoing does.
        by_the_minute: the device acts when its clock shows the minute, so up to one minute early.
    """

    arm: tuple[Typed, ...]
    disarm: tuple[Typed, ...]
    looks: str | None = None
    armed: str = ""
    shows_kept: str | None = None
    restore: tuple[Typed, ...] = ()
    by_the_minute: bool = False

    def shows_armed(self, said: str) -> bool:
        """Whether what ``looks`` printed means that the timer runs."""
        return bool(re.search(self.armed, said))


@dataclass(frozen=True)
class Facts:
    """What was read to judge whether a switch can be trusted.

    Attributes:
        saved_is_running: None where the platform cannot show its saved configuration.
        startup: what ``display startup`` says; empty where it was not asked.
        running: the running configuration.
        pending: a reboot or job is scheduled already, by whomever.
    """

    saved_is_running: bool | None
    startup: str
    running: str
    pending: bool


_STARTUP_FILE: Final = re.compile(
    r"(?:next startup saved-configuration file|next main startup saved-configuration file)\s*:\s*(?P<file>\S+)",
    re.IGNORECASE,
)
_SAVES_ITSELF: Final = re.compile(r"^\s*(?:autosave\b|set save-configuration\b).*$", re.MULTILINE)


def startup_file(startup: str) -> str | None:
    """The configuration that the device boots with next; None where there is none."""
    match = _STARTUP_FILE.search(startup)
    return match["file"] if match and match["file"].upper() != "NULL" else None


def why_not(dead_man: DeadMan, facts: Facts) -> str | None:
    """Why a switch cannot be trusted on this device now; None when it can."""
    if facts.pending:
        return "a reboot or restore is scheduled on it already, and it is not ours."
    if dead_man not in (DeadMan.REBOOT, DeadMan.TIMED_REPLACE):
        return None
    if facts.saved_is_running is not True:
        return "its running configuration is not its saved one; going back would bring something else. Save it first."
    if startup_file(facts.startup) is None:
        return "no startup configuration is set; going back would bring an empty router."
    if found := _SAVES_ITSELF.search(facts.running):
        return f"it saves by itself ({found[0].strip()!r}), so going back would bring the new configuration."
    return None


def switch(dead_man: DeadMan, router: Router, minutes: int, startup: str) -> Switch | None:
    """The lines for one device; None where nothing is armed.

    Args:
        minutes: of the device; at least 1.
        startup: what ``display startup`` says; only the timed replace reads it.
    """
    match dead_man:
        case DeadMan.NONE:
            return None
        case DeadMan.COMMIT_DELAY:
            return Switch(
                arm=(Typed(f"configuration commit delay {minutes}", configuration=True),),
                disarm=(Typed("configuration commit", configuration=True),),
            )
        case DeadMan.TIMED_REPLACE:
            return _timed_replace(minutes, startup_file(startup) or "startup.cfg")
        case DeadMan.REBOOT:
            word = "schedule" if router.platform is Platform.VRP else "scheduler"
            return Switch(
                arm=(Typed(f"{word} reboot delay {minutes}"),),
                disarm=(Typed(f"undo {word} reboot"),),
                looks=f"display {word} reboot",
                armed=r"(?i)reboot[^\n]*\bat\s*\d|in \d+ hour",
                by_the_minute=True,
            )
        case DeadMan.OS_TIMER:
            return _os_timer(router, minutes)


def _timed_replace(minutes: int, file: str) -> Switch:
    def lines(*texts: str) -> tuple[Typed, ...]:
        return tuple(Typed(text, configuration=True) for text in texts)

    return Switch(
        arm=lines(
            f"scheduler job {_NAME}",
            "command 1 system-view",
            f"command 2 configuration replace file {file}",
            "quit",
            f"scheduler schedule {_NAME}",
            f"job {_NAME}",
            f"time once delay {minutes // 60:02d}:{minutes % 60:02d}",
            "quit",
        ),
        disarm=lines(f"undo scheduler schedule {_NAME}", f"undo scheduler job {_NAME}"),
        looks=f"display scheduler schedule {_NAME}",
        armed=rf"(?i){_NAME}",
        by_the_minute=True,
    )


def _os_timer(router: Router, minutes: int) -> Switch:
    restore = f"{_RELOAD} --reload {_KEPT}"
    # With vtysh's heading the file is no configuration, and the reload refuses it: found by cutting a real line.
    keep = Typed(f"umask 077; vtysh -c 'show running-config no-header' > {_KEPT}")
    rehearse = Typed(f"{_RELOAD} --test {_KEPT}", refused_if=r"(?i)\berror\b.*|traceback.*|.*no such file.*|.*failed.*")
    if router.os_timer is OsTimer.SYSTEMD:
        seconds = minutes * 60  # its clock, like every device's; minute_s says how long that is for us
        arm = Typed(f"systemd-run --collect --unit={_NAME} --on-active={seconds}s {restore}")
        disarm = Typed(f"systemctl stop {_NAME}.timer")
        looks, armed = f"systemctl is-active {_NAME}.timer {_NAME}.service", r"(?m)^(?:active|activating)"
    else:
        seconds = ceil(minutes * router.minute_s)
        # A session of its own, so that the end of ours does not end it. Once the restore begins the name changes, so
        # that disarming cannot kill it half-way; it counts as armed until it is over.
        arm = Typed(
            f"(setsid sh -c 'echo $$ > {_PID}; sleep {seconds}; mv {_PID} {_PID}.busy; {restore}; rm -f {_PID}.busy' "
            ">/dev/null 2>&1 </dev/null &)"
        )
        disarm = Typed(f"kill -- -$(cat {_PID}) && rm -f {_PID}")
        looks, armed = f"ls {_PID}*", rf"(?m)^{_PID}"
    return Switch(
        arm=(keep, rehearse, arm),
        disarm=(disarm,),
        looks=looks,
        armed=armed,
        shows_kept=f"cat {_KEPT}",
        restore=(Typed(restore),),
    )


_OWN: Final = re.compile(rf"^scheduler (?:job|schedule) {_NAME}\n(?:[ \t].*\n|#\n)*", re.MULTILINE)


def without_own(text: str) -> str:
    """A configuration as it is without what `timed_replace` put into it."""
    return _OWN.sub("", text.replace("\r\n", "\n")) if _NAME in text else text
