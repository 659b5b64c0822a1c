"""Which instance a ledger is, and from what it was restored."""

import time
import uuid

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'


def upgrade() -> None:
    instance = op.create_table('instance',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('made_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_instance'))
    )
    op.bulk_insert(instance, [{'id': uuid.uuid4().hex, 'made_at': time.time()}])
    op.create_table('restores',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('dump', sa.String(length=32), nullable=False),
    sa.Column('dumped_at', sa.Float(precision=53), nullable=False),
    sa.Column('restored_at', sa.Float(precision=53), nullable=False),
    sa.Column('by', sa.String(length=64), nullable=False),
    sa.Column('hold_until', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_restores'))
    )
