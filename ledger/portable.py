"""The rows of a ledger in a form of our own, so that what one database gave another takes.

A table is read in one consistent view while others write: SQLite's write-ahead log and PostgreSQL's repeatable read
both give that, and neither lets a reader hold up a writer. Rows are JSON arrays, one a line; what JSON has no word for
follows the column's kind: bytes are base64, a date is ISO 8601.

The tables are those that the database has, not those that this program declares: a ledger is dumped before it is
migrated.
"""

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import starmap
from typing import Any, Final

import orjson
from sqlalchemy import Boolean, Connection, Date, Engine, Float, Integer, LargeBinary, inspect
from sqlalchemy.types import TypeEngine

from ledger.errors import LedgerError

_ROWS: Final = 2000
_BLOCK: Final = 4 << 20  # bytes: what is held in memory of a table
_VERSION_TABLE: Final = "alembic_version"


class Kind(StrEnum):
    WHOLE = "whole"
    REAL = "real"
    TEXT = "text"
    BYTES = "bytes"
    DATE = "date"
    TRUTH = "truth"


@dataclass(frozen=True, slots=True)
class Layout:
    """A table's columns in order."""

    table: str
    columns: tuple[tuple[str, Kind], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection to which the ledger stands still. Writers are not held up."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection
            connection.rollback()
        return
    with engine.connect() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        yield connection
        connection.rollback()


def layouts(connection: Connection) -> list[Layout]:
    """The tables that a ledger has, by name."""
    seen = inspect(connection)
    return [
        Layout(table, tuple((str(column["name"]), _kind(column["type"])) for column in seen.get_columns(table)))
        for table in sorted(seen.get_table_names())
        if table != _VERSION_TABLE
    ]


def _kind(declared: TypeEngine[Any]) -> Kind:
    for kind, types in (
        (Kind.TRUTH, Boolean),
        (Kind.WHOLE, Integer),
        (Kind.REAL, Float),
        (Kind.BYTES, LargeBinary),
        (Kind.DATE, Date),
    ):
        if isinstance(declared, types):
            return kind
    return Kind.TEXT


def blocks(connection: Connection, layout: Layout) -> Iterator[tuple[bytes, int]]:
    """A table's rows in pieces of some megabytes: JSON lines, and how many rows they are."""
    driver: Any = connection.connection.driver_connection
    statement = f"SELECT {_listed(connection, layout.names)} FROM {_quoted(connection, layout.table)}"  # noqa: S608  quoted
    # On PostgreSQL a named cursor stays in the server: the table never is in our memory.
    cursor = driver.cursor() if connection.dialect.name == "sqlite" else driver.cursor(name="dump")
    try:
        cursor.execute(statement)
        lines: list[bytes] = []
        size = 0
        while rows := cursor.fetchmany(_ROWS):
            for row in rows:
                line = orjson.dumps(row, default=_plain)
                lines.append(line)
                size += len(line)
                if size > _BLOCK:
                    yield b"\n".join(lines), len(lines)
                    lines, size = [], 0
        if lines:
            yield b"\n".join(lines), len(lines)
    finally:
        cursor.close()


def _plain(value: object) -> str:
    if isinstance(value, bytes | memoryview | bytearray):
        return base64.b64encode(value).decode()
    raise TypeError(type(value).__name__)


def load(connection: Connection, layout: Layout, block: bytes) -> int:
    """Insert the rows of a block; how many they were.

    Raises:
        LedgerError: they are not rows of this table.
    """
    driver: Any = connection.connection.driver_connection
    try:
        rows: list[list[Any]] = [orjson.loads(line) for line in block.split(b"\n")]
        if any(len(row) != len(layout.columns) for row in rows):
            raise ValueError("a row of another length")
        for at, (_, kind) in enumerate(layout.columns):
            if kind is Kind.BYTES:
                for row in rows:
                    row[at] = None if row[at] is None else base64.b64decode(row[at], validate=True)
    except (ValueError, TypeError) as error:
        raise LedgerError(f"Rows of the table {layout.table} are not readable ({error}).") from None
    into = f"{_quoted(connection, layout.table)} ({_listed(connection, layout.names)})"
    if connection.dialect.name == "sqlite":
        holes = ", ".join("?" * len(layout.columns))
        driver.executemany(f"INSERT INTO {into} VALUES ({holes})", rows)  # noqa: S608  quoted
    else:
        with driver.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    return len(rows)


def empty(connection: Connection, tables: Sequence[Layout]) -> None:
    """Take out what migrations themselves wrote into a new ledger."""
    for layout in tables:
        connection.exec_driver_sql(f"DELETE FROM {_quoted(connection, layout.table)}")  # noqa: S608  quoted


def go_on_counting(connection: Connection, tables: Sequence[Layout]) -> None:
    """Let the next row of each table have a number that no loaded row has. SQLite looks at the rows by itself."""
    if connection.dialect.name == "sqlite":
        return
    for layout in tables:
        if ("id", Kind.WHOLE) in layout.columns:
            table = _quoted(connection, layout.table)
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table} HAVING max(id) > 0"  # noqa: S608  quoted
            )


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)


def _listed(connection: Connection, names: Sequence[str]) -> str:
    return ", ".join(starmap(_quoted, ((connection, name) for name in names)))
