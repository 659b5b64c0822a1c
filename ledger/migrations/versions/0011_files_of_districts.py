"""Signed files of districts that were taken in."""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'


def upgrade() -> None:
    op.create_table('exchanges',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('instance', sa.String(length=80), nullable=False),
    sa.Column('key', sa.String(length=16), nullable=False),
    sa.Column('division', sa.String(length=12), nullable=False),
    sa.Column('snapshot', sa.String(length=160), nullable=False),
    sa.Column('made_at', sa.Float(precision=53), nullable=False),
    sa.Column('taken_at', sa.Float(precision=53), nullable=False),
    sa.Column('taken_by', sa.String(length=64), nullable=False),
    sa.Column('sites', sa.Integer(), nullable=False),
    sa.Column('unmatched', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exchanges')),
    sa.UniqueConstraint('sha256', name=op.f('uq_exchanges_sha256'))
    )
