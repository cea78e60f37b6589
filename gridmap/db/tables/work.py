"""Tasks, alarms, timers, the outbox, blobs, the audit trail and import batches."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.tables.base import Base, IdKey, Path
from gridmap.db.types import Xid8


class Task(Base):
    """Something somebody has to do by a time: a plan step, an inspection, a repair, a case at a department.

    Where it has a clock, that is a `WorkClock` of `clock_calendar`: `clock_limit_s` to reach, `clock_counted_s` counted
    before `clock_since`, which is None while it stands; `due_at` is then None too, and `pause_ends_at` is when waiting
    any longer is an alarm.
    """

    __tablename__ = "task"
    __table_args__ = (
        Index("ix_task_scope_path", "scope_path", postgresql_using="gist"),
        Index("ix_task_due_at", "due_at", postgresql_where=text("status = 'open'")),
        Index("ix_task_subject", "subject_kind", "subject_id"),
    )

    id: Mapped[IdKey]
    kind: Mapped[str]
    subject_kind: Mapped[str | None]
    subject_id: Mapped[UUID | None]
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    scope_path: Mapped[Path] = mapped_column(server_default=text("''::ltree"))
    department: Mapped[str | None]
    assignee_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    assignee_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    status: Mapped[str] = mapped_column(server_default="open")
    due_at: Mapped[datetime | None]
    clock_limit_s: Mapped[int | None]
    clock_calendar: Mapped[str | None]
    clock_since: Mapped[datetime | None]
    clock_counted_s: Mapped[int] = mapped_column(server_default="0")
    pause_ends_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    finished_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    params: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    history: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))


class Alarm(Base):
    """Something a seat must acknowledge by name, or it escalates."""

    __tablename__ = "alarm"
    __table_args__ = (
        Index("ix_alarm_scope_path", "scope_path", postgresql_using="gist"),
        Index("ix_alarm_raised", "raised_at", postgresql_where=text("status = 'raised'")),
        Index(
            "uq_alarm_raised_subject",
            "kind",
            "subject_kind",
            "subject_id",
            unique=True,
            postgresql_where=text("status = 'raised'"),
        ),
    )

    id: Mapped[IdKey]
    kind: Mapped[str]
    severity: Mapped[int] = mapped_column(SmallInteger)
    status: Mapped[str] = mapped_column(server_default="raised")
    subject_kind: Mapped[str | None]
    subject_id: Mapped[UUID | None]
    incident_id: Mapped[UUID | None] = mapped_column(ForeignKey("incident.id"), index=True)
    scope_path: Mapped[Path] = mapped_column(server_default=text("''::ltree"))
    params: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    raised_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    owner_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    drill: Mapped[bool] = mapped_column(server_default=text("false"))


class Timer(Base):
    """Something that falls due. One ticker takes what is due (SKIP LOCKED); firing deletes the row."""

    __tablename__ = "timer"
    __table_args__ = (
        Index("ix_timer_due_at", "due_at"),
        Index("uq_timer_kind_subject", "kind", "subject_id", unique=True),
    )

    id: Mapped[IdKey]
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(server_default="0")


class Outbox(Base):
    """What screens must hear: ids, codes and area paths, written in the transaction that made it true.

    Readers go by (xid, id) and stop at the oldest transaction still open, so that a late commit is never skipped.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_xid_id", "xid", "id"), Index("ix_outbox_at", "at"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    xid: Mapped[int] = mapped_column(Xid8(), server_default=text("pg_current_xact_id()"))
    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    topic: Mapped[str]
    body: Mapped[dict[str, Any]]
    path: Mapped[Path]
    old_path: Mapped[Path | None]
    incident_id: Mapped[UUID | None]
    restricted: Mapped[bool] = mapped_column(server_default=text("false"))


class Blob(Base):
    """A photo, a voice note, a masked reference: scoped by its incident, with a digest and an expiry."""

    __tablename__ = "blob"

    id: Mapped[IdKey]
    purpose: Mapped[str]
    incident_id: Mapped[UUID | None] = mapped_column(ForeignKey("incident.id"), index=True)
    dispatch_id: Mapped[UUID | None] = mapped_column(ForeignKey("dispatch.id"), index=True)
    scope_path: Mapped[Path] = mapped_column(server_default=text("''::ltree"))
    mime: Mapped[str]
    size_bytes: Mapped[int]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    expires_at: Mapped[datetime | None]


class Audit(Base):
    """Who looked at or changed what, and why. Sealed into a hash chain by the worker within seconds."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_at", "at"),
        Index("ix_audit_actor_account_id", "actor_account_id"),
        Index("ix_audit_subject", "subject_kind", "subject_id"),
        Index("ix_audit_unsealed", "id", postgresql_where=text("hash is null")),
        Index("uq_audit_seal_no", "seal_no", unique=True),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime]
    actor_account_id: Mapped[UUID | None]
    actor_name: Mapped[str | None]
    verb: Mapped[str]
    subject_kind: Mapped[str | None]
    subject_id: Mapped[str | None]
    reason: Mapped[str | None]
    params: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    seal_no: Mapped[int | None] = mapped_column(BigInteger)
    hash: Mapped[bytes | None] = mapped_column(LargeBinary)


class ImportBatch(Base):
    """One run of an import; its rows are shown once `visible_at` is set."""

    __tablename__ = "import_batch"

    id: Mapped[IdKey]
    noun: Mapped[str]
    source: Mapped[str]
    file_name: Mapped[str]
    file_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    started_at: Mapped[datetime]
    visible_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    started_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class LayerVersion(Base):
    """A number that grows when a layer's rows change: it stands in tile addresses."""

    __tablename__ = "layer_version"

    layer: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, server_default="1")
    changed_at: Mapped[datetime]
