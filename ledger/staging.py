"""A ledger that is loaded beside the one in use, in the same PostgreSQL, and takes its place in one transaction."""

from typing import Final

from sqlalchemy import Connection, Engine, inspect

SCHEMA: Final = "cuntong_restoring"


def clear(engine: Engine) -> None:
    """An empty place: what a restore that was interrupted has left goes."""
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        connection.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")


def drop(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def switch(engine: Engine, aside: str) -> None:
    """Let the staged tables take the place of those in use, which go to the schema ``aside``. Done twice it is done.

    Args:
        aside: letters, digits and underscores.
    """
    with engine.begin() as connection:
        if SCHEMA not in inspect(connection).get_schema_names():
            return
        here = str(inspect(connection).default_schema_name)
        staged = _tables(connection, SCHEMA)
        old = [table for table in _tables(connection, here) if table in staged or _ours(connection, here)]
        if old:
            connection.exec_driver_sql(f'CREATE SCHEMA "{aside}"')
        for table in old:
            connection.exec_driver_sql(f'ALTER TABLE "{here}"."{table}" SET SCHEMA "{aside}"')
        for table in staged:
            connection.exec_driver_sql(f'ALTER TABLE {SCHEMA}."{table}" SET SCHEMA "{here}"')
        connection.exec_driver_sql(f"DROP SCHEMA {SCHEMA} CASCADE")


def _tables(connection: Connection, schema: str) -> list[str]:
    return sorted(inspect(connection).get_table_names(schema=schema))


def _ours(connection: Connection, schema: str) -> bool:
    """Whether the tables there are a ledger: a database of our own has no others."""
    return inspect(connection).has_table("alembic_version", schema=schema)
