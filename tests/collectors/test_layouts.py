"""A reply read by the layout of the last one says what the walk through it says; nothing else is ever read so."""

import contextlib
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import DecodeError
from collectors.snmp import ber, layouts
from collectors.snmp.layouts import Known, Layout, read_values
from collectors.snmp.message import (
    VERSION_2C,
    Names,
    Pdu,
    Value,
    Varbind,
    decode_values,
    encode_message,
    encode_varbinds,
    open_envelope,
)

OID = ber.encode_oid("1.3.6.1.2.1.2.2.1.10.1")
OTHER = ber.encode_oid("1.3.6.1.2.1.2.2.1.10.2")
NAMES = Names.of([OID, OTHER])

_numbers = st.one_of(
    st.tuples(st.just(ber.INTEGER), st.integers(-(2**62), 2**62)),
    st.tuples(st.sampled_from([ber.COUNTER32, ber.GAUGE32, ber.TIME_TICKS]), st.integers(0, 2**32 - 1)),
    st.tuples(st.just(ber.COUNTER64), st.integers(0, 2**64 - 1)),
)
_values = st.one_of(
    _numbers,
    st.tuples(st.sampled_from([ber.OCTET_STRING, ber.OPAQUE, ber.IP_ADDRESS]), st.binary(max_size=300)),
    st.tuples(st.just(ber.OBJECT_IDENTIFIER), st.just(OID)),
    st.tuples(st.sampled_from([ber.NULL, *sorted(ber.EXCEPTIONS)]), st.none()),
)


def reply(variables: Sequence[Varbind]) -> bytes:
    return encode_message(VERSION_2C, b"public", Pdu.RESPONSE, 7, encode_varbinds(variables))


def read(data: bytes, names: Names, known: Known) -> list[Value]:
    envelope = open_envelope(data)
    return read_values(data, envelope.start, envelope.end, names, known)


def walked(data: bytes, names: Names) -> list[Value]:
    envelope = open_envelope(data)
    return decode_values(data, envelope.start, envelope.end, names)


def two(first: int, second: int) -> bytes:
    return reply([(OID, ber.COUNTER64, first), (OTHER, ber.INTEGER, second)])


def taught(*replies: bytes) -> Known:
    known: Known = {}
    for data in replies:
        read(data, NAMES, known)
    return known


@given(st.lists(st.lists(_values, min_size=3, max_size=3), min_size=1, max_size=6))
def test_replies_one_after_another_are_read_as_if_each_were_the_first(history: list[list[tuple[int, Value]]]) -> None:
    oids = [ber.encode_oid(f"1.3.6.1.4.1.2021.4.{row}.0") for row in (3, 4, 5)]
    names = Names.of(oids)
    known: Known = {}
    for values in [each for each in history for _ in range(3)]:
        data = reply([(oid, *value) for oid, value in zip(oids, values, strict=True)])
        assert read(data, names, known) == walked(data, names)


@given(st.lists(_numbers, min_size=1, max_size=36), st.data())
def test_other_values_of_the_same_lengths_are_read_by_the_layout(
    values: list[tuple[int, int]], data: st.DataObject
) -> None:
    oids = [ber.encode_oid(f"1.3.6.1.2.1.2.2.1.10.{row}") for row in range(1, len(values) + 1)]
    names = Names.of(oids)
    known: Known = {}
    first = reply([(oid, *value) for oid, value in zip(oids, values, strict=True)])
    for _ in range(2):
        read(first, names, known)
    layout = known[names]
    assert isinstance(layout, Layout)
    changed = bytearray(first)
    changed[-1] = data.draw(st.integers(0, 255))  # the last octet of the last number
    assert read(bytes(changed), names, known) == walked(bytes(changed), names)
    assert known[names] is layout


@given(st.integers(0, 2**64 - 1), st.data())
def test_broken_replies_are_read_or_refused_as_without_a_layout(number: int, data: st.DataObject) -> None:
    good = two(number, 5)
    known = taught(good, good)
    broken = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(broken[: data.draw(st.integers(0, len(broken)))])
    for octets in (bytes(broken), cut):
        expected: Any = DecodeError
        with contextlib.suppress(DecodeError):
            expected = walked(octets, NAMES)
        if expected is DecodeError:
            with pytest.raises(DecodeError):
                read(octets, NAMES, dict(known))
        else:
            assert read(octets, NAMES, dict(known)) == expected


def test_a_layout_is_learnt_when_two_replies_in_a_row_are_as_long_as_each_other() -> None:
    assert isinstance(taught(two(1000, 1))[NAMES], int)
    assert isinstance(taught(two(1000, 1), two(1001, 1))[NAMES], Layout)
    assert isinstance(taught(two(1000, 1), two(1, 1), two(1000, 1))[NAMES], int)


def test_a_length_that_changes_once_forgets_and_learns_again() -> None:
    known = taught(two(1000, 1), two(1000, 1), two(100_000, 1))
    assert isinstance(known[NAMES], int)
    assert read(two(100_001, 1), NAMES, known) == [100_001, 1]
    assert isinstance(known[NAMES], Layout)


def test_the_same_length_with_another_type_is_no_counter() -> None:
    known = taught(two(1000, 1), two(1000, 1))
    text = reply([(OID, ber.OCTET_STRING, b"ab"), (OTHER, ber.INTEGER, 1)])
    assert len(text) == len(two(1000, 1))
    assert read(text, NAMES, known) == [b"ab", 1]


def test_devices_whose_replies_look_alike_share_a_layout() -> None:
    known = taught(two(1000, 1), two(1000, 1))
    assert taught(two(2000, 9), two(2001, 9))[NAMES] is known[NAMES]


@pytest.mark.parametrize(
    "variables",
    [
        [(OTHER, ber.INTEGER, 1), (OID, ber.INTEGER, 2)],
        [(OID, ber.INTEGER, 1)],
        [(OID, ber.INTEGER, 1), (OTHER, ber.NO_SUCH_INSTANCE, None)],
        [(OID, ber.INTEGER, 1), (OTHER, ber.INTEGER, 2), (OID + b"\1", ber.INTEGER, 3)],
    ],
    ids=["another order", "one is missing", "one has no value", "one too many"],
)
def test_no_layout_is_learnt_of_a_reply_that_is_not_what_was_asked(variables: list[Varbind]) -> None:
    data = reply(variables)
    assert isinstance(taught(data, data, data)[NAMES], int)
    assert read(data, NAMES, taught(data, data)) == walked(data, NAMES)


def test_memory_for_layouts_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "_MOST", 0)
    data = two(77_777_777, 1)
    known = taught(data, data, data)
    assert isinstance(known[NAMES], int)
    assert read(data, NAMES, known) == [77_777_777, 1]


def test_a_layout_goes_when_no_device_looks_like_it_any_more() -> None:
    before = len(layouts._layouts)
    oid = ber.encode_oid("1.3.6.1.4.1.99999.1.0")
    names = Names.of([oid])
    known: Known = {}
    for _ in range(2):
        read(reply([(oid, ber.GAUGE32, 2**30)]), names, known)
    assert len(layouts._layouts) == before + 1
    del known[names]
    assert len(layouts._layouts) == before
