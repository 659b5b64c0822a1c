"""The ports of a router at which lines end, which are down while the line is dead: of those below, and of its own.

Personalities say what a kind of device has; how many lines end at a router is its place in the county.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from collectors.snmp import ber
from simulator.county import County
from simulator.mib import Mib
from simulator.personality import Personality
from simulator.values import Generator, Moment

_FIRST: Final = 1001  # ifIndex: beyond those of any personality
_FIRST_VLAN: Final = 101
_NUMBER: Final = ber.encode_oid("1.3.6.1.2.1.2.1.0")  # IF-MIB ifNumber
_ENTRY: Final = "1.3.6.1.2.1.2.2.1"  # ifEntry
_MORE: Final = "1.3.6.1.2.1.31.1.1.1"  # ifXEntry
_UP: Final = 1  # ifAdminStatus, ifOperStatus
_DOWN: Final = 2


def with_downlinks(personality: Personality, county: County, router: int, below: Sequence[int]) -> Personality:
    """The personality of one router that has lines to these routers below."""
    objects = dict(personality.mib.objects)
    count = objects.get(_NUMBER)
    if isinstance(count, bytes):
        objects[_NUMBER] = _integer(int.from_bytes(count[2:], "big") + len(below))
    for number, child in enumerate(below):
        index, vlan = _FIRST + number, f"Vlan{_FIRST_VLAN + number}"
        alias = f"TO:{county.graph.terminals[child].device_id}"
        cells: dict[str, bytes | Generator] = {
            f"{_ENTRY}.1": _integer(index),
            f"{_ENTRY}.2": _text(vlan),
            f"{_ENTRY}.3": _integer(6),
            f"{_ENTRY}.4": _integer(1500),
            f"{_ENTRY}.7": _integer(_UP),
            f"{_ENTRY}.8": _state(county, child, router),
            f"{_MORE}.1": _text(vlan),
            f"{_MORE}.18": _text(alias),
        }
        objects.update((ber.encode_oid(f"{column}.{index}"), value) for column, value in cells.items())
    mib = Mib(objects.items())
    mib.add_columns(personality.mib.columns)
    return replace(personality, mib=mib)


def with_uplinks(personality: Personality, county: County, router: int) -> Personality:
    """The personality of one router whose several lines upward end at ports that the inventory names."""
    terminal = county.graph.terminals[router]
    objects = dict(personality.mib.objects)
    names = ber.encode_oid(f"{_MORE}.1")
    for port, upper in zip(terminal.uplink_ports, terminal.uplinks, strict=False):
        told = _text(port)
        for oid, value in list(objects.items()):
            if oid.startswith(names) and value == told:
                row = ber.decode_oid(oid).rpartition(".")[2]
                objects[ber.encode_oid(f"{_ENTRY}.7.{row}")] = _integer(_UP)
                objects[ber.encode_oid(f"{_ENTRY}.8.{row}")] = _own_state(county, router, upper)
    mib = Mib(objects.items())
    mib.add_columns(personality.mib.columns)
    return replace(personality, mib=mib)


def _own_state(county: County, lower: int, upper: int) -> Callable[[Moment], bytes]:
    up, down = _integer(_UP), _integer(_DOWN)
    return lambda moment: up if county.line_up_from_below(lower, upper) else down


def _state(county: County, lower: int, upper: int) -> Callable[[Moment], bytes]:
    up, down = _integer(_UP), _integer(_DOWN)
    return lambda moment: up if county.line_up(lower, upper) else down


def _integer(value: int) -> bytes:
    return ber.encode_integer(value)


def _text(value: str) -> bytes:
    return ber.encode_tlv(ber.OCTET_STRING, value.encode())
