"""What comes and goes: entered late, left later."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.flapping import CALM, ENTER, WINDOW_S, Flap, after_change, after_time


@pytest.mark.parametrize(
    ("changes", "flapping"),
    [
        pytest.param([0], False, id="fell silent"),
        pytest.param([0, 60], False, id="and came back"),
        pytest.param([0, 60, 120], False, id="and fell again"),
        pytest.param([0, 60, 120, 180], True, id="and came back: it flaps"),
        pytest.param([0, 700, 1400, 2100], False, id="four changes in more than half an hour"),
        pytest.param([0, 60, 120, 180, 1900], True, id="two of the last half hour keep it flapping"),
    ],
)
def test_four_changes_in_half_an_hour_are_flapping(changes: list[float], flapping: bool) -> None:
    flap = CALM
    for at in changes:
        flap = after_change(flap, at)
    assert flap.flapping is flapping


def test_it_is_over_once_less_than_two_changes_are_left_in_the_window() -> None:
    flap = CALM
    for at in (0.0, 60.0, 120.0, 180.0):
        flap = after_change(flap, at)
    assert after_time(flap, 100 + WINDOW_S).flapping
    assert not after_time(flap, 150 + WINDOW_S).flapping
    assert after_time(flap, 200 + WINDOW_S) == CALM


steps = st.lists(st.tuples(st.floats(0, 4000), st.booleans()), max_size=40)


@given(steps)
def test_flapping_needs_changes_and_quiet_always_ends_it(story: list[tuple[float, bool]]) -> None:
    flap, at, changes = CALM, 0.0, 0
    for wait, changed in story:
        at += wait
        changes += changed
        before = flap
        flap = after_change(flap, at) if changed else after_time(flap, at)
        assert len(flap.changes) <= ENTER
        if flap.flapping and not before.flapping:
            assert changes >= ENTER
            assert flap.changes[0] > at - WINDOW_S
    assert after_time(flap, at + WINDOW_S + 1) == Flap()
