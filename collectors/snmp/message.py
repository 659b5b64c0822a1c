"""SNMP v1 and v2c messages (RFC 1157, RFC 1901, RFC 3416): bytes to values and back. No sockets, no state.

The decoder is the hottest code of a collector: one flat loop, no object per value. Where the names asked are known
(`decode_values`) it costs two thirds of what it costs where they are not; `collectors/snmp/layouts.py` leaves it out
for a device that answers as it did before. Every read is bounds-checked; the only error that leaves is `DecodeError`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple

from collectors.errors import DecodeError
from collectors.snmp import ber

VERSION_1: Final = 0
VERSION_2C: Final = 1

Value = int | bytes | None
"""Numbers are int; strings, addresses and object identifiers (content octets) are bytes; the rest is None."""

Varbind = tuple[bytes, int, Value]
"""Object identifier (content octets), ASN.1 tag, value. A tag in ``ber.EXCEPTIONS`` says why there is none."""


class Pdu(IntEnum):
    GET = 0xA0
    GET_NEXT = 0xA1
    RESPONSE = 0xA2
    SET = 0xA3
    TRAP_V1 = 0xA4
    GET_BULK = 0xA5
    INFORM = 0xA6
    TRAP_V2 = 0xA7
    REPORT = 0xA8


class ErrorStatus(IntEnum):
    """RFC 3416 section 3; the ones that a manager reacts to."""

    NO_ERROR = 0
    TOO_BIG = 1
    NO_SUCH_NAME = 2
    BAD_VALUE = 3
    READ_ONLY = 4
    GEN_ERR = 5
    NO_ACCESS = 6
    AUTHORIZATION_ERROR = 16
    NOT_WRITABLE = 17


class Message(NamedTuple):
    """One decoded message. In a GETBULK, ``status`` holds non-repeaters and ``index`` max-repetitions."""

    version: int
    community: bytes
    pdu: int
    request_id: int
    status: int
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls on a message
    varbinds: list[Varbind]


class Envelope(NamedTuple):
    """A message whose list of variables is not decoded yet: it lies in ``data[start:end]``."""

    version: int
    community: bytes
    pdu: int
    request_id: int
    status: int
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls on a message
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """A list of object identifiers, encoded once and asked often. ``heads`` are their encodings, one by one.

    Compared and hashed as an object: the transport keeps ready-made requests by it.
    """

    oids: tuple[bytes, ...]
    encoded: bytes
    heads: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def of(cls, oids: Iterable[bytes]) -> "Names":
        oids = tuple(oids)
        return cls(
            oids,
            encode_varbinds((oid, ber.NULL, None) for oid in oids),
            tuple(ber.encode_tlv(ber.OBJECT_IDENTIFIER, oid) for oid in oids),
        )


def encode_varbinds(varbinds: Iterable[Varbind]) -> bytes:
    """The variable-bindings field, header included.

    Raises:
        ValueError: a value that its tag cannot carry.
    """
    return ber.encode_tlv(
        ber.SEQUENCE,
        b"".join(
            ber.encode_tlv(ber.SEQUENCE, ber.encode_tlv(ber.OBJECT_IDENTIFIER, oid) + _encode_value(tag, value))
            for oid, tag, value in varbinds
        ),
    )


def _encode_value(tag: int, value: Value) -> bytes:
    match value:
        case None:
            return bytes((tag, 0))
        case bytes():
            return ber.encode_tlv(tag, value)
        case int() if tag == ber.INTEGER or (tag in ber.UNSIGNED and value >= 0):
            return ber.encode_integer(value, tag)
        case _:
            raise ValueError(f"tag {tag:#x} cannot carry {value!r}")


def encode_message(
    version: int, community: bytes, pdu: int, request_id: int, varbinds: bytes, status: int = 0, index: int = 0
) -> bytes:
    """A whole message.

    Args:
        varbinds: as `encode_varbinds` or ``Names.encoded`` gives them.
        status: error-status, or non-repeaters of a GETBULK.
        index: error-index, or max-repetitions of a GETBULK.
    """
    body = ber.encode_integer(request_id) + ber.encode_integer(status) + ber.encode_integer(index) + varbinds
    return ber.encode_tlv(
        ber.SEQUENCE,
        ber.encode_integer(version) + ber.encode_tlv(ber.OCTET_STRING, community) + ber.encode_tlv(pdu, body),
    )


def decode_message(data: bytes) -> Message:
    """Any v1 or v2c message but a v1 trap, whose PDU has another shape.

    Raises:
        DecodeError: anything else.
    """
    envelope = open_envelope(data)
    return Message(*envelope[:6], decode_varbinds(data, envelope.start, envelope.end))


def open_envelope(data: bytes) -> Envelope:
    """All of a v1 or v2c message but its variables; who asked decides how those are best read.

    Raises:
        DecodeError: no such message, or a v1 trap.
    """
    tag, at, end = ber.read_header(data, 0)
    if tag != ber.SEQUENCE:
        raise DecodeError(f"starts with tag {tag:#x}, not a sequence")
    version, at = ber.read_integer(data, at)
    if version not in (VERSION_1, VERSION_2C):
        raise DecodeError(f"version {version} is neither v1 nor v2c")
    tag, start, at = ber.read_header(data, at)
    if tag != ber.OCTET_STRING:
        raise DecodeError("no community")
    return open_pdu(data, at, end, version, data[start:at])


def open_pdu(data: bytes, at: int, end: int, version: int, community: bytes) -> Envelope:
    """The PDU at ``data[at:end]``, whatever it was wrapped in.

    Raises:
        DecodeError: no PDU of RFC 3416, or a v1 trap.
    """
    pdu, at, pdu_end = ber.read_header(data, at)
    if not 0xA0 <= pdu <= 0xA8 or pdu == 0xA4:
        raise DecodeError(f"unexpected PDU {pdu:#x}")
    if pdu_end > end:
        raise DecodeError("the PDU is longer than its message")
    request_id, at = ber.read_integer(data, at)
    status, at = ber.read_integer(data, at)
    index, at = ber.read_integer(data, at)
    tag, at, list_end = ber.read_header(data, at)
    if tag != ber.SEQUENCE or list_end > pdu_end:
        raise DecodeError("no list of variables")
    return Envelope(version, community, pdu, request_id, status, index, at, list_end)


def decode_values(data: bytes, at: int, end: int, names: Names) -> list[Value]:
    """The values alone, in the order of ``names``, of a reply that holds just these names.

    Replies of well-behaved agents repeat the names that were asked, so comparing octets replaces decoding them.
    Where the order or the set differs, the values are looked up by name, and absent ones are None.

    Raises:
        DecodeError: no list of variables.
    """
    values: list[Value] = []
    append = values.append
    from_bytes = int.from_bytes
    start_of_list = at
    try:
        for head in names.heads:
            length = data[at + 1]
            if length < 0x80:
                at += 2
                stop = at + length
            else:
                _, at, stop = ber.read_header(data, at)
            after = at + len(head)
            if data[at:after] != head:
                break
            tag = data[after]
            length = data[after + 1]
            start = after + 2
            if length >= 0x80:
                _, start, at = ber.read_header(data, after)
            else:
                at = start + length
            if at != stop:
                break
            if tag == 0x02 and 0 < length <= 8:
                append(from_bytes(data[start:at], "big", signed=True))
            elif 0x41 <= tag <= 0x47 and tag != 0x44 and 0 < length <= 9:
                append(from_bytes(data[start:at], "big"))
            elif tag == 0x04 or tag == 0x06 or tag == 0x40 or tag == 0x44:
                append(data[start:at])
            elif tag == 0x05 or 0x80 <= tag <= 0x82:
                append(None)
            else:
                break  # unknown, or a number of a length that none has
        else:
            if at == end:
                return values
    except IndexError:
        pass
    # Rare: another order, another set, or garbage. The strict decoder says which.
    found = {oid: value for oid, _, value in decode_varbinds(data, start_of_list, end)}
    return [found.get(oid) for oid in names.oids]


def decode_varbinds(data: bytes, at: int, end: int) -> list[Varbind]:
    """The bindings in ``data[at:end]``.

    Raises:
        DecodeError: anything but a row of (object identifier, value).
    """
    varbinds: list[Varbind] = []
    append = varbinds.append
    from_bytes = int.from_bytes
    read_header = ber.read_header
    try:
        while at < end:
            # Nearly every length is a single octet: that case is inline, the rest goes through read_header.
            if data[at] != ber.SEQUENCE:
                raise DecodeError(f"no variable at octet {at}")
            if data[at + 1] < 0x80:
                stop = at + 2 + data[at + 1]
                at += 2
            else:
                _, at, stop = read_header(data, at)
            if data[at] != ber.OBJECT_IDENTIFIER:
                raise DecodeError(f"no object identifier at octet {at}")
            if data[at + 1] < 0x80:
                after = at + 2 + data[at + 1]
                oid = data[at + 2 : after]
            else:
                _, start, after = read_header(data, at)
                oid = data[start:after]
            tag = data[after]
            length = data[after + 1]
            if length < 0x80:
                start = after + 2
                at = start + length
            else:
                _, start, at = read_header(data, after)
                length = at - start
            if at != stop or stop > end:
                raise DecodeError(f"a variable of the wrong length at octet {after}")
            if tag == 0x04 or tag == 0x06 or tag == 0x40 or tag == 0x44:
                append((oid, tag, data[start:at]))
            elif 0x41 <= tag <= 0x47 and tag != 0x45:  # unsigned; some agents forget the leading zero octet
                if not 0 < length <= 9:
                    raise DecodeError(f"a number of {length} octets at octet {after}")
                append((oid, tag, from_bytes(data[start:at], "big")))
            elif tag == 0x02:
                if not 0 < length <= 8:
                    raise DecodeError(f"a number of {length} octets at octet {after}")
                append((oid, tag, from_bytes(data[start:at], "big", signed=True)))
            elif tag == 0x05 or 0x80 <= tag <= 0x82:
                append((oid, tag, None))
            else:
                raise DecodeError(f"unknown type {tag:#x} at octet {after}")
    except IndexError:
        raise DecodeError("cut short") from None
    return varbinds
