"""Who is asked when, without a clock and without a network."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.schedule import Schedule


def test_the_first_sweep_asks_everybody_at_once_within_pacing() -> None:
    schedule = Schedule([0, 0, 0, 1], 60.0, per_group=2)
    schedule.begin(0.0, range(4))
    assert sorted(schedule.take(0.0, 100)) == [0, 1, 3]
    assert schedule.waiting == 1
    schedule.finished(0, 0.1, 0)
    assert schedule.take(0.1, 100) == [2]


def test_no_more_are_taken_than_there_is_room_for() -> None:
    schedule = Schedule([0] * 10, 60.0, per_group=10)
    schedule.begin(0.0, range(10))
    assert len(schedule.take(0.0, 4)) == 4
    assert len(schedule.take(0.0, 100)) == 6


def test_after_the_first_sweep_devices_are_asked_evenly_over_the_interval() -> None:
    devices = range(600)
    schedule = Schedule([0] * 600, 60.0, per_group=600)
    schedule.begin(0.0, devices)
    for device in schedule.take(0.0, 600):
        schedule.finished(device, 0.0, 0)
    per_second = []
    for second in range(1, 61):
        due = schedule.take(float(second), 600)
        per_second.append(len(due))
        for device in due:
            schedule.finished(device, float(second), 0)
    assert sum(per_second) >= 599
    assert max(per_second) <= 13


def test_silent_devices_wait_in_a_lane_of_their_own() -> None:
    schedule = Schedule([0] * 6, 60.0, per_group=2)
    schedule.begin(0.0, range(6))
    for device in schedule.take(0.0, 2):
        schedule.finished(device, 0.0, 1)  # devices 0 and 1 do not answer
        schedule.soon(device, 0.0)
    asked = schedule.take(0.0, 100)
    assert {0, 1} <= set(asked)  # the doubtful fill their own lane ...
    assert len(set(asked) - {0, 1}) == 2  # ... and the living still have theirs


def test_a_device_that_stays_silent_is_asked_less_often() -> None:
    schedule = Schedule([0], 60.0, per_group=1)
    schedule.begin(0.0, [0])
    gaps = []
    now = 0.0
    for failures in (1, 9, 10, 39, 40, 1000):
        schedule.take(now, 1)
        schedule.finished(0, now, failures)
        due = schedule.next_due()
        assert due is not None
        gaps.append(round((due - now) / 60.0))
        now = due
    assert gaps == [1, 1, 2, 2, 4, 4]


def test_asking_soon_beats_the_turn_and_is_remembered_while_the_device_is_being_asked() -> None:
    schedule = Schedule([0], 60.0, per_group=1)
    schedule.begin(0.0, [0])
    assert schedule.take(0.0, 1) == [0]
    schedule.soon(0, 1.0)
    assert schedule.take(5.0, 1) == []
    schedule.finished(0, 5.0, 0)
    assert schedule.take(5.0, 1) == [0]


def test_finishing_what_was_not_asked_is_our_own_fault() -> None:
    with pytest.raises(ValueError, match="was not being asked"):
        Schedule([0], 60.0, 1).finished(0, 0.0, 0)


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=20),
    st.lists(
        st.tuples(st.sampled_from(["take", "finish", "soon"]), st.integers(0, 19), st.integers(0, 3)), max_size=80
    ),
)
def test_a_device_is_never_asked_twice_at_once_and_pacing_holds(
    groups: list[int], steps: list[tuple[str, int, int]]
) -> None:
    schedule = Schedule(groups, 10.0, per_group=2)
    schedule.begin(0.0, range(len(groups)))
    asking: dict[int, int] = {}
    now = 0.0
    for step, number, amount in steps:
        device = number % len(groups)
        now += amount
        if step == "take":
            for taken in schedule.take(now, 5):
                assert taken not in asking
                asking[taken] = groups[taken]
        elif step == "finish" and device in asking:
            del asking[device]
            schedule.finished(device, now, amount)
        elif step == "soon":
            schedule.soon(device, now + amount)
        assert all(list(asking.values()).count(group) <= 2 + 8 * 2 for group in asking.values())


@given(st.integers(1, 40), st.integers(1, 4))
def test_the_living_behind_one_uplink_are_asked_a_few_at_a_time(devices: int, per_group: int) -> None:
    schedule = Schedule([0] * devices, 10.0, per_group=per_group)
    schedule.begin(0.0, range(devices))
    asked: list[int] = []
    while taken := schedule.take(0.0, 100):
        assert len(taken) <= per_group
        asked += taken
        for device in taken:
            schedule.finished(device, 0.0, 0)
    assert sorted(asked) == list(range(devices))


@given(st.lists(st.integers(0, 2), min_size=1, max_size=12), st.integers(1, 3))
def test_everybody_gets_a_turn_in_every_interval(groups: list[int], per_group: int) -> None:
    schedule = Schedule(groups, 10.0, per_group=per_group)
    schedule.begin(0.0, range(len(groups)))
    asked: list[list[float]] = [[] for _ in groups]
    for tick in range(400):
        now = tick / 10
        for device in schedule.take(now, 100):
            asked[device].append(now)
            schedule.finished(device, now, 0)
    assert all(len(times) >= 3 for times in asked)
    assert all(later - earlier <= 10.5 for times in asked for earlier, later in itertools.pairwise(times))


def test_a_doubtful_device_does_not_wait_behind_the_living() -> None:
    schedule = Schedule([0] * 4, 60.0, per_group=1)
    schedule.begin(0.0, range(4))
    assert schedule.take(0.0, 10) == [0]
    assert schedule.waiting == 3
    schedule.soon(2, 0.0)
    assert schedule.take(0.0, 10) == [2]
    schedule.finished(0, 0.1, 0)
    assert schedule.take(0.1, 10) == [1]
    schedule.finished(2, 0.2, 1)
    schedule.finished(1, 0.3, 0)
    assert schedule.take(0.3, 10) == [3]
    assert schedule.waiting == 0


def test_the_doubtful_never_take_the_room_of_the_living() -> None:
    schedule = Schedule(list(range(20)), 60.0, per_group=1)
    schedule.begin(0.0, range(10))
    for device in range(10, 20):
        schedule.soon(device, 0.0)
    assert sorted(schedule.take(0.0, 100, 2)) == [*range(10), 10, 11]
    assert [schedule.is_doubtful(device) for device in (0, 10)] == [False, True]
    assert schedule.next_due(100, 0) is None
    assert schedule.next_due(0, 1) == 0.0
    assert schedule.finished(10, 0.5, 1)
    assert not schedule.finished(0, 0.5, 0)
    assert schedule.take(0.5, 100, 1) == [12]


def test_a_device_that_waits_for_room_tells_since_when() -> None:
    schedule = Schedule([0, 1], 60.0, per_group=1)
    schedule.begin(7.0, [0, 1])
    assert schedule.take(8.0, 1) == [0]
    assert schedule.next_due() == 7.0
