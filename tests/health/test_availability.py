"""Availability from intervals: exact, additive, and silent about what nobody watched."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.availability import Availability, availability
from health.outage import Interval, intersect, merge, total

moments = st.integers(0, 200)
intervals = st.lists(st.tuples(moments, moments).map(lambda pair: (float(min(pair)), float(max(pair)))), max_size=8)


@pytest.mark.parametrize(
    ("dark", "watched", "expected"),
    [
        pytest.param([], [(0.0, 100.0)], Availability(100, 0, 0), id="never dark"),
        pytest.param([(10.0, 20.0)], [(0.0, 100.0)], Availability(90, 10, 0), id="ten seconds dark"),
        pytest.param([(10.0, 20.0), (15.0, 25.0)], [(0.0, 100.0)], Availability(85, 15, 0), id="overlaps count once"),
        pytest.param([(10.0, 20.0)], [(0.0, 15.0)], Availability(10, 5, 85), id="unwatched is neither up nor down"),
        pytest.param([(0.0, 100.0)], [], Availability(0, 0, 100), id="nobody watched"),
    ],
)
def test_availability_of_one_site(dark: list[Interval], watched: list[Interval], expected: Availability) -> None:
    assert availability(dark, watched, 0.0, 100.0) == expected


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="before it starts"):
        availability([], [], 100.0, 0.0)


@given(intervals, intervals, moments, moments)
def test_no_second_is_lost_or_counted_twice(dark: list[Interval], watched: list[Interval], a: int, b: int) -> None:
    since, until = min(a, b), max(a, b)
    measured = availability(dark, watched, since, until)
    by_second = [(any(s <= t < e for s, e in watched), any(s <= t < e for s, e in dark)) for t in range(since, until)]
    assert measured.up_s == sum(w and not d for w, d in by_second)
    assert measured.down_s == sum(w and d for w, d in by_second)
    assert measured.unknown_s == sum(not w for w, _ in by_second)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6)), max_size=5))
def test_a_township_is_the_sum_of_its_villages(villages: list[tuple[float, float, float]]) -> None:
    parts = [Availability(*village) for village in villages]
    whole = sum(parts, Availability(0, 0, 0))
    assert whole.up_s == pytest.approx(sum(part.up_s for part in parts))
    assert whole.ratio is None or 0 <= whole.ratio <= 1
    assert whole.watched_ratio is None or 0 <= whole.watched_ratio <= 1


@given(intervals, intervals)
def test_merging_and_intersecting_agree_with_seconds(left: list[Interval], right: list[Interval]) -> None:
    seconds = range(201)
    inside = [any(s <= t < e for s, e in left) and any(s <= t < e for s, e in right) for t in seconds]
    assert total(intersect(left, right)) == sum(inside)
    ordered = merge(left)
    assert all(earlier[1] < later[0] for earlier, later in itertools.pairwise(ordered))
