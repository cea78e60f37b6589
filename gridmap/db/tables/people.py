"""People, units, devices, duty, and where units are."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, TSTZRANGE, Range
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
    """A phone app or tracker. Fixes belong to a device, ranking to the unit it is bound to.

    `priority`: of a unit's devices the smallest number leads while it is fresh; equal numbers, the newest fix. The
    kinds `page` (our phone page) and `gateway` (another system names the unit) are made at their unit's first fix.
    """

    __tablename__ = "device"
    __table_args__ = (
        CheckConstraint("kind in ('page', 'gateway', 'owntracks', 'osmand')", name="kind"),
        Index(
            "uq_device_own",
            "unit_id",
            "kind",
            unique=True,
            postgresql_where=text("kind in ('page', 'gateway')"),
        ),
    )

    id: Mapped[IdKey]
    label: Mapped[str]
    kind: Mapped[str]
    crs: Mapped[str] = mapped_column(server_default="WGS84")
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"), index=True)
    priority: Mapped[int] = mapped_column(server_default="50")
    created_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    revoked_at: Mapped[datetime | None]


class DeviceKey(Base):
    """A device's own credential: a public name and a secret that is shown once and kept as a digest.

    A rotation makes a second one and lets the first run out later, so that the phone can be changed over in peace.
    """

    __tablename__ = "device_key"

    id: Mapped[IdKey]
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"), index=True)
    name: Mapped[str] = mapped_column(unique=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class DeviceState(Base):
    """What the filters remember of a device on duty; gone when duty ends.

    `pending`: fixes too far from the last one to be believed yet; they win when they agree among themselves.
    """

    __tablename__ = "device_state"
    __table_args__ = ({"postgresql_with": {"fillfactor": "50"}},)

    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"), primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), index=True)
    fixed_at: Mapped[datetime | None]
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    accuracy_m: Mapped[float | None]
    pending: Mapped[bytes | None] = mapped_column(LargeBinary)


class DeviceRefusal(Base):
    """How many fixes of a device were refused on a day (UTC) for a reason: for its upkeep, dropped with the fixes."""

    __tablename__ = "device_refusal"

    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]


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
    roster_entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("roster_entry.id"))
    outside_reason: Mapped[str | None]


class FixBatch(Base):
    """Fixes as they came, written durably before the senders are answered; the positions process takes them up.

    `body` is as gridmap.positions.packing writes it; `shard` (by unit) says which process takes it. `faults` counts
    failed attempts; a batch that keeps failing is set aside for a look and blocks nobody.
    """

    __tablename__ = "fix_batch"
    __table_args__ = (Index("ix_fix_batch_received_at", "received_at"),)

    id: Mapped[IdKey]
    received_at: Mapped[datetime]
    shard: Mapped[int] = mapped_column(SmallInteger)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    faults: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    set_aside_at: Mapped[datetime | None]


class Fix(Base):
    """One accepted position, WGS84. A partition holds one day (UTC) and is dropped whole when its time is over.

    `leads`: the unit's place follows this fix; false while a device of better priority is fresh.
    """

    __tablename__ = "fix"
    __table_args__ = (
        Index("ix_fix_received_at", "received_at", postgresql_using="brin"),
        {"postgresql_partition_by": "RANGE (fixed_at)"},
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    fixed_at: Mapped[datetime] = mapped_column(primary_key=True)
    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    received_at: Mapped[datetime]
    geom: Mapped[WKBElement] = mapped_column(geometry("POINT"))
    accuracy_m: Mapped[float | None]
    speed_mps: Mapped[float | None]
    heading_deg: Mapped[float | None]
    battery_pct: Mapped[float | None]
    leads: Mapped[bool] = mapped_column(server_default=text("true"))


class UnitLatest(Base):
    """The newest accepted position of a unit on duty; gone when duty ends.

    A row a unit, each written anew with nearly every fix: without indexes on what changes, and with room for the next
    version beside the last, that costs a third. Reading them all takes 2 ms for ten thousand.
    """

    __tablename__ = "unit_latest"
    __table_args__ = ({"postgresql_with": {"fillfactor": "50"}},)

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    geom: Mapped[WKBElement] = mapped_column(geometry("POINT"))
    fixed_at: Mapped[datetime]
    received_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    accuracy_m: Mapped[float | None]
    speed_mps: Mapped[float | None]
    heading_deg: Mapped[float | None]
    area_id: Mapped[int | None]
