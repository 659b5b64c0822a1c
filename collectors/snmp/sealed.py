"""SNMPv3 messages as octets (RFC 3412 section 6): what is readable without keys, and what is inside. No state."""

from typing import Final, NamedTuple

from collectors.errors import DecodeError
from collectors.snmp import ber
from collectors.snmp.message import Envelope, open_pdu

VERSION_3: Final = 3
USM: Final = 3
"""msgSecurityModel of the User-based Security Model."""


class Sealed(NamedTuple):
    """A v3 message whose payload is not opened yet; offsets point into its octets."""

    message_id: int
    flags: int
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    digest_at: int
    digest: bytes
    salt: bytes
    payload: int
    end: int


def open_sealed(data: bytes) -> Sealed:
    """All that is readable without keys.

    Raises:
        DecodeError: no v3 message with USM.
    """
    tag, at, end = ber.read_header(data, 0)
    version, at = ber.read_integer(data, at)
    if tag != ber.SEQUENCE or version != VERSION_3:
        raise DecodeError("no v3 message")
    inner, at = _within(data, at, end, ber.SEQUENCE, "no header")
    message_id, inner = ber.read_integer(data, inner)
    _, inner = ber.read_integer(data, inner)
    start, inner = _within(data, inner, at, ber.OCTET_STRING, "no flags")
    if inner - start != 1:
        raise DecodeError("flags of more than one octet")
    flags = data[start]
    model, _ = ber.read_integer(data, inner)
    if model != USM:
        raise DecodeError(f"security model {model} is not USM")
    inner, at = _within(data, at, end, ber.OCTET_STRING, "no security parameters")
    inner, last = _within(data, inner, at, ber.SEQUENCE, "no security parameters")
    start, inner = _within(data, inner, last, ber.OCTET_STRING, "no engine ID")
    engine_id = data[start:inner]
    boots, inner = ber.read_integer(data, inner)
    time, inner = ber.read_integer(data, inner)
    start, inner = _within(data, inner, last, ber.OCTET_STRING, "no user name")
    user = data[start:inner]
    digest_at, inner = _within(data, inner, last, ber.OCTET_STRING, "no digest")
    digest = data[digest_at:inner]
    start, inner = _within(data, inner, last, ber.OCTET_STRING, "no salt")
    return Sealed(message_id, flags, engine_id, boots, time, user, digest_at, digest, data[start:inner], at, end)


def _within(data: bytes, at: int, end: int, wanted: int, problem: str) -> tuple[int, int]:
    tag, start, stop = ber.read_header(data, at)
    if tag != wanted or stop > end:
        raise DecodeError(problem)
    return start, stop


def open_scoped(data: bytes, at: int, end: int) -> Envelope:
    """The PDU inside a scoped PDU; padding may follow it."""
    tag, at, stop = ber.read_header(data, at)
    if tag != ber.SEQUENCE or stop > end:
        raise DecodeError("no scoped PDU: wrong privacy key, or not for us")
    _, at = _within(data, at, stop, ber.OCTET_STRING, "no context engine")
    _, at = _within(data, at, stop, ber.OCTET_STRING, "no context name")
    return open_pdu(data, at, stop, VERSION_3, b"")
