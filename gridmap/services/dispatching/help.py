"""What an officer, or a seat for them, says from the job: more people are needed, the door stays shut."""

from __future__ import annotations

from uuid import UUID

from gridmap.db.tables import Dispatch, Incident, Unit
from gridmap.domain.lifecycle import active_statuses
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Conflict, Invalid
from gridmap.services.alarms import raise_about
from gridmap.services.dispatching.rows import acted_at, find_dispatch, lock_dispatch, tell_dispatch
from gridmap.services.incidents import touch
from gridmap.services.timers import set_timer
from gridmap.services.transaction import Tx

HELP_WANTED = "dispatch.help_wanted"
MAX_WORDS = 500


def ask_for_help(tx: Tx, dispatch_id: UUID, *, note: str | None) -> Dispatch:
    """More people are needed here: an alarm of the highest severity to the seats of the incident's area.

    The worker opens a call-out for one more (`reinforce`): whoever asks may not dispatch anybody themselves.
    """
    dispatch = _say(tx, dispatch_id, event="help_asked", alarm="need_help", severity=1, note=_words(note))
    set_timer(tx, HELP_WANTED, dispatch.id, tx.now)
    return dispatch


def cannot_enter(tx: Tx, dispatch_id: UUID, *, reason: str, note: str | None) -> Dispatch:
    """The unit is there and does not get in; `reason` is of the list `blocked_reason`."""
    vocabulary().term("blocked_reason", reason)
    return _say(
        tx,
        dispatch_id,
        event="entry_blocked",
        alarm="entry_blocked",
        severity=2,
        note=_words(note),
        reason=reason,
    )


def lock_job(tx: Tx, dispatch_id: UUID) -> tuple[Incident, Dispatch]:
    """The job, for its own crew or a seat that may dispatch. Raises Conflict when it is not taken or is over."""
    found = find_dispatch(tx, dispatch_id)
    if found.unit_id not in tx.actor.unit_ids:
        tx.actor.require("case.dispatch")
    incident, dispatch = lock_dispatch(tx, found)
    if dispatch.status not in active_statuses("dispatch") - {"offered"}:
        raise Conflict("not_allowed_in_status", noun="dispatch", status=dispatch.status)
    return incident, dispatch


def _say(
    tx: Tx,
    dispatch_id: UUID,
    *,
    event: str,
    alarm: str,
    severity: int,
    note: str | None,
    reason: str | None = None,
) -> Dispatch:
    incident, dispatch = lock_job(tx, dispatch_id)
    unit = tx.session.get_one(Unit, dispatch.unit_id)
    via = None if dispatch.unit_id in tx.actor.unit_ids else "radio"
    said = {
        name: value for name, value in (("reason", reason), ("note", note), ("via", via)) if value is not None
    }
    touch(
        tx,
        incident,
        event,
        occurred_at=acted_at(tx, dispatch.accepted_at),
        call_sign=unit.call_sign,
        dispatch_id=str(dispatch.id),
        **said,
    )
    tell_dispatch(tx, dispatch, incident)
    raise_about(
        tx,
        incident,
        alarm,
        severity=min(severity, incident.severity),
        subject_kind="dispatch",
        subject_id=dispatch.id,
        call_sign=unit.call_sign,
        **({"reason": reason} if reason else {}),
    )
    return dispatch


def _words(note: str | None) -> str | None:
    cleaned = (note or "").strip()
    if len(cleaned) > MAX_WORDS:
        raise Invalid("note_length", max_length=MAX_WORDS)
    return cleaned or None
