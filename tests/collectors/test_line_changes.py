"""Counting what lines did: by polls, by traps, and each change once."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.line_changes import LineChanges
from collectors.snmp import ber
from collectors.snmp.traps import LINK_DOWN, LINK_UP, Trap
from health.reading import Interface, Readings

OIDS = {LINK_DOWN: "1.3.6.1.6.3.1.1.5.3", LINK_UP: "1.3.6.1.6.3.1.1.5.4", "cold_start": "1.3.6.1.6.3.1.1.5.1"}


def poll(*states: bool | None, admin_up: bool = True) -> Readings:
    """Ports p0, p1, ... with ifIndex 10, 11, ..."""
    return Readings(
        interfaces=tuple(
            Interface(f"p{at}", None, None, 10 + at, admin_up, up, None, None, None, None, None, None, None)
            for at, up in enumerate(states)
        )
    )


def trap(kind: str, if_index: int | None = 10) -> Trap:
    name = ber.encode_oid("1.3.6.1.2.1.2.2.1.1.10")
    varbinds = () if if_index is None else ((name, ber.INTEGER, if_index),)
    return Trap(1, b"", ber.encode_oid(OIDS[kind]), None, varbinds)


@pytest.fixture
def lines() -> LineChanges:
    """A kiosk, a router with one line, a router with two."""
    return LineChanges([(), ("p0",), ("p1", "p0")])


def test_nothing_is_known_before_the_port_was_read(lines: LineChanges) -> None:
    assert lines.count(1, 0) is None
    lines.polled(1, poll(None), 1.0)
    lines.polled(1, poll(True, admin_up=False), 2.0)
    lines.polled(1, Readings(), 3.0)
    assert lines.count(1, 0) is None
    lines.polled(1, poll(True), 4.0)
    assert lines.count(1, 0) == 0


def test_each_line_is_counted_for_itself_and_in_the_order_of_the_lines(lines: LineChanges) -> None:
    lines.polled(0, poll(True, True), 0.0)
    for at, (first, second) in enumerate([(True, True), (True, False), (True, True), (True, True), (False, True)]):
        lines.polled(2, poll(first, second), float(at))
    assert (lines.count(2, 0), lines.count(2, 1)) == (2, 1)
    assert lines.count(1, 0) is None


def test_a_flap_between_two_polls_is_told_by_its_traps(lines: LineChanges) -> None:
    lines.polled(1, poll(True), 0.0)
    for at in range(5):
        lines.told(1, trap(LINK_DOWN), 10.0 + at)
        lines.told(1, trap(LINK_UP), 10.5 + at)
    lines.polled(1, poll(True), 60.0)
    assert lines.count(1, 0) == 10


def test_a_trap_and_the_poll_that_it_causes_are_one_change(lines: LineChanges) -> None:
    lines.polled(1, poll(True), 0.0)
    lines.told(1, trap(LINK_DOWN), 10.0)
    lines.told(1, trap(LINK_DOWN), 10.1)
    lines.polled(1, poll(False), 10.2)
    assert lines.count(1, 0) == 1


def test_a_poll_that_began_before_the_trap_says_nothing_new(lines: LineChanges) -> None:
    lines.polled(1, poll(True), 0.0)
    lines.told(1, trap(LINK_DOWN), 10.0)
    lines.polled(1, poll(True), 9.9)
    assert lines.count(1, 0) == 1
    lines.polled(1, poll(False), 10.1)
    assert lines.count(1, 0) == 1


@pytest.mark.parametrize("other", [trap(LINK_DOWN, 99), trap(LINK_DOWN, None), trap("cold_start")])
def test_a_trap_that_names_no_line_changes_nothing(lines: LineChanges, other: Trap) -> None:
    lines.told(1, trap(LINK_DOWN), 0.0)  # before its port was ever read
    lines.polled(1, poll(True), 1.0)
    lines.told(1, other, 2.0)
    lines.told(0, trap(LINK_DOWN), 3.0)
    assert lines.count(1, 0) == 0


@given(st.lists(st.booleans(), min_size=1))
def test_polls_alone_count_the_borders_between_their_states(states: list[bool]) -> None:
    lines = LineChanges([("p0",)])
    for at, up in enumerate(states):
        lines.polled(0, poll(up), float(at))
    assert lines.count(0, 0) == sum(one != other for one, other in pairwise(states))
