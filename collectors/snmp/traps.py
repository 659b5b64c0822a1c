"""Notifications of devices: traps of v1 (RFC 1157) and of v2c, informs (RFC 3416). Bytes in, values out; no sockets.

All three say the same thing in different shapes, so all three become one `Trap`: a v1 trap's generic and specific
numbers are mapped to the name that v2 would give it (RFC 3584 section 3.1).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from collectors.errors import DecodeError
from collectors.snmp import ber
from collectors.snmp.message import (
    VERSION_1,
    VERSION_2C,
    Pdu,
    Varbind,
    decode_varbinds,
    open_pdu,
)

VERSION_3: Final = 3

_SYS_UP_TIME: Final = ber.encode_oid("1.3.6.1.2.1.1.3.0")  # SNMPv2-MIB
_SNMP_TRAP_OID: Final = ber.encode_oid("1.3.6.1.6.3.1.1.4.1.0")  # SNMPv2-MIB
_SNMP_TRAPS: Final = ber.encode_oid("1.3.6.1.6.3.1.1.5")  # SNMPv2-MIB: the six generic traps of v1 hang here
_ENTERPRISES: Final = ber.encode_oid("1.3.6.1.4.1")
_ENTERPRISE_SPECIFIC: Final = 6  # RFC 1157 section 4.1.6
_LONGEST_OID: Final = 128 * 5  # octets of content: 128 numbers below 2^32 (RFC 2578 section 3.5)

LINK_DOWN: Final = "link_down"
LINK_UP: Final = "link_up"
COLD_START: Final = "cold_start"
WARM_START: Final = "warm_start"

_KINDS: Final[Mapping[str, str]] = {
    # SNMPv2-MIB (RFC 3418) and IF-MIB (RFC 2863)
    "1.3.6.1.6.3.1.1.5.1": COLD_START,
    "1.3.6.1.6.3.1.1.5.2": WARM_START,
    "1.3.6.1.6.3.1.1.5.3": LINK_DOWN,
    "1.3.6.1.6.3.1.1.5.4": LINK_UP,
    "1.3.6.1.6.3.1.1.5.5": "authentication_failure",
    # UPS-MIB (RFC 1628). Its names have no 0 before the last number, so the mapping of a v1 trap inserts one.
    "1.3.6.1.2.1.33.2.1": "ups_on_battery",
    "1.3.6.1.2.1.33.2.0.1": "ups_on_battery",
}
KINDS: Final[Mapping[bytes, str]] = {ber.encode_oid(dotted): kind for dotted, kind in _KINDS.items()}
"""What a notification's name means; all others are known by their enterprise alone (`kind_of`)."""


@dataclass(frozen=True, slots=True)
class Trap:
    """One notification.

    Args:
        version: 0 for v1, 1 for v2c, 3 for v3.
        oid: its name, the value of snmpTrapOID.0 (content octets), at most 128 numbers below 2^32.
        uptime_s: seconds since the agent started, as it says; None if it does not.
        varbinds: what came with it, without sysUpTime.0 and snmpTrapOID.0.
        agent: of a v1 trap the address that the agent believes to have; nobody vouches for it.
        acknowledged: it is an inform; the sender waits for an answer.
    """

    version: int
    community: bytes
    oid: bytes
    uptime_s: float | None
    varbinds: tuple[Varbind, ...]
    agent: bytes | None = None
    acknowledged: bool = False

    @property
    def kind(self) -> str:
        return kind_of(self.oid)


def kind_of(oid: bytes) -> str:
    """A word of `KINDS`, ``enterprise_2011`` for a vendor's own, ``other`` for the rest."""
    known = KINDS.get(oid)
    if known is not None:
        return known
    if oid.startswith(_ENTERPRISES):
        arcs = ber.decode_arcs(oid[len(_ENTERPRISES) :])
        if arcs:
            return f"enterprise_{arcs[0]}"
    return "other"


def version_of(data: bytes) -> int:
    """The version number of a message: 0 is v1, 1 v2c, 3 v3.

    Raises:
        DecodeError: it does not begin as a message does.
    """
    return _open(data)[0]


def decode_trap(data: bytes) -> Trap:
    """A v1 trap, a v2c notification or an inform.

    Raises:
        DecodeError: anything else.
    """
    version, at, end = _open(data)
    tag, start, at = ber.read_header(data, at)
    if tag != ber.OCTET_STRING or at > end:
        raise DecodeError("no community")
    community = data[start:at]
    if version == VERSION_1:
        return _version_1(data, at, end, community)
    if version == VERSION_2C:
        return _version_2c(data, at, end, community)
    raise DecodeError(f"version {version} is neither v1 nor v2c")


def _open(data: bytes) -> tuple[int, int, int]:
    """The version, where it ends, and where the message ends."""
    tag, at, end = ber.read_header(data, 0)
    if tag != ber.SEQUENCE:
        raise DecodeError(f"starts with tag {tag:#x}, not a sequence")
    version, at = ber.read_integer(data, at)
    if at > end:
        raise DecodeError("the version is longer than its message")
    return version, at, end


def _version_2c(data: bytes, at: int, end: int, community: bytes) -> Trap:
    envelope = open_pdu(data, at, end, VERSION_2C, community)
    return notification_of(VERSION_2C, community, envelope.pdu, decode_varbinds(data, envelope.start, envelope.end))


def notification_of(version: int, community: bytes, pdu: int, rows: Iterable[Varbind]) -> Trap:
    """A trap or an inform of v2c or v3 by its PDU's kind and variables.

    Raises:
        DecodeError: the PDU notifies of nothing.
    """
    if pdu not in (Pdu.TRAP_V2, Pdu.INFORM):
        raise DecodeError(f"PDU {pdu:#x} notifies of nothing")
    # The standard wants sysUpTime.0 and snmpTrapOID.0 first, in this order; not every agent knows.
    oid, uptime_s = None, None
    varbinds: list[Varbind] = []
    for varbind in rows:
        name, tag, value = varbind
        if name == _SNMP_TRAP_OID and oid is None and tag == ber.OBJECT_IDENTIFIER and isinstance(value, bytes):
            oid = _checked(value)
        elif name == _SYS_UP_TIME and uptime_s is None and isinstance(value, int):
            uptime_s = value / 100
        else:
            varbinds.append(varbind)
    if oid is None:
        raise DecodeError("a notification without snmpTrapOID")
    return Trap(version, community, oid, uptime_s, tuple(varbinds), acknowledged=pdu == Pdu.INFORM)


def _version_1(data: bytes, at: int, end: int, community: bytes) -> Trap:
    """RFC 1157 section 4.1.6: enterprise, agent-addr, generic-trap, specific-trap, time-stamp, variables."""
    pdu, at, pdu_end = ber.read_header(data, at)
    if pdu != Pdu.TRAP_V1 or pdu_end > end:
        raise DecodeError(f"PDU {pdu:#x} is no trap of v1")
    enterprise, at = _content(data, at, pdu_end, ber.OBJECT_IDENTIFIER)
    agent, at = _content(data, at, pdu_end, ber.IP_ADDRESS)
    if len(agent) != 4:
        raise DecodeError(f"an agent's address of {len(agent)} octets")
    generic, at = ber.read_integer(data, at)
    specific, at = ber.read_integer(data, at)
    ticks, at = _content(data, at, pdu_end, ber.TIME_TICKS)
    if not 0 < len(ticks) <= 9:
        raise DecodeError(f"a number of {len(ticks)} octets")
    tag, start, at = ber.read_header(data, at)
    if tag != ber.SEQUENCE or at > pdu_end:
        raise DecodeError("no list of variables")
    return Trap(
        VERSION_1,
        community,
        _name(_checked(enterprise), generic, specific),
        int.from_bytes(ticks, "big") / 100,
        tuple(decode_varbinds(data, start, at)),
        agent,
    )


def _content(data: bytes, at: int, end: int, wanted: int) -> tuple[bytes, int]:
    tag, start, stop = ber.read_header(data, at)
    if tag != wanted or stop > end:
        raise DecodeError(f"tag {tag:#x} instead of {wanted:#x} at octet {at}")
    return data[start:stop], stop


def _name(enterprise: bytes, generic: int, specific: int) -> bytes:
    """The snmpTrapOID of a v1 trap (RFC 3584 section 3.1)."""
    if 0 <= generic < _ENTERPRISE_SPECIFIC:
        return _SNMP_TRAPS + ber.encode_arc(generic + 1)
    if generic == _ENTERPRISE_SPECIFIC and 0 <= specific < 1 << 32:
        return _checked(enterprise + b"\x00" + ber.encode_arc(specific))
    raise DecodeError(f"generic trap {generic}, specific {specific}")


def _checked(oid: bytes) -> bytes:
    """The same content octets, if they are an object identifier that people can be shown."""
    if not 0 < len(oid) <= _LONGEST_OID or max(ber.decode_arcs(oid)) >= 1 << 32:
        raise DecodeError("no object identifier")
    return oid
