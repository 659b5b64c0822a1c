"""The codec against itself, against garbage, and against pysnmp's."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder as pyasn1_decoder
from pyasn1.codec.ber import encoder as pyasn1_encoder
from pysnmp.proto import api

from collectors.errors import DecodeError
from collectors.snmp import ber
from collectors.snmp.message import (
    VERSION_1,
    VERSION_2C,
    Names,
    Pdu,
    Varbind,
    decode_message,
    decode_values,
    encode_message,
    encode_varbinds,
    open_envelope,
)

arcs = st.lists(st.integers(0, 2**32 - 1), max_size=20)
oids = st.builds(
    lambda first, second, rest: ".".join(map(str, (first, second, *rest))), st.integers(0, 1), st.integers(0, 39), arcs
)
octets = st.binary(max_size=400)
values = st.one_of(
    st.tuples(st.just(ber.INTEGER), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.sampled_from([ber.COUNTER32, ber.GAUGE32, ber.TIME_TICKS]), st.integers(0, 2**32 - 1)),
    st.tuples(st.just(ber.COUNTER64), st.integers(0, 2**64 - 1)),
    st.tuples(st.sampled_from([ber.OCTET_STRING, ber.OPAQUE]), octets),
    st.tuples(st.just(ber.IP_ADDRESS), st.binary(min_size=4, max_size=4)),
    st.tuples(st.just(ber.OBJECT_IDENTIFIER), oids.map(ber.encode_oid)),
    st.tuples(st.sampled_from([ber.NULL, *sorted(ber.EXCEPTIONS)]), st.none()),
)
varbinds = st.lists(st.builds(lambda oid, value: (ber.encode_oid(oid), *value), oids, values), max_size=40)
pdus = st.sampled_from([pdu for pdu in Pdu if pdu is not Pdu.TRAP_V1])
request_ids = st.integers(-(2**31), 2**31 - 1)


@given(oids)
def test_an_object_identifier_survives_its_encoding(oid: str) -> None:
    assert ber.decode_oid(ber.encode_oid(oid)) == oid


@given(pdus, request_ids, octets, varbinds, st.integers(0, 18), st.integers(0, 1000))
def test_a_message_survives_its_encoding(
    pdu: Pdu, request_id: int, community: bytes, variables: list[Varbind], status: int, index: int
) -> None:
    data = encode_message(VERSION_2C, community, pdu, request_id, encode_varbinds(variables), status, index)
    assert decode_message(data) == (VERSION_2C, community, pdu, request_id, status, index, variables)


@given(st.binary(max_size=2000))
def test_random_octets_raise_nothing_but_decode_errors(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        decode_message(data)


@given(varbinds, st.data())
def test_a_mutated_reply_raises_nothing_but_decode_errors(variables: list[Varbind], data: st.DataObject) -> None:
    reply = bytearray(encode_message(VERSION_2C, b"public", Pdu.RESPONSE, 1, encode_varbinds(variables)))
    names = Names.of(oid for oid, _, _ in variables)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(reply) - 1))
        reply[at] = data.draw(st.integers(0, 255))
    cut = bytes(reply[: data.draw(st.integers(0, len(reply)))])
    for mutated in (bytes(reply), cut):
        with contextlib.suppress(DecodeError):
            decode_message(mutated)
        with contextlib.suppress(DecodeError):
            envelope = open_envelope(mutated)
            assert len(decode_values(mutated, envelope.start, envelope.end, names)) == len(names.oids)


@given(
    st.lists(
        st.builds(lambda oid, value: (ber.encode_oid(oid), *value), oids, values), max_size=40, unique_by=lambda v: v[0]
    ),
    st.randoms(),
)
def test_values_by_known_names_are_the_values_of_the_strict_decoder(variables: list[Varbind], random: Any) -> None:
    names = Names.of(oid for oid, _, _ in variables)
    shuffled = list(variables)
    random.shuffle(shuffled)
    for order in (variables, shuffled, variables[1:]):
        data = encode_message(VERSION_2C, b"c", Pdu.RESPONSE, 7, encode_varbinds(order))
        envelope = open_envelope(data)
        present = {oid: value for oid, _, value in order}
        expected = [present.get(oid) for oid in names.oids]
        assert decode_values(data, envelope.start, envelope.end, names) == expected


def test_a_number_without_octets_is_refused_and_not_read_as_zero() -> None:
    oid = ber.encode_oid("1.3.6.1.2.1.1.3.0")
    empty = ber.encode_tlv(ber.SEQUENCE, ber.encode_tlv(6, oid) + b"\x41\x00")
    data = encode_message(VERSION_2C, b"c", Pdu.RESPONSE, 7, ber.encode_tlv(ber.SEQUENCE, empty))
    envelope = open_envelope(data)
    with pytest.raises(DecodeError):
        decode_values(data, envelope.start, envelope.end, Names.of([oid]))


def test_a_counter_without_its_leading_zero_is_read_unsigned() -> None:
    oid = ber.encode_oid("1.3.6.1.2.1.2.2.1.10.1")
    short = ber.encode_tlv(ber.SEQUENCE, ber.encode_tlv(6, oid) + b"\x41\x04\xff\xff\xff\xfe")
    data = encode_message(VERSION_2C, b"c", Pdu.RESPONSE, 7, ber.encode_tlv(ber.SEQUENCE, short))
    assert decode_message(data).varbinds == [(oid, ber.COUNTER32, 2**32 - 2)]


_TYPES = {
    ber.INTEGER: "Integer32",
    ber.COUNTER32: "Counter32",
    ber.GAUGE32: "Gauge32",
    ber.TIME_TICKS: "TimeTicks",
    ber.COUNTER64: "Counter64",
    ber.OCTET_STRING: "OctetString",
    ber.OPAQUE: "Opaque",
    ber.IP_ADDRESS: "IpAddress",
    ber.OBJECT_IDENTIFIER: "ObjectIdentifier",
}


def pysnmp_message(pdu_name: str, request_id: int, variables: list[Varbind]) -> bytes:
    proto = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
    pdu = getattr(proto, pdu_name)()
    proto.apiPDU.set_defaults(pdu)
    proto.apiPDU.set_request_id(pdu, request_id)
    proto.apiPDU.set_varbinds(
        pdu,
        [
            (
                ber.decode_oid(oid),
                proto.Null("")
                if tag == ber.NULL
                else getattr(proto, _TYPES[tag])(ber.decode_oid(value) if tag == 6 else value),  # type: ignore[arg-type]
            )
            for oid, tag, value in variables
        ],
    )
    message = proto.Message()
    proto.apiMessage.set_defaults(message)
    proto.apiMessage.set_community(message, "public")
    proto.apiMessage.set_pdu(message, pdu)
    return bytes(pyasn1_encoder.encode(message))


_SAMPLE: list[Varbind] = [
    (ber.encode_oid("1.3.6.1.2.1.1.1.0"), ber.OCTET_STRING, "中文 Linux".encode()),
    (ber.encode_oid("1.3.6.1.2.1.1.2.0"), ber.OBJECT_IDENTIFIER, ber.encode_oid("1.3.6.1.4.1.8072.3.2.10")),
    (ber.encode_oid("1.3.6.1.2.1.1.3.0"), ber.TIME_TICKS, 2**32 - 1),
    (ber.encode_oid("1.3.6.1.2.1.2.2.1.10.268435457"), ber.COUNTER32, 2**31),
    (ber.encode_oid("1.3.6.1.2.1.31.1.1.1.6.16383"), ber.COUNTER64, 2**64 - 1),
    (ber.encode_oid("1.3.6.1.2.1.2.2.1.5.16384"), ber.GAUGE32, 0),
    (ber.encode_oid("1.3.6.1.2.1.25.3.2.1.5.1"), ber.INTEGER, -1),
    (ber.encode_oid("1.3.6.1.2.1.4.20.1.1.192.0.2.1"), ber.IP_ADDRESS, bytes((192, 0, 2, 1))),
    (ber.encode_oid("1.3.6.1.4.1.2021.10.1.6.1"), ber.OPAQUE, b"\x9f\x78\x04\x3f\x80\x00\x00"),
    (ber.encode_oid("1.3.6.1.2.1.1.6.0"), ber.NULL, None),
]


@pytest.mark.parametrize(
    ("name", "pdu"), [("GetRequestPDU", Pdu.GET), ("GetNextRequestPDU", Pdu.GET_NEXT), ("ResponsePDU", Pdu.RESPONSE)]
)
def test_what_pysnmp_encodes_we_decode(name: str, pdu: Pdu) -> None:
    message = decode_message(pysnmp_message(name, 1234567, _SAMPLE))
    assert message == (VERSION_2C, b"public", pdu, 1234567, 0, 0, _SAMPLE)


def test_what_we_encode_pysnmp_decodes() -> None:
    data = encode_message(VERSION_2C, b"public", Pdu.RESPONSE, 99, encode_varbinds(_SAMPLE))
    proto = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
    message, rest = pyasn1_decoder.decode(data, asn1Spec=proto.Message())
    pdu = proto.apiMessage.get_pdu(message)
    assert not rest
    assert int(proto.apiPDU.get_request_id(pdu)) == 99
    seen = [(str(oid), value) for oid, value in proto.apiPDU.get_varbinds(pdu)]
    for (oid, tag, value), (their_oid, theirs) in zip(_SAMPLE, seen, strict=True):
        assert their_oid == ber.decode_oid(oid)
        if tag == ber.OBJECT_IDENTIFIER:
            assert str(theirs) == ber.decode_oid(value)  # type: ignore[arg-type]
        elif tag in (ber.OCTET_STRING, ber.OPAQUE, ber.IP_ADDRESS):
            assert bytes(theirs) == value
        elif tag != ber.NULL:
            assert int(theirs) == value


def test_we_encode_octet_for_octet_as_pysnmp_does() -> None:
    ours = encode_message(VERSION_2C, b"public", Pdu.RESPONSE, 99, encode_varbinds(_SAMPLE))
    assert ours == pysnmp_message("ResponsePDU", 99, _SAMPLE)


def test_version_1_is_spoken_too() -> None:
    data = encode_message(VERSION_1, b"public", Pdu.GET, 5, Names.of([_SAMPLE[0][0]]).encoded)
    assert decode_message(data).version == VERSION_1


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x30\x84", id="a long length cut short"),
        pytest.param(b"\x30\x80\x02\x01\x01\x00\x00", id="an indefinite length"),
        pytest.param(bytes.fromhex("303a020103300e02"), id="version 3"),
        pytest.param(b"\x04\x03abc", id="no sequence"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="another protocol"),
    ],
)
def test_a_datagram_that_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_message(data)
