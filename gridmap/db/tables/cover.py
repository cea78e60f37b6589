"""Cover: how each area stands with each requirement, as the worker last judged it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.tables.base import Base, Path


class CoverState(Base):
    """One area under one requirement of cover.toml. Rows change only when what they say changes.

    `move_up` is {unit_id, seconds, lon, lat} or {why} when nobody can; None without a gap.
    """

    __tablename__ = "cover_state"
    __table_args__ = (Index("ix_cover_state_scope_path", "scope_path", postgresql_using="gist"),)

    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"), primary_key=True)
    requirement: Mapped[str] = mapped_column(primary_key=True)
    scope_path: Mapped[Path]
    free_units: Mapped[int]
    share: Mapped[float]
    gap: Mapped[bool] = mapped_column(server_default=text("false"))
    gap_since: Mapped[datetime | None]
    alarmed_at: Mapped[datetime | None]
    move_up: Mapped[dict[str, Any] | None]
    changed_at: Mapped[datetime]


class CoverRun(Base):
    """The last judgement, one row: when, over how many units, and for how many of them the road was still to be asked.

    `rough_units` were judged by the straight line; `oldest_s` is the age of the oldest road answer that was used.
    """

    __tablename__ = "cover_run"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    judged_at: Mapped[datetime]
    points: Mapped[int]
    units: Mapped[int]
    rough_units: Mapped[int]
    oldest_s: Mapped[float]
    engine_s: Mapped[float]
