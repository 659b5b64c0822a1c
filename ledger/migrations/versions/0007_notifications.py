"""What Alertmanager told us, and messages to people."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'

_ROW = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('alerts',
    sa.Column('id', _ROW, autoincrement=True, nullable=False),
    sa.Column('receiver', sa.String(length=64), nullable=False),
    sa.Column('fingerprint', sa.String(length=32), nullable=False),
    sa.Column('status', sa.String(length=8), nullable=False),
    sa.Column('starts_at', sa.Float(precision=53), nullable=False),
    sa.Column('ends_at', sa.Float(precision=53), nullable=True),
    sa.Column('alertname', sa.String(length=64), nullable=False),
    sa.Column('severity', sa.String(length=16), nullable=False),
    sa.Column('scope', sa.String(length=16), nullable=False),
    sa.Column('county', sa.String(length=12), nullable=False),
    sa.Column('node', sa.String(length=96), nullable=False),
    sa.Column('outage', sa.String(length=48), nullable=True),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('recorded_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alerts')),
    sa.UniqueConstraint('receiver', 'fingerprint', 'status', 'starts_at', name=op.f('uq_alerts_receiver_fingerprint_status_starts_at'))
    )
    with op.batch_alter_table('alerts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_alerts_outage'), ['outage'], unique=False)

    op.create_table('messages',
    sa.Column('id', _ROW, autoincrement=True, nullable=False),
    sa.Column('channel', sa.String(length=48), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('outages', sa.Text(), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.Column('made_at', sa.Float(precision=53), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_messages'))
    )
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_messages_channel_state'), ['channel', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_messages_channel_digest'), ['channel', 'digest'], unique=False)

    op.create_table('deliveries',
    sa.Column('id', _ROW, autoincrement=True, nullable=False),
    sa.Column('message', _ROW, nullable=False),
    sa.Column('channel', sa.String(length=48), nullable=False),
    sa.Column('at', sa.Float(precision=53), nullable=False),
    sa.Column('outcome', sa.String(length=12), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deliveries'))
    )
    with op.batch_alter_table('deliveries', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_deliveries_channel_at'), ['channel', 'at'], unique=False)
        batch_op.create_index(batch_op.f('ix_deliveries_message'), ['message'], unique=False)

    op.create_table('senders',
    sa.Column('channel', sa.String(length=48), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('holder', sa.String(length=64), nullable=False),
    sa.Column('expires_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('channel', name=op.f('pk_senders'))
    )
