"""The course of a change in a make-believe world: cut and crash at every action, and see where the device ends.

The world is a set of lines, a saved set, a dead-man and a clock that the course itself moves; nothing here waits.
"""

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from rollout import actions, course, standing
from rollout.actions import Action, Ending
from rollout.change import Change, ChangeState, DeadMan
from rollout.errors import LoginError, RefusedLineError, SessionError, UnknownPromptError, UnreachableError
from rollout.platform import PathClass, Platform
from rollout.router import Router
from rollout.running import fingerprint

STARTUP = "Next startup saved-configuration file: flash:/vrpcfg.zip\n"
PLATFORMS = {
    DeadMan.REBOOT: Platform.VRP, DeadMan.COMMIT_DELAY: Platform.COMWARE, DeadMan.TIMED_REPLACE: Platform.COMWARE,
    DeadMan.OS_TIMER: Platform.FRR, DeadMan.NONE: Platform.RGOS,
}  # fmt: skip
BEFORE = ("hostname r1", "route old", "user ops")


def apply(lines: tuple[str, ...], typed: str) -> tuple[str, ...]:
    typed = typed.strip()
    if typed.startswith("no "):
        return tuple(line for line in lines if line != typed.removeprefix("no "))
    return lines if typed in lines else tuple(sorted((*lines, typed)))


def text(lines: tuple[str, ...]) -> str:
    return "".join(f"{line}\n" for line in lines)


@pytest.fixture(autouse=True)
def _toy_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines without order or sections, so that this file tests decisions and nothing else."""

    def predict(platform: Platform, running: str, commands: tuple[str, ...]) -> str:
        lines = tuple(running.splitlines())
        for typed in commands:
            lines = apply(lines, typed)
        return text(tuple(sorted(lines)))

    def way_back(self: standing.Landmarks, running: str) -> tuple[str, ...]:
        have, want = set(running.splitlines()), set(self.before.splitlines())
        return (*sorted(want - have), *(f"no {line}" for line in sorted(have - want)))

    monkeypatch.setattr(standing, "mark", lambda platform, text: "|".join(sorted(text.splitlines())))
    monkeypatch.setattr(standing.Landmarks, "_says_the_same", lambda self, text: False)
    monkeypatch.setattr(course, "predict", predict)
    monkeypatch.setattr(standing.Landmarks, "way_back", way_back)


@dataclass
class World:
    """One device, the way to it, and the controller's clock and ledger."""

    router: Router
    dead_man: DeadMan
    running: tuple[str, ...] = BEFORE
    saved: tuple[str, ...] = BEFORE
    kept: tuple[str, ...] | None = None
    deadline: float | None = None
    away_until: float = 0.0
    cut_until: float = 0.0
    now: float = 1_000_000.0
    session: bool = False
    backup: str | None = None
    recorded: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    complaint: Callable[["World"], str | None] = lambda world: None
    refuses: str = ""
    asks: str = ""
    lacks_commit_delay: bool = False
    login_broken_by: str = "user"
    others: str | None = ""
    """What the device says of other sessions; None where it does not know the question."""

    def tick(self, seconds: float) -> None:
        """The clock goes on, and what is due happens."""
        self.now += seconds
        if self.deadline is not None and self.now >= self.deadline:
            self.deadline = None
            self.running = self.saved if self.dead_man in (DeadMan.REBOOT, DeadMan.TIMED_REPLACE) else self.kept or ()
            if self.dead_man is DeadMan.REBOOT:
                self.away_until, self.session = self.now + 3.0, False
            if "cut" in self.running:
                raise AssertionError("the dead-man brought back something that cuts")

    def reaches(self) -> bool:
        return self.now >= max(self.away_until, self.cut_until) and "cut" not in self.running

    def need(self) -> None:
        if not self.session or not self.reaches():
            self.session = False
            raise UnreachableError("r1: it went silent.")

    def type(self, line: str) -> None:
        self.need()
        if self.refuses and self.refuses in line:
            raise RefusedLineError(line, "% no")
        if self.asks and self.asks in line:
            raise UnknownPromptError("Really? [Y/N]")
        if self.dead_man is DeadMan.COMMIT_DELAY and self.lacks_commit_delay and "commit" in line:
            raise RefusedLineError(line, "% Unrecognized command")
        arms = line.startswith(
            ("schedule reboot delay", "configuration commit delay", "time once", "setsid", "systemd-run")
        )
        if arms:
            if line.startswith("time once"):
                self.dead_man = DeadMan.TIMED_REPLACE
            self.deadline = self.now + self.router.minute_s
            self.kept = self.running
        elif line.startswith(("undo schedule", "configuration commit", "undo scheduler", "systemctl stop")):
            self.deadline = None
        elif "frr-reload" in line:
            self.running = self.kept or self.running
        elif line.startswith(("umask", "scheduler", "command", "job", "quit")):
            return
        else:
            self.sent.append(line)
            self.running = apply(self.running, line)

    def perform(self, action: Action[Any]) -> Any:
        self.tick(0.05)
        match action:
            case actions.Record(name, detail):
                self.recorded.append((name, detail))
            case actions.Open() | actions.Prove():
                if not self.reaches():
                    raise UnreachableError("r1 does not answer.")
                if not any(line.startswith(self.login_broken_by) for line in self.running):
                    raise LoginError("r1 does not let us in.")
                self.session = True
                return False
            case actions.HangUp():
                self.session = False
            case actions.ReadRunning():
                self.need()
                return text(self.running)
            case actions.ReadSaved():
                self.need()
                return None if self.dead_man is DeadMan.NONE else text(self.saved)
            case actions.Ask(command):
                self.need()
                if command == "display startup":
                    return STARTUP
                if command.startswith(("display configuration-occupied", "ps ")):
                    if self.others is None:
                        raise RefusedLineError(command, "% Unrecognized command")
                    return self.others
                if command.startswith("cat "):
                    return text(self.kept or ())
                if self.deadline is None:
                    return "nothing"
                return "System will reboot at 02:00:00 (in 0 hours and 1 minutes)\nactive\ncuntong-deadman\n"
            case actions.Type(lines):
                for typed in lines:
                    self.type(typed.line)
                self.need()
            case actions.Send(lines):
                self.need()
                for line in lines:
                    self.tick(0.05)
                    self.type(line)
                    self.need()  # its answer
            case actions.Save():
                self.need()
                if self.refuses == "save":
                    raise RefusedLineError("save", "Error: no space")
                self.saved = self.running
                self.need()
            case actions.KeepBackup(kept):
                self.backup = kept
            case actions.RunChecks():
                self.need()
                return self.complaint(self)
            case actions.Now():
                return self.now
            case actions.Sleep(until):
                self.tick(max(until - self.now, 0.01))
        return None


def world(dead_man: DeadMan, **more: Any) -> World:
    router = Router(
        "r1", PLATFORMS[dead_man], "192.0.2.1", "ops", minute_s=20.0, boot_s=10.0, retry_s=0.5, controller="ours"
    )
    return World(router, dead_man, **more)


def change(dead_man: DeadMan, *commands: str, path_class: PathClass = PathClass.PATH) -> Change:
    rollback = tuple(
        line.removeprefix("no ") if line.startswith("no ") else f"no {line}" for line in reversed(commands)
    )
    platform = PLATFORMS[dead_man]
    if dead_man is DeadMan.NONE:
        path_class = PathClass.LOCAL
    return Change(
        "r1", platform, fingerprint(platform, text(BEFORE)), commands, rollback, path_class, dead_man,
        0 if dead_man is DeadMan.NONE else 1,
    )  # fmt: skip


HARMLESS = ("route new", "lan x", "no route old")
CUTTING = ("route new", "cut", "no route old")
NO_LOGIN = ("route new", "no user ops")


class Crash(Exception):  # noqa: N818  the controller's, not an error of ours
    pass


def drive(
    steps: actions.Steps[Ending], place: World, fault: Callable[[int, Action[Any], bool], None] | None = None
) -> tuple[Ending, int]:
    """Run a course in a world; ``fault`` is called before and after each action and may cut or crash."""
    count = 0
    try:
        action = next(steps)
        while True:
            if fault is not None:
                fault(count, action, False)
            try:
                result = place.perform(action)
                if fault is not None:
                    fault(count, action, True)
            except SessionError as error:
                count += 1
                action = steps.throw(error)
            else:
                count += 1
                action = steps.send(result)
    except StopIteration as stop:
        return stop.value, count
    finally:
        steps.close()


def consistent(place: World, ending: Ending, commands: tuple[str, ...]) -> None:
    """Exactly old or exactly new, running as saved, and as the ending says."""
    place.tick(60)  # whatever is still armed acts
    new: tuple[str, ...] = BEFORE
    for line in commands:
        new = apply(new, line)
    old_mark, new_mark = (fingerprint(place.router.platform, text(lines)) for lines in (BEFORE, new))
    mark = fingerprint(place.router.platform, text(place.running))
    if ending.state is ChangeState.CONFIRMED:
        assert mark == new_mark
        assert ending.fingerprint == new_mark
    else:
        assert ending.state in (ChangeState.ROLLED_BACK, ChangeState.FAILED), ending
        assert mark == old_mark
        assert ending.reason
    assert fingerprint(place.router.platform, text(place.saved)) == mark


WITH_SWITCH = [DeadMan.REBOOT, DeadMan.COMMIT_DELAY, DeadMan.TIMED_REPLACE, DeadMan.OS_TIMER]


@pytest.mark.parametrize("dead_man", list(DeadMan))
def test_a_good_change_is_confirmed_saved_and_disarmed(dead_man: DeadMan) -> None:
    place = world(dead_man)
    ending, _ = drive(course.forward(change(dead_man, *HARMLESS), place.router), place)
    assert ending.state is ChangeState.CONFIRMED
    assert place.deadline is None
    consistent(place, ending, HARMLESS)
    names = [name for name, _ in place.recorded]
    steps = [
        "connect",
        "read",
        "probe",
        "precheck",
        "backup",
        "arm",
        "send",
        "compare",
        "prove",
        "check",
        "disarm",
        "save",
        "verify",
    ]
    if dead_man is DeadMan.NONE:
        steps = [step for step in steps if step not in ("arm", "disarm")]
    assert names == steps


LOCKED = "  User Index: 34\n  User Session Name: VTY0\n  User Name: liu.wei\n  IP Address: 192.0.2.7\n"


@pytest.mark.parametrize(
    ("dead_man", "said", "who"),
    [
        (DeadMan.REBOOT, LOCKED, "VTY0 User Name: liu.wei"),
        (DeadMan.REBOOT, LOCKED.replace("liu.wei", "---"), "VTY0"),
        (DeadMan.OS_TIMER, "   2311 liu         12:04 vtysh\n", "2311 liu 12:04 vtysh"),
        (DeadMan.OS_TIMER, "   2311 root     1-02:03:04 /usr/bin/vtysh\n", "2311 root 1-02:03:04 /usr/bin/vtysh"),
        (DeadMan.OS_TIMER, "   2311 root        00:04 vtysh -d bgpd\n", "2311 root 00:04 vtysh -d bgpd"),
        (
            DeadMan.OS_TIMER,
            "   2311 root        00:04 vtysh --histfile=/nonexistent/cuntong-other\n",
            "2311 root 00:04 vtysh --histfile=/nonexistent/cuntong-other",
        ),
        (
            DeadMan.OS_TIMER,
            "   2310 root        00:04 vtysh --histfile=/nonexistent/cuntong-ours\n   2311 liu         12:04 vtysh\n",
            "2311 liu 12:04 vtysh",
        ),
    ],
    ids=[
        "VRP locked by a user",
        "VRP locked from the console",
        "a person in vtysh",
        "since yesterday",
        "of one daemon",
        "another controller",
        "a person beside a leftover of ours",
    ],
)
def test_nothing_is_armed_while_somebody_else_has_the_configuration_open(
    dead_man: DeadMan, said: str, who: str
) -> None:
    place = world(dead_man, others=said)
    ending, _ = drive(course.forward(change(dead_man, *HARMLESS), place.router), place)
    assert ending.state is ChangeState.FAILED
    assert f"({who}); nothing was sent" in ending.reason
    assert "arm" not in dict(place.recorded)
    consistent(place, ending, HARMLESS)


@pytest.mark.parametrize(
    ("dead_man", "said"),
    [
        (DeadMan.REBOOT, None),
        (DeadMan.REBOOT, "Info: No user has locked the configuration.\n"),
        (DeadMan.OS_TIMER, None),
        (DeadMan.OS_TIMER, "   2311 root        00:01 vtysh -c show running-config\n"),
        (DeadMan.OS_TIMER, "   2311 root        00:01 vtysh -d bgpd -f /tmp/lines\n"),
        (DeadMan.OS_TIMER, "   2311 root        00:04 vtysh --histfile=/nonexistent/cuntong-ours\n"),
        (DeadMan.OS_TIMER, "ps: unrecognized option: C\n"),
    ],
    ids=[
        "VRP that does not know it",
        "VRP unlocked",
        "no ps",
        "a program that reads",
        "a program that is fed",
        "what a cut line left of ours",
        "another ps",
    ],
)
def test_a_device_that_cannot_tell_is_changed_as_before(dead_man: DeadMan, said: str | None) -> None:
    place = world(dead_man, others=said)
    ending, _ = drive(course.forward(change(dead_man, *HARMLESS), place.router), place)
    assert ending.state is ChangeState.CONFIRMED
    consistent(place, ending, HARMLESS)


@pytest.mark.parametrize("dead_man", WITH_SWITCH)
@pytest.mark.parametrize("commands", [CUTTING, NO_LOGIN], ids=["cuts the path", "breaks the login"])
def test_a_change_that_saws_off_its_branch_comes_back_by_itself(dead_man: DeadMan, commands: tuple[str, ...]) -> None:
    place = world(dead_man)
    ending, _ = drive(course.forward(change(dead_man, *commands), place.router), place)
    assert ending.state is ChangeState.ROLLED_BACK
    consistent(place, ending, commands)


def actions_of(dead_man: DeadMan, commands: tuple[str, ...]) -> int:
    place = world(dead_man)
    return drive(course.forward(change(dead_man, *commands), place.router), place)[1]


def cuts() -> Iterator[tuple[float, bool]]:
    for seconds in (0.3, 4.0, 15.0, 19.5, 25.0):
        for after in (False, True):
            yield seconds, after


@pytest.mark.parametrize("dead_man", list(DeadMan))
@pytest.mark.parametrize("commands", [HARMLESS, CUTTING], ids=["harmless", "cuts the path"])
def test_a_cut_at_any_action_ends_at_the_old_or_the_new_configuration(
    dead_man: DeadMan, commands: tuple[str, ...]
) -> None:
    if dead_man is DeadMan.NONE and commands is CUTTING:
        return  # refused before it begins, see below
    for at in range(actions_of(dead_man, commands)):
        for seconds, after in cuts():
            place = world(dead_man)
            met: list[bool] = []

            def cut(
                count: int, action: Action[Any], done: bool, at: int = at, seconds: float = seconds,
                after: bool = after, place: World = place, met: list[bool] = met,
            ) -> None:  # fmt: skip
                if count == at and done is after:
                    met.append(place.session)
                    place.cut_until, place.session = place.now + seconds, False

            made = change(dead_man, *commands)
            try:
                ending, _ = drive(course.forward(made, place.router), place, cut)
            except SessionError:
                assert not place.sent  # nothing was sent: the driver says FAILED
                continue
            if ending.state is ChangeState.LOST:  # away for longer than its whole budget; somebody asks again later
                assert seconds >= 15
                whole_s = made.minutes * place.router.minute_s + place.router.boot_s
                assert seconds > whole_s or met == [False]  # what was there a moment ago is given all of it anew
                place.tick(30)
                ending, _ = drive(course.resume(made, place.router, list(place.recorded), place.backup), place)
            consistent(place, ending, commands)


@pytest.mark.parametrize("login", ["comes to a prompt", "ends in silence"])
def test_a_device_that_came_back_and_is_cut_off_again_is_not_lost(login: str) -> None:
    place = world(DeadMan.REBOOT)

    def cut(count: int, action: Action[Any], done: bool) -> None:
        back = place.deadline is None and "wait" in dict(place.recorded) and place.reaches()
        if isinstance(action, actions.Open) and done and back and not place.cut_until:
            place.cut_until, place.session = place.now + 25, False
            if login == "ends in silence":
                raise UnreachableError("r1: it went silent.", let_in=True)

    ending, _ = drive(course.forward(change(DeadMan.REBOOT, *CUTTING), place.router), place, cut)
    assert place.cut_until > 0
    assert ending.state is ChangeState.ROLLED_BACK
    consistent(place, ending, CUTTING)


def test_a_device_that_comes_and_goes_for_ever_is_called_lost_in_the_end() -> None:
    place = world(DeadMan.REBOOT)

    def cut(count: int, action: Action[Any], done: bool) -> None:
        if isinstance(action, actions.Open) and done and "wait" in dict(place.recorded):
            place.cut_until, place.session = place.now + 5, False

    began = place.now
    ending, _ = drive(course.forward(change(DeadMan.REBOOT, *CUTTING), place.router), place, cut)
    assert ending.state is ChangeState.LOST
    assert 90 <= place.now - began < 100  # three times its minute of 20 s and its boot of 10 s


@pytest.mark.parametrize("dead_man", list(DeadMan))
@pytest.mark.parametrize("commands", [HARMLESS, CUTTING], ids=["harmless", "cuts the path"])
@pytest.mark.parametrize("pause_s", [0.0, 5.0, 19.0, 60.0])
def test_a_crash_of_the_controller_at_any_action_is_resolved_by_the_next(
    dead_man: DeadMan, commands: tuple[str, ...], pause_s: float
) -> None:
    if dead_man is DeadMan.NONE and commands is CUTTING:
        return
    made = change(dead_man, *commands)
    for at in range(actions_of(dead_man, commands)):
        for after in (False, True):
            place = world(dead_man)

            def crash(count: int, action: Action[Any], done: bool, at: int = at, after: bool = after) -> None:
                if count == at and done is after:
                    raise Crash

            with contextlib.suppress(Crash):  # an action that fails has no "after": the run then ends by itself
                drive(course.forward(made, place.router), place, crash)
            place.session = False
            place.tick(pause_s)
            ending, _ = drive(course.resume(made, place.router, list(place.recorded), place.backup), place)
            consistent(place, ending, commands)


@pytest.mark.parametrize("dead_man", list(DeadMan))
@pytest.mark.parametrize("line", range(len(HARMLESS)))
@pytest.mark.parametrize("how", ["refuses", "asks"])
def test_a_refusal_or_an_unknown_question_in_the_middle_goes_back(dead_man: DeadMan, line: int, how: str) -> None:
    place = world(dead_man, **{how: HARMLESS[line]})
    ending, _ = drive(course.forward(change(dead_man, *HARMLESS), place.router), place)
    assert ending.state is ChangeState.ROLLED_BACK
    assert ("Really?" if how == "asks" else "% no") in ending.reason
    consistent(place, ending, HARMLESS)


@pytest.mark.parametrize("dead_man", list(DeadMan))
def test_a_check_that_fails_after_the_change_goes_back_and_one_before_sends_nothing(dead_man: DeadMan) -> None:
    place = world(dead_man, complaint=lambda now: "the hub is silent." if now.sent else None)
    ending, _ = drive(course.forward(change(dead_man, *HARMLESS), place.router), place)
    assert (ending.state, "after the change the hub is silent." in ending.reason) == (ChangeState.ROLLED_BACK, True)
    consistent(place, ending, HARMLESS)

    place = world(dead_man, complaint=lambda now: "the hub is silent.")
    ending, _ = drive(course.forward(change(dead_man, *HARMLESS), place.router), place)
    assert (ending.state, place.sent) == (ChangeState.FAILED, [])


@pytest.mark.parametrize("dead_man", list(DeadMan))
def test_a_device_that_cannot_save_goes_back(dead_man: DeadMan) -> None:
    place = world(dead_man, refuses="save")
    ending, _ = drive(course.forward(change(dead_man, *HARMLESS), place.router), place)
    assert ending.state is ChangeState.ROLLED_BACK
    consistent(place, ending, HARMLESS)


def test_a_stale_plan_sends_nothing() -> None:
    place = world(DeadMan.REBOOT, running=(*BEFORE, "somebody was here"))
    ending, _ = drive(course.forward(change(DeadMan.REBOOT, *HARMLESS), place.router), place)
    assert (ending.state, place.sent, place.deadline) == (ChangeState.STALE, [], None)


def test_a_reboot_into_another_configuration_is_no_dead_man() -> None:
    place = world(DeadMan.REBOOT, saved=("hostname r1",))
    ending, _ = drive(course.forward(change(DeadMan.REBOOT, *HARMLESS), place.router), place)
    assert (ending.state, place.sent, place.deadline) == (ChangeState.FAILED, [], None)
    assert "not its saved one" in ending.reason


def test_without_commit_delay_the_timed_replace_takes_its_place() -> None:
    place = world(DeadMan.COMMIT_DELAY, lacks_commit_delay=True)
    ending, _ = drive(course.forward(change(DeadMan.COMMIT_DELAY, *CUTTING), place.router), place)
    assert place.dead_man is DeadMan.TIMED_REPLACE
    assert ending.state is ChangeState.ROLLED_BACK
    consistent(place, ending, CUTTING)


def test_a_path_change_without_any_way_back_needs_a_visit_and_is_not_begun() -> None:
    made = Change(
        "r1", Platform.RGOS, fingerprint(Platform.RGOS, text(BEFORE)), HARMLESS, (), PathClass.PATH, DeadMan.NONE, 0
    )
    place = world(DeadMan.NONE)
    ending, count = drive(course.forward(made, place.router), place)
    assert (ending.state, count, place.recorded) == (ChangeState.NEEDS_VISIT, 0, [])


@pytest.mark.parametrize(
    "line", ["reboot", "save", "reset saved-configuration", "undo schedule reboot", "configuration commit"]
)
def test_what_is_never_sent_is_refused_before_connecting(line: str) -> None:
    place = world(DeadMan.REBOOT)
    ending, count = drive(course.forward(change(DeadMan.REBOOT, "route new", line), place.router), place)
    assert (ending.state, count) == (ChangeState.FAILED, 0)


def test_a_device_that_stays_away_is_lost() -> None:
    place = world(DeadMan.REBOOT)

    def cut(count: int, action: Action[Any], done: bool) -> None:
        if isinstance(action, actions.Send) and not done:
            place.cut_until = place.now + 10_000

    ending, _ = drive(course.forward(change(DeadMan.REBOOT, *HARMLESS), place.router), place, cut)
    assert ending.state is ChangeState.LOST
    assert place.now < 1_000_000 + 100


def test_nothing_is_ever_saved_before_a_new_login(monkeypatch: pytest.MonkeyPatch) -> None:
    place = world(DeadMan.OS_TIMER)
    seen: list[str] = []

    def watch(count: int, action: Action[Any], done: bool) -> None:
        if not done:
            seen.append(type(action).__name__)

    drive(course.forward(change(DeadMan.OS_TIMER, *HARMLESS), place.router), place, watch)
    assert seen.index("Send") < seen.index("Prove") < seen.index("Save")


def test_worlds_do_not_share_state() -> None:
    assert copy.copy(world(DeadMan.REBOOT)).recorded is not world(DeadMan.REBOOT).recorded
