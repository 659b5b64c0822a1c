"""The tables of notifications: what Alertmanager told us, and what we tell people over chat and mail.

Same rules as `ledger.tables`. Two columns are bookkeeping and change: a message's state, and who sends for a channel.
"""

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text, UniqueConstraint

from ledger.tables import metadata, row_id

alerts = Table(
    "alerts",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("receiver", String(64), nullable=False),  # of Alertmanager's configuration
    Column("fingerprint", String(32), nullable=False),
    Column("status", String(8), nullable=False),  # firing, resolved
    Column("starts_at", Float(53), nullable=False),
    Column("ends_at", Float(53)),
    Column("alertname", String(64), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("county", String(12), nullable=False),
    Column("node", String(96), nullable=False),  # site or device; empty where the alert names none
    Column("outage", String(48)),  # that it is about; null where no outage explains it
    Column("summary", Text, nullable=False),
    Column("recorded_at", Float(53), nullable=False),
    UniqueConstraint("receiver", "fingerprint", "status", "starts_at"),  # a repeated delivery is nothing new
    Index(None, "outage"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("channel", String(48), nullable=False),
    Column("digest", String(64), nullable=False),  # of its content: the same said twice within minutes is said once
    Column("outages", Text, nullable=False),  # JSON list of their ids
    Column("document", Text, nullable=False),  # JSON: title, lines, link
    Column("made_at", Float(53), nullable=False),
    Column("state", String(8), nullable=False),  # waiting, sent, given_up
    Index(None, "channel", "state"),
    Index(None, "channel", "digest"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("message", row_id, nullable=False),
    Column("channel", String(48), nullable=False),
    Column("at", Float(53), nullable=False),
    Column("outcome", String(12), nullable=False),  # sent, unreachable, refused, given_up
    Column("detail", Text, nullable=False),
    Index(None, "message"),
    Index(None, "channel", "at"),
)

senders = Table(
    "senders",
    metadata,
    Column("channel", String(48), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("holder", String(64), nullable=False),
    Column("expires_at", Float(53), nullable=False),
)
