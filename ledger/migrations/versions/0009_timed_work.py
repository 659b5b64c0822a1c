"""Timed work and what came of it; which inventory is in force."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'


def upgrade() -> None:
    op.create_table('jobs',
    sa.Column('county', sa.String(length=12), nullable=False),
    sa.Column('job', sa.String(length=32), nullable=False),
    sa.Column('due_at', sa.Float(precision=53), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('holder', sa.String(length=96), nullable=False),
    sa.Column('expires_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('county', 'job', name=op.f('pk_jobs'))
    )
    op.create_table('job_runs',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('county', sa.String(length=12), nullable=False),
    sa.Column('job', sa.String(length=32), nullable=False),
    sa.Column('due_at', sa.Float(precision=53), nullable=False),
    sa.Column('began_at', sa.Float(precision=53), nullable=False),
    sa.Column('ended_at', sa.Float(precision=53), nullable=False),
    sa.Column('outcome', sa.String(length=12), nullable=False),
    sa.Column('said', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_job_runs'))
    )
    with op.batch_alter_table('job_runs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_job_runs_county_job_id'), ['county', 'job', 'id'], unique=False)

    op.create_table('inventory_switches',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('county', sa.String(length=12), nullable=False),
    sa.Column('content_hash', sa.String(length=64), nullable=False),
    sa.Column('by', sa.String(length=64), nullable=False),
    sa.Column('at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inventory_switches'))
    )
    with op.batch_alter_table('inventory_switches', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_inventory_switches_county_id'), ['county', 'id'], unique=False)
