"""Run by alembic: migrates over the connection that `ledger.database` hands it."""

from alembic import context

from ledger import (  # noqa: F401  declare the rest of the tables
    access_tables,
    alert_tables,
    asset_tables,
    instance_tables,
    office_tables,
    work_tables,
)
from ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
