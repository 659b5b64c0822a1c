"""Plans, approvals, runs and device locks, on real databases."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from ledger import rollouts
from ledger.database import open_ledger
from ledger.errors import FencedError, LedgerError
from ledger.rollouts import KeptPlan, RunEvent, RunState

PLAN = KeptPlan("ab" * 32, "wang", "天全县", 1000.0, "{}")


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    engine = open_ledger(ledger_url)
    with engine.begin() as connection:
        rollouts.keep_plan(connection, PLAN)
    yield engine
    engine.dispose()


def test_a_plan_is_found_by_the_start_of_its_hash(engine: Engine) -> None:
    with engine.connect() as connection:
        assert rollouts.find_plan(connection, "abab") == PLAN
        for wrong in ("", "12", "%"):
            with pytest.raises(LedgerError):
                rollouts.find_plan(connection, wrong)


def test_a_plan_has_one_run_at_a_time(engine: Engine) -> None:
    rollouts.start(engine, "r1", PLAN.sha256, "wang", "host-a", 1000.0, 15)
    with pytest.raises(LedgerError, match="run r1, led by host-a"):
        rollouts.start(engine, "r2", PLAN.sha256, "li", "host-b", 1001.0, 15)
    with pytest.raises(LedgerError, match="--resume r1"):  # its controller is gone
        rollouts.start(engine, "r2", PLAN.sha256, "li", "host-b", 1016.0, 15)


def test_a_worker_of_a_controller_that_was_replaced_may_not_send(engine: Engine) -> None:
    rollouts.start(engine, "r1", PLAN.sha256, "wang", "host-a", 1000.0, 15)
    with pytest.raises(LedgerError, match="led by host-a, whose lease runs for another 5 s"):
        rollouts.take_over(engine, "r1", "host-b", 1010.0, 15)
    with engine.connect() as connection:
        assert rollouts.may_send(connection, "r1", 1, 1010.0) is RunState.RUNNING
        with pytest.raises(FencedError, match="is gone"):
            rollouts.may_send(connection, "r1", 1, 1015.0)
    taken = rollouts.take_over(engine, "r1", "host-b", 1016.0, 15)
    assert taken.epoch == 2
    with engine.connect() as connection, pytest.raises(FencedError, match="another controller"):
        rollouts.may_send(connection, "r1", 1, 1017.0)


def test_a_controller_hears_at_its_next_renewal_that_it_is_to_stop(engine: Engine) -> None:
    run = rollouts.start(engine, "r1", PLAN.sha256, "wang", "host-a", 1000.0, 15)
    with engine.begin() as connection:
        rollouts.steer(connection, "r1", RunState.STOPPING)
        assert rollouts.renew(connection, run, 1005.0, 15) is RunState.STOPPING


def test_an_ended_run_is_not_taken_over(engine: Engine) -> None:
    rollouts.start(engine, "r1", PLAN.sha256, "wang", "host-a", 1000.0, 15)
    with engine.begin() as connection:
        rollouts.steer(connection, "r1", RunState.ENDED)
        rollouts.steer(connection, "r1", RunState.RUNNING)  # the end is the end
    with pytest.raises(LedgerError, match="has ended"):
        rollouts.take_over(engine, "r1", "host-a", 1001.0, 15)


def test_a_device_is_held_by_one_run_and_an_uplink_by_few(engine: Engine) -> None:
    def lock(device: str, run: str = "r1", now: float = 1000.0) -> bool:
        return rollouts.lock_device(engine, device, "up", run, 1, now, 60, per_uplink=2)

    assert lock("a")
    assert lock("b")
    assert not lock("c")
    assert lock("a")  # held by the same run already
    with pytest.raises(LedgerError, match="held by run r1 for another 50 s"):
        lock("a", "r2", 1010.0)
    with engine.begin() as connection:
        rollouts.release_device(connection, "b", "r1", 1)
    assert lock("c")
    assert lock("a", "r2", 1061.0)
    with engine.begin() as connection, pytest.raises(FencedError):
        rollouts.hold_device(connection, "a", "r1", 1, 1062.0, 60)


def test_events_are_read_in_order_and_by_kind(engine: Engine) -> None:
    with engine.begin() as connection:
        for n, kind in enumerate(("started", "step", "device")):
            rollouts.tell(connection, "r1", 1, RunEvent(1000.0 + n, kind, 1, "a", "arm", ""))
        assert [event.kind for _, event in rollouts.events(connection, "r1")] == ["started", "step", "device"]
        assert [event.at for _, event in rollouts.events(connection, "r1", kinds=["device"])] == [1002.0]


def test_the_last_fingerprint_of_a_device_counts(engine: Engine) -> None:
    with engine.begin() as connection:
        for fingerprint in ("old", "new"):
            rollouts.note_applied(connection, "a", "r1", PLAN.sha256, fingerprint, "t", "s 1", 1000.0)
        assert rollouts.last_applied(connection) == {"a": "new"}
