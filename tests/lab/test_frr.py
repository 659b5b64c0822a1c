"""Transactions on a real router (FRR and OpenSSH in namespaces) whose line is really cut, step by step.

The timer here is a detached process, since namespaces have no systemd; the restore is `frr-reload.py` on the
configuration that was kept. A minute of the dead-man lasts 5 s.
"""

import contextlib
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from rollout.change import Change, ChangeState, DeadMan
from rollout.platform import PathClass, Platform
from rollout.running import fingerprint
from rollout.session import connect
from rollout.standing import mark
from rollout.transaction import read_both, read_running, resolve, transact
from rollout.watch import Check, ping_check

pytestmark = pytest.mark.lab

SAFE = ("interface eth0", "description to-township", "exit", "ip route 203.0.113.128/25 198.18.77.5")
SAFE_BACK = ("no ip route 203.0.113.128/25 198.18.77.5", "interface eth0", "description to-manager", "exit")
SHUTS = ("interface eth0", "description to-township", "shutdown", "exit", "ip route 203.0.113.128/25 198.18.77.5")
STEPS = (
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
)


class Killed(BaseException):
    """The controller's process died."""


@dataclass
class Notebook:
    """A watchman in memory; at a step it may call something, such as scissors."""

    at: str = ""
    then: Any = None
    checks: Sequence[Check] = ()
    steps: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    backup: str | None = None

    def lock(self) -> AbstractContextManager[None]:
        return nullcontext()

    def step(self, name: str, detail: Mapping[str, str]) -> None:
        self.steps.append((name, dict(detail)))
        if name == self.at:
            self.at = ""
            self.then()

    def may_start(self) -> None:
        pass

    def may_go_on(self) -> None:
        pass

    def keep_backup(self, text: str) -> None:
        self.backup = text

    def kept_backup(self) -> str | None:
        return self.backup

    def recorded(self) -> Sequence[tuple[str, Mapping[str, str]]]:
        return self.steps

    def open_secret(self, reference: str) -> str:
        return "canary-77"


def change(text: str, commands: tuple[str, ...], rollback: tuple[str, ...] = ()) -> Change:
    return Change(
        "frr-1", Platform.FRR, fingerprint(Platform.FRR, text), commands, rollback, PathClass.PATH, DeadMan.OS_TIMER, 1
    )


def settled(frr: Any) -> str:
    """The running configuration once no timer of ours is left; the saved one must be the same."""
    until = time.monotonic() + 20
    while "cuntong-deadman" in frr.run("ls /run/cuntong-deadman.pid* 2>/dev/null", check=False):
        assert time.monotonic() < until, "the dead-man did not end"
        time.sleep(0.1)
    running: str = frr.running()
    assert mark(Platform.FRR, frr.saved()) == mark(Platform.FRR, running)
    return running


@contextlib.contextmanager
def later(seconds: float, call: Any) -> Iterator[None]:
    timer = threading.Timer(seconds, call)
    timer.start()
    try:
        yield
    finally:
        timer.join()


@pytest.fixture
def place(frr: Any) -> Iterator[Any]:
    frr.reset()
    yield frr
    frr.heal()


def test_nothing_is_armed_while_a_person_stands_in_vtysh(place: Any) -> None:
    before = read_running(place.router)
    with connect(place.router) as other:
        other.enter_configuration()
        outcome = transact(change(before, SAFE, SAFE_BACK), place.router, Notebook())
    assert outcome.state is ChangeState.FAILED
    assert re.search(r"somebody else has its configuration open \(\d+ root [\d:]+ vtysh\b.*\)", outcome.reason)
    assert "arm" not in dict(outcome.steps)
    assert mark(Platform.FRR, settled(place)) == mark(Platform.FRR, before)


def test_what_a_cut_line_left_of_our_own_keeps_nobody_out_and_no_line_in_a_history(place: Any) -> None:
    before = read_running(place.router)
    ours = replace(place.router, controller="lab")
    with connect(ours) as left:
        left.enter_configuration()
        left.configure("password secret://lab/vty", "password canary-9e21")
        left.configure("no password")
        outcome = transact(change(before, SAFE, SAFE_BACK), replace(ours, controller="another"), Notebook())
        assert "cuntong-lab); nothing was sent" in outcome.reason
        outcome = transact(change(before, SAFE, SAFE_BACK), ours, Notebook())
        assert (outcome.state, outcome.reason) == (ChangeState.CONFIRMED, "")
        assert " description to-township\n" in settled(place)
    with connect(ours) as shell:
        assert "canary" not in shell.ask("cat ~/.history_frr 2>/dev/null; true")


def test_a_change_of_the_interface_in_use_is_confirmed_and_saved(place: Any) -> None:
    before = read_running(place.router)
    checks = (ping_check(Platform.FRR, "198.18.77.5"), ping_check(Platform.FRR, "198.18.77.5", "198.18.77.6"))
    outcome = transact(change(before, SAFE, SAFE_BACK), place.router, Notebook(checks=checks))
    assert (outcome.state, outcome.reason) == (ChangeState.CONFIRMED, "")
    assert [name for name, _ in outcome.steps] == list(STEPS)
    after = settled(place)
    assert " description to-township\n" in after
    assert outcome.fingerprint == fingerprint(Platform.FRR, after)
    assert mark(Platform.FRR, read_both(place.router)[1] or "") == mark(Platform.FRR, after)


def test_shutting_the_interface_in_use_brings_the_router_back_by_itself(place: Any) -> None:
    before = read_running(place.router)
    outcome = transact(change(before, SHUTS), place.router, Notebook())
    assert outcome.state is ChangeState.ROLLED_BACK
    assert mark(Platform.FRR, settled(place)) == mark(Platform.FRR, before)


def test_a_line_that_frr_refuses_goes_back_over_the_live_session_with_its_own_reload(place: Any) -> None:
    before = read_running(place.router)
    outcome = transact(
        change(before, (*SAFE, "router nonsense", "ip route 192.0.2.0/25 198.18.77.5")), place.router, Notebook()
    )
    assert outcome.state is ChangeState.ROLLED_BACK
    assert "'router nonsense' was refused: % Unknown command: router nonsense" in outcome.reason
    assert mark(Platform.FRR, settled(place)) == mark(Platform.FRR, before)


@pytest.mark.parametrize("step", ["send", "compare", "prove", "check", "disarm", "save", "verify"])
@pytest.mark.parametrize("how", ["carrier", "drop"])
def test_a_line_cut_at_any_step_leaves_the_old_or_the_new_configuration(place: Any, step: str, how: str) -> None:
    before = read_running(place.router)

    def cut() -> None:
        place.carrier(False) if how == "carrier" else place.drop(True)
        threading.Timer(1.0, place.heal).start()

    made = change(before, SAFE, SAFE_BACK)
    outcome = transact(made, place.router, Notebook(at=step, then=cut))
    after = settled(place)
    if outcome.state is ChangeState.CONFIRMED:
        assert " description to-township\n" in after
        assert "203.0.113.128/25" in after
    else:
        assert outcome.state is ChangeState.ROLLED_BACK
        assert mark(Platform.FRR, after) == mark(Platform.FRR, before)


@pytest.mark.parametrize("step", ["connect", "read", "probe", "precheck", "backup"])
def test_a_line_cut_before_anything_was_sent_fails_and_changes_nothing(place: Any, step: str) -> None:
    before = read_running(place.router)
    outcome = transact(change(before, SAFE), place.router, Notebook(at=step, then=lambda: place.drop(True)))
    place.heal()
    if outcome.state is ChangeState.FAILED:
        assert mark(Platform.FRR, settled(place)) == mark(Platform.FRR, before)
    else:
        assert step == "backup"  # its next action types at the device, which then is lost, and found unchanged
        assert outcome.state in (ChangeState.ROLLED_BACK, ChangeState.LOST)
        assert mark(Platform.FRR, settled(place)) == mark(Platform.FRR, before)


@pytest.mark.parametrize("step", ["arm", "send", "compare", "disarm", "save"])
def test_a_controller_that_dies_is_succeeded_by_one_that_ends_what_it_began(place: Any, step: str) -> None:
    def die() -> None:
        raise Killed

    before = read_running(place.router)
    made, first = change(before, SAFE, SAFE_BACK), Notebook(at=step, then=die)
    with pytest.raises(Killed):
        transact(made, place.router, first)
    outcome = resolve(made, place.router, Notebook(steps=first.steps, backup=first.backup))
    after = settled(place)
    assert outcome.state is (ChangeState.CONFIRMED if "description to-township\n" in after else ChangeState.ROLLED_BACK)
    if outcome.state is ChangeState.ROLLED_BACK:
        assert mark(Platform.FRR, after) == mark(Platform.FRR, before)


def test_the_kept_configuration_is_readable_by_root_only(place: Any) -> None:
    modes: list[str] = []
    book = Notebook(at="send", then=lambda: modes.append(place.run("stat -c %a /etc/frr/cuntong-keep.conf").strip()))
    transact(change(read_running(place.router), SAFE, SAFE_BACK), place.router, book)
    assert modes == ["600"]


def test_a_secret_reaches_the_router_and_nothing_else(place: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    book = Notebook()
    commands = ("password secret://frr/vty",)
    outcome = transact(change(read_running(place.router), commands, ("no password",)), place.router, book)
    assert outcome.state is ChangeState.CONFIRMED, outcome.reason
    assert re.search("^password canary-77$", settled(place), re.MULTILINE)
    assert "canary-77" not in f"{outcome}{book.steps}{caplog.text}"
