"""Recordings (``.snmprec``) of devices: what is left out of them, and how their lines are written."""

from collections.abc import Iterable
from ipaddress import IPv4Address
from typing import Final

from collectors.snmp import ber
from collectors.snmp.message import Varbind

# Who may ask and by which secret: never recorded.
_SECRET: Final = (
    "1.3.6.1.6.3.12",  # SNMP-TARGET-MIB
    "1.3.6.1.6.3.13",  # SNMP-NOTIFICATION-MIB
    "1.3.6.1.6.3.15.1.2",  # usmUserTable
    "1.3.6.1.6.3.16",  # SNMP-VIEW-BASED-ACM-MIB
    "1.3.6.1.6.3.18",  # SNMP-COMMUNITY-MIB
    "1.3.6.1.4.1.8072.1.3.2.2.1.3",  # nsExtendArgs
    "1.3.6.1.2.1.25.4.2.1.5",  # hrSWRunParameters: command lines hold passwords
)
# Who talked to whom: data of persons and clients, and long.
_CLIENTS: Final = (
    "1.3.6.1.2.1.3.1",  # atTable
    "1.3.6.1.2.1.4.21",  # ipRouteTable
    "1.3.6.1.2.1.4.22",  # ipNetToMediaTable
    "1.3.6.1.2.1.4.24",  # IP-FORWARD-MIB
    "1.3.6.1.2.1.4.35",  # ipNetToPhysicalTable
    "1.3.6.1.2.1.6.13",  # tcpConnTable
    "1.3.6.1.2.1.6.19",  # tcpConnectionTable
    "1.3.6.1.2.1.6.20",  # tcpListenerTable
    "1.3.6.1.2.1.7.5",  # udpTable
    "1.3.6.1.2.1.7.7",  # udpEndpointTable
    "1.3.6.1.2.1.14",  # OSPF-MIB
    "1.3.6.1.2.1.15",  # BGP4-MIB
    "1.3.6.1.2.1.17.4.3",  # dot1dTpFdbTable
    "1.3.6.1.2.1.17.7.1.2",  # dot1qFdbTable, dot1qTpFdbTable
    "1.0.8802.1.1.2.1.4",  # lldpRemTables
    "1.3.111.2.802.1.1.13.1.4",  # lldpV2RemTables
    "1.3.6.1.4.1.9.9.23.1.2",  # cdpCacheTable
    "1.3.6.1.4.1.2011.5.25.42.2.1.3",  # hwDynFdbTable
    "1.3.6.1.4.1.2011.5.25.123.1.17",  # hwArpDynTable
    "1.3.6.1.4.1.2011.6.139.18",  # Wi-Fi stations of Huawei's controllers
    "1.3.6.1.4.1.25506.2.75.3",  # hh3cDot11StationAssocTable
    "1.3.6.1.4.1.4881.1.1.10.2.81.6",  # Wi-Fi stations of Ruijie's controllers
    "1.3.6.1.4.1.14988.1.1.1.2",  # mtxrWlRtabTable
    "1.3.6.1.4.1.14988.1.1.11",  # neighbours of RouterOS
)


def left_out(everything: bool) -> tuple[bytes, ...]:
    """Subtrees that a recording does not hold; with ``everything`` only those that hold secrets."""
    return tuple(map(ber.encode_oid, _SECRET if everything else (*_SECRET, *_CLIENTS)))


def line(varbind: Varbind) -> str:
    """One line of a recording.

    Raises:
        DecodeError: the name or the value is no object identifier.
    """
    oid, tag, value = varbind
    name = ber.decode_oid(oid)
    if isinstance(value, int) or value is None:
        return f"{name}|{tag}|{'' if value is None else value}"
    if tag == ber.OBJECT_IDENTIFIER:
        return f"{name}|{tag}|{ber.decode_oid(value) if value else ''}"
    if tag == ber.IP_ADDRESS and len(value) == 4:
        return f"{name}|{tag}|{IPv4Address(value)}"
    text = value.decode("ascii") if tag == ber.OCTET_STRING and value.isascii() else "\n"
    if text.isprintable() and text == text.strip():
        return f"{name}|{tag}|{text}"
    return f"{name}|{tag}x|{value.hex()}"


def document(varbinds: Iterable[Varbind]) -> str:
    """A whole recording, sorted by name; of repeated names the first counts."""
    rows: dict[tuple[int, ...], Varbind] = {}
    for varbind in varbinds:
        rows.setdefault(ber.decode_arcs(varbind[0]), varbind)
    return "".join(f"{line(rows[arcs])}\n" for arcs in sorted(rows))
