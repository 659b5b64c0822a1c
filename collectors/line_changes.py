"""Counts how often the port of a line went up or down, from polls and from what routers send by themselves.

A line that flaps between two polls looks healthy in both; its traps tell. The state of the port is followed by
whatever speaks of it, so that a trap and the poll that it causes are one change. Kept in arrays: ports are many.
"""

from array import array
from collections.abc import Sequence
from typing import Final

from collectors.snmp import ber
from collectors.snmp.traps import LINK_DOWN, LINK_UP, Trap
from health.reading import Readings

_IF_INDEX: Final = ber.encode_oid("1.3.6.1.2.1.2.2.1.1")  # IF-MIB ifIndex: both traps carry it (RFC 2863)
_UNKNOWN, _DOWN, _UP = range(3)
_NO_INDEX: Final = -1


class LineChanges:
    """Pure.

    Args:
        ports: by ordinal the ports of a device's lines, by ifName; most devices have none.
    """

    def __init__(self, ports: Sequence[Sequence[str | None]]) -> None:
        self._ports = ports
        self._first = array("l", [0])  # of each device its first place in the arrays below
        for names in ports:
            self._first.append(self._first[-1] + len(names))
        places = self._first[-1]
        self._state = bytearray(places)
        self._changes = array("L", bytes(array("L").itemsize * places))
        self._index = array("l", [_NO_INDEX]) * places  # ifIndex, as traps name a port
        self._told_at: dict[int, float] = {}  # device: when it last told of a port by itself

    def polled(self, ordinal: int, readings: Readings, began: float) -> None:
        """What a poll says that ``began`` at this time; older than the newest trap, it says nothing new."""
        names = self._ports[ordinal]
        if not names or began < self._told_at.get(ordinal, began):
            return
        for interface in readings.interfaces:
            if interface.name in names and interface.oper_up is not None and interface.admin_up:
                place = self._first[ordinal] + names.index(interface.name)
                self._index[place] = interface.if_index
                self._note(place, interface.oper_up)

    def told(self, ordinal: int, trap: Trap, at: float) -> None:
        """What the device sent by itself; a port that is no line's, or was not polled yet, is left out."""
        if trap.kind not in (LINK_DOWN, LINK_UP):
            return
        if_index = next((value for name, _, value in trap.varbinds if name.startswith(_IF_INDEX)), None)
        for place in range(self._first[ordinal], self._first[ordinal + 1]):
            if self._index[place] == if_index:
                self._told_at[ordinal] = at
                self._note(place, trap.kind == LINK_UP)

    def _note(self, place: int, up: bool) -> None:
        before, now = self._state[place], _UP if up else _DOWN
        if before != now:
            self._state[place] = now
            self._changes[place] += before != _UNKNOWN

    def count(self, ordinal: int, number: int) -> int | None:
        """Changes of a device's n-th line since the start; None before its port was read."""
        place = self._first[ordinal] + number
        return self._changes[place] if self._state[place] != _UNKNOWN else None
