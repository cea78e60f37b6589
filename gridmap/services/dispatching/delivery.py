"""Whether an offer reached its phone; and when it did not: the next person, a text, a call, and it is shown.

Sent is when the offer was written, delivered when the phone has it, seen when it was shown. The three are never mixed.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from gridmap.adapters.messages import MessageHook
from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.tables import Callout, Dispatch, Incident, Message, Unit
from gridmap.domain.ids import new_id
from gridmap.domain.response import Rules
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Unavailable
from gridmap.services.dispatching.offers import run_out
from gridmap.services.dispatching.rows import lock_dispatch, note_step
from gridmap.services.transaction import Tx, system_transaction

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 4
# The first retry comes soon: an offer lasts a minute.
_FIRST_WAIT_S = 3
_CLAIM = timedelta(seconds=30)


def undelivered(tx: Tx, dispatch_id: UUID) -> None:
    """The phone should have had the offer by now: it counts as unreachable, and the call-out's rule says what next."""
    found = tx.session.get(Dispatch, dispatch_id)
    if found is None:
        return
    incident, dispatch = lock_dispatch(tx, found)
    if dispatch.status != "offered" or dispatch.delivered_at is not None:
        return
    unit = tx.session.get_one(Unit, dispatch.unit_id)
    dispatch.unreachable_at = tx.now
    note_step(tx, incident, dispatch, "unreachable", unit)
    callout = tx.session.get(Callout, dispatch.callout_id) if dispatch.callout_id else None
    rule = Rules.from_json(callout.rules).undelivered if callout else "sms"
    if rule in ("sms", "voice"):
        _queue(tx, incident, dispatch, unit, rule)
    elif callout is not None and callout.mode == "next_in_line":
        run_out(tx, incident, dispatch, "undelivered")


def send_due(database: Database, clock: Clock, hook: MessageHook | None, most: int = 10) -> int:
    """Hand the messages that are due to the site's gateway, outside every transaction. Returns how many it took."""
    sent = 0
    for message_id in _claim(database, clock, most):
        with system_transaction(database, clock) as tx:
            body = _body(tx, message_id)
        if body is None:
            continue
        fault = "no_hook"
        if hook is not None:
            try:
                hook.send(body)
            except Unavailable as error:
                fault = str(error.params.get("why", error.code))
                log.warning("message not taken", extra={"message_id": str(message_id), "why": fault})
            else:
                sent += 1
                fault = ""
        with system_transaction(database, clock) as tx:
            _settle(tx, message_id, fault)
    return sent


def _queue(tx: Tx, incident: Incident, dispatch: Dispatch, unit: Unit, channel: str) -> None:
    """The words as codes with both names, for the gateway to compose: class, severity and the area's name, no more."""
    offer = dispatch.offer
    event_class = vocabulary().event_class(offer["class_key"])
    hidden = incident.restricted
    body: dict[str, Any] = {
        "kind": "offer",
        "channel": channel,
        "unit": {"id": str(unit.id), "call_sign": unit.call_sign, "source": unit.source, "ref": unit.ref},
        "class_key": None if hidden else offer["class_key"],
        "class_name": None if hidden else {"zh": event_class.zh, "en": event_class.en},
        "severity": offer["severity"],
        "area_name": None if hidden else offer["area_name"],
        "expires_at": dispatch.expires_at.isoformat(),
        "drill": dispatch.drill,
    }
    tx.session.add(Message(id=new_id(), dispatch_id=dispatch.id, channel=channel, body=body, next_at=tx.now))


def _claim(database: Database, clock: Clock, most: int) -> list[UUID]:
    """Take messages for this process: they come again by themselves if it dies with them."""
    with system_transaction(database, clock) as tx:
        rows = tx.session.scalars(
            select(Message)
            .where(Message.status == "waiting", Message.next_at <= tx.now)
            .order_by(Message.next_at)
            .limit(most)
            .with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            row.attempts += 1
            row.next_at = tx.now + _CLAIM
        return [row.id for row in rows]


def _body(tx: Tx, message_id: UUID) -> dict[str, Any] | None:
    """What is sent; None, and no more of it, when the offer was answered meanwhile."""
    row = tx.session.get_one(Message, message_id)
    dispatch = tx.session.get_one(Dispatch, row.dispatch_id)
    if dispatch.status != "offered" or dispatch.delivered_at is not None:
        row.status, row.fault = "failed", "answered"
        return None
    return {"id": str(row.id), **row.body}


def _settle(tx: Tx, message_id: UUID, fault: str) -> None:
    row = tx.session.get_one(Message, message_id)
    incident, dispatch = lock_dispatch(tx, tx.session.get_one(Dispatch, row.dispatch_id))
    row.fault = fault or None
    if not fault:
        row.status, row.sent_at = "sent", tx.now
        dispatch.via = row.channel
        unit = tx.session.get_one(Unit, dispatch.unit_id)
        note_step(tx, incident, dispatch, "message_sent", unit, channel=row.channel)
    elif fault == "no_hook" or row.attempts >= MOST_ATTEMPTS:
        row.status = "failed"
        _after_failure(tx, incident, dispatch)
    else:
        row.next_at = tx.now + timedelta(seconds=_FIRST_WAIT_S * 2 ** (row.attempts - 1))


def _after_failure(tx: Tx, incident: Incident, dispatch: Dispatch) -> None:
    """No way to reach the unit: of people asked in line the next one is asked."""
    callout = tx.session.get(Callout, dispatch.callout_id) if dispatch.callout_id else None
    if callout is not None and callout.mode == "next_in_line" and dispatch.status == "offered":
        run_out(tx, incident, dispatch, "undelivered")
