"""Accounts, sessions, tokens, grants and shares."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.tables.base import Base, IdKey, Path
from gridmap.db.types import Citext


class Account(Base):
    """Somebody who can log in."""

    __tablename__ = "account"
    __table_args__ = (CheckConstraint("status in ('active', 'disabled')", name="status"),)

    id: Mapped[IdKey]
    login: Mapped[str] = mapped_column(Citext(), unique=True)
    display_name: Mapped[str]
    password_hash: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default="active")
    must_change_password: Mapped[bool] = mapped_column(server_default=text("false"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]


class AccountSession(Base):
    """One log-in of one browser; the cookie holds a random token, the row its digest."""

    __tablename__ = "account_session"

    id: Mapped[IdKey]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]


class ApiToken(Base):
    """A machine's or a device's credential; shown once, kept as a digest."""

    __tablename__ = "api_token"

    id: Mapped[IdKey]
    name: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    role: Mapped[str]
    source: Mapped[str | None]
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("device.id"))
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class PasswordReset(Base):
    """A single-use way to a new password, handed over by an administrator."""

    __tablename__ = "password_reset"

    id: Mapped[IdKey]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class LoginAttempt(Base):
    """Failed log-ins per bucket (an address, a login): the rate limit that every process shares."""

    __tablename__ = "login_attempt"
    __table_args__ = (Index("ix_login_attempt_bucket_at", "bucket", "at"),)

    id: Mapped[IdKey]
    bucket: Mapped[str]
    at: Mapped[datetime]


class AccessGrant(Base):
    """A role over a subtree for a span of time; without an area it holds everywhere."""

    __tablename__ = "access_grant"

    id: Mapped[IdKey]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    role: Mapped[str]
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    department: Mapped[str | None]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    granted_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class Share(Base):
    """Sight of one incident or task outside the granted subtree, written only by a recorded act."""

    __tablename__ = "share"
    __table_args__ = (
        CheckConstraint("num_nonnulls(incident_id, task_id) = 1", name="one_subject"),
        CheckConstraint("num_nonnulls(account_id, unit_id, area_path) = 1", name="one_grantee"),
        Index("ix_share_area_path", "area_path", postgresql_using="gist"),
    )

    id: Mapped[IdKey]
    incident_id: Mapped[UUID | None] = mapped_column(ForeignKey("incident.id"), index=True)
    task_id: Mapped[UUID | None] = mapped_column(ForeignKey("task.id"), index=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"), index=True)
    area_path: Mapped[Path | None]
    reason: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
