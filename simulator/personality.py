"""Personalities: what kinds of agents there are, read from ``personalities/*.yml``.

A personality names the profile that it stands for, its scalars, and tables made of rows (a mapping of index to
cells) and columns (generators that may take a cell with ``$cell``). Files in ``personalities/parts/`` hold the
tables that all share. Nothing is computed in YAML: see `simulator.values` for all there is.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import yaml
from pydantic import Field, ValidationError

from collectors.snmp import ber
from simulator.errors import SimulationError
from simulator.mib import Mib
from simulator.values import Declared, Generator, ValueSpec, compile_value

FOLDER: Final = Path(__file__).parent / "personalities"

Cells = Mapping[str, str | int | float]


class Table(Declared):
    """One conceptual table.

    Args:
        entry: identifier of its entry; a column's is one number longer.
        rows: index to cells, or the name of a row set of the personality.
        index: ``numbers`` (``1.1``), or ``text``: a string, its length in front (RFC 2578 section 7.7).
        columns: column number to generator; a row that lacks the cell of a ``$cell`` lacks the column.
    """

    entry: str
    rows: str | dict[str, Cells | None] = Field(default_factory=dict)
    index: Literal["numbers", "text"] = "numbers"
    defaults: dict[str, str | int | float] = Field(default_factory=dict)
    columns: dict[int, dict[str, Any]]


class Part(Declared):
    """Objects that personalities share.

    A scalar is a generator, or ``{count_of: NAME}``: the number of rows in a row set.
    """

    scalars: dict[str, dict[str, Any]] = Field(default_factory=dict)
    tables: list[Table] = Field(default_factory=list)


class PersonalityFile(Part):
    """One kind of device.

    Args:
        profile: the device profile (inventory) that its devices name.
        share: weight among the personalities of one profile.
        include: names of parts.
        serial: of devices whose serial number the inventory does not know; ``{ordinal}`` is at hand.
        models: the catalogue's model to fields that text may mention; ``default`` for all others.
        row_sets: rows that more than one table has.
        max_message: octets of the largest answer that the agent builds.
    """

    profile: str
    share: int = Field(default=1, ge=1)
    include: list[str] = Field(default_factory=list)
    serial: str = "CT{ordinal:08d}"
    models: dict[str, dict[str, str]] = Field(default_factory=dict)
    row_sets: dict[str, dict[str, Cells | None]] = Field(default_factory=dict)
    max_message: int = Field(default=1472, ge=484, le=65_507)


@dataclass(frozen=True)
class Personality:
    """A personality, compiled."""

    name: str
    profile: str
    share: int
    serial: str
    models: Mapping[str, Mapping[str, str]]
    max_message: int
    mib: Mib

    def model_fields(self, model: str) -> Mapping[str, str]:
        return self.models.get(model) or self.models.get("default") or {}


@cache
def personalities() -> tuple[Personality, ...]:
    """The built-in ones, by name.

    Raises:
        SimulationError: a file is wrong.
    """
    return load_personalities(FOLDER)


def load_personalities(folder: Path) -> tuple[Personality, ...]:
    """Every ``*.yml`` of a folder, its shared parts taken from ``parts/``.

    Raises:
        SimulationError: a file is wrong.
    """
    parts = {path.stem: _read(path, Part) for path in sorted((folder / "parts").glob("*.yml"))}
    found = [(path, _read(path, PersonalityFile)) for path in sorted(folder.glob("*.yml"))]
    return tuple(_compile(path, file, parts) for path, file in found)


_P = TypeVar("_P", bound=Part)


def _read(path: Path, kind: type[_P]) -> _P:
    try:
        return kind.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise SimulationError(f"{path.name}: {error}") from error


def _compile(path: Path, file: PersonalityFile, parts: Mapping[str, Part]) -> Personality:
    objects: dict[bytes, bytes | Generator] = {}
    columns: set[bytes] = set()
    try:
        for part in (*(parts[name] for name in file.include), file):
            for oid, spec in part.scalars.items():
                # The personality comes last, so that it may say otherwise than a part.
                objects[ber.encode_oid(oid)] = _value(_counted(spec, file), oid)
            for table in part.tables:
                for column, index, spec in _cells(table, file):
                    start = ber.encode_oid(f"{table.entry}.{column}")
                    columns.add(start)
                    objects[start + index] = _value(spec, ber.decode_oid(start + index))
        mib = Mib(objects.items())
    except (ValueError, KeyError) as error:
        raise SimulationError(f"{path.name}: {error}") from error
    mib.add_columns(columns)
    return Personality(path.stem, file.profile, file.share, file.serial, file.models, file.max_message, mib)


def _value(spec: Mapping[str, Any], where: str) -> bytes | Generator:
    try:
        return compile_value(ValueSpec.model_validate(spec), where)
    except ValidationError as error:
        raise ValueError(f"{where}: {error}") from error


def _counted(spec: Mapping[str, Any], file: PersonalityFile) -> Mapping[str, Any]:
    return {"integer": len(file.row_sets[spec["count_of"]])} if "count_of" in spec else spec


def _cells(table: Table, file: PersonalityFile) -> Iterator[tuple[int, bytes, dict[str, Any]]]:
    """(column, encoded index, generator) of every cell that exists."""
    rows = file.row_sets[table.rows] if isinstance(table.rows, str) else table.rows
    for name, given in rows.items():
        cells = {**table.defaults, **(given or {}), "index": int(name) if name.isdecimal() else name}
        if table.index == "text":
            raw = name.encode()
            index = b"".join(map(ber.encode_arc, (len(raw), *raw)))
        else:
            index = b"".join(ber.encode_arc(int(arc)) for arc in name.split("."))
        for column, spec in table.columns.items():
            try:
                yield column, index, _fill(spec, cells)
            except _LackingError:
                continue


class _LackingError(Exception):
    """The row has no such cell."""


_CELL: Final = re.compile(r"\$(\w+)")


def _fill(spec: Any, cells: Mapping[str, object]) -> Any:
    """The generator with every ``$cell`` put in; a value that is only ``$cell`` keeps the cell's type."""
    if isinstance(spec, dict):
        return {_fill(key, cells): _fill(value, cells) for key, value in spec.items()}
    if not isinstance(spec, str):
        return spec
    if whole := _CELL.fullmatch(spec):
        return _cell(whole, cells)
    return _CELL.sub(lambda match: str(_cell(match, cells)), spec)


def _cell(match: re.Match[str], cells: Mapping[str, object]) -> object:
    try:
        return cells[match[1]]
    except KeyError:
        raise _LackingError(match[1]) from None
