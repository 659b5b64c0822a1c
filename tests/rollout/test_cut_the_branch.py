"""A few of the runs of `benchmarks/cut_the_branch.py`, at each place where a cut or a crash can come.

The campaign there cuts every line and crashes every callback; here each platform meets each kind of fault once or
twice, several at a time, since a run mostly waits for a dead-man.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from benchmarks.cut_cases import CASES, PASSWORD
from benchmarks.cut_the_branch import MINUTE_S, SECRET, Bench, Verdict, bench, run_crash, run_cut, undisturbed
from rollout.change import ChangeState, DeadMan

PLATFORMS = [name for name, case in CASES.items() if case.dead_man is not DeadMan.NONE]


@pytest.fixture(scope="module")
def place() -> Iterator[Bench]:
    with bench(60) as made:
        yield made


@pytest.mark.parametrize("case", CASES)
def test_an_undisturbed_change_is_confirmed(place: Bench, case: str) -> None:
    assert undisturbed(place, case, "harmless").outcome.state is ChangeState.CONFIRMED


@pytest.mark.parametrize("case", PLATFORMS)
def test_the_interface_in_use_is_moved_to_another_address_without_losing_the_device(place: Bench, case: str) -> None:
    outcome = undisturbed(place, case, "moves").outcome
    assert outcome.state is ChangeState.CONFIRMED, outcome.reason


@pytest.mark.parametrize("case", ["vrp", "comware", "frr"])
def test_whatever_is_cut_or_crashed_the_router_ends_at_the_old_or_the_new_configuration(
    place: Bench, case: str
) -> None:
    clean = undisturbed(place, case, "harmless")
    with ThreadPoolExecutor(12) as pool:
        runs: list[Future[Verdict | None]] = [
            pool.submit(run_cut, place, case, kind, {fault: line, "cut_for_s": heal_s}, clean.new)
            for kind in ("harmless", "cuts")
            for fault in ("cut_at", "drop_after")
            for line in range(3, clean.lines, 9)
            for heal_s in (0.4, 1.5 * MINUTE_S)[: 1 if fault == "drop_after" else 2]
        ]
        runs += [
            pool.submit(run_crash, place, case, "harmless", call, 0.0, clean.new)
            for call in range(3, clean.callbacks, 7)
        ]
        verdicts = [run.result() for run in runs]
    wrong = [verdict for verdict in verdicts if isinstance(verdict, Verdict) and verdict.wrong]
    assert not wrong, "\n".join(line for verdict in wrong for line in (verdict.wrong, *verdict.account))
    assert {"rolled_back", "confirmed"} <= {verdict.state for verdict in verdicts if verdict is not None}


def test_a_router_that_is_cut_off_again_when_it_has_come_back_is_not_lost(place: Bench) -> None:
    at_home = undisturbed(place, "vrp", "cuts")
    assert at_home.outcome.state is ChangeState.ROLLED_BACK
    # The last lines are typed after the dead-man's reboot; the cut outlives what would be left of one budget.
    faults = {"cut_at": at_home.lines - 1, "cut_for_s": 8.0}
    verdict = run_cut(place, "vrp", "cuts", faults, "the path does not survive the new one")
    assert verdict == Verdict("rolled_back")


def test_a_run_that_ends_as_none_may_is_told_whole(place: Bench) -> None:
    verdict = run_cut(place, "vrp", "harmless", {"cut_at": 12, "cut_for_s": 0.4}, "another end than any")
    told = "\n".join(verdict.account)
    for what in (
        "cut_at",
        "arm dead_man=reboot deadline=+",
        "box   reboot armed",
        "box   cut, for 0.4 s",
        "at the end",
    ):
        assert what in told, told
    assert SECRET not in told
    assert PASSWORD not in told
