"""Steps whose clock can stand still: what counts towards their limit, and until when they may wait"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# What a step that is open by now counts by stands in the version of the plan it was started with.
_CLOCKS = """
update task set clock_limit_s = (step ->> 'due_min')::int * 60, clock_since = task.created_at,
       clock_calendar = coalesce(step ->> 'calendar', 'round_the_clock')
  from plan_version v, jsonb_array_elements(v.body -> 'step') step
 where task.kind = 'plan_step' and task.status = 'open' and task.due_at is not null
   and v.key = task.params ->> 'plan_key' and v.version = (task.params ->> 'plan_version')::int
   and step ->> 'key' = task.params ->> 'step' and step ->> 'due_min' is not null
"""


def upgrade() -> None:
    op.add_column("task", sa.Column("clock_limit_s", sa.Integer(), nullable=True))
    op.add_column("task", sa.Column("clock_calendar", sa.Text(), nullable=True))
    op.add_column("task", sa.Column("clock_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("task", sa.Column("clock_counted_s", sa.Integer(), server_default="0", nullable=False))
    op.add_column("task", sa.Column("pause_ends_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_CLOCKS)


def downgrade() -> None:
    for column in ("pause_ends_at", "clock_counted_s", "clock_since", "clock_calendar", "clock_limit_s"):
        op.drop_column("task", column)
