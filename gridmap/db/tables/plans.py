"""Response plans with their versions, plans that run, call-outs, hand-overs, notices, agreements, messages."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT, TSTZRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.tables.base import Base, IdKey, Path


class PlanVersion(Base):
    """One version of a response plan, never changed: what was started with it keeps it. The highest one is in use."""

    __tablename__ = "plan_version"
    __table_args__ = (UniqueConstraint("key", "version"),)

    id: Mapped[IdKey]
    key: Mapped[str]
    version: Mapped[int]
    body: Mapped[dict[str, Any]]
    digest: Mapped[str]
    source: Mapped[str]
    created_at: Mapped[datetime]


class PlanRun(Base):
    """A plan that was started for an incident, with the version it keeps to its end."""

    __tablename__ = "plan_run"
    __table_args__ = (
        Index("ix_plan_run_incident_id", "incident_id"),
        Index(
            "uq_plan_run_active",
            "incident_id",
            "plan_key",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
    )

    id: Mapped[IdKey]
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    plan_version_id: Mapped[UUID] = mapped_column(ForeignKey("plan_version.id"))
    plan_key: Mapped[str]
    plan_version: Mapped[int]
    started_at: Mapped[datetime]
    started_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    how: Mapped[str]
    ended_at: Mapped[datetime | None]
    drill: Mapped[bool] = mapped_column(server_default=text("false"))


class Callout(Base):
    """A need of one incident, and how people are asked to meet it.

    `need` is a list of places: {key, count, capability | unit_kind}; a place is taken by an accepted dispatch that
    carries its key. Places that it gave up stand in `unmet`: the next level has them, or an alarm. `rules` are the plan
    level's timers and wishes. `fill_at` is when the worker looks again for somebody to ask; none means that enough are
    being asked. `nobody_since` stands while there is nobody left to ask.
    """

    __tablename__ = "callout"
    __table_args__ = (
        CheckConstraint("mode in ('named', 'next_in_line', 'broadcast')", name="mode"),
        CheckConstraint("status in ('open', 'met', 'unmet', 'stopped')", name="status"),
        CheckConstraint("(status in ('open', 'met')) = (ended_at is null)", name="ended"),
        Index("ix_callout_incident_id", "incident_id"),
        Index("ix_callout_fill_at", "fill_at", postgresql_where=text("status = 'open'")),
        Index("ix_callout_fence_id", "fence_id", postgresql_where=text("status = 'open'")),
    )

    id: Mapped[IdKey]
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    plan_run_id: Mapped[UUID | None] = mapped_column(ForeignKey("plan_run.id"), index=True)
    plan_key: Mapped[str | None]
    plan_version: Mapped[int | None]
    level: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    mode: Mapped[str]
    need: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    unmet: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    rules: Mapped[dict[str, Any]]
    fence_id: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(server_default="open")
    opened_at: Mapped[datetime]
    opened_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    expires_at: Mapped[datetime]
    fill_at: Mapped[datetime | None]
    nobody_since: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    next_id: Mapped[UUID | None] = mapped_column(ForeignKey("callout.id"))
    drill: Mapped[bool] = mapped_column(server_default=text("false"))


class HandOver(Base):
    """An incident handed to an agency outside (110, 119, 120, 12345), or taken from one, with their number."""

    __tablename__ = "hand_over"
    __table_args__ = (
        CheckConstraint("direction in ('out', 'in')", name="direction"),
        CheckConstraint("status in ('sent', 'acknowledged', 'returned')", name="status"),
        Index("ix_hand_over_incident_id", "incident_id"),
        Index(
            "uq_hand_over_open",
            "incident_id",
            "agency",
            unique=True,
            postgresql_where=text("direction = 'out' and status in ('sent', 'acknowledged')"),
        ),
    )

    id: Mapped[IdKey]
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    agency: Mapped[str]
    direction: Mapped[str]
    status: Mapped[str]
    their_number: Mapped[str | None]
    note: Mapped[str | None]
    handed_at: Mapped[datetime]
    handed_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    acknowledge_by: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    returned_at: Mapped[datetime | None]
    returned_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    return_reason: Mapped[str | None]
    drill: Mapped[bool] = mapped_column(server_default=text("false"))


class Notice(Base):
    """Word to a unit or to an area's seats without a job: a skipped level, a lender, whom the plan says to tell."""

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint("num_nonnulls(unit_id, area_path) = 1", name="one_reader"),
        Index("ix_notice_incident_id", "incident_id"),
        Index("ix_notice_unit_id_at", "unit_id", "at"),
    )

    id: Mapped[IdKey]
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    callout_id: Mapped[UUID | None] = mapped_column(ForeignKey("callout.id"))
    dispatch_id: Mapped[UUID | None] = mapped_column(ForeignKey("dispatch.id"))
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    area_path: Mapped[Path | None]
    reason: Mapped[str]
    body: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    drill: Mapped[bool] = mapped_column(server_default=text("false"))


class Agreement(Base):
    """Mutual aid: units below `lender_area_id` may be called out for incidents below `borrower_area_id`."""

    __tablename__ = "agreement"
    __table_args__ = (CheckConstraint("lender_area_id <> borrower_area_id", name="two_areas"),)

    id: Mapped[IdKey]
    lender_area_id: Mapped[int] = mapped_column(ForeignKey("area.id"), index=True)
    borrower_area_id: Mapped[int] = mapped_column(ForeignKey("area.id"), index=True)
    unit_kinds: Mapped[list[str]] = mapped_column(ARRAY(TEXT()), server_default=text("'{}'::text[]"))
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    note: Mapped[str | None]
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class Message(Base):
    """A text or a call about an offer, for the site's own gateway; it holds neither address nor contact."""

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint("status in ('waiting', 'sent', 'failed')", name="status"),
        CheckConstraint("channel in ('sms', 'voice')", name="channel"),
        Index("ix_message_next_at", "next_at", postgresql_where=text("status = 'waiting'")),
        Index("ix_message_dispatch_id", "dispatch_id"),
    )

    id: Mapped[IdKey]
    dispatch_id: Mapped[UUID] = mapped_column(ForeignKey("dispatch.id"))
    channel: Mapped[str]
    body: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(server_default="waiting")
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    fault: Mapped[str | None]
