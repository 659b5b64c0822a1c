"""From when on the ledger knew of watched time that it learnt late."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'


def upgrade() -> None:
    op.create_table('watch_marks',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('county', sa.String(length=12), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('since', sa.Float(precision=53), nullable=False),
    sa.Column('known_until', sa.Float(precision=53), nullable=False),
    sa.Column('recorded_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_watch_marks'))
    )
    with op.batch_alter_table('watch_marks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_watch_marks_county_epoch_since'), ['county', 'epoch', 'since'], unique=False)
