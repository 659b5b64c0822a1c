"""What failed in each outage, and which work was announced."""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    op.create_table('maintenance',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('window', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=9), nullable=False),
    sa.Column('reach', sa.String(length=8), nullable=False),
    sa.Column('target', sa.String(length=64), nullable=False),
    sa.Column('since', sa.Float(precision=53), nullable=False),
    sa.Column('until', sa.Float(precision=53), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('said_by', sa.String(length=64), nullable=False),
    sa.Column('recorded_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_maintenance')),
    sa.UniqueConstraint('window', 'kind', name=op.f('uq_maintenance_window_kind'))
    )
    op.create_table('outage_verdicts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('county', sa.String(length=12), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('happened_at', sa.Float(precision=53), nullable=False),
    sa.Column('recorded_at', sa.Float(precision=53), nullable=False),
    sa.Column('outage', sa.String(length=48), nullable=False),
    sa.Column('blame', sa.String(length=16), nullable=False),
    sa.Column('clues', sa.Text(), nullable=False),
    sa.Column('window', sa.String(length=32), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outage_verdicts')),
    sa.UniqueConstraint('county', 'epoch', 'seq', name=op.f('uq_outage_verdicts_county_epoch_seq'))
    )
    with op.batch_alter_table('outage_verdicts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_outage_verdicts_outage'), ['outage'], unique=False)
