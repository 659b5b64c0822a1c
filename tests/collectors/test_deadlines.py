"""The wheel of deadlines against a plain list."""

from hypothesis import given
from hypothesis import strategies as st

from collectors.snmp.deadlines import SLOT_S, Deadlines


@given(st.lists(st.floats(0, 1_000)), st.lists(st.floats(0, 1_200)))
def test_nothing_expires_early_and_nothing_is_forgotten(added: list[float], looks: list[float]) -> None:
    deadlines = Deadlines()
    for number, deadline in enumerate(added):
        deadlines.add(number, deadline)
    left = dict(enumerate(added))
    for now in [*sorted(looks), 2_000.0]:
        for number, deadline in deadlines.due(now):
            assert left.pop(number) == deadline
            assert deadline <= now
        assert all(deadline > now - 2 * SLOT_S for deadline in left.values())
    assert not left
    assert deadlines.next_at() is None


def test_the_next_look_is_at_the_nearest_deadline() -> None:
    deadlines = Deadlines()
    deadlines.add(1, 7.0)
    deadlines.add(2, 3.0)
    at = deadlines.next_at()
    assert at is not None
    assert 3.0 <= at <= 3.0 + 2 * SLOT_S
