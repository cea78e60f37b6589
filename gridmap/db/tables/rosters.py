"""Who is meant to be on duty when, who swaps with whom, and one seat handing over to the next."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.tables.base import Base, IdKey, Path


class RosterEntry(Base):
    """One span of one unit: planned duty, or leave. A swapped span stays, `replaced`, beside the one in its place."""

    __tablename__ = "roster_entry"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="span"),
        CheckConstraint("kind in ('duty', 'leave', 'swap')", name="kind"),
        CheckConstraint("status in ('planned', 'replaced', 'cancelled')", name="status"),
        Index("ix_roster_entry_unit_id_starts_at", "unit_id", "starts_at"),
        Index("ix_roster_entry_starts_at", "starts_at"),
    )

    id: Mapped[IdKey]
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="planned")
    vehicle: Mapped[str | None]
    partner_person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    replaces_id: Mapped[UUID | None] = mapped_column(ForeignKey("roster_entry.id"))
    reason: Mapped[str | None]
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class RosterSwap(Base):
    """A span that one unit asks another to take: asked, accepted by the other, confirmed by the shift lead.

    `back_entry_id` is the other's span that comes back for it, if any.
    """

    __tablename__ = "roster_swap"
    __table_args__ = (
        CheckConstraint(
            "status in ('asked', 'accepted', 'confirmed', 'refused', 'withdrawn')", name="status"
        ),
        CheckConstraint("from_unit_id <> to_unit_id", name="two_units"),
        Index(
            "uq_roster_swap_open",
            "entry_id",
            unique=True,
            postgresql_where=text("status in ('asked', 'accepted')"),
        ),
        Index("ix_roster_swap_to_unit_id", "to_unit_id"),
        Index("ix_roster_swap_from_unit_id", "from_unit_id"),
    )

    id: Mapped[IdKey]
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("roster_entry.id"))
    back_entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("roster_entry.id"))
    from_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    to_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    status: Mapped[str] = mapped_column(server_default="asked")
    reason: Mapped[str | None]
    asked_at: Mapped[datetime]
    asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class ShiftHandover(Base):
    """One seat hands over everything that is open; another person signs for it. Never deleted."""

    __tablename__ = "shift_handover"
    __table_args__ = (
        CheckConstraint("status in ('open', 'signed', 'withdrawn')", name="status"),
        Index(
            "uq_shift_handover_open",
            "from_account_id",
            unique=True,
            postgresql_where=text("status = 'open'"),
        ),
        Index("ix_shift_handover_started_at", "started_at"),
        Index("ix_shift_handover_scope_path", "scope_path", postgresql_using="gist"),
    )

    id: Mapped[IdKey]
    scope_path: Mapped[Path] = mapped_column(server_default=text("''::ltree"))
    from_account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    status: Mapped[str] = mapped_column(server_default="open")
    note: Mapped[str | None]
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    started_at: Mapped[datetime]
    signed_at: Mapped[datetime | None]
    signed_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
