"""Alarms: one list, each acknowledged by a named seat."""

from __future__ import annotations

from datetime import datetime
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
from gridmap.services.timers import set_timer
from gridmap.services.transaction import Tx

COPIES_SETTLE = "alarm.copies_settle"


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


def raise_about(
    tx: Tx,
    incident: Incident,
    kind: str,
    *,
    subject_kind: str,
    subject_id: UUID,
    severity: int | None = None,
    **params: Any,
) -> None:
    """An alarm of an incident: told where it is answered for, as severe, as restricted and as real as it is."""
    raise_alarm(
        tx,
        kind,
        severity=incident.severity if severity is None else severity,
        path=incident.scope_path,
        subject_kind=subject_kind,
        subject_id=subject_id,
        incident_id=incident.id,
        restricted=incident.restricted,
        drill=incident.drill,
        number=incident.number,
        **params,
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
    """Take note of an alarm, by name; its copies to the same authority are settled with it, see `settle_copies`.

    Raises NotFound, Conflict when somebody already did.
    """
    tx.actor.require("alarm.acknowledge")
    alarm = tx.session.scalars(select(Alarm).where(Alarm.id == alarm_id).with_for_update()).first()
    if alarm is None:
        raise NotFound("alarm_not_found")
    _note(tx, alarm, tx.now, tx.actor.account_id)
    audit(tx, "alarm.acknowledge", "alarm", alarm_id)
    if "authority" in alarm.params:
        tx.session.flush()
        settle_copies(tx, alarm.id)
        # Copies out of this seat's sight: the worker sees them.
        set_timer(tx, COPIES_SETTLE, alarm.id, tx.now)
    return alarm


def settle_copies(tx: Tx, alarm_id: UUID) -> None:
    """One word is enough for all copies of a call within one authority: the same name and time stand on each.

    A copy to another authority stands until one of its own seats takes note of it.
    """
    noted = tx.session.get_one(Alarm, alarm_id)
    copies = tx.session.scalars(
        select(Alarm)
        .where(
            Alarm.kind == noted.kind,
            Alarm.subject_id == noted.subject_id,
            Alarm.params["authority"].astext == noted.params["authority"],
            Alarm.status == "raised",
            Alarm.raised_at <= noted.acknowledged_at,
        )
        .order_by(Alarm.id)
        .with_for_update()
    ).all()
    for copy in copies:
        copy.params = copy.params | {"settled_with": str(noted.id)}
        _note(tx, copy, noted.acknowledged_at, noted.acknowledged_by)
        audit(tx, "alarm.acknowledge", "alarm", copy.id, settled_with=str(noted.id))


def _note(tx: Tx, alarm: Alarm, at: datetime | None, by: UUID | None) -> None:
    alarm.status = next_status("alarm", alarm.status, "acknowledge")
    alarm.acknowledged_at, alarm.acknowledged_by = at, by
    incident = tx.session.get(Incident, alarm.incident_id) if alarm.incident_id else None
    publish(
        tx,
        "alarm",
        {"id": str(alarm.id), "kind": alarm.kind, "status": alarm.status},
        path=alarm.scope_path,
        incident_id=alarm.incident_id,
        restricted=incident is not None and incident.restricted,
    )
