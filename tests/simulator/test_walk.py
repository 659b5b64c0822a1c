"""The replay of recorded walks, asked by our codec and by net-snmp's own tools."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from collectors.snmp import ber
from collectors.snmp.message import (
    VERSION_1,
    VERSION_2C,
    ErrorStatus,
    Message,
    Names,
    Pdu,
    decode_message,
    encode_message,
)
from simulator.errors import SimulationError
from simulator.walk import RecordedAgent, serve

RECORDING = """\
1.3.6.1.2.1.1.1.0|4|Router
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.8072.3.2.10
1.3.6.1.2.1.1.3.0|67:numeric|rate=100
1.3.6.1.2.1.1.5.0|4x|e69d91e9809a
1.3.6.1.2.1.1.6.0|4e|'line\\r\\nnext'
1.3.6.1.2.1.2.2.1.10.1|65|4294967296
1.3.6.1.2.1.2.2.1.10.2|65|7
1.3.6.1.2.1.2.2.1.10.16384|65|9
1.3.6.1.2.1.2.2.1.10.16383|65|8
1.3.6.1.2.1.4.20.1.1.192.0.2.1|64|192.0.2.1
1.3.6.1.2.1.31.1.1.1.6.1|70|18446744073709551615
1.3.6.1.2.1.2.2.1.10.2|65|99999
1.3.6.1.2.1.2.2.1.22.1|6|: 0.0
1.3.6.1.2.1.2.2.1.17.1|65|6git3159
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "walk.snmprec"
    path.write_text(RECORDING, "utf-8")
    return path


@pytest.fixture
def agent(file: Path) -> RecordedAgent:
    return RecordedAgent.read(file)


def ask(
    agent: RecordedAgent, pdu: Pdu, *oids: str, version: int = VERSION_2C, non_repeaters: int = 0, repetitions: int = 0
) -> Message:
    names = Names.of(ber.encode_oid(oid) for oid in oids)
    reply = agent.answer(encode_message(version, b"public", pdu, 42, names.encoded, non_repeaters, repetitions))
    assert reply is not None
    message = decode_message(reply)
    assert (message.pdu, message.request_id, message.community) == (Pdu.RESPONSE, 42, b"public")
    return message


def named(message: Message) -> list[tuple[str, int, object]]:
    return [(ber.decode_oid(oid), tag, value) for oid, tag, value in message.varbinds]


@pytest.mark.parametrize(
    ("oid", "tag", "value"),
    [
        pytest.param("1.3.6.1.2.1.1.1.0", 4, b"Router", id="text"),
        pytest.param("1.3.6.1.2.1.1.2.0", 6, ber.encode_oid("1.3.6.1.4.1.8072.3.2.10"), id="object identifier"),
        pytest.param("1.3.6.1.2.1.1.5.0", 4, "村通".encode(), id="hexadecimal"),
        pytest.param("1.3.6.1.2.1.1.6.0", 4, b"line\r\nnext", id="escapes"),
        pytest.param("1.3.6.1.2.1.2.2.1.10.1", 65, 0, id="a counter recorded past its type"),
        pytest.param("1.3.6.1.2.1.2.2.1.10.2", 65, 7, id="the first of repeated identifiers"),
        pytest.param("1.3.6.1.2.1.4.20.1.1.192.0.2.1", 64, bytes((192, 0, 2, 1)), id="address"),
        pytest.param("1.3.6.1.2.1.31.1.1.1.6.1", 70, 2**64 - 1, id="64 bits"),
        pytest.param("1.3.6.1.2.1.2.2.1.22.1", 6, ber.encode_oid("0.0"), id="an identifier mended by hand"),
        pytest.param("1.3.6.1.2.1.2.2.1.17.1", 65, 6, id="a number masked by its publisher"),
        pytest.param("1.3.6.1.2.1.1.9.0", ber.NO_SUCH_OBJECT, None, id="nothing there"),
    ],
)
def test_every_kind_of_row_is_answered(agent: RecordedAgent, oid: str, tag: int, value: object) -> None:
    assert named(ask(agent, Pdu.GET, oid)) == [(oid, tag, value)]


def test_an_instance_that_is_missing_is_told_from_an_object_that_is(agent: RecordedAgent) -> None:
    assert ask(agent, Pdu.GET, "1.3.6.1.2.1.2.2.1.10.77").varbinds[0][1] == ber.NO_SUCH_INSTANCE


def test_rows_are_walked_in_the_order_of_numbers_not_of_octets(agent: RecordedAgent) -> None:
    """16383 is ff 7f on the wire and 16384 is 81 80 00."""
    oid, walked = "1.3.6.1.2.1.2.2.1.10", []
    while True:
        ((oid, _, value),) = named(ask(agent, Pdu.GET_NEXT, oid))
        if not oid.startswith("1.3.6.1.2.1.2.2.1.10."):
            break
        walked.append((int(oid.rsplit(".", 1)[1]), value))
    assert walked == [(1, 0), (2, 7), (16383, 8), (16384, 9)]


def test_bulk_gives_rows_of_all_columns_until_the_end(agent: RecordedAgent) -> None:
    message = ask(agent, Pdu.GET_BULK, "1.3.6.1.2.1.1.4", "1.3.6.1.2.1.31.1.1.1.6", non_repeaters=1, repetitions=3)
    assert [(oid, tag) for oid, tag, _ in named(message)] == [
        ("1.3.6.1.2.1.1.5.0", 4),
        ("1.3.6.1.2.1.31.1.1.1.6.1", 70),
        ("1.3.6.1.2.1.31.1.1.1.6.1", ber.END_OF_MIB_VIEW),
    ]


def test_version_1_knows_neither_exceptions_nor_64_bits(agent: RecordedAgent) -> None:
    missing = ask(agent, Pdu.GET, "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.9.0", version=VERSION_1)
    assert (missing.status, missing.index) == (ErrorStatus.NO_SUCH_NAME, 2)
    wide = ask(agent, Pdu.GET, "1.3.6.1.2.1.31.1.1.1.6.1", version=VERSION_1)
    assert (wide.status, wide.index) == (ErrorStatus.NO_SUCH_NAME, 1)


def test_moving_values_move(file: Path) -> None:
    rows = file.read_text("utf-8")
    now = [1000.0]
    agent = RecordedAgent(
        {ber.decode_arcs(ber.encode_oid("1.3.6.1.2.1.1.3.0")): (67, lambda elapsed: int(elapsed * 100))},
        clock=lambda: now[0],
    )
    now[0] += 12
    assert ask(agent, Pdu.GET, "1.3.6.1.2.1.1.3.0").varbinds[0][2] == 1200
    assert "rate=100" in rows


def test_what_is_no_request_gets_no_answer(agent: RecordedAgent) -> None:
    names = Names.of([ber.encode_oid("1.3.6.1.2.1.1.1.0")])
    assert agent.answer(b"\x30\x84") is None
    assert agent.answer(encode_message(VERSION_2C, b"public", Pdu.RESPONSE, 1, names.encoded)) is None
    closed = RecordedAgent({}, community=b"secret")
    assert closed.answer(encode_message(VERSION_2C, b"public", Pdu.GET, 1, names.encoded)) is None


def test_a_file_that_is_no_recording_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.snmprec"
    path.write_text("1.3.6.1.2.1.1.1.0|4|fine\nnothing like it\n")
    with pytest.raises(SimulationError, match=r"bad.snmprec:2: two bars are missing"):
        RecordedAgent.read(path)


async def test_snmpbulkwalk_reads_it_to_the_end(file: Path, program: Any) -> None:
    snmpbulkwalk = program.path("snmpbulkwalk")
    endpoint = await serve(file, "127.0.0.1", 0)
    port = endpoint.get_extra_info("sockname")[1]
    process = await asyncio.create_subprocess_exec(
        snmpbulkwalk, "-v2c", "-c", "public", "-On", "-m", "", f"127.0.0.1:{port}", "1.3.6.1.2.1",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "SNMP_PERSISTENT_DIR": str(file.parent)},
    )  # fmt: skip
    out, errors = await process.communicate()
    endpoint.close()
    # At its first start it tells of the folders that it makes for itself.
    said = [line for line in errors.splitlines() if not line.startswith(b"Created directory: ")]
    assert (process.returncode, said) == (0, [])
    lines = out.decode().splitlines()
    assert len([line for line in lines if line.startswith(".1.3.6.1.2.1") and "No more variables" not in line]) == 13
    assert ".1.3.6.1.2.1.31.1.1.1.6.1 = Counter64: 18446744073709551615" in lines
