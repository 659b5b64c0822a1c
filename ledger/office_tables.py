"""The tables of the reform office: imported facts, tasks, spot checks, appeals, signatures, frozen reports.

Same rules as `ledger.tables`: plain SQL types, rows appended and never changed. A thing that has a life (a task, an
appeal) is one row that opens it and a row for each step; its state is read off the last step.
"""

from sqlalchemy import Column, Date, Float, Index, Integer, String, Table, Text, UniqueConstraint

from ledger.tables import metadata, row_id

facts = Table(
    "facts",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("subject", String(64), nullable=False),  # a site's id or a division's code
    Column("name", String(48), nullable=False),  # items_listed, online, rating, pilot, cases_handled, ...
    Column("value", Text, nullable=False),  # JSON: true, false, a number or a text
    Column("happened_on", Date, nullable=False),
    Column("said_by", String(128), nullable=False),
    Column("source", Text, nullable=False),
    Column("proof_sha256", String(64)),
    Column("recorded_at", Float(53), nullable=False),
    Index(None, "subject", "name", "happened_on"),
)

acceptances = Table(
    "acceptances",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("site", String(64), nullable=False),
    Column("tier", String(12), nullable=False),  # township, county, city, province: who came to look
    Column("result", String(12), nullable=False),  # passed, failed
    Column("demonstration", String(3), nullable=False),  # yes, no: named a 示范 site with it
    Column("happened_on", Date, nullable=False),
    Column("said_by", String(128), nullable=False),
    Column("proof", Text, nullable=False),
    Column("proof_sha256", String(64)),
    Column("recorded_at", Float(53), nullable=False),
    Index(None, "site"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("milestone", String(40), nullable=False),
    Column("division", String(12), nullable=False),
    Column("result", String(8), nullable=False),  # reached, missed
    Column("happened_on", Date, nullable=False),
    Column("said_by", String(128), nullable=False),
    Column("proof", Text, nullable=False),
    Column("proof_sha256", String(64)),
    Column("recorded_at", Float(53), nullable=False),
    Index(None, "milestone"),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("task", String(32), nullable=False),
    Column("title", Text, nullable=False),
    Column("origin", String(16), nullable=False),  # by_hand, outage, gap, contradiction, spot_check, appeal
    Column("reference", String(96), nullable=False),  # of the origin: an outage's id, a gap's kind and site
    Column("division", String(12), nullable=False),
    Column("site", String(64), nullable=False),  # empty: of the division
    Column("assigner", String(128), nullable=False),
    Column("owner", String(128), nullable=False),
    Column("cooperating", Text, nullable=False),  # JSON list of units
    Column("due_on", Date, nullable=False),
    Column("opened_at", Float(53), nullable=False),
    Column("recorded_at", Float(53), nullable=False),
    UniqueConstraint("task"),
    Index(None, "division"),
    Index(None, "reference"),
)

task_steps = Table(
    "task_steps",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("task", String(32), nullable=False),
    Column("step", String(12), nullable=False),  # acknowledged, visited, progress, extended, rectified, closed, ...
    Column("happened_at", Float(53), nullable=False),
    Column("said_by", String(128), nullable=False),
    Column("note", Text, nullable=False),
    Column("due_on", Date),  # of an extension: the new day
    Column("recorded_at", Float(53), nullable=False),
    Index(None, "task"),
)

outage_notes = Table(
    "outage_notes",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("outage", String(48), nullable=False),
    Column("step", String(12), nullable=False),  # notified, acknowledged, noted, assigned, reported, on_site, ...
    Column("happened_at", Float(53), nullable=False),
    Column("said_by", String(128), nullable=False),
    Column("note", Text, nullable=False),
    Column("key", String(96)),  # what may be said once of an outage, such as a notification's fingerprint
    Column("recorded_at", Float(53), nullable=False),
    UniqueConstraint("outage", "step", "key"),
    Index(None, "outage"),
)

spot_draws = Table(
    "spot_draws",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("draw", String(32), nullable=False),
    Column("division", String(12), nullable=False),
    Column("period", String(10), nullable=False),  # 2021-W23
    Column("seed", String(64), nullable=False),  # hexadecimal; it did not exist before drawn_at
    Column("population", Text, nullable=False),  # JSON list of site ids, in order
    Column("population_sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("drawn_by", String(64), nullable=False),
    Column("drawn_at", Float(53), nullable=False),
    UniqueConstraint("draw"),
    UniqueConstraint("division", "period"),  # nobody draws again until the sample suits
)

spot_results = Table(
    "spot_results",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("draw", String(32), nullable=False),
    Column("site", String(64), nullable=False),
    Column("result", String(12), nullable=False),  # passed, failed, closed
    Column("form", Text, nullable=False),  # JSON: item to answer
    Column("visited_at", Float(53), nullable=False),
    Column("said_by", String(64), nullable=False),
    Column("recorded_at", Float(53), nullable=False),
    Index(None, "draw"),
)

appeals = Table(
    "appeals",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("appeal", String(32), nullable=False),
    Column("site", String(64), nullable=False),
    Column("what", String(48), nullable=False),  # the figure that is said to be wrong
    Column("claim", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("evidence_sha256", String(64)),
    Column("said_by", String(64), nullable=False),
    Column("opened_at", Float(53), nullable=False),
    Column("due_on", Date, nullable=False),
    UniqueConstraint("appeal"),
    Index(None, "site"),
)

appeal_decisions = Table(
    "appeal_decisions",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("appeal", String(32), nullable=False),
    Column("result", String(12), nullable=False),  # upheld, rejected
    Column("reason", Text, nullable=False),
    Column("takes_effect", String(10), nullable=False),  # the period whose report first shows it
    Column("said_by", String(64), nullable=False),
    Column("happened_at", Float(53), nullable=False),
    UniqueConstraint("appeal"),
)

signatures = Table(
    "signatures",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("report", String(16), nullable=False),  # ledger (台账), bulletin, ...
    Column("period", String(10), nullable=False),
    Column("division", String(12), nullable=False),
    Column("signed_on", Date, nullable=False),
    Column("signed_by", String(128), nullable=False),
    Column("columns", Text, nullable=False),  # JSON: what people wrote into the manual columns
    Column("recorded_at", Float(53), nullable=False),
    UniqueConstraint("report", "period", "division"),
)

reports = Table(
    "reports",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("report", String(16), nullable=False),  # bulletin, ranking, baseline, daily, ledger, evaluation
    Column("period", String(48), nullable=False),
    Column("division", String(12), nullable=False),
    Column("edition", Integer, nullable=False),  # 1, then one more for each published correction
    Column("document", Text, nullable=False),  # canonical JSON
    Column("sha256", String(64), nullable=False),
    Column("as_of", Float(53), nullable=False),
    Column("known_at", Float(53), nullable=False),
    Column("inventory", String(64), nullable=False),
    Column("reason", Text, nullable=False),  # of a correction
    Column("frozen_by", String(64), nullable=False),
    Column("frozen_at", Float(53), nullable=False),
    UniqueConstraint("report", "period", "division", "edition"),
)

standards = Table(
    "standards",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("name", String(40), nullable=False),
    Column("version", String(24), nullable=False),
    Column("title", Text, nullable=False),
    Column("document_sha256", String(64), nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("said_by", String(64), nullable=False),
    Column("recorded_at", Float(53), nullable=False),
    UniqueConstraint("name", "version"),
)
