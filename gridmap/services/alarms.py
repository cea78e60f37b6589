"""Alarms: one list, each acknowledged by a named seat."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from gridmap.db.tables import Alarm, Incident
from gridmap.domain.ids import new_id
from gridmap.domain.lifecycle import next_status
from gridmap.errors import NotFound
from gridmap.services.auditing import audit
from gridmap.services.outbox import publish
from gridmap.services.transaction import Tx


def raise_alarm(
    tx: Tx,
    kind: str,
    *,
    severity: int,
    path: str,
    subject_kind: str,
    subject_id: UUID,
    incident_id: UUID | None = None,
    restricted: bool = False,
    drill: bool = False,
    **params: Any,
) -> None:
    """Raise it once: while one of the same kind and subject stands, a second is not added."""
    made = new_id()
    statement = insert(Alarm).values(
        id=made,
        kind=kind,
        severity=severity,
        scope_path=path,
        subject_kind=subject_kind,
        subject_id=subject_id,
        incident_id=incident_id,
        params=params,
        raised_at=tx.now,
        drill=drill,
    )
    tx.session.flush()
    # Inline: officers raise alarms that they may not read back.
    done = tx.session.connection().execute(statement.on_conflict_do_nothing().inline())
    if done.rowcount:
        publish(
            tx,
            "alarm",
            {"id": str(made), "kind": kind, "severity": severity, "drill": drill},
            path=path,
            incident_id=incident_id,
            restricted=restricted,
        )


def resolve_alarms(tx: Tx, kind: str, subject_kind: str, subject_id: UUID) -> None:
    """What gave the alarm has ended by itself: whether somebody took note of it or not, it stands no longer."""
    alarms = tx.session.scalars(
        select(Alarm)
        .where(
            Alarm.kind == kind,
            Alarm.subject_kind == subject_kind,
            Alarm.subject_id == subject_id,
            Alarm.status.in_(("raised", "acknowledged")),
        )
        .with_for_update()
    )
    for alarm in alarms:
        alarm.status = next_status("alarm", alarm.status, "resolve")
        publish(
            tx,
            "alarm",
            {"id": str(alarm.id), "kind": alarm.kind, "status": alarm.status},
            path=alarm.scope_path,
            incident_id=alarm.incident_id,
        )


def list_alarms(tx: Tx, *, raised_only: bool = True, limit: int = 200) -> list[Alarm]:
    """Alarms in the actor's scope, the most severe and newest first."""
    statement = select(Alarm).order_by(Alarm.severity, Alarm.raised_at.desc()).limit(limit)
    if raised_only:
        statement = statement.where(Alarm.status == "raised")
    return list(tx.session.scalars(statement))


def acknowledge(tx: Tx, alarm_id: UUID) -> Alarm:
    """Take note of an alarm, by name. Raises NotFound, Conflict when somebody already did."""
    tx.actor.require("alarm.acknowledge")
    alarm = tx.session.scalars(select(Alarm).where(Alarm.id == alarm_id).with_for_update()).first()
    if alarm is None:
        raise NotFound("alarm_not_found")
    alarm.status = next_status("alarm", alarm.status, "acknowledge")
    alarm.acknowledged_at, alarm.acknowledged_by = tx.now, tx.actor.account_id
    audit(tx, "alarm.acknowledge", "alarm", alarm_id)
    incident = tx.session.get(Incident, alarm.incident_id) if alarm.incident_id else None
    publish(
        tx,
        "alarm",
        {"id": str(alarm.id), "kind": alarm.kind, "status": alarm.status},
        path=alarm.scope_path,
        incident_id=alarm.incident_id,
        restricted=incident is not None and incident.restricted,
    )
    return alarm
