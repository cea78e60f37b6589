"""How the watch over people looks from outside: questions, calls for help, duty by the roster."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from typing_extensions import TypedDict

from gridmap.db.tables import SosCall, WelfareQuestion
from gridmap.services.dispatching import sos
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
