"""The table of what became of devices as things: replaced, moved, retired. Same rules as `ledger.tables`."""

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text

from ledger.tables import metadata, row_id

asset_events = Table(
    "asset_events",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("device", String(64), nullable=False),  # its id at that time
    Column("kind", String(16), nullable=False),
    Column("successor", String(64), nullable=False),  # where a moved one went on; else empty
    Column("happened_at", Float(53), nullable=False),
    Column("recorded_at", Float(53), nullable=False),
    Column("expires_at", Float(53)),  # until when a replacement may show itself
    Column("said_by", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),  # JSON: serials, models, sites
    Column("replaces", Integer),  # the row that an arrival answers
    Index(None, "device", "id"),
    Index(None, "successor"),
)
