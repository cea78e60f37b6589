"""Handing an incident to 110, 119, 120 or 12345, and taking one from them: their number, and their acknowledgement."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from gridmap.db.tables import HandOver, Incident
from gridmap.domain.ids import new_id
from gridmap.domain.lifecycle import is_active
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.services.alarms import raise_about
from gridmap.services.auditing import audit
from gridmap.services.incidents import lock_incident, touch
from gridmap.services.timers import clear_timer, set_timer
from gridmap.services.transaction import Tx

HAND_OVER_DUE = "hand_over.due"
MAX_WORDS = 500
MAX_NUMBER = 64


def hand_over(tx: Tx, incident_id: UUID, *, agency: str, note: str | None = None) -> HandOver:
    """Hand it over; the agency's time to acknowledge runs. Raises Conflict("already_handed_over")."""
    incident = _to_hand(tx, incident_id)
    wait_s = vocabulary().term("agency", agency).extra["ack_s"]
    if _standing(tx, incident_id, agency) is not None:
        raise Conflict("already_handed_over", agency=agency)
    row = HandOver(
        id=new_id(),
        incident_id=incident.id,
        agency=agency,
        direction="out",
        status="sent",
        note=_words(note),
        handed_at=tx.now,
        handed_by=tx.actor.account_id,
        acknowledge_by=tx.now + timedelta(seconds=wait_s),
        drill=incident.drill,
    )
    tx.session.add(row)
    tx.session.flush()
    set_timer(tx, HAND_OVER_DUE, row.id, tx.now + timedelta(seconds=wait_s))
    audit(tx, "hand_over.send", "hand_over", row.id, agency=agency)
    touch(tx, incident, "handed_over", agency=agency, hand_over_id=str(row.id), note=row.note)
    return row


def take_in(
    tx: Tx, incident_id: UUID, *, agency: str, their_number: str | None, note: str | None = None
) -> HandOver:
    """An agency handed it to us: noted with their number, and acknowledged by doing so."""
    incident = _to_hand(tx, incident_id)
    vocabulary().term("agency", agency)
    number = _number(their_number)
    row = HandOver(
        id=new_id(),
        incident_id=incident.id,
        agency=agency,
        direction="in",
        status="acknowledged",
        their_number=number,
        note=_words(note),
        handed_at=tx.now,
        handed_by=tx.actor.account_id,
        acknowledged_at=tx.now,
        acknowledged_by=tx.actor.account_id,
        drill=incident.drill,
    )
    tx.session.add(row)
    tx.session.flush()
    audit(tx, "hand_over.take", "hand_over", row.id, agency=agency)
    touch(tx, incident, "taken_in", agency=agency, hand_over_id=str(row.id), their_number=number)
    return row


def acknowledge(tx: Tx, hand_over_id: UUID, *, their_number: str | None) -> HandOver:
    """The agency took it, under this number of theirs."""
    incident, row = _lock(tx, hand_over_id)
    number = _number(their_number)
    if row.status != "sent":
        raise Conflict("not_allowed_in_status", noun="hand_over", status=row.status, verb="acknowledge")
    row.status, row.their_number = "acknowledged", number
    row.acknowledged_at, row.acknowledged_by = tx.now, tx.actor.account_id
    clear_timer(tx, HAND_OVER_DUE, row.id)
    audit(tx, "hand_over.acknowledge", "hand_over", row.id)
    touch(tx, incident, "hand_over_acknowledged", agency=row.agency, their_number=number)
    return row


def take_back(tx: Tx, hand_over_id: UUID, *, reason: str | None) -> HandOver:
    """The agency gave it back, and why: it is ours again."""
    incident, row = _lock(tx, hand_over_id)
    words = _words(reason)
    if words is None:
        raise Invalid("reason_needed", verb="return")
    if row.direction != "out" or row.status == "returned":
        raise Conflict("not_allowed_in_status", noun="hand_over", status=row.status, verb="return")
    row.status, row.return_reason = "returned", words
    row.returned_at, row.returned_by = tx.now, tx.actor.account_id
    clear_timer(tx, HAND_OVER_DUE, row.id)
    audit(tx, "hand_over.return", "hand_over", row.id)
    touch(tx, incident, "hand_over_returned", agency=row.agency, reason=words)
    return row


def not_acknowledged(tx: Tx, hand_over_id: UUID) -> None:
    """The agency's time is over and it has not said that it took it: somebody must call."""
    row = tx.session.get(HandOver, hand_over_id)
    if row is None or row.status != "sent":
        return
    incident = tx.session.get_one(Incident, row.incident_id)
    raise_about(
        tx,
        incident,
        "hand_over_unheard",
        subject_kind="hand_over",
        subject_id=row.id,
        agency=row.agency,
    )


def list_hand_overs(tx: Tx, incident_id: UUID) -> list[HandOver]:
    """In the order in which they were made."""
    return list(
        tx.session.scalars(
            select(HandOver)
            .where(HandOver.incident_id == incident_id)
            .order_by(HandOver.handed_at, HandOver.id)
        )
    )


def _standing(tx: Tx, incident_id: UUID, agency: str) -> HandOver | None:
    return tx.session.scalars(
        select(HandOver).where(
            HandOver.incident_id == incident_id,
            HandOver.agency == agency,
            HandOver.direction == "out",
            HandOver.status != "returned",
        )
    ).first()


def _to_hand(tx: Tx, incident_id: UUID) -> Incident:
    tx.actor.require("case.dispatch")
    incident = lock_incident(tx, incident_id)
    if not tx.actor.writes_in(incident.scope_path):
        raise Forbidden("out_of_write_scope")
    if not is_active("incident", incident.status):
        raise Conflict("incident_closed", number=incident.number)
    return incident


def _lock(tx: Tx, hand_over_id: UUID) -> tuple[Incident, HandOver]:
    found = tx.session.get(HandOver, hand_over_id)
    if found is None:
        raise NotFound("hand_over_not_found")
    incident = _to_hand(tx, found.incident_id)
    row = tx.session.scalars(
        select(HandOver)
        .where(HandOver.id == hand_over_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    return incident, row


def _number(given: str | None) -> str:
    number = (given or "").strip()
    if not number or len(number) > MAX_NUMBER:
        raise Invalid("their_number_needed", max_length=MAX_NUMBER)
    return number


def _words(given: str | None) -> str | None:
    words = (given or "").strip()
    if len(words) > MAX_WORDS:
        raise Invalid("note_length", max_length=MAX_WORDS)
    return words or None
