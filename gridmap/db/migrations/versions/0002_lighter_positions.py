"""Lighter positions.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_unit_latest_geom", table_name="unit_latest")
    op.drop_index("ix_unit_latest_updated_at", table_name="unit_latest")
    op.execute("alter table unit_latest set (fillfactor = 50)")
    op.execute("alter table device_state set (fillfactor = 50)")
    op.create_index(
        "ix_area_version_leaf_since",
        "area_version",
        [sa.text("lower(valid)")],
        postgresql_where=sa.text("is_leaf"),
    )


def downgrade() -> None:
    op.drop_index("ix_area_version_leaf_since", table_name="area_version")
    op.execute("alter table device_state reset (fillfactor)")
    op.execute("alter table unit_latest reset (fillfactor)")
    op.create_index("ix_unit_latest_updated_at", "unit_latest", ["updated_at"])
    op.create_index("ix_unit_latest_geom", "unit_latest", ["geom"], postgresql_using="gist")
