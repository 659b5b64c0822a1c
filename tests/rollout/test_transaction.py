"""Transactions over real SSH with simulated routers: bad input, secrets, fencing, the second path."""

import errno
import logging
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest

from benchmarks.cut_cases import CASES, PASSWORD
from benchmarks.cut_the_branch import SECRET, Bench, Notebook, bench, change_of, settle
from inventory.errors import CuntongError
from ledger.errors import FencedError
from rollout.change import Change, ChangeState, DeadMan
from rollout.errors import LockHeldError
from rollout.platform import PathClass, Platform
from rollout.router import Router
from rollout.running import fingerprint
from rollout.session import Session, connect
from rollout.standing import mark
from rollout.transaction import read_both, read_running, resolve, transact
from rollout.watch import default_route_check, ping_check
from simulator.routers.device import Options, RouterSpec, SimulatedRouter
from simulator.routers.fleet import serving

PLATFORMS = [name for name, case in CASES.items() if case.dead_man is not DeadMan.NONE]


@pytest.fixture(scope="module")
def place() -> Iterator[Bench]:
    with bench(40) as made:
        yield made


def untouched(box: SimulatedRouter, change: Change) -> bool:
    """Running, saved and timers as they were."""
    state = box.state()
    return (
        fingerprint(change.platform, box.running) == change.fingerprint
        and not box.unsaved
        and not state["jobs"]
        and state["reboot_in_minutes"] is None
        and state["rollback_in_minutes"] is None
    )


@pytest.mark.parametrize("case", CASES)
def test_reading_changes_nothing_and_gives_what_the_device_shows(place: Bench, case: str) -> None:
    box, router = place.fresh(case)
    platform = router.platform
    assert mark(platform, read_running(router)) == mark(platform, box.running)
    running, saved = read_both(router)
    assert mark(platform, running) == mark(platform, box.running)
    assert mark(platform, saved or "") == mark(platform, box.startup)
    assert not box.unsaved


def wrong_password(router: Router) -> Router:
    return replace(router, password="wrong")  # noqa: S106


def no_credential(router: Router) -> Router:
    return replace(router, password=None)


def changed_key(router: Router) -> Router:
    return replace(
        router, host_keys=("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",)
    )


def nothing_there(router: Router) -> Router:
    return replace(router, port=1)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (wrong_password, "does not let 'ops' in"),
        (no_credential, "has no credential"),
        (changed_key, "another host key"),
        (nothing_there, "does not answer at"),
    ],
)
def test_a_device_that_does_not_let_us_in_fails_in_one_line_with_nothing_sent(
    place: Bench, spoil: object, words: str
) -> None:
    box, router = place.fresh("vrp")
    change = change_of("vrp", "harmless", router, fingerprint(router.platform, box.running))
    outcome = transact(change, spoil(router), Notebook())  # type: ignore[operator]
    assert outcome.state is ChangeState.FAILED
    assert words in outcome.reason
    assert "\n" not in outcome.reason
    assert untouched(box, change)


class FullDisk(Notebook):
    def keep_backup(self, text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


class Held(Notebook):
    def lock(self) -> AbstractContextManager[None]:
        raise LockHeldError("v1 is being changed by run 7 of liu.wei.")


class NoSecret(Notebook):
    def open_secret(self, reference: str) -> str:
        raise CuntongError(f"The vault holds no {reference}.")


class BlankSecret(Notebook):
    def open_secret(self, reference: str) -> str:
        return "two words"


@pytest.mark.parametrize(
    ("notes", "words"),
    [
        (FullDisk(), "backup could not be kept (No space left on device); nothing was sent"),
        (Held(), "is being changed by run 7"),
        (NoSecret(), "holds no secret://"),
        (BlankSecret(), "holds a blank"),
    ],
    ids=["full disk", "lock held", "no such secret", "a secret of two words"],
)
@pytest.mark.parametrize("case", ["vrp", "comware", "frr", "rgos"])
def test_what_is_wrong_on_our_side_is_known_before_anything_is_sent(
    place: Bench, case: str, notes: Notebook, words: str
) -> None:
    box, router = place.fresh(case)
    change = change_of(case, "harmless", router, fingerprint(router.platform, box.running))
    outcome = transact(change, router, replace(notes, steps=[]))
    assert (outcome.state, words in outcome.reason) == (ChangeState.FAILED, True), outcome.reason
    assert untouched(box, change)


def test_a_configuration_that_changed_since_the_plan_is_stale(place: Bench) -> None:
    box, router = place.fresh("vrp")
    change = replace(
        change_of("vrp", "harmless", router, fingerprint(router.platform, box.running)), fingerprint="0" * 64
    )
    outcome = transact(change, router, Notebook())
    assert outcome.state is ChangeState.STALE
    assert outcome.fingerprint == fingerprint(Platform.VRP, box.running)
    assert not box.unsaved


def lock(session: Session) -> None:
    session.ask("configuration exclusive")


@pytest.mark.parametrize(
    ("case", "occupy", "who"), [("vrp", lock, "VTY0 User Name: ops"), ("frr", Session.enter_configuration, "vtysh")]
)
def test_a_device_that_somebody_else_configures_is_left_alone_until_they_leave(
    place: Bench, case: str, occupy: Callable[[Session], None], who: str
) -> None:
    box, router = place.fresh(case)
    change = change_of(case, "harmless", router, fingerprint(router.platform, box.running))
    with connect(router) as other:
        occupy(other)
        outcome = transact(change, router, Notebook())
    assert (outcome.state, who in outcome.reason) == (ChangeState.FAILED, True), outcome.reason
    assert untouched(box, change)
    for _ in range(100):  # the box notices that they hung up
        if box.holder is None and not box.configuring:
            break
        time.sleep(0.02)
    assert transact(change, router, Notebook()).state is ChangeState.CONFIRMED


def test_what_a_cut_line_left_of_our_own_on_a_linux_router_keeps_nobody_out(place: Bench) -> None:
    box, router = place.fresh("frr")
    router = replace(router, controller="ours")
    change = change_of("frr", "harmless", router, fingerprint(router.platform, box.running))
    with connect(router) as left:
        left.enter_configuration()
        outcome = transact(change, replace(router, controller="another"), Notebook())
        assert "cuntong-ours" in outcome.reason
        assert untouched(box, change)
        assert transact(change, router, Notebook()).state is ChangeState.CONFIRMED


@pytest.mark.parametrize("case", PLATFORMS)
@pytest.mark.parametrize(
    ("fault", "words"),
    [({"reject": "description lan"}, "was refused"), ({"ask": "description lan"}, "no table of ours answers it")],
)
def test_a_refused_line_or_an_unknown_question_in_the_middle_goes_back_over_the_live_session(
    place: Bench, case: str, fault: dict[str, str], words: str
) -> None:
    box, router = place.fresh(case)
    change = change_of(case, "harmless", router, fingerprint(router.platform, box.running))
    box.inject(**fault)
    outcome = transact(change, router, Notebook())
    assert outcome.state is ChangeState.ROLLED_BACK
    assert words in outcome.reason
    assert box.reboots == 0
    settle(box)
    assert mark(change.platform, box.running) == mark(change.platform, box.startup)
    assert not any(name == "wait" for name, _ in outcome.steps)


def test_a_vrp_whose_running_configuration_is_not_saved_gets_no_reboot_as_its_net(place: Bench) -> None:
    box, router = place.fresh("vrp")
    box.set_running(box.editor.load(box.running.replace(" sysname V1", " sysname V2"), box.ports))
    change = change_of("vrp", "harmless", router, fingerprint(router.platform, box.running))
    outcome = transact(change, router, Notebook())
    assert (outcome.state, "not its saved one" in outcome.reason) == (ChangeState.FAILED, True)
    assert box.state()["reboot_in_minutes"] is None


def test_an_offer_to_save_while_arming_is_declined_and_nothing_is_sent(place: Bench) -> None:
    box, router = place.fresh("vrp")
    router = replace(router, silence_s=6.0)  # a third of it is waited for what an answer to a question brings
    box.inject(offers_save=True)
    change = change_of("vrp", "harmless", router, fingerprint(router.platform, box.running))
    outcome = transact(change, router, Notebook())
    assert outcome.state is ChangeState.FAILED
    assert "could not be armed" in outcome.reason
    assert untouched(box, change)


def test_a_line_that_goes_while_a_question_is_declined_ends_as_an_outcome(
    place: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: object) -> None:
        raise EOFError  # what paramiko says of a connection that the other side reset

    box, router = place.fresh("vrp")
    router = replace(router, silence_s=1.0)  # less than the box takes to be at its prompt again
    box.inject(offers_save=True)
    change = change_of("vrp", "harmless", router, fingerprint(router.platform, box.running))
    monkeypatch.setattr("paramiko.Channel.close", gone)
    assert transact(change, router, Notebook()).state is ChangeState.FAILED


def test_a_banner_with_a_question_and_an_expired_password_do_not_disturb_a_change(place: Bench) -> None:
    box, router = place.fresh("vrp")
    change = change_of("vrp", "harmless", router, fingerprint(router.platform, box.running))
    box.inject(banner="Authorised use only. Continue? [Y/N]", password_expired=True)
    outcome = transact(change, router, Notebook())
    assert (outcome.state, outcome.reason) == (ChangeState.CONFIRMED, "")


def test_service_checks_ask_the_device_itself(place: Bench) -> None:
    box, router = place.fresh("vrp")
    change = change_of("vrp", "harmless", router, fingerprint(router.platform, box.running))
    good = (default_route_check(Platform.VRP), ping_check(Platform.VRP, "10.9.0.1", "10.9.0.2"))
    assert transact(change, router, Notebook(checks=good)).state is ChangeState.CONFIRMED
    box, router = place.fresh("vrp")
    change = change_of("vrp", "harmless", router, fingerprint(router.platform, box.running))
    outcome = transact(change, router, Notebook(checks=(ping_check(Platform.VRP, "nowhere"),)))
    assert outcome.state is ChangeState.FAILED
    assert "before the change already: 'ping -c 3 nowhere' was refused" in outcome.reason
    assert untouched(box, change)


@pytest.mark.parametrize("case", ["vrp", "rgos"])
def test_a_fenced_worker_sends_nothing_more_and_its_successor_ends_the_change(place: Bench, case: str) -> None:
    box, router = place.fresh(case)
    change = change_of(case, "harmless", router, fingerprint(router.platform, box.running))
    asked, taken = 0, -1

    def fence(call: str) -> None:
        nonlocal asked, taken
        asked += call == "may_go_on"
        if asked > 8 and call == "may_go_on":
            taken = len(box.commands) if taken < 0 else taken
            raise FencedError("Run 7 was taken over by another controller.")

    first = Notebook(before=fence)
    with pytest.raises(FencedError):
        transact(change, router, first)
    assert len(box.commands) == taken
    outcome = resolve(change, router, Notebook(steps=first.steps, backup=first.backup))
    assert outcome.state is ChangeState.ROLLED_BACK
    settle(box)
    assert mark(change.platform, box.running) == mark(change.platform, box.startup)


def test_a_stop_before_the_first_step_touches_nothing(place: Bench) -> None:
    box, router = place.fresh("vrp")

    def stop(call: str) -> None:
        if call == "may_start":
            raise FencedError("The operator stopped the run.")

    with pytest.raises(FencedError):
        transact(
            change_of("vrp", "harmless", router, fingerprint(router.platform, box.running)),
            router,
            Notebook(before=stop),
        )
    assert box.logins == 0


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("fault", [{}, {"reject": "secret|community|password"}, {"ask": "community|password"}])
def test_an_opened_secret_is_in_no_record_log_error_or_outcome(
    place: Bench, case: str, fault: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    box, router = place.fresh(case)
    box.inject(**fault)
    notes = Notebook()
    outcome = transact(change_of(case, "harmless", router, fingerprint(router.platform, box.running)), router, notes)
    assert outcome.state is (ChangeState.ROLLED_BACK if fault else ChangeState.CONFIRMED)
    written = f"{outcome}{notes.steps}{notes.backup}{caplog.text}{router!r}"
    assert SECRET not in written
    assert PASSWORD not in written


def rgos_path_change(router: Router, box: SimulatedRouter) -> Change:
    commands, rollback = CASES["rgos"].changes["cuts"]
    return Change(
        router.device, Platform.RGOS, fingerprint(Platform.RGOS, box.running), commands, rollback, PathClass.PATH,
        DeadMan.NONE, 0,
    )  # fmt: skip


def test_rgos_without_a_second_path_needs_a_visit_for_a_change_of_its_path(place: Bench) -> None:
    box, router = place.fresh("rgos")
    change = rgos_path_change(router, box)
    outcome = transact(change, router, Notebook())
    assert outcome.state is ChangeState.NEEDS_VISIT
    assert box.logins == 0


def test_rgos_with_a_second_path_that_does_not_work_is_not_changed(place: Bench) -> None:
    box, router = place.fresh("rgos")
    change = rgos_path_change(router, box)
    outcome = transact(change, replace(router, second_path=("127.0.0.1", 1)), Notebook())
    assert outcome.state is ChangeState.FAILED
    assert untouched(box, change)


def test_a_thin_line_is_slow_and_not_lost() -> None:
    spec = RouterSpec("r1", 0, Platform.VRP, CASES["vrp"].text)
    with serving([spec], Options(minute_s=30.0, rate_bit_s=64_000, delay_s=0.04)) as fleet:
        router = Router(
            device="r1", platform=Platform.VRP, host=fleet.address("r1"), port=fleet.port, username="ops",
            password=PASSWORD, host_keys=(fleet.host_key("r1"),), silence_s=2.0, connect_s=5.0, minute_s=30.0,
        )  # fmt: skip
        change = change_of("vrp", "harmless", router, fingerprint(Platform.VRP, fleet["r1"].running))
        assert transact(change, router, Notebook()).state is ChangeState.CONFIRMED


class Door:
    """A way to a device, through a port of our own, that closes for good when it is told to or the device shuts it."""

    def __init__(self, host: str, port: int, closed: Callable[[], bool]) -> None:
        self._to, self._closed = (host, port), closed
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()

    def _serve(self) -> None:
        pairs: list[tuple[socket.socket, socket.socket]] = []
        try:
            while True:
                readable, _, _ = select.select([self._server, *(one for pair in pairs for one in pair)], [], [], 0.05)
                if self._server in readable:
                    here, _ = self._server.accept()
                    pairs.append((here, socket.create_connection(self._to)))
                for pair in pairs.copy():
                    ended = self._closed()
                    for one, other in (pair, pair[::-1]):
                        if one in readable and not ended:
                            heard = one.recv(65536)
                            ended = not heard
                            other.sendall(heard)
                    if ended:
                        pairs.remove(pair)
                        for one in pair:
                            one.close()
        except (OSError, ValueError):  # the server was closed
            for pair in pairs:
                for one in pair:
                    one.close()


def test_rgos_comes_back_over_its_second_path() -> None:
    case = CASES["rgos"]
    spec = RouterSpec("r1", 0, Platform.RGOS, case.text)
    with serving([spec], Options(minute_s=1.0)) as fleet:
        box = fleet["r1"]
        door = Door(fleet.address("r1"), fleet.port, lambda: " shutdown" in box.running)
        try:
            router = Router(
                device="r1", platform=Platform.RGOS, host="127.0.0.1", port=door.port, username="ops",
                password=PASSWORD, enable=PASSWORD, host_keys=(fleet.host_key("r1"),), silence_s=1.0, connect_s=2.0,
                minute_s=1.0, boot_s=5.0, retry_s=0.1, second_path=(fleet.address("r1"), fleet.port),
            )  # fmt: skip
            change = rgos_path_change(router, box)
            outcome = transact(change, router, Notebook())
        finally:
            door.close()
        assert outcome.state is ChangeState.ROLLED_BACK, outcome
        assert fingerprint(Platform.RGOS, box.running) == change.fingerprint
        assert not box.unsaved
