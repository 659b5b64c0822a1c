"""Opening the ledger: SQLite by default, PostgreSQL by URL; brought to this program's version on the way."""

import sqlite3
import time
from functools import cache
from pathlib import Path
from shutil import disk_usage
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from ledger.errors import LedgerError

_PATIENCE_S: Final = 10.0
_LEAST_FREE: Final = 65_536
"""Bytes that opening a ledger may need."""
_MIGRATING: Final = 20_211_119
"""The lock of PostgreSQL under which one process at a time migrates."""


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path.resolve()}"


def open_ledger(url: str) -> Engine:
    """An engine on a ledger of the newest version; an older one is migrated, a missing one made.

    Raises:
        LedgerError: the URL is wrong, the database does not answer, or a newer program wrote it.
    """
    engine = connect(url)
    try:
        migrate(engine)
    except DBAPIError as error:
        engine.dispose()
        raise LedgerError(f"The ledger {shown(url)} does not open: {error.orig}.{_full(url)}") from None
    except LedgerError:
        engine.dispose()
        raise
    return engine


def _full(url: str) -> str:
    """SQLite says `disk I/O error` where it finds no room to open a ledger."""
    file = make_url(url).database
    if make_url(url).get_backend_name() != "sqlite" or not file or not Path(file).parent.is_dir():
        return ""
    return "" if disk_usage(Path(file).parent).free >= _LEAST_FREE else " Its disk is full: make room."


def shown(url: str) -> str:
    """A ledger's URL without its password."""
    return make_url(url).render_as_string(hide_password=True)


def connect(url: str, schema: str | None = None) -> Engine:
    """An engine on a database as it is: nothing is migrated or made.

    Args:
        schema: of PostgreSQL, in which tables are found and made; None: where the server looks by itself.

    Raises:
        LedgerError: the URL is wrong.
    """
    try:
        options = {} if schema is None else {"connect_args": {"options": f"-csearch_path={schema}"}}
        engine = create_engine(url, **options)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise LedgerError(
            f"The ledger's URL is not usable ({error}). Write sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME."
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: object, _entry: ConnectionPoolEntry) -> None:
    """Readers beside one writer, and nothing acknowledged that a power cut can take back."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute(f"PRAGMA busy_timeout={_PATIENCE_S * 1000:.0f}")
    _write_ahead(cursor)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Change to the write-ahead log, once for a file.

    SQLite refuses that at once, without its usual patience, when two processes try it in the same moment, as ours do
    that start together: seen 7 times in 900 openings by six processes.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            # A ledger in memory keeps the journal that it has, and says so.
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def revision(connection: Connection) -> str | None:
    """The version of a ledger; None where there is none yet."""
    return MigrationContext.configure(connection).get_current_revision()


@cache
def head() -> str:
    """The version of ledgers that this program writes."""
    return str(_scripts(_config()).get_current_head())


def require_known(version: str, what: str) -> None:
    """Refuse what a newer program wrote.

    Raises:
        LedgerError: this program knows no such version.
    """
    if version not in {script.revision for script in _scripts(_config()).walk_revisions()}:
        raise LedgerError(
            f"{what} has version {version}, which this program does not know: a newer program wrote it. "
            "Upgrade this one."
        )


def migrate(engine: Engine, to: str = "head") -> None:
    """Bring a ledger to a version, by default the newest; in one transaction.

    Raises:
        LedgerError: a newer program wrote it.
    """
    config = _config()
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            # Taken at once, so that two processes starting together do not both create the tables.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        elif connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_MIGRATING)))
        current = revision(connection)
        if current == (head() if to == "head" else to):
            return
        if current is not None:
            require_known(current, "The ledger")
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _scripts(config: Config) -> ScriptDirectory:
    return ScriptDirectory.from_config(config)
