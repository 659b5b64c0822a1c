import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    encode_varbinds,
)
from simulator.county import County, Graph, Terminal
from simulator.faults import fault_from
from simulator.snmp_agent import Agent

UPTIME = ber.encode_oid("1.3.6.1.2.1.1.3.0")
NAME = ber.encode_oid("1.3.6.1.2.1.1.5.0")
NOWHERE = ber.encode_oid("1.3.6.1.4.1.99999.1.0")
NO_ROW = ber.encode_oid("1.3.6.1.2.1.2.2.1.2.999")
HC_IN = ber.encode_oid("1.3.6.1.2.1.31.1.1.1.6.3")
TOP = ber.encode_oid("2.16")


def _agent() -> Agent:
    terminals = [
        Terminal(0, "a-cpe1", "a", "router", "huawei-vrp", "huawei", "AR169F", "SN1", "A-CPE1"),
        Terminal(1, "a-ups1", "a", "ups", "no-such-profile", "santak", "C3K", "", "A-UPS1", (0,)),
    ]
    return Agent(County(Graph(terminals), lambda: 1000.0), chance=iter([0.1, 0.9, 0.1, 0.9]).__next__)


def _ask(
    agent: Agent,
    pdu: Pdu,
    *oids: bytes,
    version: int = VERSION_2C,
    status: int = 0,
    index: int = 0,
    community: bytes = b"public",
    ordinal: int = 0,
) -> Message | None:
    answer = agent.answer(encode_message(version, community, pdu, -5, Names.of(oids).encoded, status, index), ordinal)
    return None if answer is None else decode_message(answer)


@pytest.mark.parametrize(
    ("version", "pdu", "oids", "expected"),
    [
        pytest.param(VERSION_2C, Pdu.GET, [NAME], (0, 0, [(NAME, 4, b"A-CPE1")]), id="get"),
        pytest.param(
            VERSION_2C, Pdu.GET, [NOWHERE, NO_ROW], (0, 0, [(NOWHERE, 0x80, None), (NO_ROW, 0x81, None)]), id="missing"
        ),
        pytest.param(VERSION_2C, Pdu.GET_NEXT, [TOP], (0, 0, [(TOP, 0x82, None)]), id="end of all"),
        pytest.param(VERSION_1, Pdu.GET_NEXT, [TOP], (2, 1, [(TOP, 5, None)]), id="end of all in v1"),
        pytest.param(
            VERSION_1, Pdu.GET, [NAME, NO_ROW], (2, 2, [(NAME, 5, None), (NO_ROW, 5, None)]), id="missing in v1"
        ),
        pytest.param(VERSION_1, Pdu.GET, [HC_IN], (2, 1, [(HC_IN, 5, None)]), id="no 64 bits in v1"),
        pytest.param(VERSION_2C, Pdu.SET, [NAME], (17, 1, [(NAME, 5, None)]), id="nothing can be set"),
        pytest.param(VERSION_1, Pdu.SET, [NAME], (2, 1, [(NAME, 5, None)]), id="nor in v1"),
        pytest.param(VERSION_2C, Pdu.GET, [], (0, 0, []), id="nothing asked"),
        pytest.param(VERSION_2C, Pdu.GET_BULK, [], (0, 0, []), id="nothing asked in bulk"),
    ],
)
def test_the_agent_follows_the_protocol(
    version: int, pdu: Pdu, oids: list[bytes], expected: tuple[int, int, list[object]]
) -> None:
    message = _ask(_agent(), pdu, *oids, version=version)
    assert message is not None
    assert (message.version, message.pdu, message.request_id) == (version, Pdu.RESPONSE, -5)
    assert (message.status, message.index, message.varbinds) == expected


def test_a_v1_walk_steps_over_what_v1_cannot_carry() -> None:
    before = ber.encode_oid("1.3.6.1.2.1.31.1.1.1.5.8")
    message = _ask(_agent(), Pdu.GET_NEXT, before, version=VERSION_1)
    assert message is not None
    ((oid, tag, _),) = message.varbinds
    assert tag != ber.COUNTER64
    assert ber.decode_oid(oid).startswith("1.3.6.1.2.1.31.1.1.1.14.")


def test_bulk_gives_non_repeaters_once_and_rows_interleaved() -> None:
    message = _ask(
        _agent(),
        Pdu.GET_BULK,
        ber.encode_oid("1.3.6.1.2.1.1.3"),
        ber.encode_oid("1.3.6.1.2.1.2.2.1.1"),
        ber.encode_oid("1.3.6.1.2.1.31.1.1.1.1"),
        status=1,
        index=3,
    )
    assert message is not None
    assert [ber.decode_oid(oid).removeprefix("1.3.6.1.2.1.") for oid, _, _ in message.varbinds] == [
        "1.3.0",
        "2.2.1.1.1", "31.1.1.1.1.1",
        "2.2.1.1.2", "31.1.1.1.1.2",
        "2.2.1.1.3", "31.1.1.1.1.3",
    ]  # fmt: skip


def test_bulk_stops_at_the_end_of_all_and_at_the_largest_message() -> None:
    agent = _agent()
    end = _ask(agent, Pdu.GET_BULK, TOP, NAME, index=9000)
    assert end is not None
    assert end.varbinds[0] == (TOP, ber.END_OF_MIB_VIEW, None)
    request = encode_message(
        VERSION_2C, b"public", Pdu.GET_BULK, 1, Names.of([ber.encode_oid("1.3")] * 20).encoded, 0, 2_000_000
    )
    answer = agent.answer(request, 0)
    assert answer is not None
    limit = agent.personality(0).max_message
    assert limit - 300 < len(answer) <= limit


def test_a_get_whose_answer_would_not_fit_is_too_big() -> None:
    message = _ask(_agent(), Pdu.GET, *[ber.encode_oid("1.3.6.1.2.1.1.1.0")] * 80)
    assert message is not None
    assert (message.status, message.index, message.varbinds) == (ErrorStatus.TOO_BIG, 0, [])


def test_who_knows_not_the_community_gets_no_answer() -> None:
    agent = _agent()
    assert _ask(agent, Pdu.GET, NAME, community=b"private") is None
    assert _ask(agent, Pdu.RESPONSE, NAME) is None
    assert agent.counts.foreign == 2


def test_an_unknown_profile_still_answers_the_standard_tables() -> None:
    message = _ask(_agent(), Pdu.GET, NAME, ordinal=1)
    assert message is not None
    assert message.varbinds == [(NAME, 4, b"A-UPS1")]


def test_a_lossy_device_drops_its_share_and_a_silent_one_all() -> None:
    agent = _agent()
    agent.county.inject(fault_from({"fault": "lossy", "target": "a-cpe1", "ratio": 0.5}))
    heard = [_ask(agent, Pdu.GET, UPTIME) is not None for _ in range(4)]
    assert heard == [False, True, False, True]
    agent.county.inject(fault_from({"fault": "silent", "target": "a"}))
    assert _ask(agent, Pdu.GET, UPTIME) is None
    assert agent.counts.unheard == 3


@given(st.binary(max_size=200))
def test_garbage_is_counted_and_never_answered(data: bytes) -> None:
    agent = _agent()
    assert agent.answer(data, 0) is None
    assert agent.counts.malformed + agent.counts.foreign == 1


@given(st.data())
def test_a_damaged_request_never_raises(data: st.DataObject) -> None:
    agent = _agent()
    pdu = data.draw(st.sampled_from(list(Pdu)))
    oids = data.draw(st.lists(st.binary(max_size=12), max_size=4))
    values = data.draw(st.sampled_from([(5, None), (4, b"x"), (2, -3), (0x46, 2**64 - 1), (0x82, None)]))
    varbinds = encode_varbinds((oid, *values) for oid in oids)
    request = bytearray(
        encode_message(
            data.draw(st.sampled_from([0, 1])), b"public", pdu, 1, varbinds, *data.draw(
                st.tuples(st.integers(-(2**31), 2**31), st.integers(-(2**31), 2**31))
            )
        )
    )  # fmt: skip
    for at, octet in data.draw(st.lists(st.tuples(st.integers(0, len(request) - 1), st.integers(0, 255)), max_size=3)):
        request[at] = octet
    answer = agent.answer(bytes(request[: data.draw(st.integers(0, len(request)))]), 0)
    if answer is not None:
        assert decode_message(answer).pdu == Pdu.RESPONSE
