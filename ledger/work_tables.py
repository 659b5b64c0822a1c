"""The tables of running the place: timed work and what came of it, which inventory is in force, shifts handed over.

Same rules as `ledger.tables`. ``jobs`` is bookkeeping and changes.
"""

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text

from ledger.tables import metadata, row_id

jobs = Table(
    "jobs",
    metadata,
    Column("county", String(12), primary_key=True),
    Column("job", String(32), primary_key=True),
    Column("due_at", Float(53), nullable=False),
    Column("epoch", Integer, nullable=False),  # raised by each taking
    Column("holder", String(96), nullable=False),  # empty: nobody has it
    Column("expires_at", Float(53), nullable=False),
)

job_runs = Table(
    "job_runs",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("county", String(12), nullable=False),
    Column("job", String(32), nullable=False),
    Column("due_at", Float(53), nullable=False),
    Column("began_at", Float(53), nullable=False),
    Column("ended_at", Float(53), nullable=False),
    Column("outcome", String(12), nullable=False),  # done, failed, interrupted
    Column("said", Text, nullable=False),  # the last lines of what it printed
    Index(None, "county", "job", "id"),
)

switches = Table(
    "inventory_switches",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("county", String(12), nullable=False),  # the inventory's top division
    Column("content_hash", String(64), nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", Float(53), nullable=False),
    Index(None, "county", "id"),
)

handovers = Table(
    "handovers",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("county", String(12), nullable=False),
    Column("at", Float(53), nullable=False),
    Column("by", String(64), nullable=False),  # who hands over, and so signs
    Column("note", Text, nullable=False),
    Column("document", Text, nullable=False),  # JSON, as it stood at that moment
    Column("sha256", String(64), nullable=False),  # over the document, the note, and who and when
    Index(None, "county", "id"),
)

handovers_taken = Table(
    "handovers_taken",
    metadata,
    Column("handover", row_id, primary_key=True),  # taken once
    Column("at", Float(53), nullable=False),
    Column("by", String(64), nullable=False),
    Column("note", Text, nullable=False),
)
