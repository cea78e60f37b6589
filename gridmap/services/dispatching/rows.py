"""What every verb on a dispatch begins and ends with: locks, sight, telling, and whose turn it is after.

Rows are always locked in the order incident, dispatch, unit, so that two verbs on one job wait and never deadlock.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from gridmap.db.tables import Dispatch, Incident, IncidentEvent, Share, Unit
from gridmap.domain.ids import new_id
from gridmap.domain.lifecycle import active_statuses, next_status
from gridmap.domain.told_later import within
from gridmap.errors import Forbidden, NotFound
from gridmap.services.auditing import audit
from gridmap.services.dispatching.clocks import wind
from gridmap.services.dispatching.needs import review_soon
from gridmap.services.incidents import lock_incident, touch
from gridmap.services.outbox import publish
from gridmap.services.reports import DISPATCH_DUE
from gridmap.services.timeline import tell_incident
from gridmap.services.timers import set_timer
from gridmap.services.transaction import SYSTEM_ACTOR, Tx


def find_dispatch(tx: Tx, dispatch_id: UUID) -> Dispatch:
    dispatch = tx.session.get(Dispatch, dispatch_id)
    if dispatch is None:
        raise NotFound("dispatch_not_found")
    return dispatch


def lock_dispatch(tx: Tx, dispatch: Dispatch) -> tuple[Incident, Dispatch]:
    incident = lock_incident(tx, dispatch.incident_id)
    locked = tx.session.scalars(
        select(Dispatch)
        .where(Dispatch.id == dispatch.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    return incident, locked


def lock_own(tx: Tx, dispatch_id: UUID) -> tuple[Incident, Dispatch, Unit]:
    dispatch = find_dispatch(tx, dispatch_id)
    require_crew(tx, dispatch)
    incident, dispatch = lock_dispatch(tx, dispatch)
    return incident, dispatch, lock_unit(tx, dispatch.unit_id)


def lock_unit(tx: Tx, unit_id: UUID) -> Unit:
    unit = tx.session.scalars(
        select(Unit)
        .where(Unit.id == unit_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).first()
    if unit is None:
        raise NotFound("unit_not_found")
    return unit


def require_crew(tx: Tx, dispatch: Dispatch) -> None:
    """Only the unit's own crew answers; a seat that speaks for it by radio acts as crew: see `radio`."""
    if tx.actor is not SYSTEM_ACTOR and dispatch.unit_id not in tx.actor.unit_ids:
        raise Forbidden("not_your_dispatch")


def acted_at(tx: Tx, *earlier: datetime | None) -> datetime:
    """When the crew did it: now, or when they tapped without a line, though never before the step before it."""
    return within(tx.now, tx.acted_at, *earlier)


def note_step(
    tx: Tx,
    incident: Incident,
    dispatch: Dispatch,
    kind: str,
    unit: Unit,
    *,
    occurred_at: datetime | None = None,
    **params: Any,
) -> None:
    """The step stands on the timeline and is told, and the clock of the next one runs."""
    if tx.via is not None:
        params["via"] = tx.via
    wind(tx, dispatch, incident.severity)
    tx.session.flush()
    review_soon(tx, dispatch.callout_id)
    tell_dispatch(tx, dispatch, incident)
    touch(
        tx,
        incident,
        kind,
        occurred_at=occurred_at,
        call_sign=unit.call_sign,
        dispatch_id=str(dispatch.id),
        **params,
    )


def tell_dispatch(tx: Tx, dispatch: Dispatch, incident: Incident) -> None:
    publish(
        tx,
        "dispatch",
        {
            "id": str(dispatch.id),
            "incident_id": str(dispatch.incident_id),
            "unit_id": str(dispatch.unit_id),
            "status": dispatch.status,
            "reason": dispatch.end_reason,
            "drill": dispatch.drill,
        },
        path=incident.scope_path,
        incident_id=incident.id,
        restricted=incident.restricted,
    )


def settle(tx: Tx, incident: Incident) -> None:
    """When the last unit is off the job: to verification if somebody reported a result, else back to the queue."""
    tx.session.flush()
    statuses = tx.session.execute(
        select(Dispatch.status, Dispatch.ended_at).where(Dispatch.incident_id == incident.id)
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


def set_free(tx: Tx, unit: Unit) -> None:
    unit.status, unit.status_at = "free", tx.now


def lend_sight(tx: Tx, dispatch: Dispatch) -> UUID:
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


def end_share(tx: Tx, share_id: UUID) -> None:
    tx.session.execute(update(Share).where(Share.id == share_id).values(expires_at=tx.now))


def end_unit_share(tx: Tx, dispatch: Dispatch, after: timedelta) -> None:
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
