"""Watching over who is out: questions after their welfare, calls for help, major events, routes walked or not."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from geoalchemy2 import WKBElement, WKTElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.tables.base import Base, IdKey, Path
from gridmap.db.types import geometry


class WelfareQuestion(Base):
    """ "Are you all right?", asked of one unit. Never a statistic: the row is gone after a day."""

    __tablename__ = "welfare_question"
    __table_args__ = (
        CheckConstraint("kind in ('silent', 'still', 'alone')", name="kind"),
        Index("ix_welfare_question_dispatch_id", "dispatch_id"),
        Index("ix_welfare_question_asked_at", "asked_at"),
        Index(
            "uq_welfare_question_open",
            "dispatch_id",
            unique=True,
            postgresql_where=text("answered_at is null and unanswered_at is null"),
        ),
    )

    id: Mapped[IdKey]
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    dispatch_id: Mapped[UUID] = mapped_column(ForeignKey("dispatch.id"))
    kind: Mapped[str]
    asked_at: Mapped[datetime]
    answer_by: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answer: Mapped[str | None]
    unanswered_at: Mapped[datetime | None]


class SosCall(Base):
    """Somebody pressed the button. A false alarm is said so and stays; only a named seat puts it to rest."""

    __tablename__ = "sos_call"
    __table_args__ = (
        Index("ix_sos_call_unit_id_called_at", "unit_id", "called_at"),
        Index("ix_sos_call_scope_path", "scope_path", postgresql_using="gist"),
    )

    id: Mapped[IdKey]
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    dispatch_id: Mapped[UUID | None] = mapped_column(ForeignKey("dispatch.id"))
    scope_path: Mapped[Path]
    geom: Mapped[WKBElement | WKTElement | None] = mapped_column(geometry("POINT"))
    accuracy_m: Mapped[float | None]
    called_at: Mapped[datetime]
    false_alarm_at: Mapped[datetime | None]
    false_alarm_note: Mapped[str | None]


class MajorEvent(Base):
    """One thing that many incidents tell of: a flood, a blackout. Its members keep their own lives."""

    __tablename__ = "major_event"
    __table_args__ = (Index("ix_major_event_scope_path", "scope_path", postgresql_using="gist"),)

    id: Mapped[IdKey]
    name: Mapped[str]
    scope_path: Mapped[Path]
    drill: Mapped[bool] = mapped_column(server_default=text("false"))
    opened_at: Mapped[datetime]
    opened_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    note: Mapped[str | None]


class RouteCover(Base):
    """Which pieces of a patrol route somebody on duty came by on a day. It does not say who, nor how often."""

    __tablename__ = "route_cover"

    feature_id: Mapped[UUID] = mapped_column(ForeignKey("feature.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    legs: Mapped[int]
    covered: Mapped[list[int]] = mapped_column(JSONB)
    updated_at: Mapped[datetime]


class RouteCoverMark(Base):
    """Up to which moment of receipt positions were compared with the routes; one row."""

    __tablename__ = "route_cover_mark"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    received_until: Mapped[datetime]
