"""Secrets of devices and services, sealed with the vault's key."""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'


def upgrade() -> None:
    op.create_table('kept_secrets',
    sa.Column('name', sa.String(length=260), nullable=False),
    sa.Column('kept_at', sa.Float(precision=53), nullable=False),
    sa.Column('kept_by', sa.String(length=64), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_kept_secrets'))
    )
