"""From acceptance to the result: the way, the scene, what was done, and calling it off."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from gridmap.db.tables import Blob, Dispatch, Unit
from gridmap.domain.lifecycle import next_status
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Conflict, Invalid
from gridmap.services.dispatching.offers import OFFER_EXPIRES
from gridmap.services.dispatching.rows import (
    acted_at,
    end_unit_share,
    find_dispatch,
    lock_dispatch,
    lock_own,
    lock_unit,
    note_step,
    set_free,
    settle,
)
from gridmap.services.timers import clear_timer
from gridmap.services.transaction import Tx

AFTER_JOB_SEEN = timedelta(hours=12)
MAX_RESULT_NOTE = 2_000
# Whoever just said "not there yet" is not asked again with the next fix.
PROPOSED_AGAIN_AFTER = timedelta(seconds=60)
_ON_THE_WAY = ("accepted", "en_route")


def depart(tx: Tx, dispatch_id: UUID) -> Dispatch:
    """On the way."""
    incident, dispatch, unit = lock_own(tx, dispatch_id)
    dispatch.status = next_status("dispatch", dispatch.status, "depart")
    dispatch.en_route_at = acted_at(tx, dispatch.accepted_at)
    note_step(tx, incident, dispatch, "departed", unit, occurred_at=dispatch.en_route_at)
    return dispatch


def arrive(tx: Tx, dispatch_id: UUID) -> Dispatch:
    """On scene, said by the officer; the server's own proposal stands beside it on the timeline."""
    incident, dispatch, unit = lock_own(tx, dispatch_id)
    dispatch.status = next_status("dispatch", dispatch.status, "arrive")
    dispatch.on_scene_at = acted_at(tx, dispatch.accepted_at, dispatch.en_route_at)
    dispatch.en_route_at = dispatch.en_route_at or dispatch.on_scene_at
    proposed = dispatch.arrival_proposed_at
    note_step(
        tx,
        incident,
        dispatch,
        "arrived",
        unit,
        occurred_at=dispatch.on_scene_at,
        proposed_at=proposed.isoformat() if proposed else None,
    )
    return dispatch


def undo_arrival(tx: Tx, dispatch_id: UUID) -> Dispatch:
    """Not there yet after all: what was said, or what the server only proposed. The proposal starts anew."""
    incident, dispatch, unit = lock_own(tx, dispatch_id)
    if dispatch.status in _ON_THE_WAY and dispatch.arrival_proposed_at is not None:
        kind = "arrival_dismissed"
    else:
        kind = "arrival_undone"
        dispatch.status = next_status("dispatch", dispatch.status, "arrive_undo")
    undone_at = acted_at(tx, dispatch.en_route_at, dispatch.on_scene_at)
    dispatch.on_scene_at = dispatch.arrival_proposed_at = None
    dispatch.arrival_undone_at = tx.now
    note_step(tx, incident, dispatch, kind, unit, occurred_at=undone_at)
    return dispatch


def report_done(
    tx: Tx, dispatch_id: UUID, *, code: str, note: str, photo_ids: list[UUID], voice_id: UUID | None = None
) -> Dispatch:
    """The result, with photos and a voice note that were uploaded before.

    Raises Conflict("photo_required") where the class asks for one and the matter is said solved,
    Invalid("photo_unknown") and Invalid("voice_unknown") for files of another incident.
    """
    vocabulary().term("result", code)
    if len(note) > MAX_RESULT_NOTE:
        raise Invalid("note_length", max_length=MAX_RESULT_NOTE)
    incident, dispatch, unit = lock_own(tx, dispatch_id)
    dispatch.status = next_status("dispatch", dispatch.status, "done")
    photos = _files_of(tx, incident.id, photo_ids, "image/")
    voices = _files_of(tx, incident.id, [voice_id] if voice_id else [], "audio/")
    if voice_id is not None and not voices:
        raise Invalid("voice_unknown")
    if len(photos) != len(set(photo_ids)):
        raise Invalid("photo_unknown")
    photo_required = vocabulary().event_class(incident.class_key).photo_required
    # Over the radio nobody hands a photo in; whoever verifies sees that it came that way.
    if code == "solved" and photo_required and not photos and tx.via is None:
        raise Conflict("photo_required", class_key=incident.class_key)
    dispatch.result = {"code": code, "note": note.strip(), "photos": [str(photo) for photo in photos]}
    if voices:
        dispatch.result["voice"] = str(voices[0])
    dispatch.done_at, dispatch.done_by = acted_at(tx, dispatch.on_scene_at), tx.actor.account_id
    dispatch.ended_at = tx.now
    set_free(tx, unit)
    note_step(tx, incident, dispatch, "done", unit, code=code, note=note.strip() or None, photos=len(photos))
    settle(tx, incident)
    tx.session.flush()
    end_unit_share(tx, dispatch, AFTER_JOB_SEEN)
    return dispatch


def _files_of(tx: Tx, incident_id: UUID, ids: list[UUID], mime_prefix: str) -> list[UUID]:
    """Which of these are files of the incident of that kind: a voice note is no photo."""
    found = select(Blob.id).where(
        Blob.id.in_(ids), Blob.incident_id == incident_id, Blob.mime.startswith(mime_prefix)
    )
    return list(tx.session.scalars(found))


def cancel(tx: Tx, dispatch_id: UUID, *, reason: str | None) -> Dispatch:
    """Called off by a seat, at any step before the result."""
    tx.actor.require("case.dispatch")
    incident, dispatch = lock_dispatch(tx, find_dispatch(tx, dispatch_id))
    was_on_it = dispatch.status != "offered"
    dispatch.status = next_status("dispatch", dispatch.status, "cancel", reason=reason)
    dispatch.ended_at = tx.now
    clear_timer(tx, OFFER_EXPIRES, dispatch.id)
    unit = lock_unit(tx, dispatch.unit_id)
    if was_on_it:
        set_free(tx, unit)
    note_step(tx, incident, dispatch, "cancelled", unit, reason=(reason or "").strip())
    settle(tx, incident)
    end_unit_share(tx, dispatch, timedelta(0))
    return dispatch


def propose_arrival(tx: Tx, dispatch_id: UUID, distance_m: float, accuracy_m: float | None) -> None:
    """The positions say the unit is there: noted once, for the officer to confirm."""
    dispatch = tx.session.get(Dispatch, dispatch_id)
    if dispatch is None:
        return
    incident, dispatch = lock_dispatch(tx, dispatch)
    if dispatch.status not in _ON_THE_WAY or dispatch.arrival_proposed_at is not None:
        return
    if dispatch.arrival_undone_at is not None and tx.now - dispatch.arrival_undone_at < PROPOSED_AGAIN_AFTER:
        return
    dispatch.arrival_proposed_at = tx.now
    unit = tx.session.get_one(Unit, dispatch.unit_id)
    note_step(
        tx,
        incident,
        dispatch,
        "arrival_proposed",
        unit,
        distance_m=round(distance_m),
        accuracy_m=None if accuracy_m is None else round(accuracy_m),
    )
