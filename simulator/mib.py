"""A personality's objects in the order of their identifiers, ready to be asked.

Identifiers are compared number by number, which their encoded form is not (16384 is encoded below 256), so the
order is made once from numbers. What managers ask next is nearly always an object that exists or a table's
column: both are a dictionary away, and only other names cost a search.
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

from collectors.errors import DecodeError
from collectors.snmp import ber
from simulator.values import Generator, Moment

_HEADS: Final = tuple(bytes((ber.SEQUENCE, length)) for length in range(128))


class Mib:
    """Objects of one kind of device.

    Args:
        objects: (identifier as content octets, encoded value or generator), in any order.

    Raises:
        ValueError: an identifier occurs twice.
    """

    def __init__(self, objects: Iterable[tuple[bytes, bytes | Generator]]) -> None:
        ordered = sorted(((ber.decode_arcs(oid), oid, value) for oid, value in _keyed(objects)), key=lambda row: row[0])
        self.objects: tuple[tuple[bytes, bytes | Generator], ...] = tuple((oid, value) for _, oid, value in ordered)
        self.oids: tuple[bytes, ...] = tuple(oid for _, oid, _ in ordered)
        self._arcs = [arcs for arcs, _, _ in ordered]
        self._index = {oid: position for position, oid in enumerate(self.oids)}
        self._next: dict[bytes, int] = {}
        self._columns: set[bytes] = set()
        for position, (arcs, oid, _) in enumerate(ordered):
            at = 0
            for arc in arcs:  # every prefix points to its first object; a later, equal prefix does not
                self._next.setdefault(oid[:at], position)
                at += len(ber.encode_arc(arc))
            if arcs[-1] == 0:
                self._columns.add(oid[:-1])
        for position, oid in enumerate(self.oids):
            self._next[oid] = position + 1
        # A varbind that never changes is kept whole; of the others, the name's part.
        self._whole: list[bytes | None] = []
        self._names: list[bytes] = []
        self._values: list[Generator | None] = []
        for _, oid, value in ordered:
            name = ber.encode_tlv(ber.OBJECT_IDENTIFIER, oid)
            fixed = isinstance(value, bytes)
            self._whole.append(ber.encode_tlv(ber.SEQUENCE, name + value) if isinstance(value, bytes) else None)
            self._names.append(name)
            self._values.append(None if fixed else value)  # type: ignore[arg-type]  # bytes were told apart above

    def __len__(self) -> int:
        return len(self.oids)

    def add_columns(self, columns: Iterable[bytes]) -> None:
        """Name the columns of tables, so that a missing row is told from an unknown object."""
        self._columns.update(columns)

    @property
    def columns(self) -> frozenset[bytes]:
        """What `knows` goes by."""
        return frozenset(self._columns)

    def find(self, oid: bytes) -> int | None:
        """Position of exactly this object."""
        return self._index.get(oid)

    def after(self, oid: bytes) -> int:
        """Position of the first object behind this name; ``len(self)`` at the end."""
        position = self._next.get(oid)
        if position is None:
            try:
                arcs = ber.decode_arcs(oid)
            except DecodeError:
                return len(self.oids)
            position = bisect_right(self._arcs, arcs)
        return position

    def varbind(self, position: int, moment: Moment) -> bytes:
        """The object's encoded variable binding."""
        whole = self._whole[position]
        if whole is not None:
            return whole
        body = self._names[position] + self._values[position](moment)  # type: ignore[misc]  # not None where not whole
        return _HEADS[len(body)] + body if len(body) < 128 else ber.encode_tlv(ber.SEQUENCE, body)

    def row(self, positions: list[int], moment: Moment) -> list[bytes]:
        """`varbind` of several objects; one call for a row of a GETBULK, which is what a simulation spends its time on.

        Raises:
            IndexError: one lies behind the last object.
        """
        return [self._whole[position] or self.varbind(position, moment) for position in positions]

    def knows(self, oid: bytes) -> bool:
        """Whether the object exists though this instance does not (noSuchInstance, not noSuchObject)."""
        return any(oid[:at] in self._columns for at in range(1, len(oid)))


def _keyed(objects: Iterable[tuple[bytes, bytes | Generator]]) -> list[tuple[bytes, bytes | Generator]]:
    found: dict[bytes, bytes | Generator] = {}
    for oid, value in objects:
        if oid in found:
            raise ValueError(f"{ber.decode_oid(oid)} occurs twice")
        found[oid] = value
    return list(found.items())
