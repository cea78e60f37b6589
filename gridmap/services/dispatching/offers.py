"""The offer and its answer: made, shown, taken, refused, taken back, or run out."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from geoalchemy2.shape import to_shape
from sqlalchemy import select

from gridmap.db.tables import AreaVersion, Dispatch, Incident, Share, Unit
from gridmap.domain.diverting import DivertedBy
from gridmap.domain.ids import new_id
from gridmap.domain.lifecycle import next_status
from gridmap.domain.response import DELIVER_S, place_for
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Conflict, Invalid
from gridmap.services.alarms import raise_about
from gridmap.services.dispatching.needs import lock_callout, places_left, winners
from gridmap.services.dispatching.rows import (
    acted_at,
    end_share,
    find_dispatch,
    lend_sight,
    lock_dispatch,
    lock_unit,
    note_step,
    require_crew,
    settle,
    tell_dispatch,
)
from gridmap.services.gates import require_passed
from gridmap.services.incidents import lock_incident, touch
from gridmap.services.reports import DISPATCH_DUE
from gridmap.services.timeline import note_event
from gridmap.services.timers import clear_timer, set_timer
from gridmap.services.transaction import Tx

OFFER_EXPIRES = "dispatch.offer_expires"
OFFER_UNDELIVERED = "dispatch.undelivered"
OFFER_RADIUS_M = 300
MIN_EXPIRES_S, MAX_EXPIRES_S = 10, 3_600
_METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A job for one unit; travel is what the recommendation said, kept to be compared with what came.

    `override_reason` sends a unit past the gates; it takes the verb case.override. `diverted_by` is the rule
    by which it was called away from another case, told on the timeline.
    """

    incident_id: UUID
    unit_id: UUID
    expires_s: int
    travel_s: float | None = None
    distance_m: float | None = None
    travel_method: str | None = None
    reason: str | None = None
    override_reason: str | None = None
    diverted_by: DivertedBy | None = None


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One offer as it is written: whom, for how long, what the road says, and for which place of which call-out."""

    unit_id: UUID
    expires_s: int
    deliver_s: int = DELIVER_S
    travel_s: float | None = None
    distance_m: float | None = None
    travel_method: str | None = None
    reason: str | None = None
    diverted_by: DivertedBy | None = None
    callout_id: UUID | None = None
    need_key: str | None = None


def offer(tx: Tx, command: Offer) -> Dispatch:
    """Offer the job to a unit that is free and passes the gates of the class.

    Raises Conflict("unit_not_available"), Conflict("already_offered"), Conflict("unit_barred").
    """
    tx.actor.require("case.dispatch")
    if not MIN_EXPIRES_S <= command.expires_s <= MAX_EXPIRES_S:
        raise Invalid("offer_expires_out_of_range", least=MIN_EXPIRES_S, most=MAX_EXPIRES_S)
    incident = lock_incident(tx, command.incident_id)
    unit = tx.session.get(Unit, command.unit_id)
    if unit is not None:
        require_passed(tx, incident, unit, command.override_reason)
    return ask(
        tx,
        incident,
        Ask(
            unit_id=command.unit_id,
            expires_s=command.expires_s,
            travel_s=command.travel_s,
            distance_m=command.distance_m,
            travel_method=command.travel_method,
            reason=command.reason,
            diverted_by=command.diverted_by,
        ),
    )


def ask(tx: Tx, incident: Incident, wanted: Ask) -> Dispatch:
    """Write the offer under the incident's lock. Raises Conflict when unit or incident is in no state for it."""
    unit = lock_unit(tx, wanted.unit_id)
    if unit.status != "free":
        raise Conflict("unit_not_available", call_sign=unit.call_sign, status=unit.status)
    incident.status = next_status("incident", incident.status, "offer")
    dispatch_id = new_id()
    dispatch = Dispatch(
        id=dispatch_id,
        incident_id=incident.id,
        unit_id=unit.id,
        status="offered",
        offered_at=tx.now,
        offered_by=tx.actor.account_id,
        sent_at=tx.now,
        via="page",
        expires_at=tx.now + timedelta(seconds=wanted.expires_s),
        offer=_masked(tx, incident, dispatch_id),
        travel_s=wanted.travel_s,
        distance_m=wanted.distance_m,
        travel_method=wanted.travel_method,
        callout_id=wanted.callout_id,
        need_key=wanted.need_key,
        drill=incident.drill,
    )
    tx.session.add(dispatch)
    tx.session.flush()
    set_timer(tx, OFFER_EXPIRES, dispatch.id, dispatch.expires_at)
    if wanted.deliver_s < wanted.expires_s:
        set_timer(tx, OFFER_UNDELIVERED, dispatch.id, tx.now + timedelta(seconds=wanted.deliver_s))
    clear_timer(tx, DISPATCH_DUE, incident.id)
    tell_dispatch(tx, dispatch, incident)
    touch(
        tx,
        incident,
        "offered",
        call_sign=unit.call_sign,
        dispatch_id=str(dispatch.id),
        seconds=wanted.travel_s,
        method=wanted.travel_method,
        reason=wanted.reason,
        **(wanted.diverted_by.as_params() if wanted.diverted_by else {}),
    )
    return dispatch


def accept(tx: Tx, dispatch_id: UUID) -> Dispatch:
    """Take the job. From here the unit sees address, text and exact place.

    Raises Conflict("need_met") with who took the places and when, Conflict("offer_withdrawn") with why,
    Conflict("offer_expired") past its time, Conflict("not_allowed_in_status") when it is gone otherwise.
    """
    dispatch = find_dispatch(tx, dispatch_id)
    require_crew(tx, dispatch)
    tx.session.add(
        Share(
            id=new_id(),
            incident_id=dispatch.incident_id,
            unit_id=dispatch.unit_id,
            reason="assigned",
            created_at=tx.now,
            created_by=tx.actor.account_id,
        )
    )
    tx.session.flush()
    incident, dispatch = lock_dispatch(tx, dispatch)
    _refuse_too_late(tx, dispatch)
    accepted = next_status("dispatch", dispatch.status, "accept")
    unit = lock_unit(tx, dispatch.unit_id)
    if unit.status != "free":
        raise Conflict("unit_not_available", call_sign=unit.call_sign, status=unit.status)
    _take_place(tx, dispatch, unit)
    dispatch.status = accepted
    unit.status, unit.status_at = "busy", tx.now
    dispatch.accepted_at, dispatch.accepted_by = acted_at(tx, dispatch.offered_at), tx.actor.account_id
    dispatch.seen_at = dispatch.seen_at or tx.now
    dispatch.delivered_at = dispatch.delivered_at or tx.now
    _stop_clocks(tx, dispatch)
    note_step(tx, incident, dispatch, "accepted", unit, occurred_at=dispatch.accepted_at)
    return dispatch


def _refuse_too_late(tx: Tx, dispatch: Dispatch) -> None:
    if dispatch.status == "offered" and tx.now > dispatch.expires_at:
        raise Conflict("offer_expired", expired_at=dispatch.expires_at.isoformat())
    if dispatch.status == "cancelled" and dispatch.end_reason is not None and dispatch.accepted_at is None:
        if dispatch.end_reason == "need_met" and dispatch.callout_id is not None:
            raise Conflict("need_met", taken=winners(tx, dispatch.callout_id))
        raise Conflict("offer_withdrawn", reason=dispatch.end_reason)


def _take_place(tx: Tx, dispatch: Dispatch, unit: Unit) -> None:
    """A place of the call-out that is still free, or Conflict: the incident's lock makes the second one wait."""
    if dispatch.callout_id is None:
        return
    callout = lock_callout(tx, dispatch.callout_id)
    left = places_left(tx, callout) if callout.status in ("open", "met") else ()
    place = place_for(left, unit.kind, unit.capabilities, dispatch.need_key)
    if place is None and callout.mode == "named":
        # Whom a seat named is meant, whatever the kind.
        place = next(iter(left), None)
    if place is None:
        raise Conflict("need_met", taken=winners(tx, callout.id))
    dispatch.need_key = place.key


def decline(tx: Tx, dispatch_id: UUID, *, reason: str | None) -> Dispatch:
    """Say no, with a reason from the list. The incident goes back to the queue when nobody else is on it."""
    if reason:
        vocabulary().term("decline_reason", reason)
    dispatch = find_dispatch(tx, dispatch_id)
    require_crew(tx, dispatch)
    with_sight = lend_sight(tx, dispatch)
    incident, dispatch = lock_dispatch(tx, dispatch)
    dispatch.status = next_status("dispatch", dispatch.status, "decline", reason=reason)
    dispatch.decline_reason, dispatch.ended_at = reason, tx.now
    _stop_clocks(tx, dispatch)
    unit = lock_unit(tx, dispatch.unit_id)
    declined_at = acted_at(tx, dispatch.offered_at)
    note_step(tx, incident, dispatch, "declined", unit, occurred_at=declined_at, reason=reason)
    settle(tx, incident)
    tx.session.flush()
    end_share(tx, with_sight)
    return dispatch


def withdraw(tx: Tx, incident: Incident, dispatch: Dispatch, code: str, **params: Any) -> None:
    """Take an unanswered offer back under the incident's lock; `code` is what the unit is told."""
    dispatch.status = next_status("dispatch", dispatch.status, "cancel", reason=code)
    dispatch.end_reason, dispatch.ended_at = code, tx.now
    _stop_clocks(tx, dispatch)
    note_step(tx, incident, dispatch, "withdrawn", lock_unit(tx, dispatch.unit_id), why=code, **params)


def mark_seen(tx: Tx, dispatch_ids: list[UUID], *, delivered_only: bool = False) -> int:
    """The phone shows (or at least has) these offers. Unknown ones and those of other units are passed over."""
    counted = 0
    for dispatch in tx.session.scalars(
        select(Dispatch).where(Dispatch.id.in_(dispatch_ids), Dispatch.unit_id.in_(tx.actor.unit_ids))
    ):
        dispatch.delivered_at = dispatch.delivered_at or tx.now
        if not delivered_only and dispatch.seen_at is None:
            dispatch.seen_at = tx.now
            note_event(tx, dispatch.incident_id, "seen", dispatch_id=str(dispatch.id))
            counted += 1
    return counted


def expire_offer(tx: Tx, dispatch_id: UUID) -> None:
    """The offer's time is over and nobody answered: back to the queue, and the operator hears it."""
    dispatch = tx.session.get(Dispatch, dispatch_id)
    if dispatch is None:
        return
    incident, dispatch = lock_dispatch(tx, dispatch)
    if dispatch.status == "offered":
        run_out(tx, incident, dispatch)


def run_out(tx: Tx, incident: Incident, dispatch: Dispatch, code: str | None = None) -> None:
    """End an unanswered offer. Of a call-out the next is asked, and only its own end is an alarm."""
    dispatch.status = next_status("dispatch", dispatch.status, "expire")
    dispatch.ended_at, dispatch.end_reason = tx.now, code
    _stop_clocks(tx, dispatch)
    unit = lock_unit(tx, dispatch.unit_id)
    note_step(tx, incident, dispatch, "expired", unit, why=code)
    if dispatch.callout_id is None:
        raise_about(
            tx,
            incident,
            "offer_unheard",
            subject_kind="dispatch",
            subject_id=dispatch.id,
            call_sign=unit.call_sign,
            delivered=dispatch.delivered_at is not None,
        )
    settle(tx, incident)


def _stop_clocks(tx: Tx, dispatch: Dispatch) -> None:
    clear_timer(tx, OFFER_EXPIRES, dispatch.id)
    clear_timer(tx, OFFER_UNDELIVERED, dispatch.id)


def dispatch_overdue(tx: Tx, incident_id: UUID) -> None:
    """Nobody was sent in the class's time."""
    incident = tx.session.get(Incident, incident_id)
    if incident is None or incident.status not in ("open", "returned"):
        return
    raise_about(
        tx,
        incident,
        "dispatch_overdue",
        subject_kind="incident",
        subject_id=incident.id,
    )


def _masked(tx: Tx, incident: Incident, dispatch_id: UUID) -> dict[str, Any]:
    """What a unit may know before it accepts: class, severity and a circle of 300 m that holds the place.

    The centre is moved by up to 200 m in a direction drawn from the dispatch's id, so that repeated reads of the
    same offer tell nothing more.
    """
    if incident.geom is None:
        raise Conflict("incident_not_located", number=incident.number)
    point = to_shape(incident.geom)
    lon, lat = point.x, point.y
    draw = hashlib.sha256(dispatch_id.bytes).digest()
    angle = int.from_bytes(draw[:4], "big") / 2**32 * 2 * math.pi
    offset_m = 200.0 * math.sqrt(int.from_bytes(draw[4:8], "big") / 2**32)
    area_name = None
    if incident.area_version_id is not None:
        area_name = tx.session.scalar(
            select(AreaVersion.name).where(AreaVersion.id == incident.area_version_id)
        )
    return {
        "class_key": incident.class_key,
        "severity": incident.severity,
        "area_name": area_name,
        "circle": {
            "lon": round(
                lon + offset_m * math.sin(angle) / (_METRES_PER_DEGREE * math.cos(math.radians(lat))), 5
            ),
            "lat": round(lat + offset_m * math.cos(angle) / _METRES_PER_DEGREE, 5),
            "radius_m": OFFER_RADIUS_M,
        },
    }
