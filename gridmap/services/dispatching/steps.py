"""From acceptance to the result: the way, the scene, what was done, and calling it off."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from gridmap.db.tables import Dispatch, Unit
from gridmap.domain.lifecycle import next_status
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Conflict, Invalid
from gridmap.services.dispatching.offers import OFFER_EXPIRES
from gridmap.services.dispatching.result_files import require_files
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
RADIO = "radio"
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
    tx: Tx,
    dispatch_id: UUID,
    *,
    code: str,
    note: str,
    photo_ids: list[UUID],
    voice_id: UUID | None = None,
    photo_follows: bool = False,
) -> Dispatch:
    """The result, with photos and a voice note that were uploaded before.

    Where the class asks for a photo of what is said solved, the crew has to bring one. Over the radio nobody can: the
    result then says in its `photo` that one "follows", which the crew's phone asks for, or that there is "none".

    Raises Conflict("photo_required"), Conflict("reported_by_another") when somebody else has told a result already,
    Invalid("photo_unknown") and Invalid("voice_unknown") for files of another incident.
    """
    vocabulary().term("result", code)
    if len(note) > MAX_RESULT_NOTE:
        raise Invalid("note_length", max_length=MAX_RESULT_NOTE)
    incident, dispatch, unit = lock_own(tx, dispatch_id)
    _refuse_second_result(tx, dispatch)
    dispatch.status = next_status("dispatch", dispatch.status, "done")
    photos, voice = require_files(tx, incident.id, photo_ids, voice_id)
    dispatch.result = {"code": code, "note": note.strip(), "photos": photos}
    if voice is not None:
        dispatch.result["voice"] = voice
    photo = None
    if code == "solved" and not photos and vocabulary().event_class(incident.class_key).photo_required:
        if tx.via is None:
            raise Conflict("photo_required", class_key=incident.class_key)
        photo = dispatch.result["photo"] = "follows" if photo_follows else "none"
    dispatch.done_at, dispatch.done_by = acted_at(tx, dispatch.on_scene_at), tx.actor.account_id
    dispatch.ended_at = tx.now
    set_free(tx, unit)
    note_step(
        tx,
        incident,
        dispatch,
        "done",
        unit,
        occurred_at=dispatch.done_at,
        code=code,
        note=note.strip() or None,
        photos=len(photos),
        photo=photo,
    )
    settle(tx, incident)
    tx.session.flush()
    end_unit_share(tx, dispatch, AFTER_JOB_SEEN)
    return dispatch


def _refuse_second_result(tx: Tx, dispatch: Dispatch) -> None:
    """A phone without a line may hold words and photos of a job that a seat or the partner has reported meanwhile."""
    if dispatch.status == "done" and dispatch.done_by != tx.actor.account_id:
        by = RADIO if "done" in dispatch.radio_steps else "crew"
        raise Conflict(
            "reported_by_another", by=by, done_at=dispatch.done_at and dispatch.done_at.isoformat()
        )


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
