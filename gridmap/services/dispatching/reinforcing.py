"""What a call for more people sets going: one more of those who can, next in line, besides the alarm."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from gridmap.db.tables import Callout, Dispatch
from gridmap.domain.lifecycle import is_active
from gridmap.domain.response import Place, Rules
from gridmap.domain.vocab import vocabulary
from gridmap.services.dispatching.callouts import write_callout
from gridmap.services.incidents import lock_incident
from gridmap.services.transaction import Tx


def reinforce(tx: Tx, dispatch_id: UUID) -> None:
    """Open a call-out for one more unit, unless one is open already or nobody can say where to send them."""
    dispatch = tx.session.get(Dispatch, dispatch_id)
    if dispatch is None:
        return
    incident = lock_incident(tx, dispatch.incident_id)
    if incident.geom is None or not is_active("incident", incident.status):
        return
    asked = tx.session.scalar(
        select(Callout.id).where(Callout.incident_id == incident.id, Callout.status == "open").limit(1)
    )
    if asked is not None:
        return
    skills = vocabulary().event_class(incident.class_key).capabilities
    place = Place("help", 1, capability=skills[0] if skills else None)
    write_callout(tx, incident, mode="next_in_line", need=(place,), rules=Rules())
