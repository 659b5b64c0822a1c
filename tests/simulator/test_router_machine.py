"""One router's command line and timers, without sockets: typed lines in, replies out, a clock turned by hand."""

import re
from pathlib import Path

import pytest

from rollout.platform import Platform
from simulator.errors import SimulationError
from simulator.routers.console import Console
from simulator.routers.device import Options, RouterSpec, SimulatedRouter
from simulator.routers.language import language, load_language
from simulator.routers.timers import ManualTimers

TEXTS = {
    Platform.VRP: """\
#
 sysname R
#
aaa
 local-user ops password irreversible-cipher Plain@123
 local-user ops service-type ssh
#
interface GigabitEthernet0/0/0
 ip address 10.9.0.2 255.255.255.252
#
return
""",
    Platform.COMWARE: """\
#
 sysname R
#
local-user ops class manage
 password simple Plain@123
 service-type ssh
#
return
""",
    Platform.RGOS: "!\nhostname R\n!\nenable secret Enable@123\nusername ops password Plain@123\n!\nend\n",
    Platform.FRR: "hostname R\n!\n",
}


class Box:
    """A router, one session with it, and its clock."""

    def __init__(self, platform: Platform, **spec: object) -> None:
        self.timers = ManualTimers()
        options = Options(minute_s=60.0, boot_s=90.0)
        self.router = SimulatedRouter(
            RouterSpec("r1", 7, platform, TEXTS[platform], **spec),  # type: ignore[arg-type]
            options,
            self.timers,
        )
        self.console = Console(self.router, "ops")

    def type(self, *lines: str) -> list[str]:
        """Everything that it says, open questions included, to the last line."""
        for line in lines:
            reply = self.console.type(line)
        return [*reply.lines, *([reply.ask] if reply.ask is not None else [])]


TRANSCRIPTS = [
    (
        Platform.VRP,
        [
            ("<R>", "sysnam X", ["   ^", "Error: Unrecognized command found at '^' position."]),
            ("<R>", "system-view", ["Enter system view, return user view with Ctrl+Z."]),
            ("[R]", "interface GigabitEthernet0/0/1", []),
            (
                "[R-GigabitEthernet0/0/1]",
                "ip address 10.0.0.300 24",
                [" " * 35 + "^", "Error: Wrong parameter found at '^' position."],
            ),
            (
                "[R-GigabitEthernet0/0/1]",
                "ip address",
                [" " * 34 + "^", "Error:Incomplete command found at '^' position."],
            ),
            ("[R-GigabitEthernet0/0/1]", "interface LoopBack1", []),
            ("[R-LoopBack1]", "quit", []),
            ("[R]", "ospf 1", []),
            ("[R-ospf-1]", "area 0.0.0.1", []),
            ("[R-ospf-1-area-0.0.0.1]", "display this", ["#", "area 0.0.0.1", "#", "return"]),
            ("[R-ospf-1-area-0.0.0.1]", "return", []),
            (
                "<R>",
                "display configuration commit list",
                [" " * 11 + "^", "Error: Unrecognized command found at '^' position."],
            ),
        ],
    ),
    (
        Platform.COMWARE,
        [
            ("<R>", "system-view", ["System View: return to User View with Ctrl+Z."]),
            ("[R]", "bogus", ["   ^", " % Unrecognized command found at '^' position."]),
            ("[R]", "acl basic 2001", []),
            ("[R-acl-ipv4-basic-2001]", "rule 5 permit source 10.0.0.0 0.0.0.255", []),
            ("[R-acl-ipv4-basic-2001]", "quit", []),
            ("[R]", "line vty 0 63", []),
            ("[R-line-vty0-63]", "\x1a", []),
            (
                "<R>",
                "save force",
                [
                    "Validating file. Please wait...",
                    "Saved the current configuration to mainboard device successfully.",
                ],
            ),
        ],
    ),
    (
        Platform.RGOS,
        [
            ("R>", "show clock", ["02:00:00 2026/11/21"]),
            ("R>", "enable", ["Password:"]),
            ("R>", "wrong", ["Password:"]),
            ("R>", "Enable@123", []),
            ("R#", "configure terminal", ["Enter configuration commands, one per line.  End with CNTL/Z."]),
            ("R(config)#", "interface GigabitEthernet 0/1", []),
            ("R(config-if-GigabitEthernet 0/1)#", "nonsense", [" " * 33 + "^", "% Unrecognized command"]),
            ("R(config-if-GigabitEthernet 0/1)#", "end", []),
            ("R#", "write", ["Building configuration...", "[OK]"]),
        ],
    ),
    (
        Platform.FRR,
        [
            ("R# ", "configure terminal", []),
            ("R(config)# ", "interface eth1", []),
            ("R(config-if)# ", "bogus", ["% Unknown command: bogus"]),
            ("R(config-if)# ", "router ospf", []),
            ("R(config-router)# ", "network", ["% Command incomplete: network"]),
        ],
    ),
]


@pytest.mark.parametrize(("platform", "transcript"), TRANSCRIPTS, ids=[platform.value for platform, _ in TRANSCRIPTS])
def test_prompts_views_and_refusals_are_the_vendors(
    platform: Platform, transcript: list[tuple[str, str, list[str]]]
) -> None:
    box = Box(platform)
    for prompt, typed, said in transcript:
        assert (box.console.prompt, typed, box.type(typed)) == (prompt, typed, said)


@pytest.mark.parametrize("platform", [Platform.VRP, Platform.COMWARE, Platform.RGOS])
def test_no_command_shows_a_plain_secret(platform: Platform) -> None:
    box = Box(platform)
    for where in ("user", "any"):
        for text in language(platform).commands[where]:
            if re.fullmatch(r"[a-z -]+", text) and text not in ("reboot", "quit", "reload"):
                assert "@123" not in "".join(box.type(text)), text
                box.type("Y")
    assert "@123" not in box.router.running + box.router.startup + "".join(box.router.commands)


def test_a_question_is_answered_by_yes_or_no_and_asked_again_otherwise() -> None:
    box = Box(Platform.VRP)
    asked = "Warning: The OSPF process will be deleted. Continue? [Y/N]:"
    box.type("system-view", "ospf 1", "quit")
    assert box.type("undo ospf 1") == [asked]
    assert box.type("maybe") == ["Error: Please choose 'YES' or 'NO' first before pressing 'Enter'. [Y/N]:"]
    assert box.type("n") == []
    assert "ospf 1" in box.router.running
    box.type("undo ospf 1", "y")
    assert "ospf 1" not in box.router.running


def test_a_password_may_be_asked_for_twice_unseen() -> None:
    box = Box(Platform.VRP)
    box.type("system-view", "aaa", "local-user new password")
    first = box.console.type("Secret@123")
    assert first.hidden
    assert box.type("Secret@123") == []
    box.type("local-user new service-type ssh")
    assert box.router.accepts("new", "Secret@123")
    assert not box.router.accepts("new", "secret@123")


def test_saving_asks_and_a_box_says_when_it_could_not() -> None:
    box = Box(Platform.VRP)
    box.type("system-view", "sysname S", "return")
    assert box.type("save")[-1].endswith("[Y/N]:")
    box.router.inject(save_fails=True)
    assert box.type("y") == ["Error: Failed to save the configuration file."]
    assert "sysname S" not in box.router.startup
    box.router.clear()
    box.type("save", "y")
    assert box.router.startup == box.router.running
    comware = Box(Platform.COMWARE)
    assert comware.type("save", "y", "", "y")[-1].startswith("Saved the current configuration")


def test_a_scheduled_reboot_brings_the_saved_configuration_back() -> None:
    box = Box(Platform.VRP)
    before = box.router.running
    box.type("system-view", "sysname LOST", "return")
    said = box.type("schedule reboot delay 10")
    assert said[0].startswith("Warning")
    assert re.search(r"in 0 hours and 10 minutes\)\. confirm\? \[Y/N\]:$", said[-1])
    box.type("y")
    assert "in 0 hours and 10 minutes" in box.type("display schedule reboot")[0]
    box.timers.turn(601)
    assert not box.router.up
    assert not box.router.reachable
    box.timers.turn(90)
    assert (box.router.up, box.router.reboots, box.router.running) == (True, 1, before)


def test_a_cancelled_reboot_never_comes() -> None:
    box = Box(Platform.VRP)
    box.type("schedule reboot delay 1", "y", "undo schedule reboot")
    box.timers.turn(3600)
    assert box.router.reboots == 0
    assert box.type("display schedule reboot") == ["Info: There is no reboot schedule."]


def test_a_commit_delay_goes_back_unless_committed() -> None:
    box = Box(Platform.COMWARE)
    before = box.router.running
    box.type("system-view", "configuration commit delay 5", "sysname NEW")
    box.timers.turn(299)
    assert "NEW" in box.router.running
    box.timers.turn(2)
    assert box.router.running == before
    box.type("configuration commit delay 5", "sysname KEPT", "configuration commit")
    box.timers.turn(3600)
    assert "KEPT" in box.router.running


def test_a_second_commit_delay_moves_the_deadline_and_not_the_point() -> None:
    box = Box(Platform.COMWARE)
    before = box.router.running
    box.type(
        "system-view", "configuration commit delay 5", "sysname ONE", "configuration commit delay 10", "sysname TWO"
    )
    box.timers.turn(400)
    assert "TWO" in box.router.running
    box.timers.turn(201)
    assert box.router.running == before


def test_a_scheduled_replace_goes_back_on_boxes_without_commit_delay() -> None:
    box = Box(Platform.COMWARE, lacks=frozenset({"commit_delay"}))
    before = box.router.startup
    box.type("system-view")
    assert "Unrecognized" in box.type("configuration commit delay 5")[-1]
    for line in (
        "scheduler job dm", "command 1 system-view", "command 2 configuration replace file flash:/startup.cfg", "quit",
        "scheduler schedule dm", "job dm", "time once delay 00:05", "quit", "sysname NEW",
    ):  # fmt: skip
        assert box.type(line) == [], line
    assert box.type("display scheduler schedule")[0].endswith("dm")
    box.timers.turn(301)
    assert box.router.running == before


def test_a_replace_asks_whether_to_save_first() -> None:
    box = Box(Platform.COMWARE)
    box.type("system-view", "save force old.cfg", "sysname NEW")
    assert box.type("configuration replace file flash:/old.cfg")[-1].endswith("[Y/N]:")
    assert box.type("n")[-1].startswith("Succeeded in replacing")
    assert "NEW" not in box.router.running + box.router.startup


FAULTS = [
    ({"reject": "ntp-service"}, "ntp-service unicast-server 10.0.0.1", "Error: Wrong parameter found at '^' position."),
    ({"ask": "lldp"}, "lldp enable", "Warning: This operation is not covered by any manual. Go on? [Y/N]:"),
]


@pytest.mark.parametrize(("fault", "line", "said"), FAULTS, ids=[next(iter(fault)) for fault, *_ in FAULTS])
def test_a_fault_spoils_the_lines_that_it_means(fault: dict[str, object], line: str, said: str) -> None:
    box = Box(Platform.VRP)
    box.router.inject(**fault)
    box.type("system-view")
    assert box.type(line)[-1] == said
    assert line not in box.router.running


def test_an_unknown_fault_is_refused_by_name() -> None:
    box = Box(Platform.VRP)
    with pytest.raises(SimulationError, match="router fault 'explode' is none of reject, ask"):
        box.router.inject(explode=True)
    with pytest.raises(SimulationError, match="'x' is no bool"):
        box.router.inject(save_fails="x")
    with pytest.raises(SimulationError, match="reject"):
        box.router.inject(reject="(")


def test_a_banner_and_an_expired_password_come_before_the_prompt() -> None:
    box = Box(Platform.VRP)
    box.router.inject(banner="Authorised only. Continue? [Y/N]", password_expired=True)
    greeting = box.console.greet()
    assert greeting.lines[0].endswith("[Y/N]")
    assert greeting.ask == "Change now? [Y/N]:"
    assert box.type("n") == []


def test_a_personality_that_is_wrong_names_its_file(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text("platform: vrp\ncolour: blue\n")
    with pytest.raises(SimulationError, match=r"wrong\.yml"):
        load_language(wrong)
