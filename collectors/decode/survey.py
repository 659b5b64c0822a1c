"""The first poll of a device, and every slow round: who is it, what has it got, and what is worth asking again.

`Survey.choose` is the `collectors.snmp.poll.survey` conversation's guide. It asks in rounds: identity; the scalars
and the columns that make rows; the other columns of tables that turned out to have rows; further sources where the
first ones left something unknown. A column is asked once, whoever needs it, and a table that the device lacks costs
one column.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from collectors.decode import plan as plans
from collectors.decode import records
from collectors.decode.compile import Catalogue, Compiled, Origin, Table, record_fields
from collectors.decode.plan import Plan, RowPlan, Slot
from collectors.decode.values import Reading, oid, text
from collectors.errors import DecodeError
from collectors.snmp import ber
from collectors.snmp.message import Value
from collectors.snmp.poll import NAMES_PER_GET, Findings
from health.reading import Readings

SYS_DESCR: Final = ber.encode_oid("1.3.6.1.2.1.1.1.0")
SYS_OBJECT_ID: Final = ber.encode_oid("1.3.6.1.2.1.1.2.0")
SYS_UPTIME: Final = ber.encode_oid("1.3.6.1.2.1.1.3.0")
SYS_NAME: Final = ber.encode_oid("1.3.6.1.2.1.1.5.0")
EXTEND_COMMAND: Final = ber.encode_oid("1.3.6.1.4.1.8072.1.3.2.3.1.1")  # nsExtendOutput1Line, indexed by name

_COLUMNS_PER_WALK: Final = 10
_SCALAR: Final = b""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What a survey found.

    Args:
        readings: everything, as of now.
        plan: what to ask in steady polls.
        base: the parts that steady polls do not ask again.
    """

    readings: Readings
    plan: Plan
    base: Readings


@dataclass(slots=True)
class _Row:
    index: bytes
    values: dict[str, Reading]
    chosen: dict[str, Origin | None]


class Survey:
    """One device's survey; feed `choose` to the conversation, then take `result`."""

    __slots__ = ("_asked", "_catalogue", "_settled", "compiled")

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._asked: set[bytes] = set()
        self._settled: dict[str, bool] = {}
        self.compiled: Compiled | None = None

    def choose(self, found: Findings) -> tuple[Sequence[bytes], Sequence[Sequence[bytes]]]:
        """What to ask next; empty when nothing would add anything."""
        if not self._asked:
            return self._take(names=(SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME, SYS_NAME))
        if self.compiled is None:
            object_id = oid(found.scalars.get(SYS_OBJECT_ID)) or ""
            descr = text(found.scalars.get(SYS_DESCR)) or ""
            telling = {ber.encode_oid(name): name for name in self._catalogue.telling(object_id, descr)}
            scripts = (EXTEND_COMMAND,) if self._catalogue.asks_for_extends(object_id, descr) else ()
            if not self._asked.issuperset((*scripts, *telling)):
                return self._take(telling, scripts)
            held = tuple(name for instance, name in telling.items() if instance in found.scalars)
            extends = tuple(
                name
                for index in found.columns.get(EXTEND_COMMAND, ())
                if isinstance(name := _index("text", index), str)
            )
            self.compiled = self._catalogue.identify(object_id, descr, extends, held)
        names: list[bytes] = []
        columns: list[bytes] = []
        filled: set[str] = set()
        unsettled: set[str] = set()
        for table in self.compiled.tables:
            if table.unless & filled or table.unless & unsettled:
                continue  # superfluous, or an earlier module may still make it so
            settled = self._settled.get(table.name)
            if settled is None:
                wanted = list(self._wanted(table, found))
                (columns if table.rows else names).extend(o for o, at in wanted if at is None)
                names.extend(o + at for o, at in wanted if at is not None)
                if wanted:
                    unsettled.update((table.kind, table.name))
                    continue
                contested = self.compiled.contested
                needed = table.name in contested or (table.kind in contested and table.kind not in filled)
                settled = self._settled[table.name] = needed and any(True for _ in self._records(table, found))
            if settled:
                filled.update((table.kind, table.name))
        return self._take(names, columns)

    def _take(
        self, names: Iterable[bytes] = (), columns: Iterable[bytes] = ()
    ) -> tuple[list[bytes], list[list[bytes]]]:
        fresh_names = [name for name in dict.fromkeys(names) if name not in self._asked]
        fresh = sorted(column for column in dict.fromkeys(columns) if column not in self._asked)
        self._asked.update(fresh_names, fresh)
        # Neighbours share a table, and so their rows end together.
        groups = [fresh[at : at + _COLUMNS_PER_WALK] for at in range(0, len(fresh), _COLUMNS_PER_WALK)]
        return fresh_names, groups

    def _wanted(self, table: Table, found: Findings) -> Iterator[tuple[bytes, bytes | None]]:
        """Objects of this module that were not asked yet and would add something."""
        indexes: Sequence[bytes] = (_SCALAR,)
        if table.rows:
            makers = [self._next(table.columns[name], found, None) for name in table.rows]
            fresh = [origin for origin in makers if origin is not None]
            if fresh:
                yield from ((origin.oid, origin.at) for origin in fresh if origin.oid is not None)
                return
            indexes = self._indexes(table, found)
            if not indexes:
                return
        for origins in table.columns.values():
            origin = self._next(origins, found, indexes)
            if origin is not None and origin.oid is not None:
                yield origin.oid, origin.at

    def _next(self, origins: Sequence[Origin], found: Findings, indexes: Sequence[bytes] | None) -> Origin | None:
        """The first source not asked yet that some row needs; without ``indexes``, while no source has any row."""
        for at, origin in enumerate(origins):
            if origin.oid is None:
                return None  # a constant or an index: everything after it is known
            if self._was_asked(origin):
                continue
            before = origins[:at]
            if indexes is None:
                if any(found.columns.get(earlier.oid or b"") for earlier in before):
                    return None
            elif all(any(self._read(e, index, found) is not None for e in before) for index in indexes):
                return None
            return origin
        return None

    def _was_asked(self, origin: Origin) -> bool:
        assert origin.oid is not None  # noqa: S101 - both callers looked
        return (origin.oid if origin.at is None else origin.oid + origin.at) in self._asked

    def _indexes(self, table: Table, found: Findings) -> list[bytes]:
        indexes: dict[bytes, None] = {}
        for name in table.rows:
            for origin in table.columns[name]:
                if origin.oid is not None and origin.at is None:
                    indexes.update(dict.fromkeys(found.columns.get(origin.oid, ())))
        return list(indexes)

    def _read(self, origin: Origin, index: bytes, found: Findings) -> Reading:
        if origin.oid is None:
            return origin.constant if origin.index is None else origin.convert(_raw_index(origin.index, index))
        return origin.convert(_raw(origin, index, found))

    def _records(self, table: Table, found: Findings) -> Iterator[_Row]:
        """The rows that keep_if leaves, with all their columns read."""
        for index in self._indexes(table, found) if table.rows else [_SCALAR]:
            values: dict[str, Reading] = {}
            chosen: dict[str, Origin | None] = {}
            for name, origins in table.columns.items():
                values[name], chosen[name] = self._first(origins, index, found)
            if table.keep is not None and not table.keep(values):
                continue
            row = _Row(index, values, chosen)
            if table.kind in ("identity", "uptime", "printer") or _record(table, row) is not None:
                yield row

    def _first(self, origins: Sequence[Origin], index: bytes, found: Findings) -> tuple[Reading, Origin | None]:
        present: Origin | None = None
        for origin in origins:
            reading = self._read(origin, index, found)
            if reading is not None:
                return reading, origin
            if present is None and origin.oid is not None and _raw(origin, index, found) is not None:
                present = origin  # nothing to say now, but it may have later
        return None, present

    def result(self, found: Findings, names_per_get: int = NAMES_PER_GET) -> Surveyed:
        """The readings of everything found, and the plan of the steady polls."""
        compiled = self.compiled or self._catalogue.generic
        who: list[dict[str, Reading]] = []
        rows: list[RowPlan] = []
        asked: dict[bytes, int] = {}
        fixed: list[RowPlan] = []
        filled: set[str] = set()
        for table in compiled.tables:
            if table.unless & filled:
                continue
            records_found = list(self._records(table, found))
            if table.kind == "identity":
                who.extend(row.values for row in records_found)
                continue
            if table.kind == "interfaces":
                _name_ports(records_found)
            for row in records_found:
                record = _row_plan(table, row, asked)
                (rows if record.slots else fixed).append(record)
                filled.update((table.kind, table.name))
        identity = records.identity(who, compiled.profile.vendor, compiled.profile.os, compiled.name)
        nobody = Readings(identity=identity)
        base = Plan((), tuple(fixed)).decode((), nobody)
        plan = plans.share(tuple(asked), rows, names_per_get)
        values = [_value(name, found) for name in asked]
        now = plan.decode(values, base)
        problems = tuple(found.problems) + tuple(
            f"{table.name}: incomplete" for table in compiled.tables if _touches(table, found.failed)
        )
        return Surveyed(now.with_problems(problems) if problems else now, plan, base)


def _touches(table: Table, failed: set[bytes]) -> bool:
    return bool(failed) and any(origin.oid in failed for origins in table.columns.values() for origin in origins)


def _raw(origin: Origin, index: bytes, found: Findings) -> Value:
    assert origin.oid is not None  # noqa: S101 - callers looked
    if origin.at is not None:
        return found.scalars.get(origin.oid + origin.at)
    if origin.by is not None:
        index = _part(origin.by, index)
    return found.columns.get(origin.oid, {}).get(index) if index else found.scalars.get(origin.oid)


def _value(name: bytes, found: Findings) -> Value:
    if name in found.scalars:
        return found.scalars[name]
    for column, rows in found.columns.items():
        if name.startswith(column) and name[len(column) :] in rows:
            return rows[name[len(column) :]]
    return None


def _part(by: str, index: bytes) -> bytes:
    """One number of an index, as an index of its own."""
    try:
        arcs = ber.decode_arcs(index)
    except DecodeError:
        return index
    return ber.encode_arc(arcs[0] if by == "first" else arcs[-1]) if arcs else index


def _index(kind: str, index: bytes) -> Reading:
    raw = _raw_index(kind, index)
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw


def _raw_index(kind: str, index: bytes) -> Value:
    """The row's index as a raw value: a number, or octets of text."""
    try:
        arcs = ber.decode_arcs(index)
    except DecodeError:
        return None
    if not arcs:
        return None
    match kind:
        case "number":
            return arcs[-1]
        case "first":
            return arcs[0]
        case "text" | "next_text":
            if kind == "next_text":
                arcs = arcs[arcs[0] + 1 :]
                if not arcs:
                    return None
            # A leading length (not IMPLIED), then one number per octet; more numbers may follow.
            octets = arcs[1 : arcs[0] + 1] if arcs[0] < len(arcs) else arcs
            return bytes(octets) if all(octet < 256 for octet in octets) else None
        case _:
            return ".".join(map(str, arcs)).encode()


def _record(table: Table, row: _Row) -> Any:
    fields = [row.values.get(name) for name in record_fields(table.kind)]
    if table.used_from_free and table.kind in ("memory", "storage"):
        return records.store_from_free(*fields)
    return records.MAKERS[table.kind](*fields)


def _name_ports(rows: list[_Row]) -> None:
    ports = [(row.values["name"], row.values["description"], row.values["if_index"]) for row in rows]
    for row, name in zip(rows, records.distinct_names(ports), strict=True):  # type: ignore[arg-type]
        row.values["name"] = name


def _row_plan(table: Table, row: _Row, asked: dict[bytes, int]) -> RowPlan:
    """Fixes what is slow, and numbers the instances of what moves among those already asked."""
    template: list[Reading] = []
    slots: list[Slot] = []
    for at, name in enumerate(record_fields(table.kind)):
        origin = row.chosen.get(name)
        if origin is None or origin.oid is None or origin.slow:
            template.append(row.values.get(name))
            continue
        index = row.index if origin.by is None else _part(origin.by, row.index)
        instance = origin.oid + (origin.at if origin.at is not None else index)
        slots.append((at, asked.setdefault(instance, len(asked)), origin.convert))
        template.append(None)
    return RowPlan(table.kind, tuple(template), tuple(slots), table.used_from_free)
