"""What a seat does with an incident: take it, correct it, link it, close it, and open it again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from geoalchemy2 import WKTElement
from sqlalchemy import func, select, text

from gridmap.db.tables import Account, Dispatch, HandOver, Incident, Share
from gridmap.domain.actor import is_below
from gridmap.domain.lifecycle import active_statuses, is_active, next_status
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.services.areas import locate
from gridmap.services.auditing import audit
from gridmap.services.dispatching.needs import review_all_of
from gridmap.services.plan_due import look_for_plan
from gridmap.services.reports import DISPATCH_DUE, checked_lonlat
from gridmap.services.timeline import note_event, tell_incident
from gridmap.services.timers import clear_timer, set_timer
from gridmap.services.transaction import Tx

MAX_NOTE = 2_000
MAX_REASON = 500
VERIFY_OUTCOMES = frozenset({"solved", "not_found", "handed_over", "not_possible"})


def lock_incident(tx: Tx, incident_id: UUID, version: int | None = None) -> Incident:
    """The row, locked until the transaction ends.

    Raises NotFound when the actor cannot see it, Forbidden when they see it but may not change it, and
    Conflict("version_conflict") when it is no longer the version that the caller looked at.
    """
    incident = tx.session.scalars(
        select(Incident)
        .where(Incident.id == incident_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).first()
    if incident is None:
        seen = tx.session.scalar(select(Incident.id).where(Incident.id == incident_id))
        raise NotFound("incident_not_found") if seen is None else Forbidden("out_of_write_scope")
    if version is not None and version != incident.version:
        raise Conflict("version_conflict", version=incident.version)
    return incident


def touch(
    tx: Tx,
    incident: Incident,
    kind: str,
    *,
    old_path: str | None = None,
    occurred_at: datetime | None = None,
    **params: Any,
) -> None:
    """Note what was done, count the version up and let screens know."""
    incident.version += 1
    note_event(tx, incident.id, kind, occurred_at=occurred_at, **params)
    tx.session.flush()
    tell_incident(tx, incident, kind, old_path=old_path)


def take_handling(
    tx: Tx,
    incident_id: UUID,
    *,
    take_over: bool = False,
    reason: str | None = None,
    version: int | None = None,
) -> Incident:
    """One seat handles; another may take over, and says why. Raises Conflict("handled_by_another", name)."""
    incident = _to_change(tx, incident_id, version)
    me = _account_id(tx)
    if incident.handler_account_id == me:
        return incident
    previous = incident.handler_account_id
    if previous is not None and not take_over:
        name = tx.session.scalar(select(Account.display_name).where(Account.id == previous))
        raise Conflict("handled_by_another", account_id=str(previous), name=name)
    if previous is not None:
        reason = _reason(reason)
    incident.handler_account_id, incident.handler_since = me, tx.now
    if incident.restricted:
        _keep_in_sight(tx, incident, me)
    kind = "handling_taken" if previous is None else "handling_taken_over"
    touch(tx, incident, kind, reason=reason, previous=str(previous) if previous else None)
    return incident


def reclassify(
    tx: Tx,
    incident_id: UUID,
    *,
    class_key: str,
    severity: int | None,
    reason: str | None,
    version: int | None = None,
) -> Incident:
    """Another class, another severity, or both. Clocks start again from the report's time."""
    incident = _to_change(tx, incident_id, version)
    event_class = vocabulary().event_class(class_key)
    wanted = severity if severity is not None else event_class.severity
    clocks = vocabulary().term("severity", str(wanted)).extra
    reason = _reason(reason)
    old = {"class_key": incident.class_key, "severity": incident.severity}
    incident.class_key, incident.severity = event_class.key, wanted
    if event_class.restricted and not incident.restricted:
        _keep_in_sight(tx, incident, _account_id(tx))
    incident.restricted = event_class.restricted
    incident.dispatch_due_at = incident.reported_at + timedelta(minutes=clocks["dispatch_min"])
    incident.finish_due_at = incident.reported_at + timedelta(minutes=clocks["finish_min"])
    if incident.status in ("open", "returned"):
        set_timer(tx, DISPATCH_DUE, incident.id, max(incident.dispatch_due_at, tx.now))
    look_for_plan(tx, incident.id)
    touch(tx, incident, "reclassified", old=old, class_key=event_class.key, severity=wanted, reason=reason)
    return incident


def move_pin(
    tx: Tx,
    incident_id: UUID,
    *,
    lon: float,
    lat: float,
    crs: str = "WGS84",
    reason: str | None,
    version: int | None = None,
) -> Incident:
    """Correct where it is. The report keeps the place it came with; the scope follows the new one."""
    incident = _to_change(tx, incident_id, version)
    if incident.geom is not None:
        reason = _reason(reason)
    new_lon, new_lat = checked_lonlat(lon, lat, crs)
    located = locate(tx.session, new_lon, new_lat, tx.now)
    old_path, old_method = incident.scope_path, incident.location_method
    new_path = located.path or old_path
    if new_path != old_path and not any(is_below(new_path, root) for root in tx.actor.case_paths):
        # Whoever moves it out of their own area still sees what becomes of it.
        _keep_in_sight(tx, incident, _account_id(tx))
    incident.geom = WKTElement(f"POINT({new_lon!r} {new_lat!r})", srid=4326)
    incident.location_method, incident.location_radius_m = "pin", None
    incident.area_id, incident.area_version_id = located.area_id, located.area_version_id
    incident.scope_path = new_path
    look_for_plan(tx, incident.id)
    touch(
        tx,
        incident,
        "moved",
        old_path=old_path,
        lon=new_lon,
        lat=new_lat,
        old_method=old_method,
        reason=reason,
    )
    return incident


def add_note(tx: Tx, incident_id: UUID, words: str) -> Incident:
    """A remark on the timeline, in any status."""
    if not words.strip() or len(words) > MAX_NOTE:
        raise Invalid("note_length", max_length=MAX_NOTE)
    tx.actor.require("case.handle")
    incident = lock_incident(tx, incident_id)
    touch(tx, incident, "noted", text=words.strip())
    return incident


def mark_duplicate(
    tx: Tx, incident_id: UUID, *, of: UUID, reason: str | None, version: int | None = None
) -> Incident:
    """Close it as the same as another, which is told; chains are followed to their end. Raises Conflict on a loop."""
    tx.actor.require("case.handle")
    first, second = sorted((incident_id, of))
    if first == second:
        raise Conflict("duplicate_of_itself")
    locked = {key: lock_incident(tx, key) for key in (first, second)}
    incident, original = locked[incident_id], locked[of]
    if version is not None and version != incident.version:
        raise Conflict("version_conflict", version=incident.version)
    if original.duplicate_of is not None:
        raise Conflict("original_is_a_duplicate", of=str(original.duplicate_of))
    if incident.drill != original.drill:
        raise Conflict("drill_and_real_do_not_mix")
    _refuse_open_dispatch(tx, incident)
    incident.status = next_status("incident", incident.status, "duplicate", reason=reason)
    incident.duplicate_of = original.id
    _close(tx, incident, "duplicate")
    touch(tx, incident, "marked_duplicate", of=original.number, reason=_reason(reason))
    touch(tx, original, "duplicate_linked", number=incident.number)
    return incident


def void(tx: Tx, incident_id: UUID, *, reason: str | None, version: int | None = None) -> Incident:
    """Take it out of the work: a test, a wrong entry. It stays in the books with its reason."""
    incident = _to_change(tx, incident_id, version)
    _refuse_open_dispatch(tx, incident)
    incident.status = next_status("incident", incident.status, "void", reason=reason)
    _close(tx, incident, "void")
    touch(tx, incident, "voided", reason=_reason(reason))
    return incident


def verify_and_close(
    tx: Tx, incident_id: UUID, *, outcome: str, note: str | None = None, version: int | None = None
) -> Incident:
    """Verify what was done and close. Not while a dispatch is open, and not by the person who did the job.

    Closing without a job done needs words that say on what ground.
    """
    tx.actor.require("case.verify")
    incident = lock_incident(tx, incident_id, version)
    if outcome not in VERIFY_OUTCOMES:
        raise Invalid("outcome_unknown", given=outcome, known=sorted(VERIFY_OUTCOMES))
    _refuse_open_dispatch(tx, incident)
    _refuse_own_work(tx, incident)
    if incident.status != "awaiting_verification" and not (note or "").strip():
        raise Invalid("reason_needed", verb="close")
    if len(note or "") > MAX_NOTE:
        raise Invalid("note_length", max_length=MAX_NOTE)
    if outcome == "handed_over":
        _refuse_without_hand_over(tx, incident)
    incident.status = next_status("incident", incident.status, "close")
    _close(tx, incident, outcome)
    audit(tx, "incident.close", "incident", incident.id, outcome=outcome)
    touch(tx, incident, "closed", outcome=outcome, note=(note or "").strip() or None)
    return incident


def return_incident(tx: Tx, incident_id: UUID, *, reason: str | None, version: int | None = None) -> Incident:
    """Not good enough: back to work, with the reason."""
    tx.actor.require("case.verify")
    incident = lock_incident(tx, incident_id, version)
    _refuse_own_work(tx, incident)
    incident.status = next_status("incident", incident.status, "return", reason=reason)
    touch(tx, incident, "returned", reason=_reason(reason))
    return incident


def reopen(tx: Tx, incident_id: UUID, *, reason: str | None, version: int | None = None) -> Incident:
    """Open a closed one again; what it was and why it was closed stays on the timeline."""
    tx.actor.require("case.handle")
    incident = lock_incident(tx, incident_id, version)
    incident.status = next_status("incident", incident.status, "reopen", reason=reason)
    old_outcome, incident.outcome, incident.closed_at = incident.outcome, None, None
    incident.duplicate_of = None
    touch(tx, incident, "reopened", reason=_reason(reason), old_outcome=old_outcome)
    return incident


def has_open_dispatch(tx: Tx, incident_id: UUID) -> bool:
    """True while a unit is offered the job or on it."""
    count = tx.session.scalar(
        select(func.count()).where(
            Dispatch.incident_id == incident_id, Dispatch.status.in_(active_statuses("dispatch"))
        )
    )
    return bool(count)


def _to_change(tx: Tx, incident_id: UUID, version: int | None) -> Incident:
    tx.actor.require("case.handle")
    incident = lock_incident(tx, incident_id, version)
    if not is_active("incident", incident.status):
        raise Conflict("not_allowed_in_status", noun="incident", status=incident.status)
    return incident


def _close(tx: Tx, incident: Incident, outcome: str) -> None:
    incident.outcome, incident.closed_at = outcome, tx.now
    clear_timer(tx, DISPATCH_DUE, incident.id)
    review_all_of(tx, incident.id)


def _refuse_open_dispatch(tx: Tx, incident: Incident) -> None:
    if has_open_dispatch(tx, incident.id):
        raise Conflict("dispatch_open", number=incident.number)


def _refuse_without_hand_over(tx: Tx, incident: Incident) -> None:
    """Handed over is only what an agency said that it took."""
    taken = tx.session.scalar(
        select(HandOver.id)
        .where(
            HandOver.incident_id == incident.id,
            HandOver.direction == "out",
            HandOver.status == "acknowledged",
        )
        .limit(1)
    )
    if taken is None:
        raise Conflict("hand_over_not_acknowledged", number=incident.number)


def _refuse_own_work(tx: Tx, incident: Incident) -> None:
    """Persons are compared, not accounts: a second log-in of the same person does not verify its own work."""
    own = tx.session.scalar(
        text(
            "select exists (select from dispatch d left join account a on a.id = d.done_by"
            " where d.incident_id = :incident and d.status = 'done'"
            " and (d.done_by = :account or (a.person_id is not null and a.person_id = :person)))"
        ),
        {"incident": incident.id, "account": tx.actor.account_id, "person": tx.actor.person_id},
    )
    if own:
        raise Conflict("verifier_is_handler")


def _keep_in_sight(tx: Tx, incident: Incident, account_id: UUID) -> None:
    """A restricted case is seen by the assigned only: the seat that handles it is one of them."""
    tx.session.add(
        Share(
            incident_id=incident.id,
            account_id=account_id,
            reason="handling",
            created_at=tx.now,
            created_by=account_id,
        )
    )
    tx.session.flush()


def _account_id(tx: Tx) -> UUID:
    if tx.actor.account_id is None:
        raise Forbidden("needs_a_person")
    return tx.actor.account_id


def _reason(reason: str | None) -> str:
    cleaned = (reason or "").strip()
    if not cleaned:
        raise Invalid("reason_needed")
    if len(cleaned) > MAX_REASON:
        raise Invalid("reason_too_long", max_length=MAX_REASON)
    return cleaned
