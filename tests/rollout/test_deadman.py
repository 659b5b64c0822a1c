"""The dead-man's switches: what is typed, and when a switch is not trusted."""

import pytest

from rollout.change import DeadMan
from rollout.deadman import Facts, startup_file, switch, why_not, without_own
from rollout.platform import Platform
from rollout.router import OsTimer, Router

VRP_STARTUP = """\
MainBoard:
  Startup saved-configuration file:          flash:/vrpcfg.zip
  Next startup saved-configuration file:     flash:/next.zip
"""
COMWARE_STARTUP = """\
MainBoard:
 Current startup saved-configuration file: flash:/startup.cfg
 Next main startup saved-configuration file: flash:/main.cfg
 Next backup startup saved-configuration file: NULL
"""
NO_STARTUP = "  Next startup saved-configuration file:     NULL\n"


def router(platform: Platform, **more: object) -> Router:
    return Router("r1", platform, "192.0.2.1", "ops", **more)  # type: ignore[arg-type]


def typed(dead_man: DeadMan, platform: Platform, minutes: int, startup: str = "", **more: object) -> list[str]:
    made = switch(dead_man, router(platform, **more), minutes, startup)
    assert made is not None
    return [("config " if line.configuration else "") + line.line for line in (*made.arm, *made.disarm)]


@pytest.mark.parametrize(
    ("text", "file"),
    [(VRP_STARTUP, "flash:/next.zip"), (COMWARE_STARTUP, "flash:/main.cfg"), (NO_STARTUP, None), ("", None)],
)
def test_the_file_of_the_next_boot_is_read(text: str, file: str | None) -> None:
    assert startup_file(text) == file


def test_what_is_typed_for_each_switch() -> None:
    assert typed(DeadMan.REBOOT, Platform.VRP, 10) == ["schedule reboot delay 10", "undo schedule reboot"]
    assert typed(DeadMan.COMMIT_DELAY, Platform.COMWARE, 7) == [
        "config configuration commit delay 7", "config configuration commit",
    ]  # fmt: skip
    assert typed(DeadMan.TIMED_REPLACE, Platform.COMWARE, 75, COMWARE_STARTUP) == [
        "config scheduler job cuntong-deadman",
        "config command 1 system-view",
        "config command 2 configuration replace file flash:/main.cfg",
        "config quit",
        "config scheduler schedule cuntong-deadman",
        "config job cuntong-deadman",
        "config time once delay 01:15",
        "config quit",
        "config undo scheduler schedule cuntong-deadman",
        "config undo scheduler job cuntong-deadman",
    ]
    kept, rehearsed, armed, disarmed = typed(DeadMan.OS_TIMER, Platform.FRR, 10)
    assert kept == "umask 077; vtysh -c 'show running-config no-header' > /etc/frr/cuntong-keep.conf"
    assert rehearsed == "/usr/lib/frr/frr-reload.py --test /etc/frr/cuntong-keep.conf"
    assert armed == (
        "systemd-run --collect --unit=cuntong-deadman --on-active=600s "
        "/usr/lib/frr/frr-reload.py --reload /etc/frr/cuntong-keep.conf"
    )
    assert disarmed == "systemctl stop cuntong-deadman.timer"
    assert switch(DeadMan.NONE, router(Platform.RGOS), 0, "") is None


def test_the_detached_timer_counts_as_armed_until_its_restore_is_over() -> None:
    made = switch(DeadMan.OS_TIMER, router(Platform.FRR, os_timer=OsTimer.DETACHED), 1, "")
    assert made is not None
    assert made.shows_armed("/run/cuntong-deadman.pid\n")
    assert made.shows_armed("/run/cuntong-deadman.pid.busy\n")
    assert not made.shows_armed("ls: cannot access '/run/cuntong-deadman.pid*': No such file or directory\n")


@pytest.mark.parametrize(
    ("dead_man", "said", "armed"),
    [
        (DeadMan.REBOOT, "System will reboot at 02:02:02 2026/11/21 (in 0 hours and 2 minutes).", True),
        (DeadMan.REBOOT, "Info: There is no reboot schedule.", False),
        (DeadMan.REBOOT, "Info:System reboot is not scheduled.", False),
        (DeadMan.OS_TIMER, "active\ninactive", True),
        (DeadMan.OS_TIMER, "inactive\nactivating", True),
        (DeadMan.OS_TIMER, "inactive\ninactive", False),
    ],
)
def test_whether_a_timer_runs_is_read_from_the_device(dead_man: DeadMan, said: str, armed: bool) -> None:
    platform = Platform.VRP if dead_man is DeadMan.REBOOT else Platform.FRR
    made = switch(dead_man, router(platform), 10, "")
    assert made is not None
    assert made.shows_armed(said) is armed


SOUND = Facts(saved_is_running=True, startup=VRP_STARTUP, running="sysname R1\n", pending=False)


@pytest.mark.parametrize(
    ("dead_man", "facts", "words"),
    [
        (DeadMan.REBOOT, SOUND, None),
        (DeadMan.TIMED_REPLACE, SOUND, None),
        (DeadMan.COMMIT_DELAY, Facts(None, "", "", False), None),
        (DeadMan.OS_TIMER, Facts(None, "", "", False), None),
        (DeadMan.REBOOT, Facts(False, VRP_STARTUP, "", False), "not its saved one"),
        (DeadMan.REBOOT, Facts(None, VRP_STARTUP, "", False), "not its saved one"),
        (DeadMan.REBOOT, Facts(True, NO_STARTUP, "", False), "no startup configuration"),
        (DeadMan.REBOOT, Facts(True, VRP_STARTUP, "#\nautosave interval 30\n", False), "saves by itself"),
        (DeadMan.REBOOT, Facts(True, VRP_STARTUP, "set save-configuration interval 60\n", False), "saves by itself"),
        (DeadMan.TIMED_REPLACE, Facts(False, COMWARE_STARTUP, "", False), "not its saved one"),
        (DeadMan.REBOOT, Facts(True, VRP_STARTUP, "", True), "scheduled on it already"),
        (DeadMan.OS_TIMER, Facts(None, "", "", True), "scheduled on it already"),
    ],
)
def test_a_switch_that_would_bring_back_something_else_is_not_trusted(
    dead_man: DeadMan, facts: Facts, words: str | None
) -> None:
    why = why_not(dead_man, facts)
    assert why is None if words is None else words in (why or "")


def test_our_own_job_is_no_difference_and_anybody_elses_is() -> None:
    before = "#\nsysname R1\n#\n"
    own = (
        "scheduler job cuntong-deadman\n command 1 system-view\n command 2 configuration replace file a.cfg\n#\n"
        "scheduler schedule cuntong-deadman\n job cuntong-deadman\n time once delay 00:10\n#\n"
    )
    theirs = "scheduler job nightly\n command 1 save force\n#\n"
    assert without_own(before + own + theirs) == before + theirs
    assert without_own(before + theirs) == before + theirs
