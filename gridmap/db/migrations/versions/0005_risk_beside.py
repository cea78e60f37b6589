"""Risk: weights and exposure beside the count, cover, proposed patrols, and what files may tell of fixed periods"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from gridmap.db.types import Ltree

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BESIDE = ("weighted", "exposure", "camera_cover", "route_cover", "walked")


def upgrade() -> None:
    op.create_table(
        "risk_release",
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("area_id", sa.Integer(), nullable=False),
        sa.Column("class_group", sa.Text(), nullable=False),
        sa.Column("scope_path", Ltree(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_risk_release_area_id")),
        sa.PrimaryKeyConstraint("first_on", "area_id", "class_group", name=op.f("pk_risk_release")),
    )
    op.create_index(
        "ix_risk_release_scope_path", "risk_release", ["scope_path"], unique=False, postgresql_using="gist"
    )
    for name in _BESIDE:
        op.add_column("risk_area", sa.Column(name, sa.Float(), nullable=True))
    # What stood there was per km2 of the whole horizon, under a heading that said per week.
    op.alter_column("risk_area", "per_km2", new_column_name="per_km2_week")
    op.execute(
        "update risk_area set per_km2_week = per_km2_week * 7 / horizon_days from risk_run where run_id = risk_run.id"
    )
    op.add_column("risk_area", sa.Column("patrol", sa.Text(), nullable=True))
    op.add_column("risk_surface", sa.Column("weighted", sa.LargeBinary(), nullable=True))
    op.add_column("risk_surface", sa.Column("weighted_png", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.execute(
        "update risk_area set per_km2_week = per_km2_week / 7 * horizon_days from risk_run where run_id = risk_run.id"
    )
    op.alter_column("risk_area", "per_km2_week", new_column_name="per_km2")
    op.drop_column("risk_surface", "weighted_png")
    op.drop_column("risk_surface", "weighted")
    for name in ("patrol", *reversed(_BESIDE)):
        op.drop_column("risk_area", name)
    op.drop_index("ix_risk_release_scope_path", table_name="risk_release", postgresql_using="gist")
    op.drop_table("risk_release")
