"""How the watch over people looks from outside: questions, calls for help, duty by the roster."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from typing_extensions import TypedDict

from gridmap.db.tables import RosterEntry, RosterSwap, SosCall, Unit, WelfareQuestion
from gridmap.services.dispatching import sos
from gridmap.services.rosters import RosterRow, list_colleagues, with_names
from gridmap.services.transaction import Tx


class QuestionLine(TypedDict):
    """ "Are you all right?" `kind` says why it is asked; past `answer_by` the operator has heard of it."""

    id: UUID
    dispatch_id: UUID
    kind: str
    asked_at: datetime
    answer_by: datetime


class SosLine(TypedDict):
    """A call for help; it stands until `acknowledged_at`, whatever the officer says."""

    id: UUID
    called_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    false_alarm_at: datetime | None


class RosterLine(TypedDict):
    """A planned span of one unit. Names of persons are told to their own crew and to seats."""

    id: UUID
    unit_id: UUID
    call_sign: str
    kind: str
    status: str
    starts_at: datetime
    ends_at: datetime
    vehicle: str | None
    person_id: UUID | None
    person_name: str | None
    partner_person_id: UUID | None
    partner_name: str | None
    replaces_id: UUID | None
    reason: str | None


class SwapLine(TypedDict):
    """A swap: asked, accepted by the other, confirmed by the shift lead."""

    id: UUID
    status: str
    entry: RosterLine
    back_entry: RosterLine | None
    from_unit_id: UUID
    to_unit_id: UUID
    to_call_sign: str
    reason: str | None
    asked_at: datetime
    answered_at: datetime | None
    decided_at: datetime | None


def roster(row: RosterRow) -> RosterLine:
    entry = row.entry
    return {
        "id": entry.id,
        "unit_id": entry.unit_id,
        "call_sign": row.call_sign,
        "kind": entry.kind,
        "status": entry.status,
        "starts_at": entry.starts_at,
        "ends_at": entry.ends_at,
        "vehicle": entry.vehicle,
        "person_id": entry.person_id,
        "person_name": row.person_name,
        "partner_person_id": entry.partner_person_id,
        "partner_name": row.partner_name,
        "replaces_id": entry.replaces_id,
        "reason": entry.reason,
    }


def swaps(tx: Tx, found: list[RosterSwap]) -> list[SwapLine]:
    """Each with its spans and call signs looked up, in their order."""
    ids = {key for swap in found for key in (swap.entry_id, swap.back_entry_id) if key is not None}
    entries = list(tx.session.scalars(select(RosterEntry).where(RosterEntry.id.in_(ids))))
    rows = {row.entry.id: row for row in with_names(tx, entries)}
    signs = {row.unit_id: row.call_sign for row in list_colleagues(tx)}
    units = {swap.to_unit_id for swap in found}
    signs |= {
        row.id: row.call_sign
        for row in tx.session.execute(select(Unit.id, Unit.call_sign).where(Unit.id.in_(units)))
    }
    return [
        {
            "id": swap.id,
            "status": swap.status,
            "entry": roster(rows[swap.entry_id]),
            "back_entry": roster(rows[swap.back_entry_id]) if swap.back_entry_id else None,
            "from_unit_id": swap.from_unit_id,
            "to_unit_id": swap.to_unit_id,
            "to_call_sign": signs.get(swap.to_unit_id, "?"),
            "reason": swap.reason,
            "asked_at": swap.asked_at,
            "answered_at": swap.answered_at,
            "decided_at": swap.decided_at,
        }
        for swap in found
        if swap.entry_id in rows and (swap.back_entry_id is None or swap.back_entry_id in rows)
    ]


def question(row: WelfareQuestion) -> QuestionLine:
    return {
        "id": row.id,
        "dispatch_id": row.dispatch_id,
        "kind": row.kind,
        "asked_at": row.asked_at,
        "answer_by": row.answer_by,
    }


def sos_call(tx: Tx, row: SosCall) -> SosLine:
    alarm = sos.alarm_of(tx, row)
    return {
        "id": row.id,
        "called_at": row.called_at,
        "acknowledged_at": alarm.acknowledged_at if alarm else None,
        "acknowledged_by": sos.acknowledged_by(tx, alarm),
        "false_alarm_at": row.false_alarm_at,
    }
