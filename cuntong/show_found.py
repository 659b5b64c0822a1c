"""How what was found is shown: in a prefix, and below an object."""

from collections.abc import Iterable
from typing import Final

from collectors.decode.values import text
from collectors.matching import Row
from collectors.naming import Namebook
from collectors.snmp import ber
from collectors.snmp.message import Value
from cuntong.show import Table

_TYPES: Final = {
    ber.INTEGER: "Integer",
    ber.OCTET_STRING: "String",
    ber.NULL: "Null",
    ber.OBJECT_IDENTIFIER: "OID",
    ber.IP_ADDRESS: "IpAddress",
    ber.COUNTER32: "Counter32",
    ber.GAUGE32: "Gauge32",
    ber.TIME_TICKS: "Timeticks",
    ber.OPAQUE: "Opaque",
    ber.COUNTER64: "Counter64",
    ber.UINTEGER32: "UInteger32",
}


def found(rows: Iterable[Row]) -> Table:
    """A line for each address that answered or should have."""
    return Table(
        [
            {
                "address": row.address,
                "finding": str(row.finding).replace("_", " "),
                "device": row.device,
                "vendor": row.identity.vendor if row.identity else None,
                "model": row.identity.model if row.identity else None,
                "profile": row.identity.profile if row.identity else None,
                "name": row.identity.sys_name if row.identity else None,
                "says": row.why or None,
            }
            for row in rows
        ]
    )


def value(oid: bytes, tag: int, content: Value, book: Namebook) -> dict[str, str]:
    """Type and value of an object, as people read them."""
    kind = _TYPES.get(tag, f"type {tag}")
    if content is None:
        return {"type": kind, "value": ""}
    if tag not in (ber.OBJECT_IDENTIFIER, ber.IP_ADDRESS, ber.OPAQUE) and (said := book.text(oid, tag, content)):
        return {"type": kind, "value": said}
    if isinstance(content, int):
        return {"type": kind, "value": _ticks(content) if tag == ber.TIME_TICKS else str(content)}
    if tag == ber.OBJECT_IDENTIFIER:
        return {"type": kind, "value": book.name(content)}
    if tag == ber.IP_ADDRESS and len(content) == 4:
        return {"type": kind, "value": ".".join(map(str, content))}
    shown = text(content) or ""
    if not content or all(char.isprintable() or char in "\t\r\n" for char in shown):
        return {"type": kind, "value": shown}
    return {"type": "Hex", "value": content.hex(" ").upper()}


def _ticks(hundredths: int) -> str:
    seconds, rest = divmod(hundredths, 100)
    days, seconds = divmod(seconds, 86_400)
    return f"({hundredths}) {days}d {seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}.{rest:02}"
