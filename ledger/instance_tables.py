"""The tables of the ledger itself: which instance it belongs to, and from which dumps it was restored."""

from sqlalchemy import Column, Float, String, Table

from ledger.tables import metadata, row_id

instance = Table(
    "instance",
    metadata,
    Column("id", String(32), primary_key=True),  # drawn when the ledger is made; one row
    Column("made_at", Float(53), nullable=False),
)

restores = Table(
    "restores",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("dump", String(32), nullable=False),  # the dump's own id
    Column("dumped_at", Float(53), nullable=False),
    Column("restored_at", Float(53), nullable=False),
    Column("by", String(64), nullable=False),
    Column("hold_until", Float(53), nullable=False),  # until then a router may still fall back by itself
)
