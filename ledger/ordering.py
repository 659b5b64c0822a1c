"""Tables that are followed by row number: whoever read row 7 never looks for row 6 again.

A sequence of PostgreSQL gives numbers when rows are written, not when they are committed. Without more, the longer of
two transactions shows its lower number after the higher one was read, and its row is never heard of. SQLite has one
writer at a time anyway.
"""

from sqlalchemy import Connection, Table, func, select


def append_in_order(connection: Connection, *tables: Table) -> None:
    """Until this transaction ends, nobody else appends to these tables. Call it before the first row is written."""
    if connection.dialect.name != "postgresql":
        return
    for name in sorted(table.name for table in tables):  # in one order, so that no two wait for each other
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"cuntong.{name}"))))
