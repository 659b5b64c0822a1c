"""Scopes, limits and last use of tokens; wrong logins by address; answers that writes were given."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'


def upgrade() -> None:
    with op.batch_alter_table('sessions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('scopes', sa.String(length=64), nullable=False, server_default='read,write'))
        batch_op.add_column(sa.Column('division', sa.String(length=12), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('last_used_at', sa.Float(precision=53), nullable=True))
    with op.batch_alter_table('sessions', schema=None) as batch_op:
        batch_op.alter_column('scopes', server_default=None)
        batch_op.alter_column('division', server_default=None)

    op.create_table('login_failures',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('address', sa.String(length=64), nullable=False),
    sa.Column('at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_login_failures'))
    )
    with op.batch_alter_table('login_failures', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_login_failures_address_at'), ['address', 'at'], unique=False)

    op.create_table('given_answers',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('account', sa.String(length=64), nullable=False),
    sa.Column('key', sa.String(length=128), nullable=False),
    sa.Column('request_sha256', sa.String(length=64), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_given_answers')),
    sa.UniqueConstraint('account', 'key', name=op.f('uq_given_answers_account_key'))
    )
    with op.batch_alter_table('given_answers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_given_answers_at'), ['at'], unique=False)
