"""Closed roads: what somebody drew, what it shuts, from when until when, and who said so."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from geoalchemy2 import WKBElement, WKTElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.tables.base import Base, IdKey, Path
from gridmap.db.types import geometry


class Closure(Base):
    """A closed line or area. `drawn` is as it was drawn, `blocked` what it shuts (a line becomes a strip).

    It counts from `starts_at` until `ends_at` (open end: until somebody ends it); `ended_at` ends it before its
    time. `modes` names whom it stops, empty stops everybody.
    """

    __tablename__ = "closure"
    __table_args__ = (
        CheckConstraint("ends_at is null or ends_at > starts_at", name="times"),
        Index("ix_closure_scope_path", "scope_path", postgresql_using="gist"),
        Index("ix_closure_standing", "starts_at", postgresql_where=text("ended_at is null")),
    )

    id: Mapped[IdKey]
    reason: Mapped[str]
    note: Mapped[str | None]
    modes: Mapped[list[str]] = mapped_column(ARRAY(TEXT()), server_default=text("'{}'::text[]"))
    drawn: Mapped[WKBElement | WKTElement] = mapped_column(geometry("GEOMETRY"))
    blocked: Mapped[WKBElement | WKTElement] = mapped_column(geometry("MULTIPOLYGON"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    scope_path: Mapped[Path] = mapped_column(server_default=text("''::ltree"))
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    created_by_name: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    end_reason: Mapped[str | None]
