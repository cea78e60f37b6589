"""The incident's timeline: append only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from gridmap.db.tables import Incident, IncidentEvent, Outbox
from gridmap.services.outbox import publish
from gridmap.services.transaction import Tx


def note_event(
    tx: Tx, incident_id: UUID, kind: str, *, occurred_at: datetime | None = None, **params: Any
) -> None:
    """Append one event. Parameters are codes, ids and the words somebody wrote, never composed prose.

    `occurred_at` stands beside the time of recording only where the two differ.
    """
    tx.session.add(
        IncidentEvent(
            incident_id=incident_id,
            at=tx.now,
            occurred_at=occurred_at if occurred_at != tx.now else None,
            kind=kind,
            actor_account_id=tx.actor.account_id,
            actor_name=tx.actor.display_name,
            params=params,
        )
    )


def tell_incident(tx: Tx, incident: Incident, kind: str, *, old_path: str | None = None) -> None:
    """Let the screens of the incident's scope know that it changed, and how."""
    publish(
        tx,
        "incident",
        _notice(incident, kind),
        path=incident.scope_path,
        old_path=old_path,
        incident_id=incident.id,
        restricted=incident.restricted,
    )


def tell_incidents(tx: Tx, incidents: Sequence[Incident], kind: str) -> None:
    """The same for many at once, in one statement."""
    rows = [
        {
            "topic": "incident",
            "body": _notice(incident, kind),
            "path": incident.scope_path,
            "incident_id": incident.id,
            "restricted": incident.restricted,
        }
        for incident in incidents
    ]
    if rows:
        tx.session.connection().execute(insert(Outbox).inline(), rows)


def _notice(incident: Incident, kind: str) -> dict[str, Any]:
    return {
        "id": str(incident.id),
        "number": incident.number,
        "severity": incident.severity,
        "status": incident.status,
        "class_key": incident.class_key,
        "kind": kind,
        "version": incident.version,
        "drill": incident.drill,
    }
