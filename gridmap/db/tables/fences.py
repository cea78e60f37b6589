"""Fences, what is remembered of each unit among them, and what units did about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import WKBElement, WKTElement
from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.tables.base import Base, IdKey, Path
from gridmap.db.types import geometry


class Fence(Base):
    """An area whose entering and leaving is told.

    `source` is what the shape was made from, with its coordinate system; `geom` the shape that counts. `since` is from
    when the present `version` counts, `expires_at` when its life ends. A fence of an incident is seen by whoever sees
    the incident.
    """

    __tablename__ = "fence"
    __table_args__ = (
        CheckConstraint("kind in ('polygon', 'grid', 'buffer', 'isochrone', 'corridor')", name="kind"),
        CheckConstraint("purpose in ('zone', 'callout', 'closure_watch')", name="purpose"),
        CheckConstraint("expires_at is null or expires_at > since", name="times"),
        Index("ix_fence_scope_path", "scope_path", postgresql_using="gist"),
        Index("ix_fence_geom_3857", "geom_3857", postgresql_using="gist"),
        Index("ix_fence_standing", "expires_at", postgresql_where=text("archived_at is null")),
    )

    id: Mapped[IdKey]
    name: Mapped[str]
    kind: Mapped[str]
    purpose: Mapped[str] = mapped_column(server_default="zone")
    source: Mapped[dict[str, Any]]
    geom: Mapped[WKBElement | WKTElement] = mapped_column(geometry("MULTIPOLYGON"))
    geom_3857: Mapped[WKBElement] = mapped_column(
        geometry("MULTIPOLYGON", 3857), Computed("st_transform(geom, 3857)", persisted=True)
    )
    dwell_s: Mapped[float | None]
    exit_s: Mapped[float]
    buffer_m: Mapped[float] = mapped_column(server_default="0")
    calendar: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    unit_kinds: Mapped[list[str]] = mapped_column(ARRAY(TEXT()), server_default=text("'{}'::text[]"))
    scope_path: Mapped[Path] = mapped_column(server_default=text("''::ltree"))
    version: Mapped[int] = mapped_column(server_default="1")
    since: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    incident_id: Mapped[UUID | None] = mapped_column(ForeignKey("incident.id"), index=True)
    drill: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class FenceState(Base):
    """What is remembered of a unit after its newest fix (`at`). Gone with the positions it rests on."""

    __tablename__ = "fence_state"
    # Written with every batch: room for the next version of the row beside the last.
    __table_args__ = ({"postgresql_with": {"fillfactor": "70"}},)

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    at: Mapped[datetime]
    body: Mapped[dict[str, Any]] = mapped_column(JSON())


class FenceCheckpoint(Base):
    """What was remembered of a unit at a moment before: from here its track is run anew when older fixes arrive."""

    __tablename__ = "fence_checkpoint"

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON())


class FenceEventRow(Base):
    """One event of one unit at one fence, as gridmap.positions.fence_model.FenceEvent tells it. Never changed: a
    correction is a new row, and the old one gets `superseded_at`."""

    __tablename__ = "fence_event"
    __table_args__ = (
        Index(
            "uq_fence_event_standing",
            "unit_id",
            "sample_at",
            "fence_id",
            "kind",
            "at",
            unique=True,
            postgresql_where=text("superseded_at is null"),
        ),
        Index("ix_fence_event_fence_id_at", "fence_id", "at"),
        Index("ix_fence_event_at", "at"),
    )

    id: Mapped[IdKey]
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    fence_id: Mapped[UUID] = mapped_column(ForeignKey("fence.id"))
    kind: Mapped[str]
    at: Mapped[datetime]
    sample_at: Mapped[datetime]
    visit_id: Mapped[UUID]
    reason: Mapped[str]
    recorded_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]
