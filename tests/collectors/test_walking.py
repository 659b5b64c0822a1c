"""Walks of well-behaved and other agents: the machine by tables, the way over a socket."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from collectors.errors import SilentDeviceError
from collectors.snmp import ber
from collectors.snmp.message import VERSION_1, VERSION_2C, ErrorStatus, Pdu, Varbind
from collectors.snmp.poll import Answered, Due, Event, Manners, OutOfTime, Poll, Report, Send, TimedOut
from collectors.walking import Walked, after, subtree, walk_device
from simulator.walk import serve

ROOT = ber.encode_oid("1.3.6.1.4.1.99")
ONE, TWO, THREE, CLIENT = (ber.encode_oid(f"1.3.6.1.4.1.99.{tail}") for tail in ("1.0", "2.0", "9.0", "4.7.1"))
MORE = ber.encode_oid("1.3.6.1.4.1.99.9.1")
OUTSIDE = ber.encode_oid("1.3.6.1.4.1.100.1")
CLIENTS = ber.encode_oid("1.3.6.1.4.1.99.4")


def row(oid: bytes, value: int = 1) -> Varbind:
    return oid, ber.INTEGER, value


def end(oid: bytes) -> Varbind:
    return oid, ber.END_OF_MIB_VIEW, None


@pytest.mark.parametrize(
    ("version", "steps", "rows", "problems"),
    [
        pytest.param(
            VERSION_2C,
            [(Due(), ROOT), (Answered(varbinds=[row(ONE), row(TWO)]), TWO), (Answered(varbinds=[row(OUTSIDE)]), None)],
            [ONE, TWO], [], id="it ends at the first name outside",
        ),
        pytest.param(
            VERSION_2C,
            [(Due(), ROOT), (Answered(varbinds=[row(ONE), end(ONE)]), None)],
            [ONE], [], id="it ends with the agent",
        ),
        pytest.param(
            VERSION_2C,
            [(Due(), ROOT), (Answered(varbinds=[row(ONE), row(TWO), row(ONE)]), None)],
            [ONE, TWO], ["the agent runs in circles at 1.3.6.1.4.1.99.1.0"], id="an agent in circles is stopped",
        ),
        pytest.param(
            VERSION_2C,
            [(Due(), ROOT), (Answered(varbinds=[row(TWO), row(ONE)]), ONE), (Answered(varbinds=[row(OUTSIDE)]), None)],
            [TWO, ONE], [], id="names in the wrong order are taken",
        ),
        pytest.param(
            VERSION_2C,
            [(Due(), ROOT), (Answered(varbinds=[row(ONE), row(TWO), row(THREE), row(MORE)]), None)],
            [ONE, TWO, THREE], ["stopped after 3 rows, at 1.3.6.1.4.1.99.9.1"], id="the limit holds",
        ),
        pytest.param(
            VERSION_2C,
            [
                (Due(), ROOT),
                (Answered(varbinds=[row(ONE), row(CLIENT), row(CLIENT + b"\1")]), after(CLIENTS)),
                (Answered(varbinds=[row(THREE)]), THREE),
                (Answered(varbinds=[end(THREE)]), None),
            ],
            [ONE, THREE], [], id="a subtree is jumped over",
        ),
        pytest.param(
            VERSION_2C,
            [(Due(), ROOT), *[(TimedOut(), ROOT)] * 3, (Answered(varbinds=[row(ONE)]), ONE), (TimedOut(), None)],
            [ONE], ["no reply after 1.3.6.1.4.1.99.1.0: the rest is missing"], id="fewer rows, one by one, what came",
        ),
        pytest.param(
            VERSION_2C,
            [(Due(), ROOT), *[(TimedOut(), ROOT)] * 3, (TimedOut(), None)], None, [], id="nobody there",
        ),
        pytest.param(
            VERSION_2C,
            [(Due(), ROOT), (Answered(status=ErrorStatus.TOO_BIG), ROOT), (OutOfTime(), None)],
            [], ["time was used up at 1.3.6.1.4.1.99: the rest is missing"], id="time runs out",
        ),
        pytest.param(
            VERSION_1,
            [(Due(), ROOT), (Answered(varbinds=[row(ONE)]), ONE), (Answered(status=2, index=1), None)],
            [ONE], [], id="v1 ends with noSuchName",
        ),
        pytest.param(
            VERSION_2C,
            [
                (Due(), ONE),
                (Answered(varbinds=[row(TWO)]), ONE[:-1]),
                (Answered(varbinds=[row(ONE), row(TWO)]), None),
            ],
            [ONE], [], id="an instance is itself",
        ),
    ],
)  # fmt: skip
def test_a_walk(
    version: int, steps: Sequence[tuple[Event, bytes | None]], rows: list[bytes] | None, problems: list[str]
) -> None:
    root = steps[0][1]
    assert root is not None
    poll: Poll[Walked] = Poll(subtree(root, Manners(version), limit=3, skip=[CLIENTS]))
    for number, (event, asked) in enumerate(steps):
        command = poll.handle(event)
        if isinstance(command, Send):
            assert command.names.oids == (asked,), f"step {number}"
            assert command.pdu is not Pdu.GET
            continue
        assert isinstance(command, Report)
        assert asked is None, f"step {number} ended"
        if rows is None:
            assert command.outcome is None
        else:
            assert command.outcome is not None
            assert [oid for oid, _, _ in command.outcome.rows] == rows
            assert command.outcome.problems == problems
        return
    raise AssertionError("the walk did not end")


async def test_whole_subtrees_come_with_their_types(tmp_path: Path) -> None:
    lines = [f"1.3.6.1.2.1.2.2.1.10.{port}|65|{port * 1000}" for port in range(1, 200)]
    path = tmp_path / "ports.snmprec"
    path.write_text("\n".join(lines), "utf-8")
    agent = await serve(path, "127.0.0.1", 0)
    try:
        port = agent.get_extra_info("sockname")[1]
        walked = await walk_device("127.0.0.1", port, b"public", [ber.encode_oid("1.3.6.1.2.1.2")], limit=1000)
        part = await walk_device("127.0.0.1", port, b"public", [ber.encode_oid("1.3.6.1.2.1.2")], limit=50)
    finally:
        agent.close()
    assert [(tag, value) for _, tag, value in walked.rows] == [(ber.COUNTER32, n * 1000) for n in range(1, 200)]
    assert (len(part.rows), len(part.problems)) == (50, 1)


async def test_a_device_that_says_nothing_is_named() -> None:
    with pytest.raises(SilentDeviceError, match=r"127\.0\.0\.1:9 did not answer"):
        await walk_device("127.0.0.1", 9, b"public", [ROOT], limit=10, timeout_s=0.02, retries=0)
