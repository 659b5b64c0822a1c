"""Counting over subtrees agrees with counting one by one."""

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
