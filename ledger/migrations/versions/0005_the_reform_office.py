"""Facts, tasks, spot checks, appeals, signatures and frozen reports of the reform office."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    op.create_table('acceptances',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('site', sa.String(length=64), nullable=False),
    sa.Column('tier', sa.String(length=12), nullable=False),
    sa.Column('result', sa.String(length=12), nullable=False),
    sa.Column('demonstration', sa.String(length=3), nullable=False),
    sa.Column('happened_on', sa.Date(), nullable=False),
    sa.Column('said_by', sa.String(length=128), nullable=False),
    sa.Column('proof', sa.Text(), nullable=False),
    sa.Column('proof_sha256', sa.String(length=64), nullable=True),
    sa.Column('recorded_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_acceptances'))
    )
    with op.batch_alter_table('acceptances', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_acceptances_site'), ['site'], unique=False)

    op.create_table('appeal_decisions',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('appeal', sa.String(length=32), nullable=False),
    sa.Column('result', sa.String(length=12), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('takes_effect', sa.String(length=10), nullable=False),
    sa.Column('said_by', sa.String(length=64), nullable=False),
    sa.Column('happened_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_appeal_decisions')),
    sa.UniqueConstraint('appeal', name=op.f('uq_appeal_decisions_appeal'))
    )
    op.create_table('appeals',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('appeal', sa.String(length=32), nullable=False),
    sa.Column('site', sa.String(length=64), nullable=False),
    sa.Column('what', sa.String(length=48), nullable=False),
    sa.Column('claim', sa.Text(), nullable=False),
    sa.Column('evidence', sa.Text(), nullable=False),
    sa.Column('evidence_sha256', sa.String(length=64), nullable=True),
    sa.Column('said_by', sa.String(length=64), nullable=False),
    sa.Column('opened_at', sa.Float(precision=53), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_appeals')),
    sa.UniqueConstraint('appeal', name=op.f('uq_appeals_appeal'))
    )
    with op.batch_alter_table('appeals', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_appeals_site'), ['site'], unique=False)

    op.create_table('decisions',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('milestone', sa.String(length=40), nullable=False),
    sa.Column('division', sa.String(length=12), nullable=False),
    sa.Column('result', sa.String(length=8), nullable=False),
    sa.Column('happened_on', sa.Date(), nullable=False),
    sa.Column('said_by', sa.String(length=128), nullable=False),
    sa.Column('proof', sa.Text(), nullable=False),
    sa.Column('proof_sha256', sa.String(length=64), nullable=True),
    sa.Column('recorded_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_decisions'))
    )
    with op.batch_alter_table('decisions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_decisions_milestone'), ['milestone'], unique=False)

    op.create_table('facts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=48), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('happened_on', sa.Date(), nullable=False),
    sa.Column('said_by', sa.String(length=128), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('proof_sha256', sa.String(length=64), nullable=True),
    sa.Column('recorded_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_facts'))
    )
    with op.batch_alter_table('facts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_facts_subject_name_happened_on'), ['subject', 'name', 'happened_on'], unique=False)

    op.create_table('outage_notes',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('outage', sa.String(length=48), nullable=False),
    sa.Column('step', sa.String(length=12), nullable=False),
    sa.Column('happened_at', sa.Float(precision=53), nullable=False),
    sa.Column('said_by', sa.String(length=128), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('key', sa.String(length=96), nullable=True),
    sa.Column('recorded_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outage_notes')),
    sa.UniqueConstraint('outage', 'step', 'key', name=op.f('uq_outage_notes_outage_step_key'))
    )
    with op.batch_alter_table('outage_notes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_outage_notes_outage'), ['outage'], unique=False)

    op.create_table('reports',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('report', sa.String(length=16), nullable=False),
    sa.Column('period', sa.String(length=48), nullable=False),
    sa.Column('division', sa.String(length=12), nullable=False),
    sa.Column('edition', sa.Integer(), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('as_of', sa.Float(precision=53), nullable=False),
    sa.Column('known_at', sa.Float(precision=53), nullable=False),
    sa.Column('inventory', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('frozen_by', sa.String(length=64), nullable=False),
    sa.Column('frozen_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reports')),
    sa.UniqueConstraint('report', 'period', 'division', 'edition', name=op.f('uq_reports_report_period_division_edition'))
    )
    op.create_table('signatures',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('report', sa.String(length=16), nullable=False),
    sa.Column('period', sa.String(length=10), nullable=False),
    sa.Column('division', sa.String(length=12), nullable=False),
    sa.Column('signed_on', sa.Date(), nullable=False),
    sa.Column('signed_by', sa.String(length=128), nullable=False),
    sa.Column('columns', sa.Text(), nullable=False),
    sa.Column('recorded_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_signatures')),
    sa.UniqueConstraint('report', 'period', 'division', name=op.f('uq_signatures_report_period_division'))
    )
    op.create_table('spot_draws',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('draw', sa.String(length=32), nullable=False),
    sa.Column('division', sa.String(length=12), nullable=False),
    sa.Column('period', sa.String(length=10), nullable=False),
    sa.Column('seed', sa.String(length=64), nullable=False),
    sa.Column('population', sa.Text(), nullable=False),
    sa.Column('population_sha256', sa.String(length=64), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('drawn_by', sa.String(length=64), nullable=False),
    sa.Column('drawn_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_spot_draws')),
    sa.UniqueConstraint('division', 'period', name=op.f('uq_spot_draws_division_period')),
    sa.UniqueConstraint('draw', name=op.f('uq_spot_draws_draw'))
    )
    op.create_table('spot_results',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('draw', sa.String(length=32), nullable=False),
    sa.Column('site', sa.String(length=64), nullable=False),
    sa.Column('result', sa.String(length=12), nullable=False),
    sa.Column('form', sa.Text(), nullable=False),
    sa.Column('visited_at', sa.Float(precision=53), nullable=False),
    sa.Column('said_by', sa.String(length=64), nullable=False),
    sa.Column('recorded_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_spot_results'))
    )
    with op.batch_alter_table('spot_results', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_spot_results_draw'), ['draw'], unique=False)

    op.create_table('standards',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('version', sa.String(length=24), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('document_sha256', sa.String(length=64), nullable=False),
    sa.Column('effective_on', sa.Date(), nullable=False),
    sa.Column('said_by', sa.String(length=64), nullable=False),
    sa.Column('recorded_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_standards')),
    sa.UniqueConstraint('name', 'version', name=op.f('uq_standards_name_version'))
    )
    op.create_table('task_steps',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('task', sa.String(length=32), nullable=False),
    sa.Column('step', sa.String(length=12), nullable=False),
    sa.Column('happened_at', sa.Float(precision=53), nullable=False),
    sa.Column('said_by', sa.String(length=128), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('recorded_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_task_steps'))
    )
    with op.batch_alter_table('task_steps', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_task_steps_task'), ['task'], unique=False)

    op.create_table('tasks',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('task', sa.String(length=32), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('origin', sa.String(length=16), nullable=False),
    sa.Column('reference', sa.String(length=96), nullable=False),
    sa.Column('division', sa.String(length=12), nullable=False),
    sa.Column('site', sa.String(length=64), nullable=False),
    sa.Column('assigner', sa.String(length=128), nullable=False),
    sa.Column('owner', sa.String(length=128), nullable=False),
    sa.Column('cooperating', sa.Text(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('opened_at', sa.Float(precision=53), nullable=False),
    sa.Column('recorded_at', sa.Float(precision=53), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tasks')),
    sa.UniqueConstraint('task', name=op.f('uq_tasks_task'))
    )
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tasks_division'), ['division'], unique=False)
        batch_op.create_index(batch_op.f('ix_tasks_reference'), ['reference'], unique=False)

