"""The first ledger."""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None


def upgrade() -> None:
    op.create_table('claims',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('site', sa.String(length=64), nullable=False),
    sa.Column('claim', sa.String(length=16), nullable=False),
    sa.Column('happened_on', sa.Date(), nullable=False),
    sa.Column('said_by', sa.String(length=128), nullable=False),
    sa.Column('proof', sa.Text(), nullable=False),
    sa.Column('proof_sha256', sa.String(length=64), nullable=True),
    sa.Column('recorded_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_claims'))
    )
    with op.batch_alter_table('claims', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_claims_site_happened_on'), ['site', 'happened_on'], unique=False)

    op.create_table('inventories',
    sa.Column('content_hash', sa.String(length=64), nullable=False),
    sa.Column('title', sa.String(length=256), nullable=False),
    sa.Column('sites', sa.Integer(), nullable=False),
    sa.Column('devices', sa.Integer(), nullable=False),
    sa.Column('archive', sa.LargeBinary(), nullable=False),
    sa.Column('recorded_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('content_hash', name=op.f('pk_inventories'))
    )
    op.create_table('leases',
    sa.Column('county', sa.String(length=12), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('holder', sa.String(length=64), nullable=False),
    sa.Column('address', sa.String(length=128), nullable=False),
    sa.Column('expires_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('county', name=op.f('pk_leases'))
    )
    op.create_table('outage_events',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('county', sa.String(length=12), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('happened_at', sa.Float(precision=53), nullable=False),
    sa.Column('recorded_at', sa.Float(precision=53), nullable=False),
    sa.Column('outage', sa.String(length=48), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('scope', sa.String(length=8), nullable=False),
    sa.Column('node', sa.String(length=64), nullable=False),
    sa.Column('cause', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outage_events')),
    sa.UniqueConstraint('county', 'epoch', 'seq', name=op.f('uq_outage_events_county_epoch_seq'))
    )
    with op.batch_alter_table('outage_events', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_outage_events_happened_at'), ['happened_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_outage_events_outage_kind'), ['outage', 'kind'], unique=False)

    op.create_table('site_events',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('county', sa.String(length=12), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('happened_at', sa.Float(precision=53), nullable=False),
    sa.Column('recorded_at', sa.Float(precision=53), nullable=False),
    sa.Column('site', sa.String(length=64), nullable=False),
    sa.Column('aspect', sa.String(length=16), nullable=False),
    sa.Column('verdict', sa.String(length=8), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=False),
    sa.Column('proved_at', sa.Float(precision=53), nullable=True),
    sa.Column('outage', sa.String(length=48), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_site_events')),
    sa.UniqueConstraint('county', 'epoch', 'seq', name=op.f('uq_site_events_county_epoch_seq'))
    )
    with op.batch_alter_table('site_events', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_site_events_outage'), ['outage'], unique=False)
        batch_op.create_index(batch_op.f('ix_site_events_site_aspect_happened_at'), ['site', 'aspect', 'happened_at'], unique=False)

    op.create_table('watch_intervals',
    sa.Column('county', sa.String(length=12), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('since', sa.Float(precision=53), nullable=False),
    sa.Column('until', sa.Float(precision=53), nullable=False),
    sa.Column('cycles', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('county', 'epoch', 'since', name=op.f('pk_watch_intervals'))
    )
