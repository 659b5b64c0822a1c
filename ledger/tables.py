"""The tables of the ledger: what happened and what people said (decisions D1, D8, D18).

Plain SQL types only, so that SQLite, PostgreSQL and the domestic databases behind SQLAlchemy serve alike. Times are
Unix seconds (UTC) as double precision. Facts are append-only: a row is never changed, intervals are derived. The
two exceptions are bookkeeping and not facts: a lease, and the end of the watch interval that is being extended.

Facts from a collector carry (county, epoch, seq): shipping them twice changes nothing.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
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
row_id = BigInteger().with_variant(Integer, "sqlite")


def _collected(name: str, *columns: Column[object] | Index) -> Table:
    """A table of facts that a collector ships."""
    return Table(
        name,
        metadata,
        Column("id", row_id, primary_key=True, autoincrement=True),
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
    Column("kind", String(8), nullable=False),  # opened, closed; of one that is kept open: flapping, relapsed
    Column("scope", String(8), nullable=False),
    Column("node", String(64), nullable=False),
    Column("cause", String(16), nullable=False),
    Index(None, "outage", "kind"),
    Index(None, "happened_at"),
)

outage_verdicts = _collected(
    "outage_verdicts",
    Column("outage", String(48), nullable=False),
    Column("blame", String(16), nullable=False),
    Column("clues", Text, nullable=False),  # JSON: [sign, values] each
    Column("window", String(32)),  # the maintenance window that covers it
    Index(None, "outage"),
)

maintenance = Table(
    "maintenance",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("window", String(32), nullable=False),
    Column("kind", String(9), nullable=False),  # announced, cancelled
    Column("reach", String(8), nullable=False),  # device, site, division
    Column("target", String(64), nullable=False),
    Column("since", Float(53), nullable=False),
    Column("until", Float(53), nullable=False),
    Column("reason", Text, nullable=False),
    Column("said_by", String(64), nullable=False),
    Column("recorded_at", Float(53), nullable=False),
    UniqueConstraint("window", "kind"),  # announced once, cancelled once
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

# A watch interval grows while it is recorded, so the ledger knew of its time as it passed. Where it did not (it was
# away, or a county shipped late) a mark says that what lies after ``known_until`` was recorded at ``recorded_at``.
watch_marks = Table(
    "watch_marks",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("county", String(12), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("since", Float(53), nullable=False),  # which interval
    Column("known_until", Float(53), nullable=False),
    Column("recorded_at", Float(53), nullable=False),
    Index(None, "county", "epoch", "since"),
)

exchanges = Table(
    "exchanges",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("instance", String(80), nullable=False),
    Column("key", String(16), nullable=False),
    Column("division", String(12), nullable=False),
    Column("snapshot", String(160), nullable=False),
    Column("made_at", Float(53), nullable=False),
    Column("taken_at", Float(53), nullable=False),
    Column("taken_by", String(64), nullable=False),
    Column("sites", Integer, nullable=False),
    Column("unmatched", Integer, nullable=False),
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
    Column("id", row_id, primary_key=True, autoincrement=True),
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

accounts = Table(
    "accounts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("full_name", String(128), nullable=False),
    Column("password", String(256), nullable=False),  # scrypt's parameters, salt and hash; empty: may not log in
    Column("password_at", Float(53), nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("disabled_at", Float(53)),  # disabled, never deleted: the audit trail names it
    Column("failures", Integer, nullable=False),  # wrong passwords since the last right one
    Column("locked_until", Float(53), nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("account", String(64), nullable=False),
    Column("role", String(32), nullable=False),
    Column("division", String(12), nullable=False),  # the subtree that the role is for
    Column("granted_by", String(64), nullable=False),
    Column("granted_at", Float(53), nullable=False),
    Column("revoked_at", Float(53)),
    Index(None, "account"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("kind", String(8), nullable=False),  # session (at a terminal), web (in a browser), token (a program)
    Column("title", String(128), nullable=False),
    Column("scopes", String(64), nullable=False),  # comma-separated: read, write
    Column("division", String(12), nullable=False),  # narrows the account's grants to a subtree; empty: all of them
    Column("created_at", Float(53), nullable=False),
    Column("last_used_at", Float(53)),
    Column("expires_at", Float(53), nullable=False),
    Column("revoked_at", Float(53)),
    Index(None, "account"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("at", Float(53), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("action", String(48), nullable=False),
    Column("object", String(256), nullable=False),
    Column("detail", Text, nullable=False),  # canonical JSON
    Column("previous", String(64), nullable=False),  # hash of the entry before
    Column("hash", String(64), nullable=False),
    UniqueConstraint("previous"),  # two entries never follow the same one: the chain has no forks
)

plans = Table(
    "plans",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("author", String(64), nullable=False),
    Column("title", String(256), nullable=False),
    Column("made_at", Float(53), nullable=False),
    Column("document", Text, nullable=False),  # canonical JSON; its hash is the key
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("plan", String(64), nullable=False),
    Column("account", String(64), nullable=False),
    Column("verdict", String(8), nullable=False),  # approve, reject
    Column("reason", Text, nullable=False),
    Column("at", Float(53), nullable=False),
    Index(None, "plan"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("plan", String(64), nullable=False),
    Column("started_by", String(64), nullable=False),
    Column("started_at", Float(53), nullable=False),
    Column("epoch", Integer, nullable=False),  # raised by every controller that takes the run over
    Column("state", String(12), nullable=False),  # running, pausing, stopping, ended
    Column("holder", String(64), nullable=False),
    Column("expires_at", Float(53), nullable=False),  # of the controller's lease on the run
    Index(None, "plan"),
)

run_events = Table(
    "run_events",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("run", String(32), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("at", Float(53), nullable=False),
    Column("kind", String(16), nullable=False),  # started, wave, step, device, gate, stopped, resumed, ended
    Column("wave", Integer, nullable=False),  # 0: of the whole run
    Column("device", String(64), nullable=False),  # empty: of the wave or the run
    Column("what", String(48), nullable=False),  # the step, or the state that was reached
    Column("detail", Text, nullable=False),
    Index(None, "run", "id"),
    Index(None, "device", "id"),
)

device_locks = Table(
    "device_locks",
    metadata,
    Column("device", String(64), primary_key=True),
    Column("run", String(32), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("uplink", String(64), nullable=False),  # the router above: no more than a few at once beneath one
    Column("expires_at", Float(53), nullable=False),
)

backups = Table(
    "backups",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("device", String(64), nullable=False),
    Column("taken_at", Float(53), nullable=False),
    Column("reason", String(48), nullable=False),  # nightly, a run's id, adopted
    Column("platform", String(16), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("redacted", Text, nullable=False),
    Column("saved", Boolean, nullable=True),  # whether what runs was saved; null where the device does not show it
    Column("sealed", LargeBinary, nullable=False),  # the raw text, encrypted; opened only to restore
    Index(None, "device", "taken_at"),
)

applied = Table(
    "applied",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("device", String(64), nullable=False),
    Column("at", Float(53), nullable=False),
    Column("run", String(32), nullable=False),
    Column("plan", String(64), nullable=False),
    Column("fingerprint", String(64), nullable=False),  # of the running configuration afterwards
    Column("templates", String(64), nullable=False),
    Column("standard", String(64), nullable=False),  # name and version
    Index(None, "device", "at"),
)

engine_keys = Table(
    "engine_keys",
    metadata,
    Column("device", String(64), primary_key=True),
    Column("engine", String(64), nullable=False),  # its SNMP engine ID in hexadecimal
    Column("kept_at", Float(53), nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # fingerprint of the credential and the localised keys
)

# The newest text alone: a secret that was changed or forgotten is to be gone. That it was is in the audit chain.
kept_secrets = Table(
    "kept_secrets",
    metadata,
    Column("name", String(260), primary_key=True),  # what stands behind secret://
    Column("kept_at", Float(53), nullable=False),
    Column("kept_by", String(64), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
