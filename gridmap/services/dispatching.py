"""Sending somebody: the offer, the answer, the way, the scene, the result.

Rows are always locked in the order incident, dispatch, unit, so that two verbs on one job wait and never deadlock.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from geoalchemy2.shape import to_shape
from sqlalchemy import select, update

from gridmap.db.tables import AreaVersion, Blob, Dispatch, Incident, IncidentEvent, Share, Unit
from gridmap.domain.ids import new_id
from gridmap.domain.lifecycle import active_statuses, next_status
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.services.alarms import raise_alarm
from gridmap.services.auditing import audit
from gridmap.services.incidents import lock_incident, touch
from gridmap.services.outbox import publish
from gridmap.services.reports import DISPATCH_DUE
from gridmap.services.timeline import note_event, tell_incident
from gridmap.services.timers import clear_timer, set_timer
from gridmap.services.transaction import SYSTEM_ACTOR, Tx

OFFER_EXPIRES = "dispatch.offer_expires"
OFFER_RADIUS_M = 300
MIN_EXPIRES_S, MAX_EXPIRES_S = 10, 3_600
AFTER_JOB_SEEN = timedelta(hours=12)
MAX_RESULT_NOTE = 2_000
_METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A job for one unit; travel is what the recommendation said, kept to be compared with what came."""

    incident_id: UUID
    unit_id: UUID
    expires_s: int
    travel_s: float | None = None
    distance_m: float | None = None
    travel_method: str | None = None
    reason: str | None = None


def offer(tx: Tx, command: Offer) -> Dispatch:
    """Offer the job to a unit that is free. Raises Conflict("unit_not_available"), Conflict("already_offered")."""
    tx.actor.require("case.dispatch")
    if not MIN_EXPIRES_S <= command.expires_s <= MAX_EXPIRES_S:
        raise Invalid("offer_expires_out_of_range", least=MIN_EXPIRES_S, most=MAX_EXPIRES_S)
    incident = lock_incident(tx, command.incident_id)
    incident.status = next_status("incident", incident.status, "offer")
    unit = _lock_unit(tx, command.unit_id)
    if unit.status != "free":
        raise Conflict("unit_not_available", call_sign=unit.call_sign, status=unit.status)
    dispatch_id = new_id()
    dispatch = Dispatch(
        id=dispatch_id,
        incident_id=incident.id,
        unit_id=unit.id,
        status="offered",
        offered_at=tx.now,
        offered_by=tx.actor.account_id,
        expires_at=tx.now + timedelta(seconds=command.expires_s),
        offer=_masked(tx, incident, dispatch_id),
        travel_s=command.travel_s,
        distance_m=command.distance_m,
        travel_method=command.travel_method,
        drill=incident.drill,
    )
    tx.session.add(dispatch)
    tx.session.flush()
    set_timer(tx, OFFER_EXPIRES, dispatch.id, dispatch.expires_at)
    clear_timer(tx, DISPATCH_DUE, incident.id)
    _tell(tx, dispatch, incident)
    touch(
        tx,
        incident,
        "offered",
        call_sign=unit.call_sign,
        dispatch_id=str(dispatch.id),
        seconds=command.travel_s,
        method=command.travel_method,
        reason=command.reason,
    )
    return dispatch


def accept(tx: Tx, dispatch_id: UUID) -> Dispatch:
    """Take the job. From here the unit sees address, text and exact place.

    Raises Conflict("offer_expired") past its time, Conflict("not_allowed_in_status") when it is gone.
    """
    dispatch = _find(tx, dispatch_id)
    _require_crew(tx, dispatch)
    share_id = new_id()
    tx.session.add(
        Share(
            id=share_id,
            incident_id=dispatch.incident_id,
            unit_id=dispatch.unit_id,
            reason="assigned",
            created_at=tx.now,
            created_by=tx.actor.account_id,
        )
    )
    tx.session.flush()
    incident, dispatch = _lock(tx, dispatch)
    if dispatch.status == "offered" and tx.now > dispatch.expires_at:
        raise Conflict("offer_expired", expired_at=dispatch.expires_at.isoformat())
    dispatch.status = next_status("dispatch", dispatch.status, "accept")
    unit = _lock_unit(tx, dispatch.unit_id)
    if unit.status != "free":
        raise Conflict("unit_not_available", call_sign=unit.call_sign, status=unit.status)
    unit.status, unit.status_at = "busy", tx.now
    dispatch.accepted_at, dispatch.accepted_by = tx.now, tx.actor.account_id
    dispatch.seen_at = dispatch.seen_at or tx.now
    dispatch.delivered_at = dispatch.delivered_at or tx.now
    clear_timer(tx, OFFER_EXPIRES, dispatch.id)
    _step(tx, incident, dispatch, "accepted", unit)
    return dispatch


def decline(tx: Tx, dispatch_id: UUID, *, reason: str | None) -> Dispatch:
    """Say no, with a reason from the list. The incident goes back to the queue when nobody else is on it."""
    if reason:
        vocabulary().term("decline_reason", reason)
    dispatch = _find(tx, dispatch_id)
    _require_crew(tx, dispatch)
    with_sight = _glance(tx, dispatch)
    incident, dispatch = _lock(tx, dispatch)
    dispatch.status = next_status("dispatch", dispatch.status, "decline", reason=reason)
    dispatch.decline_reason, dispatch.ended_at = reason, tx.now
    clear_timer(tx, OFFER_EXPIRES, dispatch.id)
    _step(tx, incident, dispatch, "declined", _lock_unit(tx, dispatch.unit_id), reason=reason)
    _settle(tx, incident)
    tx.session.flush()
    _end_share(tx, with_sight)
    return dispatch


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


def depart(tx: Tx, dispatch_id: UUID) -> Dispatch:
    """On the way."""
    incident, dispatch, unit = _lock_own(tx, dispatch_id)
    dispatch.status = next_status("dispatch", dispatch.status, "depart")
    dispatch.en_route_at = tx.now
    _step(tx, incident, dispatch, "departed", unit)
    return dispatch


def arrive(tx: Tx, dispatch_id: UUID) -> Dispatch:
    """On scene, said by the officer; the server's own proposal stands beside it on the timeline."""
    incident, dispatch, unit = _lock_own(tx, dispatch_id)
    dispatch.status = next_status("dispatch", dispatch.status, "arrive")
    dispatch.en_route_at = dispatch.en_route_at or tx.now
    dispatch.on_scene_at = tx.now
    proposed = dispatch.arrival_proposed_at
    _step(tx, incident, dispatch, "arrived", unit, proposed_at=proposed.isoformat() if proposed else None)
    return dispatch


def undo_arrival(tx: Tx, dispatch_id: UUID) -> Dispatch:
    """Not there yet after all; the proposal starts anew."""
    incident, dispatch, unit = _lock_own(tx, dispatch_id)
    dispatch.status = next_status("dispatch", dispatch.status, "arrive_undo")
    dispatch.on_scene_at = dispatch.arrival_proposed_at = None
    _step(tx, incident, dispatch, "arrival_undone", unit)
    return dispatch


def report_done(tx: Tx, dispatch_id: UUID, *, code: str, note: str, photo_ids: list[UUID]) -> Dispatch:
    """The result. Raises Conflict("photo_required") where the class asks for one and the matter is said solved."""
    vocabulary().term("result", code)
    if len(note) > MAX_RESULT_NOTE:
        raise Invalid("note_length", max_length=MAX_RESULT_NOTE)
    incident, dispatch, unit = _lock_own(tx, dispatch_id)
    dispatch.status = next_status("dispatch", dispatch.status, "done")
    photos = tx.session.scalars(
        select(Blob.id).where(Blob.id.in_(photo_ids), Blob.incident_id == incident.id)
    ).all()
    if len(photos) != len(set(photo_ids)):
        raise Invalid("photo_unknown")
    if code == "solved" and vocabulary().event_class(incident.class_key).photo_required and not photos:
        raise Conflict("photo_required", class_key=incident.class_key)
    dispatch.result = {"code": code, "note": note.strip(), "photos": [str(photo) for photo in photos]}
    dispatch.done_at, dispatch.ended_at, dispatch.done_by = tx.now, tx.now, tx.actor.account_id
    _free(tx, unit)
    _step(tx, incident, dispatch, "done", unit, code=code, note=note.strip() or None, photos=len(photos))
    _settle(tx, incident)
    tx.session.flush()
    _expire_unit_share(tx, dispatch, AFTER_JOB_SEEN)
    return dispatch


def cancel(tx: Tx, dispatch_id: UUID, *, reason: str | None) -> Dispatch:
    """Called off by a seat, at any step before the result."""
    tx.actor.require("case.dispatch")
    incident, dispatch = _lock(tx, _find(tx, dispatch_id))
    was_on_it = dispatch.status != "offered"
    dispatch.status = next_status("dispatch", dispatch.status, "cancel", reason=reason)
    dispatch.ended_at = tx.now
    clear_timer(tx, OFFER_EXPIRES, dispatch.id)
    unit = _lock_unit(tx, dispatch.unit_id)
    if was_on_it:
        _free(tx, unit)
    _step(tx, incident, dispatch, "cancelled", unit, reason=(reason or "").strip())
    _settle(tx, incident)
    _expire_unit_share(tx, dispatch, timedelta(0))
    return dispatch


def expire_offer(tx: Tx, dispatch_id: UUID) -> None:
    """The offer's time is over and nobody answered: back to the queue, and the operator hears it."""
    dispatch = tx.session.get(Dispatch, dispatch_id)
    if dispatch is None:
        return
    incident, dispatch = _lock(tx, dispatch)
    if dispatch.status != "offered":
        return
    dispatch.status = next_status("dispatch", dispatch.status, "expire")
    dispatch.ended_at = tx.now
    unit = _lock_unit(tx, dispatch.unit_id)
    _step(tx, incident, dispatch, "expired", unit)
    raise_alarm(
        tx,
        "offer_unheard",
        severity=incident.severity,
        path=incident.scope_path,
        subject_kind="dispatch",
        subject_id=dispatch.id,
        incident_id=incident.id,
        restricted=incident.restricted,
        drill=incident.drill,
        call_sign=unit.call_sign,
        number=incident.number,
        delivered=dispatch.delivered_at is not None,
    )
    _settle(tx, incident)


def dispatch_overdue(tx: Tx, incident_id: UUID) -> None:
    """Nobody was sent in the class's time."""
    incident = tx.session.get(Incident, incident_id)
    if incident is None or incident.status not in ("open", "returned"):
        return
    raise_alarm(
        tx,
        "dispatch_overdue",
        severity=incident.severity,
        path=incident.scope_path,
        subject_kind="incident",
        subject_id=incident.id,
        incident_id=incident.id,
        restricted=incident.restricted,
        drill=incident.drill,
        number=incident.number,
    )


def propose_arrival(tx: Tx, dispatch_id: UUID, distance_m: float, accuracy_m: float | None) -> None:
    """The positions say the unit is there: noted once, for the officer to confirm."""
    dispatch = tx.session.get(Dispatch, dispatch_id)
    if dispatch is None:
        return
    incident, dispatch = _lock(tx, dispatch)
    if dispatch.status not in ("accepted", "en_route") or dispatch.arrival_proposed_at is not None:
        return
    dispatch.arrival_proposed_at = tx.now
    unit = tx.session.get_one(Unit, dispatch.unit_id)
    _step(
        tx,
        incident,
        dispatch,
        "arrival_proposed",
        unit,
        distance_m=round(distance_m),
        accuracy_m=None if accuracy_m is None else round(accuracy_m),
    )


def _find(tx: Tx, dispatch_id: UUID) -> Dispatch:
    dispatch = tx.session.get(Dispatch, dispatch_id)
    if dispatch is None:
        raise NotFound("dispatch_not_found")
    return dispatch


def _lock(tx: Tx, dispatch: Dispatch) -> tuple[Incident, Dispatch]:
    incident = lock_incident(tx, dispatch.incident_id)
    locked = tx.session.scalars(
        select(Dispatch)
        .where(Dispatch.id == dispatch.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    return incident, locked


def _lock_own(tx: Tx, dispatch_id: UUID) -> tuple[Incident, Dispatch, Unit]:
    dispatch = _find(tx, dispatch_id)
    _require_crew(tx, dispatch)
    incident, dispatch = _lock(tx, dispatch)
    return incident, dispatch, _lock_unit(tx, dispatch.unit_id)


def _lock_unit(tx: Tx, unit_id: UUID) -> Unit:
    unit = tx.session.scalars(
        select(Unit)
        .where(Unit.id == unit_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).first()
    if unit is None:
        raise NotFound("unit_not_found")
    return unit


def _require_crew(tx: Tx, dispatch: Dispatch) -> None:
    """Only the unit's own crew answers; a seat that speaks for it by radio is a later verb, and marked so."""
    if tx.actor is not SYSTEM_ACTOR and dispatch.unit_id not in tx.actor.unit_ids:
        raise Forbidden("not_your_dispatch")


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


def _step(tx: Tx, incident: Incident, dispatch: Dispatch, kind: str, unit: Unit, **params: Any) -> None:
    tx.session.flush()
    _tell(tx, dispatch, incident)
    touch(tx, incident, kind, call_sign=unit.call_sign, dispatch_id=str(dispatch.id), **params)


def _tell(tx: Tx, dispatch: Dispatch, incident: Incident) -> None:
    publish(
        tx,
        "dispatch",
        {
            "id": str(dispatch.id),
            "incident_id": str(dispatch.incident_id),
            "unit_id": str(dispatch.unit_id),
            "status": dispatch.status,
            "drill": dispatch.drill,
        },
        path=incident.scope_path,
        incident_id=incident.id,
        restricted=incident.restricted,
    )


def _settle(tx: Tx, incident: Incident) -> None:
    """When the last unit is off the job: to verification if somebody reported a result, else back to the queue."""
    tx.session.flush()
    statuses = tx.session.execute(
        select(Dispatch.status, Dispatch.done_at).where(Dispatch.incident_id == incident.id)
    ).all()
    if incident.status != "assigned" or any(status in active_statuses("dispatch") for status, _ in statuses):
        return
    since = _work_began(tx, incident)
    done = any(status == "done" and at is not None and at >= since for status, at in statuses)
    incident.status = next_status("incident", incident.status, "report_done" if done else "fall_back")
    incident.version += 1
    if not done:
        set_timer(tx, DISPATCH_DUE, incident.id, max(incident.dispatch_due_at or tx.now, tx.now))
    tx.session.flush()
    tell_incident(tx, incident, "status")


def _work_began(tx: Tx, incident: Incident) -> datetime:
    """A result from before the last return or reopening does not count again."""
    from_event = tx.session.execute(
        select(IncidentEvent.at)
        .where(IncidentEvent.incident_id == incident.id, IncidentEvent.kind.in_(("returned", "reopened")))
        .order_by(IncidentEvent.at.desc())
        .limit(1)
    ).scalar()
    return from_event or incident.reported_at - timedelta(days=36_500)


def _free(tx: Tx, unit: Unit) -> None:
    unit.status, unit.status_at = "free", tx.now


def _glance(tx: Tx, dispatch: Dispatch) -> UUID:
    """Sight of the incident for the length of this transaction, so that its row can be locked."""
    share_id = new_id()
    tx.session.add(
        Share(
            id=share_id,
            incident_id=dispatch.incident_id,
            unit_id=dispatch.unit_id,
            reason="declining",
            created_at=tx.now,
            created_by=tx.actor.account_id,
        )
    )
    tx.session.flush()
    return share_id


def _end_share(tx: Tx, share_id: UUID) -> None:
    tx.session.execute(update(Share).where(Share.id == share_id).values(expires_at=tx.now))


def _expire_unit_share(tx: Tx, dispatch: Dispatch, after: timedelta) -> None:
    tx.session.execute(
        update(Share)
        .where(
            Share.incident_id == dispatch.incident_id,
            Share.unit_id == dispatch.unit_id,
            Share.expires_at.is_(None),
        )
        .values(expires_at=tx.now + after)
    )
    if after == timedelta(0):
        audit(tx, "share.end", "incident", dispatch.incident_id, unit_id=str(dispatch.unit_id))
