"""Planning one device: what a reading leads to, which net is under it, and that no ciphertext stands in a plan."""

import pytest

from rollout.change import DeadMan
from rollout.errors import UnreachableError
from rollout.plan import Readiness
from rollout.planning import Task, dead_man_for, is_kept, kept_reference, kept_secret, minutes_for, plan_device
from rollout.platform import PathClass, Platform
from rollout.router import Router

CIPHER = "%^%#k3Jx8f0:2)sP%^%#"
RUNNING = f"""\
#
 sysname A
#
aaa
 local-user ops password irreversible-cipher {CIPHER}
 local-user ops service-type ssh
 local-user old password irreversible-cipher {CIPHER}
 local-user old service-type ssh
#
interface GigabitEthernet0/0/0
 ip address 10.9.0.2 255.255.255.252
#
ip route-static 0.0.0.0 0.0.0.0 10.9.0.1
#
return
"""
WITHOUT_OLD = "aaa\n local-user ops password irreversible-cipher secret://ssh/ops\n local-user ops service-type ssh\n"


def task(intended: str, platform: Platform = Platform.VRP, second_path: tuple[str, int] | None = None) -> Task:
    router = Router("a-cpe1", platform, "192.0.2.1", "ops", second_path=second_path)
    return Task(router, intended, "a", "m", "up", "10.0.0.9", children=False, standard="s 1")


def test_a_device_that_says_what_it_should_is_in_sync() -> None:
    plan = plan_device(task("sysname A\n"), lambda _: RUNNING).plan
    assert (plan.readiness, plan.commands) == (Readiness.IN_SYNC, ())


def test_a_change_is_ready_with_its_diff_and_its_way_back() -> None:
    plan = plan_device(task("sysname B\n"), lambda _: RUNNING).plan
    assert plan.readiness is Readiness.READY
    assert (plan.commands, plan.rollback) == (("sysname B",), ("sysname A",))
    assert "-sysname A\n+sysname B\n" in plan.diff


def test_what_would_cut_the_branch_is_refused_with_the_hazard_named() -> None:
    plan = plan_device(task("ip route-static 192.0.2.0 255.255.255.0 10.9.0.1\n"), lambda _: RUNNING).plan
    assert plan.readiness is Readiness.REFUSED
    assert plan.commands == ()
    assert plan.reason.startswith(plan.hazards[0].id)


def test_a_device_that_does_not_answer_and_one_that_says_no_configuration_are_in_the_plan_with_the_reason() -> None:
    def silent(_: Router) -> str:
        raise UnreachableError("a-cpe1 does not answer.")

    plan = plan_device(task("sysname B\n"), silent)
    assert (plan.plan.readiness, plan.plan.reason, plan.running) == (
        Readiness.UNREADABLE, "a-cpe1 does not answer.", None,
    )  # fmt: skip
    noise = plan_device(task("sysname B\n"), lambda _: "Error: Unrecognized command found at '^' position.\n")
    assert noise.plan.readiness is Readiness.UNREADABLE
    assert noise.running is not None  # kept, and never applied over


def test_no_ciphertext_stands_in_a_plan_and_the_backup_gives_it_back() -> None:
    plan = plan_device(task(WITHOUT_OLD), lambda _: RUNNING).plan
    assert plan.readiness is Readiness.READY
    text = "\n".join((*plan.commands, *plan.rollback, plan.diff))
    assert CIPHER not in text
    (named,) = {word for line in plan.rollback for word in line.split() if is_kept(word)}
    assert kept_secret(named, Platform.VRP, ["#\n", RUNNING]) == CIPHER
    assert kept_secret(kept_reference("another"), Platform.VRP, [RUNNING]) is None


@pytest.mark.parametrize(
    ("platform", "path_class", "net"),
    [
        (Platform.VRP, PathClass.NONE, DeadMan.NONE),
        (Platform.VRP, PathClass.LOCAL, DeadMan.NONE),
        (Platform.VRP, PathClass.PATH, DeadMan.REBOOT),
        (Platform.COMWARE, PathClass.NONE, DeadMan.COMMIT_DELAY),
        (Platform.FRR, PathClass.SHARED, DeadMan.OS_TIMER),
        (Platform.RGOS, PathClass.PATH, DeadMan.NONE),
    ],
)
def test_each_platform_and_class_has_its_net(platform: Platform, path_class: PathClass, net: DeadMan) -> None:
    assert dead_man_for(platform, path_class) is net


@pytest.mark.parametrize(("second", "readiness"), [(None, Readiness.NEEDS_VISIT), (("192.0.2.9", 22), Readiness.READY)])
def test_a_change_of_the_path_on_rgos_needs_a_visit_or_a_second_path(
    second: tuple[str, int] | None, readiness: Readiness
) -> None:
    running = "hostname A\n!\ninterface GigabitEthernet 0/0\n ip address 10.9.0.2 255.255.255.252\n!\n"
    running += "ip route 0.0.0.0 0.0.0.0 10.9.0.1\n!\nend\n"
    intended = "interface GigabitEthernet 0/0\n description line\n ip address 10.9.0.6 255.255.255.252\n"
    intended += "ip route 0.0.0.0 0.0.0.0 10.9.0.5\n"
    planned = plan_device(task(intended, Platform.RGOS, second), lambda _: running).plan
    assert planned.path_class is PathClass.PATH
    assert planned.readiness is readiness


@pytest.mark.parametrize(("lines", "minutes"), [(1, 6), (30, 6), (31, 7), (700, 29)])
def test_the_net_lasts_longer_for_more_lines(lines: int, minutes: int) -> None:
    assert minutes_for(["x"] * lines) == minutes


def test_an_adopted_router_of_which_nothing_is_ours_is_in_sync_and_every_line_of_it_is_listed() -> None:
    plan = plan_device(task(""), lambda _: RUNNING).plan
    assert (plan.readiness, plan.commands, plan.hazards) == (Readiness.IN_SYNC, (), ())
    assert plan.fingerprint
    assert plan.unmanaged == (
        "sysname A", "aaa", "interface GigabitEthernet0/0/0", "ip route-static 0.0.0.0 0.0.0.0 10.9.0.1",
    )  # fmt: skip


def test_an_adopted_router_that_says_no_configuration_is_still_unreadable() -> None:
    noise = plan_device(task(""), lambda _: "Error: Unrecognized command found at '^' position.\n")
    assert noise.plan.readiness is Readiness.UNREADABLE
