"""Announced work, and availability without it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.availability import availability
from health.maintenance import Reach, Window
from health.outage import Interval, intersect, subtract, total


def window(since: float, until: float, recorded_at: float, cancelled_at: float | None = None) -> Window:
    return Window("m-1", Reach.SITE, "v1", since, until, "new router", "noc", recorded_at, cancelled_at)


@pytest.mark.parametrize(
    ("told", "span"),
    [
        pytest.param(window(100, 200, 50), (100, 200), id="announced before"),
        pytest.param(window(100, 200, 150), (150, 200), id="announced while it ran: counts from then on"),
        pytest.param(window(100, 200, 250), None, id="announced afterwards: counts for nothing"),
        pytest.param(window(100, 200, 50, 80), None, id="taken back before it began"),
        pytest.param(window(100, 200, 50, 120), (100, 120), id="taken back while it ran"),
        pytest.param(window(100, 200, 50, 300), (100, 200), id="taken back when it was over"),
    ],
)
def test_a_window_counts_from_when_it_was_said_until_it_is_taken_back(told: Window, span: Interval | None) -> None:
    assert told.in_force == span
    for at in (99.0, 100.0, 149.0, 150.0, 199.0, 200.0):
        assert told.covers(at) is (span is not None and span[0] <= at < span[1])


def test_raw_and_excluded_are_two_figures() -> None:
    dark, watched, work = [(100.0, 200.0), (500.0, 550.0)], [(0.0, 1000.0)], [(90.0, 210.0)]
    raw = availability(dark, watched, 0, 1000)
    net = availability(dark, watched, 0, 1000, excluded=work)
    assert (raw.down_s, raw.up_s) == (150.0, 850.0)
    assert (net.down_s, net.up_s, net.unknown_s) == (50.0, 830.0, 0.0)


def test_outside_the_service_hours_nothing_is_promised_and_nothing_unknown() -> None:
    hours = [(0.0, 100.0), (200.0, 300.0)]
    served = availability([(50.0, 250.0)], [(0.0, 280.0)], 0, 1000, promised=hours)
    assert (served.up_s, served.down_s, served.unknown_s) == (80.0, 100.0, 20.0)


intervals = st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 1000)), max_size=6)


@given(intervals, intervals)
def test_what_is_taken_away_and_what_is_left_are_the_whole(left: list[Interval], right: list[Interval]) -> None:
    rest, both = subtract(left, right), intersect(left, right)
    assert total(rest) + total(both) == pytest.approx(total(left))
    assert total(intersect(rest, right)) == pytest.approx(0.0, abs=1e-6)


@given(intervals, intervals, intervals, intervals)
def test_no_second_is_counted_twice_or_lost(
    dark: list[Interval], watched: list[Interval], work: list[Interval], hours: list[Interval]
) -> None:
    found = availability(dark, watched, 0, 1000, excluded=work, promised=hours)
    assert found.up_s + found.down_s + found.unknown_s == pytest.approx(total(subtract(hours, work)))
    assert min(found.up_s, found.down_s, found.unknown_s) >= -1e-6
