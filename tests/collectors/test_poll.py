"""The poll machine, as tables: what happens, what it asks next, and what is known at the end. No sockets."""

from collections.abc import Sequence

import pytest

from collectors.snmp import ber
from collectors.snmp.message import VERSION_1, VERSION_2C, Names, Pdu, Value, Varbind
from collectors.snmp.poll import (
    Answered,
    Due,
    Event,
    Fetched,
    Findings,
    Manners,
    OutOfTime,
    Poll,
    ProtocolMisuseError,
    Report,
    Send,
    TimedOut,
    ask,
    fetch,
    walk,
)

A, B, C, D = (ber.encode_oid(f"1.3.6.1.4.1.99.1.{n}.0") for n in range(1, 5))
X, Y, Z = (ber.encode_oid(f"1.3.6.1.4.1.99.2.1.{n}") for n in range(1, 4))

Asked = tuple[Pdu, tuple[bytes, ...]] | None
"""The command as a table writes it; None is the report."""


def row(column: bytes, index: int, value: Value, tag: int = ber.INTEGER) -> Varbind:
    return column + bytes((index,)), tag, value


def run(poll: Poll[object], steps: Sequence[tuple[Event, Asked]]) -> Report[object] | None:
    report = None
    for number, (event, asked) in enumerate(steps):
        command = poll.handle(event)
        if isinstance(command, Report):
            assert asked is None, f"step {number}: ended early with {command}"
            report = command
        else:
            assert isinstance(command, Send)
            assert (command.pdu, command.names.oids) == asked, f"step {number}"
    return report


GET, NEXT, BULK = Pdu.GET, Pdu.GET_NEXT, Pdu.GET_BULK

ASKS = [
    pytest.param(
        VERSION_2C,
        [(Due(), (GET, (A, B, C, D))), (Answered([1, 2, None, 4]), None)],
        {A: 1, B: 2, D: 4},
        (),
        id="what the agent lacks is left out",
    ),
    pytest.param(
        VERSION_1,
        [(Due(), (GET, (A, B, C, D))), (Answered(status=2, index=3), (GET, (A, B, D))), (Answered([1, 2, 4]), None)],
        {A: 1, B: 2, D: 4},
        (),
        id="v1 names what is missing and is asked for the rest",
    ),
    pytest.param(
        VERSION_2C,
        [
            (Due(), (GET, (A, B, C, D))),
            (Answered(status=1), (GET, (A, B))),
            (Answered([1, 2]), (GET, (C, D))),
            (Answered([3, 4]), None),
        ],
        {A: 1, B: 2, C: 3, D: 4},
        (),
        id="a reply too big is asked for in halves",
    ),
    pytest.param(
        VERSION_2C,
        [(Due(), (GET, (A, B, C, D))), (Answered(status=5, index=1), (GET, (B, C, D))), (Answered([2, 3, 4]), None)],
        {B: 2, C: 3, D: 4},
        ("error-status 5 for 1.3.6.1.4.1.99.1.1.0",),
        id="a broken object does not take the others with it",
    ),
    pytest.param(
        VERSION_2C,
        [
            (Due(), (GET, (A, B, C, D))),
            (Answered(status=5, index=0), (GET, (A, B))),
            (Answered([1, 2]), (GET, (C, D))),
            (Answered(status=5, index=9), (GET, (C,))),
            (Answered(status=5), (GET, (D,))),
            (Answered([4]), None),
        ],
        {A: 1, B: 2, D: 4},
        ("error-status 5 for 1.3.6.1.4.1.99.1.3.0",),
        id="an error that names nobody is cornered",
    ),
    pytest.param(VERSION_2C, [(Due(), (GET, (A, B, C, D))), (TimedOut(), None)], None, (), id="silence is reported"),
    pytest.param(
        VERSION_2C, [(Due(), (GET, (A, B, C, D))), (OutOfTime(), None)], None, (), id="silence to the end of the budget"
    ),
]


@pytest.mark.parametrize(("version", "steps", "scalars", "problems"), ASKS)
def test_known_instances_are_asked_until_what_is_there_is_known(
    version: int, steps: list[tuple[Event, Asked]], scalars: dict[bytes, Value] | None, problems: tuple[str, ...]
) -> None:
    found = Findings()
    report = run(Poll(ask((A, B, C, D), Manners(version), found)), steps)
    assert report is not None
    if scalars is not None:
        assert found.scalars == scalars
    assert (scalars is None) == (not found.answered)
    assert tuple(found.problems) == problems


END = ber.END_OF_MIB_VIEW

WALKS = [
    pytest.param(
        VERSION_2C,
        [
            (Due(), (BULK, (X, Y))),
            (
                Answered(varbinds=[row(X, 1, 10), row(Y, 1, 20), row(X, 2, 11), row(Z, 1, 5)]),
                (BULK, (X + b"\2",)),
            ),
            (Answered(varbinds=[row(Y, 1, 20)]), None),
        ],
        {X: {b"\1": 10, b"\2": 11}, Y: {b"\1": 20}},
        (),
        id="columns end at different rows",
    ),
    pytest.param(
        VERSION_2C,
        [
            (Due(), (BULK, (X, Y))),
            (Answered(varbinds=[row(X, 1, 10), (Y, END, None), (X + b"\1", END, None), (Y, END, None)]), None),
        ],
        {X: {b"\1": 10}, Y: {}},
        (),
        id="the end of the agent's objects",
    ),
    pytest.param(
        VERSION_2C,
        [
            (Due(), (BULK, (X, Y))),
            (
                Answered(
                    varbinds=[row(X, 1, 10), row(Y, 1, 20), row(X, 2, 11), row(Y, 2, 21), row(X, 1, 10), row(Z, 1, 1)]
                ),
                None,
            ),
        ],
        {X: {b"\1": 10, b"\2": 11}, Y: {b"\1": 20, b"\2": 21}},
        ("column 1.3.6.1.4.1.99.2.1.1 runs in circles: its index repeats",),
        id="an agent that runs in circles",
    ),
    pytest.param(
        VERSION_2C,
        [
            (Due(), (BULK, (X, Y))),
            (
                Answered(varbinds=[row(X, 7, 1), row(Y, 7, 1), row(X, 3, 2), row(Y, 3, 2)]),
                (BULK, (X + b"\3", Y + b"\3")),
            ),
            (Answered(varbinds=[row(Y, 7, 1), row(Z, 1, 0)]), None),
        ],
        {X: {b"\7": 1, b"\3": 2}, Y: {b"\7": 1, b"\3": 2}},
        (),
        id="rows out of order are taken as they come",
    ),
    pytest.param(
        VERSION_2C,
        [
            (Due(), (BULK, (X, Y))),
            (Answered(varbinds=[row(X, 1, 10)]), (BULK, (X + b"\1", Y))),
            (Answered(varbinds=[row(Y, 1, 20), row(Y, 1, 20)]), (BULK, (Y + b"\1",))),
            (Answered(varbinds=[row(Z, 1, 0)]), None),
        ],
        {X: {b"\1": 10}, Y: {b"\1": 20}},
        (),
        id="a reply cut short inside its first row",
    ),
    pytest.param(
        VERSION_1,
        [
            (Due(), (NEXT, (X, Y))),
            (Answered(varbinds=[row(X, 1, 10), row(Y, 1, 20)]), (NEXT, (X + b"\1", Y + b"\1"))),
            (Answered(status=2, index=2), (NEXT, (X + b"\1",))),
            (Answered(varbinds=[row(Y, 1, 20)]), None),
        ],
        {X: {b"\1": 10}, Y: {b"\1": 20}},
        (),
        id="v1 walks with GETNEXT and ends with noSuchName",
    ),
    pytest.param(
        VERSION_2C,
        [
            (Due(), (BULK, (X, Y))),
            (Answered(status=1), (BULK, (X, Y))),
            (Answered(varbinds=[row(Z, 1, 0), row(Z, 1, 0)]), None),
        ],
        {X: {}, Y: {}},
        (),
        id="a bulk too big is asked again for fewer rows",
    ),
    pytest.param(
        VERSION_2C,
        [
            (Due(), (BULK, (X, Y))),
            (Answered(status=5, index=2), (BULK, (X,))),
            (Answered(varbinds=[row(Z, 1, 0)]), None),
        ],
        {X: {}, Y: {}},
        ("error-status 5 inside column 1.3.6.1.4.1.99.2.1.2",),
        id="a column that cannot be read is named, the other goes on",
    ),
    pytest.param(
        VERSION_2C,
        [
            (Due(), (BULK, (X, Y))),
            (Answered(varbinds=[row(X, 1, 10), row(Y, 1, 20)]), (BULK, (X + b"\1", Y + b"\1"))),
            (OutOfTime(), None),
        ],
        {X: {b"\1": 10}, Y: {b"\1": 20}},
        ("the poll's time was used up before everything was read",),
        id="what came before the budget ended is kept",
    ),
]


@pytest.mark.parametrize(("version", "steps", "columns", "problems"), WALKS)
def test_columns_are_walked_side_by_side_whatever_the_agent_does(
    version: int,
    steps: list[tuple[Event, Asked]],
    columns: dict[bytes, dict[bytes, Value]],
    problems: tuple[str, ...],
) -> None:
    found = Findings()
    assert run(Poll(walk((X, Y), Manners(version), found)), steps) is not None
    assert found.columns == columns
    assert tuple(found.problems) == problems


def test_an_agent_that_chokes_on_bulk_is_asked_for_less_and_then_one_by_one() -> None:
    manners = Manners(VERSION_2C)
    found = Findings(answered=True)
    poll = Poll(walk((X,), manners, found))
    sizes = []
    command = poll.handle(Due())
    while isinstance(command, Send) and command.pdu is BULK:
        sizes.append(command.repetitions)
        command = poll.handle(TimedOut())
    assert sizes == [24, 8, 2]
    assert isinstance(command, Send)
    assert command.pdu is NEXT
    assert not manners.bulk, "remembered for this device"
    assert isinstance(poll.handle(Answered(varbinds=[row(Y, 1, 0)])), Report)


def test_an_endless_column_stops_at_the_row_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.snmp.poll.ROWS_PER_COLUMN", 10)
    found = Findings()
    poll = Poll(walk((X,), Manners(VERSION_2C), found))
    command = poll.handle(Due())
    number = 0
    while isinstance(command, Send):
        number += 1
        command = poll.handle(Answered(varbinds=[row(X, number, 0)]))
    assert len(found.columns[X]) == 10
    assert found.problems == ["column 1.3.6.1.4.1.99.2.1.1 has more than 10 rows"]


FIRST, SECOND = Names.of((A, B)), Names.of((C, D))

FETCHES = [
    pytest.param(
        [(Due(), (GET, (A, B))), (Answered([1, 2]), (GET, (C, D))), (Answered([3, None]), None)],
        Fetched([1, 2, 3, None], 0),
        id="two requests make one row of values",
    ),
    pytest.param([(Due(), (GET, (A, B))), (TimedOut(), None)], None, id="silent from the start"),
    pytest.param(
        [(Due(), (GET, (A, B))), (Answered([1, 2]), (GET, (C, D))), (TimedOut(), None)],
        Fetched([1, 2, None, None], 1),
        id="a lost second half leaves the first",
    ),
    pytest.param(
        [
            (Due(), (GET, (A, B))),
            (Answered(status=2, index=1), (GET, (A, B))),
            (Answered(status=2, index=1), (GET, (B,))),
            (Answered([2]), (GET, (C, D))),
            (Answered([3, 4]), None),
        ],
        Fetched([None, 2, 3, 4], 0),
        id="an instance that vanished under v1",
    ),
    pytest.param(
        [
            (Due(), (GET, (A, B))),
            (Answered(status=1), (GET, (A,))),
            (Answered([1]), (GET, (B,))),
            (Answered([2]), (GET, (C, D))),
            (Answered([3, 4]), None),
        ],
        Fetched([1, 2, 3, 4], 0),
        id="a reply that grew too big",
    ),
]


@pytest.mark.parametrize(("steps", "outcome"), FETCHES)
def test_the_steady_poll_brings_its_values_in_order(steps: list[tuple[Event, Asked]], outcome: Fetched | None) -> None:
    report = run(Poll(fetch((FIRST, SECOND), Manners(VERSION_2C))), steps)
    assert report == Report(outcome)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([Due(), Due()], id="due while waiting"),
        pytest.param([TimedOut()], id="a timeout while idle"),
        pytest.param([Due(), Answered([1, 2]), Answered([3, 4]), TimedOut()], id="a timeout after the end"),
    ],
)
def test_events_that_cannot_happen_are_our_own_fault(events: list[Event]) -> None:
    poll = Poll(fetch((FIRST, SECOND), Manners(VERSION_2C)))
    for event in events[:-1]:
        poll.handle(event)
    with pytest.raises(ProtocolMisuseError):
        poll.handle(events[-1])
