"""Where each value lies in a device's replies to the same question: the layout of the last one reads the next.

From poll to poll a device's values change and their lengths hardly ever do. A reply whose lengths and types are
those that were seen twice is therefore taken apart in one step: names, types and lengths are compared all at once,
a sixth of what walking through them costs. Any other reply is walked through, and teaches the next layout.
"""

import struct
from typing import Final
from weakref import WeakValueDictionary

from collectors.snmp import ber
from collectors.snmp.message import Names, Value, decode_values

_SIGNED: Final = {1: "b", 2: "h", 4: "i", 8: "q"}
_UNSIGNED: Final = {1: "B", 2: "H", 4: "I", 8: "Q"}
_TEXT: Final = frozenset({ber.OCTET_STRING, ber.OBJECT_IDENTIFIER, ber.IP_ADDRESS, ber.OPAQUE})
_MOST: Final = 16_384
"""Layouts in memory, about 6 kB each, shared by all devices whose replies look alike; then no more are learnt."""


class Layout:
    """One succession of names, types and lengths.

    Args:
        heads: of each variable its octets before the value: sequence, name, type and length.
        kinds: of each its type, and how many octets the value has.
    """

    __slots__ = ("__weakref__", "_heads", "_numbers", "_size", "_unpack")

    def __init__(self, heads: tuple[bytes, ...], kinds: list[tuple[int, int]]) -> None:
        form = [">"]
        numbers: list[tuple[int, bool]] = []
        for at, (head, (tag, size)) in enumerate(zip(heads, kinds, strict=True)):
            code = None if tag in _TEXT else (_SIGNED if tag == ber.INTEGER else _UNSIGNED).get(size)
            if code is None:
                code = f"{size}s"
                if tag not in _TEXT:
                    numbers.append((at, tag == ber.INTEGER))
            form.append(f"{len(head)}s{code}")
        compiled = struct.Struct("".join(form))
        self._unpack, self._size = compiled.unpack_from, compiled.size
        self._heads = heads
        self._numbers = tuple(numbers)

    def read(self, data: bytes, at: int, end: int) -> list[Value] | None:
        """The values of the list at ``data[at:end]``; None where it has another layout."""
        if end - at != self._size:
            return None
        fields = self._unpack(data, at)
        if fields[::2] != self._heads:
            return None
        values: list[Value] = list(fields[1::2])
        for position, signed in self._numbers:  # of three octets, say, which no machine word has
            values[position] = int.from_bytes(values[position], "big", signed=signed)  # type: ignore[arg-type]
        return values


Known = dict[Names, Layout | int]
"""What one device's replies look like, by question: the layout, or how long a reply was that had none yet."""

_layouts: WeakValueDictionary[tuple[bytes, ...], Layout] = WeakValueDictionary()


def read_values(data: bytes, at: int, end: int, names: Names, known: Known) -> list[Value]:
    """As `decode_values`, sooner where the device's last replies looked the same; remembers in ``known``."""
    last = known.get(names)
    if last.__class__ is Layout:
        values = last.read(data, at, end)
        if values is not None:
            return values
    values = decode_values(data, at, end, names)
    # A device whose lengths change in every poll teaches nothing: a layout is made for a reply as long as the last.
    known[names] = (_learn(data, at, end, names) or end - at) if last == end - at else end - at
    return values


def _learn(data: bytes, at: int, end: int, names: Names) -> Layout | None:
    """The layout of a reply that was read; None where a value is missing, names differ, or there are too many."""
    heads: list[bytes] = []
    kinds: list[tuple[int, int]] = []
    for name in names.heads:
        if at >= end:
            return None
        _, start, stop = ber.read_header(data, at)
        tag, value, after = ber.read_header(data, start + len(name))
        if data[start : start + len(name)] != name or after != stop or tag == ber.NULL or tag in ber.EXCEPTIONS:
            return None
        heads.append(data[at:value])
        kinds.append((tag, stop - value))
        at = stop
    if at != end:
        return None
    key = tuple(heads)
    layout = _layouts.get(key)
    if layout is None and len(_layouts) < _MOST:
        layout = _layouts[key] = Layout(key, kinds)
    return layout
