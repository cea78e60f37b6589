"""What comes after a result: the photo that was promised over the radio or cannot be had, words that arrived late."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gridmap.db.tables import Dispatch
from gridmap.errors import Conflict, Forbidden, Invalid
from gridmap.services.dispatching.result_files import require_files
from gridmap.services.dispatching.rows import (
    acted_at,
    find_dispatch,
    lock_dispatch,
    lock_own,
    lock_unit,
    tell_dispatch,
)
from gridmap.services.incidents import touch
from gridmap.services.transaction import Tx

MAX_NOTE = 2_000
MAX_REASON = 500
MOST_ADDED = 10


def add_to_result(
    tx: Tx, dispatch_id: UUID, *, note: str, photo_ids: list[UUID], voice_id: UUID | None = None
) -> Dispatch:
    """Words, photos or a voice of the crew's own, beside the result that stands; nothing of it is overwritten.

    The same again changes nothing: its answer was lost on the way. Raises Conflict("not_allowed_in_status") before
    there is a result, Conflict("incident_closed") once it was verified, Invalid("nothing_to_add"), and what
    `require_files` raises.
    """
    words = note.strip()
    if len(words) > MAX_NOTE:
        raise Invalid("note_length", max_length=MAX_NOTE)
    if not words and not photo_ids and voice_id is None:
        raise Invalid("nothing_to_add")
    incident, dispatch, unit = lock_own(tx, dispatch_id)
    if dispatch.status != "done" or dispatch.result is None:
        raise Conflict("not_allowed_in_status", noun="dispatch", status=dispatch.status, verb="supplement")
    added: list[dict[str, Any]] = dispatch.result.get("added", [])
    photos, voice = require_files(tx, incident.id, photo_ids, voice_id)
    line = {"note": words or None, "photos": photos, "voice": voice}
    if any({name: old[name] for name in line} == line for old in added):
        return dispatch
    if incident.status == "closed":
        raise Conflict("incident_closed", number=incident.number)
    if len(added) >= MOST_ADDED:
        raise Conflict("too_much_added", most=MOST_ADDED)
    at = acted_at(tx)
    result = {**dispatch.result, "added": [*added, {"at": at.isoformat(), **line}]}
    result["photos"] = [*result["photos"], *photos]
    if photos:
        result.pop("photo", None)
        result.pop("photo_reason", None)
    dispatch.result = result
    tell_dispatch(tx, dispatch, incident)
    touch(
        tx,
        incident,
        "result_added",
        occurred_at=at,
        call_sign=unit.call_sign,
        dispatch_id=str(dispatch.id),
        note=words or None,
        photos=len(photos),
    )
    return dispatch


def no_photo(tx: Tx, dispatch_id: UUID, *, reason: str) -> Dispatch:
    """The photo that was promised cannot be taken, and why; it is asked for no more. Said by the crew or a seat.

    The same again changes nothing. Raises Invalid("reason_needed"), Conflict("no_photo_owed"), ("incident_closed").
    """
    words = reason.strip()
    if not words or len(words) > MAX_REASON:
        raise Invalid("reason_needed", verb="no_photo")
    dispatch = find_dispatch(tx, dispatch_id)
    is_crew = dispatch.unit_id in tx.actor.unit_ids
    if not is_crew:
        tx.actor.require("case.dispatch")
    incident, dispatch = lock_dispatch(tx, dispatch)
    if not is_crew and not tx.actor.writes_in(incident.scope_path):
        raise Forbidden("out_of_write_scope")
    result = dispatch.result or {}
    if result.get("photo") == "impossible":
        return dispatch
    if result.get("photo") != "follows":
        raise Conflict("no_photo_owed")
    if incident.status == "closed":
        raise Conflict("incident_closed", number=incident.number)
    dispatch.result = {**result, "photo": "impossible", "photo_reason": words}
    tell_dispatch(tx, dispatch, incident)
    touch(
        tx,
        incident,
        "photo_impossible",
        occurred_at=acted_at(tx, dispatch.done_at) if is_crew else None,
        call_sign=lock_unit(tx, dispatch.unit_id).call_sign,
        dispatch_id=str(dispatch.id),
        reason=words,
    )
    return dispatch
