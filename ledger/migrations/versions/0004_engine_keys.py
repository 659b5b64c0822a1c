"""Localised keys of SNMPv3, so that a collector that starts again derives none."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    op.create_table('engine_keys',
    sa.Column('device', sa.String(length=64), nullable=False),
    sa.Column('engine', sa.String(length=64), nullable=False),
    sa.Column('kept_at', sa.Float(precision=53), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('device', name=op.f('pk_engine_keys'))
    )
