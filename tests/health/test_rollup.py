"""Counting over subtrees agrees with counting one by one."""

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from health.coverage import State
from health.rollup import CODE, STATES, Rollup

subjects = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(STATES), st.booleans(), st.sampled_from([-1, 0, 1])), max_size=60
)


@given(subjects, st.integers(0, 31), st.integers(0, 31))
def test_a_subtree_counts_what_counting_one_by_one_counts(
    rows: list[tuple[int, State, bool, int]], start: int, end: int
) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    rollup = Rollup(
        [row[0] for row in rows],
        np.array([CODE[row[1]] for row in rows], dtype=np.int8),
        np.array([row[2] for row in rows], dtype=np.bool_),
        np.array([row[3] for row in rows], dtype=np.int8),
    )
    start, end = min(start, end), max(start, end)
    figures = rollup.figures(start, end)
    inside = [row for row in rows if start <= row[0] < end]
    counted = [row for row in inside if row[1] is not State.EXEMPT]
    assert figures.states == {state: sum(row[1] is state for row in inside) for state in STATES}
    assert figures.denominator == len(counted)
    assert figures.numerator == sum(row[1] in (State.COVERED, State.DEGRADED) for row in counted)
    assert figures.claimed == sum(row[2] for row in counted)
    assert figures.works == sum(row[3] == 1 for row in counted)
    assert figures.works_unknown == sum(row[3] == -1 for row in counted)
    if figures.denominator:
        assert figures.ratio is not None
        assert figures.ratio_max is not None
        assert 0 <= figures.ratio <= figures.ratio_max <= 1
    else:
        assert figures.ratio is None


changes = st.lists(
    st.dictionaries(
        st.integers(0, 299), st.tuples(st.sampled_from(STATES), st.booleans(), st.sampled_from([-1, 0, 1])), max_size=40
    ),
    max_size=8,
)


@given(st.integers(1, 300), st.randoms(use_true_random=False), changes)
def test_a_rollup_that_was_changed_again_and_again_is_the_one_that_is_made_anew(
    count: int, chance: random.Random, steps: list[dict[int, tuple[State, bool, int]]]
) -> None:
    places = np.sort(np.array([chance.randrange(40) for _ in range(count)], dtype=np.int64))
    states = np.zeros(count, dtype=np.int8)
    claimed, works = np.zeros(count, dtype=np.bool_), np.ones(count, dtype=np.int8)
    rollup = first = Rollup(places, states.copy(), claimed.copy(), works.copy())
    was = [first.figures(0, end) for end in range(41)]
    for step in steps:
        told = {subject: row for subject, row in step.items() if subject < count}
        subjects = np.array(list(told), dtype=np.int64)
        for subject, (state, says, now) in told.items():
            states[subject], claimed[subject], works[subject] = CODE[state], says, now
        rollup = rollup.changed(subjects, states[subjects], claimed[subjects], works[subjects])
        anew = Rollup(places, states.copy(), claimed.copy(), works.copy())
        assert rollup.states(0, 40) == anew.states(0, 40)
        for start in range(0, 41, 3):
            assert rollup.figures(start, 40) == anew.figures(start, 40)
            assert rollup.figures(0, start) == anew.figures(0, start)
            assert rollup.figures(start, start + 5) == anew.figures(start, start + 5)
    assert [first.figures(0, end) for end in range(41)] == was  # who still reads it reads the same
