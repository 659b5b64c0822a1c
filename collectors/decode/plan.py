"""The steady poll of one device: which instances are asked, and what becomes of each value.

Devices of one model with the same cards have equal plans; `share` makes them the same object, so that a hundred
thousand devices hold a handful.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from collectors.decode import records
from collectors.decode.values import Convert, Reading
from collectors.snmp.message import Names, Value
from collectors.snmp.poll import NAMES_PER_GET
from health.reading import Printer, Readings

Slot = tuple[int, int, Convert]
"""Field of the record, position among the values, conversion."""


@dataclass(frozen=True, slots=True)
class RowPlan:
    """One record: its kind, its fixed fields, and where the moving ones come from."""

    kind: str
    template: tuple[Reading, ...]
    slots: tuple[Slot, ...]
    from_free: bool = False

    def make(self, values: Sequence[Value]) -> Any:
        """The record of these values; None where they say nothing."""
        row = self.row(values)
        if self.from_free and self.kind in _STORES:
            return records.store_from_free(*row)
        return records.MAKERS[self.kind](*row)

    def row(self, values: Sequence[Value]) -> list[Reading]:
        row = list(self.template)
        for field, at, convert in self.slots:
            row[field] = convert(values[at])
        return row


_STORES: Final = ("memory", "storage")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a survey found worth asking again."""

    requests: tuple[Names, ...]
    rows: tuple[RowPlan, ...]

    @property
    def size(self) -> int:
        """Values in one steady poll."""
        return sum(len(names.oids) for names in self.requests)

    def decode(self, values: Sequence[Value], base: Readings) -> Readings:
        """The readings of one steady poll.

        Args:
            values: in the order of the plan's names; missing ones at the end count as unknown.
            base: what the survey found once and for all, its identity and its slow parts; they are added.
        """
        if (missing := self.size - len(values)) > 0:
            values = [*values, *[None] * missing]
        made: dict[str, list[Any]] = {}
        for plan in self.rows:
            kind = plan.kind
            record = plan.row(values) if kind == "uptime" or kind == "printer" else plan.make(values)
            if record is not None:
                if kind in made:
                    made[kind].append(record)
                else:
                    made[kind] = [record]
        get = made.get
        clocks = get("uptime")
        state = get("printer")
        printer: Printer | None = None
        if state or "supplies" in made or "trays" in made:
            printer = records.printer(state[0] if state else None, get("supplies", []), get("trays", []))
        ups = get("ups")
        return Readings(
            base.identity,
            records.uptime(*clocks[0]) if clocks else None,
            (*get("processors", ()), *base.processors),
            (*get("memory", ()), *base.memory),
            (*get("storage", ()), *base.storage),
            (*get("interfaces", ()), *base.interfaces),
            (*get("sensors", ()), *base.sensors),
            printer or base.printer,
            ups[0] if ups else base.ups,
            (*get("cellular", ()), *base.cellular),
            (*get("extends", ()), *base.extends),
            clock_at=clocks[0][3] if clocks else None,
        )


_AT_MOST: Final = 50_000
_requests: dict[tuple[bytes, ...], tuple[Names, ...]] = {}
_rows: dict[RowPlan, RowPlan] = {}
_slots: dict[tuple[Slot, ...], tuple[Slot, ...]] = {}
_plans: dict[tuple[int, ...], Plan] = {}


def share(oids: Sequence[bytes], rows: Sequence[RowPlan], names_per_get: int = NAMES_PER_GET) -> Plan:
    """The plan that asks these instances; equal requests, rows and plans are the same objects."""
    if max(len(_requests), len(_rows), len(_slots), len(_plans)) >= _AT_MOST:
        # Surveys fill them again; nothing is lost but some sharing.
        for known in (_requests, _rows, _slots, _plans):
            known.clear()
    requests = _split(tuple(oids), names_per_get)
    shared = tuple(_shared_row(row) for row in rows)
    plan = Plan(requests, shared)
    return _plans.setdefault((id(requests), *map(id, shared)), plan)


def _shared_row(row: RowPlan) -> RowPlan:
    known = _rows.get(row)
    if known is None:
        # Equal ports of unlike names differ in their template only.
        known = RowPlan(row.kind, row.template, _slots.setdefault(row.slots, row.slots), row.from_free)
        _rows[known] = known
    return known


def _split(oids: tuple[bytes, ...], names_per_get: int) -> tuple[Names, ...]:
    known = _requests.get(oids)
    if known is not None and all(len(names.oids) <= names_per_get for names in known):
        return known
    # Even portions: 40 names are asked as 20 + 20, not as 36 + 4.
    count = -(-len(oids) // names_per_get)
    size = -(-len(oids) // count) if count else 1
    requests = tuple(Names.of(oids[at : at + size]) for at in range(0, len(oids), size))
    _requests[oids] = requests
    return requests
