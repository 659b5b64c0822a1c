"""The tables of the ledger: what happened and what people said (decisions D1, D8, D18).

Plain SQL types only, so that SQLite, PostgreSQL and the domestic databases behind SQLAlchemy serve alike. Times are
Unix seconds (UTC) as double precision. Facts are append-only: a row is never changed, intervals are derived. The
two exceptions are bookkeeping and not facts: a lease, and the end of the watch interval that is being extended.

Facts from a collector carry (county, epoch, seq): shipping them twice changes nothing.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only in an INTEGER primary key.
_RowId = BigInteger().with_variant(Integer, "sqlite")


def _collected(name: str, *columns: Column[object] | Index) -> Table:
    """A table of facts that a collector ships."""
    return Table(
        name,
        metadata,
        Column("id", _RowId, primary_key=True, autoincrement=True),
        Column("county", String(12), nullable=False),
        Column("epoch", Integer, nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("happened_at", Float(53), nullable=False),
        Column("recorded_at", Float(53), nullable=False),
        *columns,
        UniqueConstraint("county", "epoch", "seq"),
    )


site_events = _collected(
    "site_events",
    Column("site", String(64), nullable=False),
    Column("aspect", String(16), nullable=False),
    Column("verdict", String(8), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("proved_at", Float(53)),  # of a no or unknown: the newest positive proof before it
    Column("outage", String(48)),  # the outage that explains a no
    Index(None, "site", "aspect", "happened_at"),
    Index(None, "outage"),
)

outage_events = _collected(
    "outage_events",
    Column("outage", String(48), nullable=False),
    Column("kind", String(8), nullable=False),  # opened, closed
    Column("scope", String(8), nullable=False),
    Column("node", String(64), nullable=False),
    Column("cause", String(16), nullable=False),
    Index(None, "outage", "kind"),
    Index(None, "happened_at"),
)

watch_intervals = Table(
    "watch_intervals",
    metadata,
    Column("county", String(12), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("since", Float(53), primary_key=True),
    Column("until", Float(53), nullable=False),
    Column("cycles", BigInteger, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("county", String(12), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("holder", String(64), nullable=False),
    Column("address", String(128), nullable=False),  # host:port of the collector's metrics
    Column("expires_at", Float(53), nullable=False),
)

claims = Table(
    "claims",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("site", String(64), nullable=False),
    Column("claim", String(16), nullable=False),
    Column("happened_on", Date, nullable=False),
    Column("said_by", String(128), nullable=False),
    Column("proof", Text, nullable=False),
    Column("proof_sha256", String(64)),
    Column("recorded_at", Float(53), nullable=False),
    Index(None, "site", "happened_on"),
)

inventories = Table(
    "inventories",
    metadata,
    Column("content_hash", String(64), primary_key=True),
    Column("title", String(256), nullable=False),
    Column("sites", Integer, nullable=False),
    Column("devices", Integer, nullable=False),
    Column("archive", LargeBinary, nullable=False),  # a zip of the files, so that old reports reproduce
    Column("recorded_at", Float(53), nullable=False),
)
