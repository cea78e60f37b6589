"""Reports, the incidents they make, dispatches, and the timeline that shows it all."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import WKBElement, WKTElement
from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    LargeBinary,
    Sequence,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.tables.base import Base, FromSource, IdKey, Path
from gridmap.db.types import geometry

INCIDENT_NUMBER = Sequence("incident_number")


class Incident(FromSource, Base):
    """Something that happened or is suspected at a place and a time; one or more reports tell of it.

    `area_id` and `area_version_id` keep the grid it was reported in and are never rewritten; `scope_path` says who
    answers for it now.
    """

    __tablename__ = "incident"
    __table_args__ = (
        UniqueConstraint("source", "ref"),
        CheckConstraint("severity between 1 and 4", name="severity"),
        CheckConstraint(
            "status in ('open', 'assigned', 'awaiting_verification', 'returned', 'closed')", name="status"
        ),
        CheckConstraint("(status = 'closed') = (outcome is not null)", name="outcome"),
        CheckConstraint("(geom is null) = (location_method = 'none')", name="located"),
        Index("ix_incident_geom", "geom", postgresql_using="gist"),
        Index("ix_incident_geom_3857", "geom_3857", postgresql_using="gist"),
        Index("ix_incident_scope_path", "scope_path", postgresql_using="gist"),
        Index("ix_incident_active", "severity", "reported_at", postgresql_where=text("status <> 'closed'")),
        Index("ix_incident_reported_at", "reported_at", "id"),
        Index("ix_incident_class_key_reported_at", "class_key", "reported_at"),
        Index("ix_incident_number", "number", unique=True),
        Index("ix_incident_area_id", "area_id"),
    )

    id: Mapped[IdKey]
    number: Mapped[str]
    class_key: Mapped[str]
    severity: Mapped[int] = mapped_column(SmallInteger)
    status: Mapped[str] = mapped_column(server_default="open")
    outcome: Mapped[str | None]
    title: Mapped[str]
    address: Mapped[str | None]
    geom: Mapped[WKBElement | WKTElement | None] = mapped_column(geometry("POINT"))
    geom_3857: Mapped[WKBElement | WKTElement | None] = mapped_column(
        geometry("POINT", 3857), Computed("st_transform(geom, 3857)", persisted=True)
    )
    location_method: Mapped[str]
    location_radius_m: Mapped[float | None]
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    area_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("area_version.id"))
    scope_path: Mapped[Path] = mapped_column(server_default=text("''::ltree"))
    occurred_from: Mapped[datetime]
    occurred_to: Mapped[datetime | None]
    occurred_precision: Mapped[str] = mapped_column(server_default="minute")
    reported_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    channel: Mapped[str]
    drill: Mapped[bool] = mapped_column(server_default=text("false"))
    restricted: Mapped[bool] = mapped_column(server_default=text("false"))
    found_on_task_id: Mapped[UUID | None] = mapped_column(ForeignKey("task.id"))
    handler_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    handler_since: Mapped[datetime | None]
    duplicate_of: Mapped[UUID | None] = mapped_column(ForeignKey("incident.id"))
    major_id: Mapped[UUID | None] = mapped_column(ForeignKey("major_event.id"), index=True)
    dispatch_due_at: Mapped[datetime | None]
    finish_due_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1", default=1)


class Report(FromSource, Base):
    """One message through one channel. It stays as it came; the incident is what changes."""

    __tablename__ = "report"
    __table_args__ = (
        UniqueConstraint("source", "ref"),
        Index("ix_report_incident_id", "incident_id"),
        Index(
            "ix_report_recorded_by_recorded_at",
            "recorded_by",
            "recorded_at",
            postgresql_where=text("recorded_by is not null"),
        ),
    )

    id: Mapped[IdKey]
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    channel: Mapped[str]
    class_key: Mapped[str]
    body: Mapped[str]
    address: Mapped[str | None]
    geom: Mapped[WKBElement | WKTElement | None] = mapped_column(geometry("POINT"))
    occurred_from: Mapped[datetime]
    occurred_to: Mapped[datetime | None]
    occurred_precision: Mapped[str] = mapped_column(server_default="minute")
    received_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    has_contact: Mapped[bool] = mapped_column(server_default=text("false"))
    drill: Mapped[bool] = mapped_column(server_default=text("false"))


class Contact(Base):
    """Who to call back, encrypted, apart from the report; opened only with a reason, and that is recorded."""

    __tablename__ = "contact"

    report_id: Mapped[UUID] = mapped_column(ForeignKey("report.id"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime | None]


class IncidentEvent(Base):
    """The timeline: append only, codes and parameters, in the order things were recorded.

    `at` is when it was recorded; `occurred_at` when it happened, where a phone without a line told it later.
    """

    __tablename__ = "incident_event"
    __table_args__ = (Index("ix_incident_event_incident_id_at", "incident_id", "at"),)

    id: Mapped[IdKey]
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    at: Mapped[datetime]
    occurred_at: Mapped[datetime | None]
    kind: Mapped[str]
    actor_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    actor_name: Mapped[str | None]
    params: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))


class Dispatch(Base):
    """One job offered to one unit, from the offer to the result."""

    __tablename__ = "dispatch"
    __table_args__ = (
        Index("ix_dispatch_incident_id", "incident_id"),
        Index("ix_dispatch_unit_id_offered_at", "unit_id", "offered_at"),
        Index(
            "uq_dispatch_active",
            "incident_id",
            "unit_id",
            unique=True,
            postgresql_where=text("status in ('offered', 'accepted', 'en_route', 'on_scene')"),
        ),
        CheckConstraint(
            "status in ('offered', 'accepted', 'en_route', 'on_scene', 'done', 'declined', 'expired', 'cancelled')",
            name="status",
        ),
    )

    id: Mapped[IdKey]
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    status: Mapped[str] = mapped_column(server_default="offered")
    offered_at: Mapped[datetime]
    offered_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    expires_at: Mapped[datetime]
    offer: Mapped[dict[str, Any]]
    delivered_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    en_route_at: Mapped[datetime | None]
    arrival_proposed_at: Mapped[datetime | None]
    arrival_undone_at: Mapped[datetime | None]
    on_scene_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    done_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    ended_at: Mapped[datetime | None]
    travel_s: Mapped[float | None]
    distance_m: Mapped[float | None]
    travel_method: Mapped[str | None]
    eta_at: Mapped[datetime | None]
    eta_told_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None]
    decline_reason: Mapped[str | None]
    end_reason: Mapped[str | None]
    callout_id: Mapped[UUID | None] = mapped_column(ForeignKey("callout.id"), index=True)
    need_key: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    via: Mapped[str | None]
    unreachable_at: Mapped[datetime | None]
    copies: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    radio_steps: Mapped[list[str]] = mapped_column(ARRAY(TEXT()), server_default=text("'{}'::text[]"))
    drill: Mapped[bool] = mapped_column(server_default=text("false"))


class DispatchLeg(Base):
    """The positions of an assigned unit from accept to clear; they follow the incident's retention."""

    __tablename__ = "dispatch_leg"

    dispatch_id: Mapped[UUID] = mapped_column(ForeignKey("dispatch.id"), primary_key=True)
    fixed_at: Mapped[datetime] = mapped_column(primary_key=True)
    geom: Mapped[WKBElement] = mapped_column(geometry("POINT"))
    accuracy_m: Mapped[float | None]
