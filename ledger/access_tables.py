"""The tables behind the API's door: wrong logins by address, and the answers that writes were given."""

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from ledger.tables import metadata, row_id

login_failures = Table(
    "login_failures",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("address", String(64), nullable=False),
    Column("at", Float(53), nullable=False),
    Index(None, "address", "at"),
)

given_answers = Table(
    "given_answers",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("account", String(64), nullable=False),
    Column("key", String(128), nullable=False),  # Idempotency-Key, as the client chose it
    Column("request_sha256", String(64), nullable=False),
    Column("status", Integer, nullable=False),  # 0 while the first request is still being worked on
    Column("body", LargeBinary, nullable=False),
    Column("at", Float(53), nullable=False),
    UniqueConstraint("account", "key"),
    Index(None, "at"),
)
