"""The part of BER (X.690) that SNMP uses: definite lengths, single-byte tags.

Object identifiers stay content octets (``bytes``) from the wire to the reading: comparing, slicing a prefix and
looking up a dictionary then cost what bytes cost, and only people ever see dots.
"""

from functools import lru_cache

from collectors.errors import DecodeError

# RFC 2578 section 7.1 and RFC 3416 section 3.
INTEGER = 0x02
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30
IP_ADDRESS = 0x40
COUNTER32 = 0x41
GAUGE32 = 0x42
TIME_TICKS = 0x43
OPAQUE = 0x44
COUNTER64 = 0x46
UINTEGER32 = 0x47  # RFC 1442, obsolete, still sent by old agents
NO_SUCH_OBJECT = 0x80
NO_SUCH_INSTANCE = 0x81
END_OF_MIB_VIEW = 0x82

UNSIGNED = frozenset({COUNTER32, GAUGE32, TIME_TICKS, COUNTER64, UINTEGER32})
EXCEPTIONS = frozenset({NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW})

_LONGEST_OID = 128  # sub-identifiers, RFC 2578 section 3.5
_LARGEST_ARC = 2**32 - 1


@lru_cache(maxsize=65536)
def encode_oid(dotted: str) -> bytes:
    """Content octets of ``1.3.6.1...`` (a leading dot is allowed).

    Raises:
        ValueError: not an object identifier.
    """
    arcs = [int(arc) for arc in dotted.lstrip(".").split(".")]
    if len(arcs) < 2 or arcs[0] > 2 or (arcs[0] < 2 and arcs[1] > 39) or min(arcs) < 0 or len(arcs) > _LONGEST_OID:
        raise ValueError(f"{dotted!r} is no object identifier")
    content = bytearray()
    for arc in (arcs[0] * 40 + arcs[1], *arcs[2:]):
        content += encode_arc(arc)
    return bytes(content)


def encode_arc(arc: int) -> bytes:
    """One sub-identifier, base 128 with continuation bits."""
    if arc < 0x80:
        return bytes((arc,))
    septets = [arc & 0x7F]
    while arc := arc >> 7:
        septets.append(arc & 0x7F | 0x80)
    return bytes(reversed(septets))


def decode_oid(content: bytes) -> str:
    """Dotted form of content octets.

    Raises:
        DecodeError: cut short, or empty.
    """
    arcs = decode_arcs(content)
    if not arcs:
        raise DecodeError("an object identifier without content")
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - first * 40, *arcs[1:])))


def decode_arcs(content: bytes) -> tuple[int, ...]:
    """The sub-identifiers of an OID's tail, such as a table index after its column.

    Raises:
        DecodeError: the last one is cut short, one is beyond 32 bits, or there are more than 128.
    """
    arcs: list[int] = []
    arc = 0
    for octet in content:
        arc = arc << 7 | octet & 0x7F
        if arc > _LARGEST_ARC:
            raise DecodeError("an object identifier with a number beyond 32 bits")
        if octet < 0x80:
            arcs.append(arc)
            arc = 0
    if content and content[-1] >= 0x80:
        raise DecodeError("an object identifier ends inside a number")
    if len(arcs) > _LONGEST_OID:
        raise DecodeError(f"an object identifier of {len(arcs)} numbers")
    return tuple(arcs)


def encode_length(length: int) -> bytes:
    if length < 0x80:
        return bytes((length,))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


def encode_tlv(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + encode_length(len(content)) + content


def encode_integer(number: int, tag: int = INTEGER) -> bytes:
    """Two's complement in the fewest octets; the same octets serve the unsigned types (a leading 0 where needed)."""
    return encode_tlv(tag, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def read_header(data: bytes, at: int) -> tuple[int, int, int]:
    """Tag of the value at ``at``, and where its content starts and ends.

    Raises:
        DecodeError: it runs over the end of the data, or its length is indefinite.
    """
    try:
        tag = data[at]
        length = data[at + 1]
    except IndexError:
        raise DecodeError(f"cut short at octet {at}") from None
    start = at + 2
    if length >= 0x80:
        octets = length & 0x7F
        if not 0 < octets <= 4 or start + octets > len(data):
            raise DecodeError(f"a length that cannot be at octet {at + 1}")
        length = int.from_bytes(data[start : start + octets], "big")
        start += octets
    end = start + length
    if end > len(data):
        raise DecodeError(f"{end - len(data)} octets missing at the end")
    return tag, start, end


def read_integer(data: bytes, at: int) -> tuple[int, int]:
    """A signed INTEGER of at most 8 octets, and where the next value starts.

    Raises:
        DecodeError: another type, or longer.
    """
    tag, start, end = read_header(data, at)
    if tag != INTEGER or not 0 < end - start <= 8:
        raise DecodeError(f"no integer at octet {at}")
    return int.from_bytes(data[start:end], "big", signed=True), end
