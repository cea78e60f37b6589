"""People, units, devices, duty, and where units are."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT, TSTZRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.tables.base import Base, FromSource, IdKey, Path
from gridmap.db.types import geometry


class Person(FromSource, Base):
    """Somebody on the staff. Residents are not persons here."""

    __tablename__ = "person"
    __table_args__ = (UniqueConstraint("source", "ref"),)

    id: Mapped[IdKey]
    name: Mapped[str]
    job: Mapped[str | None]
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    scope_path: Mapped[Path] = mapped_column(server_default=text("''::ltree"))


class Unit(FromSource, Base):
    """What is dispatched: a crew with a vehicle, kit and powers. A lone grid worker is a unit of one."""

    __tablename__ = "unit"
    __table_args__ = (
        UniqueConstraint("source", "ref"),
        Index("ix_unit_scope_path", "scope_path", postgresql_using="gist"),
        CheckConstraint("status in ('off_duty', 'free', 'busy', 'break')", name="status"),
    )

    id: Mapped[IdKey]
    call_sign: Mapped[str]
    kind: Mapped[str]
    mode: Mapped[str]
    capabilities: Mapped[list[str]] = mapped_column(ARRAY(TEXT()), server_default=text("'{}'::text[]"))
    crew_size: Mapped[int] = mapped_column(server_default="1")
    home_area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    scope_path: Mapped[Path] = mapped_column(server_default=text("''::ltree"))
    shift: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default="off_duty")
    status_at: Mapped[datetime | None]


class UnitMember(Base):
    """Who is on a unit's crew, and when."""

    __tablename__ = "unit_member"

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)


class Device(Base):
    """A phone or tracker. Fixes belong to a device, ranking to the unit it is bound to."""

    __tablename__ = "device"

    id: Mapped[IdKey]
    label: Mapped[str]
    kind: Mapped[str]
    crs: Mapped[str] = mapped_column(server_default="WGS84")
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"), index=True)


class Duty(Base):
    """One span on duty of one unit; positions outside such a span are refused and not kept."""

    __tablename__ = "duty"
    __table_args__ = (
        Index("ix_duty_unit_id_started_at", "unit_id", "started_at"),
        Index("uq_duty_open", "unit_id", unique=True, postgresql_where=text("ended_at is null")),
    )

    id: Mapped[IdKey]
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    started_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class FixBatch(Base):
    """Fixes as they came, written durably before the sender is answered; the positions process takes them up."""

    __tablename__ = "fix_batch"
    __table_args__ = (
        Index("ix_fix_batch_waiting", "received_at", postgresql_where=text("processed_at is null")),
    )

    id: Mapped[IdKey]
    received_at: Mapped[datetime]
    protocol: Mapped[str]
    body: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    processed_at: Mapped[datetime | None]


class Fix(Base):
    """One accepted position, WGS84. A partition holds one day (UTC) and is dropped whole when its time is over."""

    __tablename__ = "fix"
    __table_args__ = (
        Index("ix_fix_unit_id_fixed_at", "unit_id", "fixed_at"),
        {"postgresql_partition_by": "RANGE (fixed_at)"},
    )

    id: Mapped[IdKey]
    fixed_at: Mapped[datetime] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID]
    device_id: Mapped[UUID | None]
    received_at: Mapped[datetime]
    geom: Mapped[WKBElement] = mapped_column(geometry("POINT"))
    accuracy_m: Mapped[float | None]
    speed_mps: Mapped[float | None]
    heading_deg: Mapped[float | None]
    battery_pct: Mapped[float | None]


class UnitLatest(Base):
    """The newest accepted position of a unit on duty; gone when duty ends."""

    __tablename__ = "unit_latest"
    __table_args__ = (
        Index("ix_unit_latest_geom", "geom", postgresql_using="gist"),
        Index("ix_unit_latest_updated_at", "updated_at"),
    )

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    geom: Mapped[WKBElement] = mapped_column(geometry("POINT"))
    fixed_at: Mapped[datetime]
    received_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    accuracy_m: Mapped[float | None]
    speed_mps: Mapped[float | None]
    heading_deg: Mapped[float | None]
    area_id: Mapped[int | None]
