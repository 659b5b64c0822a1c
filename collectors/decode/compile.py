"""Profiles as the decoder wants them: object identifiers as octets, steps as closures, conditions as functions."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from collectors.decode.values import Convert, Reading, converter
from collectors.snmp import ber
from inventory.profiles import FIELDS, GENERIC, Condition, Module, Profile, Source, candidates, identify

Keep = Callable[[Mapping[str, Reading]], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """One source of one column.

    Args:
        oid: the column in a table, the instance among scalars; None for constants and indexes.
        at: a fixed index below ``oid``, for values that all rows share.
        by: which number of the row's index finds the value; None for the whole index.
        slow: read in surveys only.
    """

    oid: bytes | None
    at: bytes | None
    by: str | None
    index: str | None
    constant: Reading
    convert: Convert
    slow: bool


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A module of the profile: a table, or a single record of scalars when ``rows`` is empty."""

    name: str
    kind: str
    rows: tuple[str, ...]
    columns: Mapping[str, tuple[Origin, ...]]
    keep: Keep | None
    used_from_free: bool
    unless: frozenset[str]
    """Superfluous once one of these gave something: kinds of readings, and names of modules."""


@dataclass(frozen=True)
class Compiled:
    """A profile ready to run. ``contested`` are the kinds and modules on which some later module depends."""

    name: str
    profile: Profile
    tables: tuple[Table, ...]
    contested: frozenset[str]


@dataclass(frozen=True)
class Catalogue:
    """All compiled profiles of an inventory, and the way to choose among them."""

    profiles: Mapping[str, Profile]

    @cached_property
    def compiled(self) -> dict[str, Compiled]:
        return {}

    def get(self, name: str) -> Compiled:
        """Compiled at first use: a county has few families, the catalogue many."""
        if name not in self.compiled:
            self.compiled[name] = _compile(name, self.profiles[name])
        return self.compiled[name]

    def asks_for_extends(self, object_id: str, descr: str) -> bool:
        """Whether the names of its ``extend`` scripts would tell this device from others."""
        return any(match.extend for _, match in candidates(self.profiles, object_id, descr))

    def telling(self, object_id: str, descr: str) -> tuple[str, ...]:
        """Instances whose presence would tell this device from others, by dotted name."""
        return tuple(dict.fromkeys(m.has for _, m in candidates(self.profiles, object_id, descr) if m.has is not None))

    def identify(self, object_id: str, descr: str, extends: tuple[str, ...], held: tuple[str, ...] = ()) -> Compiled:
        return self.get(identify(self.profiles, object_id, descr, extends, held))

    @property
    def generic(self) -> Compiled:
        return self.get(GENERIC)


def compile_profiles(profiles: Mapping[str, Profile]) -> Catalogue:
    """The catalogue of these profiles (as `inventory.profiles.load_profiles` gives them)."""
    return Catalogue(dict(profiles))


def _compile(name: str, profile: Profile) -> Compiled:
    tables = tuple(_table(key, module) for key, module in profile.modules.items())
    return Compiled(name, profile, tables, frozenset(name for table in tables for name in table.unless))


def _table(name: str, module: Module) -> Table:
    columns: dict[str, tuple[Origin, ...]] = {}
    for key, column in module.columns.items():
        sources = (column,) if isinstance(column, Source) else column.first_of
        columns[key] = tuple(_origin(source, module.slow) for source in sources)
    unless = frozenset([module.gives] if module.unless is True else module.unless or ())
    return Table(name, module.gives, module.rows, columns, _keep(module.keep_if), module.used_from_free, unless)


def _origin(source: Source, slow: bool) -> Origin:
    if source.index in ("text", "next_text", "dotted"):
        source = source.model_copy(update={"as_": "text"})
    return Origin(
        oid=None if source.oid is None else ber.encode_oid(source.oid),
        at=None if source.at is None else b"".join(ber.encode_arc(int(arc)) for arc in source.at.split(".")),
        by=source.by,
        index=source.index,
        constant=source.value,
        convert=_shared_converter(source),
        slow=slow or source.slow,
    )


_converters: dict[str, Convert] = {}


def _shared_converter(source: Source) -> Convert:
    """Equal steps are one function, so that plans of equal devices are equal and can be shared."""
    key = source.model_dump_json(exclude={"oid", "at", "by", "index", "value", "slow"})
    return _converters.setdefault(key, converter(source))


def _keep(tests: tuple[Mapping[str, Condition], ...]) -> Keep | None:
    if not tests:
        return None
    ways = [[(column, _condition(test)) for column, test in way.items()] for way in tests]
    return lambda row: any(all(holds(row.get(column)) for column, holds in way) for way in ways)


def _condition(condition: Condition) -> Callable[[Reading], bool]:
    among = None if condition.among is None else frozenset(condition.among)
    none_of = frozenset(condition.none_of or ())
    matches = None if condition.matches is None else re.compile(condition.matches)
    differs = None if condition.differs is None else re.compile(condition.differs)

    def holds(value: Reading) -> bool:
        if condition.known is not None and (value is not None) != condition.known:
            return False
        if among is not None and value not in among:
            return False
        if value in none_of:
            return False
        if condition.above is not None and not (isinstance(value, int | float) and value > condition.above):
            return False
        if condition.below is not None and not (isinstance(value, int | float) and value < condition.below):
            return False
        if matches is not None and not (isinstance(value, str) and matches.search(value)):
            return False
        return differs is None or not (isinstance(value, str) and differs.search(value))

    return holds


def record_fields(kind: str) -> tuple[str, ...]:
    """The columns that make a record of this kind; others only serve keep_if."""
    return FIELDS[kind]
