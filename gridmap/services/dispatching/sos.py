"""The button: the highest alarm there is, with the place, until a named seat takes note of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from gridmap.db.tables import Account, Alarm, Dispatch, Incident, SosCall, Unit
from gridmap.domain.actor import is_below
from gridmap.domain.ids import new_id
from gridmap.domain.lifecycle import active_statuses
from gridmap.domain.told_later import within
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.services.alarms import raise_alarm
from gridmap.services.areas import locate
from gridmap.services.dispatching.aid import JURISDICTION_LEVEL
from gridmap.services.outbox import publish
from gridmap.services.reports import checked_lonlat
from gridmap.services.timeline import note_event, tell_incident
from gridmap.services.timers import set_timer
from gridmap.services.transaction import Tx

SOS = "sos"
SOS_UNHEARD = "sos.unheard"
REPEATED_AFTER = timedelta(seconds=60)
# How long an acknowledged call stays on the officer's own page.
SHOWN_AFTER = timedelta(minutes=10)
PLACE_KEPT = timedelta(days=30)
MAX_NOTE = 500


def call_sos(tx: Tx, *, lon: float | None, lat: float | None, accuracy_m: float | None) -> SosCall:
    """Raise it for the actor's own unit, with or without a job; a second press while it stands adds the new place.

    It is heard where the unit is, and copied to the township it belongs to when it is somewhere else. Each is raised to
    an authority, the county it is in: one seat's word settles all copies of its own authority, never another's. It is
    always real: a call from within a drill is one too.
    """
    tx.actor.require("job.work")
    if not tx.actor.unit_ids:
        raise Forbidden("no_unit")
    unit = tx.session.get(Unit, tx.actor.unit_ids[0])
    if unit is None:
        raise NotFound("unit_not_found")
    place = _place(tx, unit.id, lon, lat)
    home = _part_above(tx, unit.scope_path, "township")
    path = (locate(tx.session, *place, tx.now).path if place else "") or unit.scope_path
    job = _open_job(tx, unit.id)
    called_at = within(tx.now, tx.acted_at)
    call = SosCall(
        id=new_id(),
        unit_id=unit.id,
        account_id=tx.actor.account_id,
        dispatch_id=job.id if job else None,
        scope_path=path,
        geom=f"SRID=4326;POINT({place[0]!r} {place[1]!r})" if place else None,
        accuracy_m=accuracy_m if lon is not None else None,
        called_at=called_at,
    )
    tx.session.add(call)
    tx.session.flush()
    params: dict[str, Any] = {"sos_id": str(call.id), "call_sign": unit.call_sign, "unit_id": str(unit.id)}
    if place:
        params |= {"lon": place[0], "lat": place[1], "accuracy_m": call.accuracy_m}
    incident = tx.session.get(Incident, job.incident_id) if job else None
    if incident is not None:
        params["number"] = incident.number
        note_event(tx, incident.id, "sos_called", occurred_at=called_at, call_sign=unit.call_sign)
        tell_incident(tx, incident, "sos_called")
    for heard_at, subject_kind, copy in ((path, "unit", False), (home, "sos_home", True)):
        if copy and is_below(path, home):
            continue
        raise_alarm(
            tx,
            SOS,
            severity=1,
            path=heard_at,
            subject_kind=subject_kind,
            subject_id=unit.id,
            authority=_part_above(tx, heard_at, JURISDICTION_LEVEL),
            copy=copy,
            **params,
        )
    set_timer(tx, SOS_UNHEARD, unit.id, tx.now + REPEATED_AFTER)
    _tell_unit(tx, unit)
    return call


def say_false(tx: Tx, *, note: str | None) -> SosCall:
    """Pressed by mistake: written down and told to the seat, whose alarm stands until they take note of it."""
    tx.actor.require("job.work")
    if len(note or "") > MAX_NOTE:
        raise Invalid("note_length", max_length=MAX_NOTE)
    call = find_own_call(tx)
    if call is None:
        raise Conflict("no_sos_open")
    call.false_alarm_at, call.false_alarm_note = tx.now, (note or "").strip() or None
    unit = tx.session.get_one(Unit, call.unit_id)
    if call.dispatch_id is not None:
        dispatch = tx.session.get_one(Dispatch, call.dispatch_id)
        note_event(tx, dispatch.incident_id, "sos_false", call_sign=unit.call_sign)
    publish(
        tx,
        "alarm",
        {"id": str(call.id), "kind": SOS, "severity": 1, "unit_id": str(unit.id), "false_alarm": True},
        path=call.scope_path,
    )
    _tell_unit(tx, unit)
    return call


def find_own_call(tx: Tx) -> SosCall | None:
    """The newest call of the actor's unit that nobody took note of, or somebody did just now."""
    found = tx.session.scalars(
        select(SosCall)
        .where(SosCall.unit_id.in_(tx.actor.unit_ids))
        .order_by(SosCall.called_at.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    alarm = alarm_of(tx, found)
    over = alarm is None or (
        alarm.acknowledged_at is not None and tx.now - alarm.acknowledged_at > SHOWN_AFTER
    )
    return None if over else found


def alarm_of(tx: Tx, call: SosCall) -> Alarm | None:
    """The alarm that the call raised or joined."""
    return tx.session.scalars(
        select(Alarm)
        .where(Alarm.kind == SOS, Alarm.subject_kind == "unit", Alarm.subject_id == call.unit_id)
        .order_by(Alarm.raised_at.desc())
        .limit(1)
    ).first()


def acknowledged_by(tx: Tx, alarm: Alarm | None) -> str | None:
    if alarm is None or alarm.acknowledged_by is None:
        return None
    return tx.session.scalar(select(Account.display_name).where(Account.id == alarm.acknowledged_by))


def unheard(tx: Tx, unit_id: UUID) -> None:
    """Some authority took no note of it: one level up hears it too, and every minute it is told again.

    Up to the authority the alarm itself climbs; above it a copy is raised, so that no seat loses what it was told.
    """
    standing = tx.session.scalars(
        select(Alarm)
        .where(Alarm.kind == SOS, Alarm.subject_id == unit_id, Alarm.status == "raised")
        .order_by(Alarm.id)
        .with_for_update()
    ).all()
    if not standing:
        return
    highest: dict[str, Alarm] = {}
    for alarm in sorted(standing, key=lambda one: -len(one.scope_path)):
        highest[alarm.params.get("authority", alarm.scope_path)] = alarm
    for authority, alarm in highest.items():
        above = alarm.scope_path.rpartition(".")[0]
        if above and alarm.scope_path != authority and is_below(alarm.scope_path, authority):
            alarm.scope_path = above
        elif above:
            kind = f"sos_above_{above.count('.')}"
            told = alarm.params | {"copy": True}
            raise_alarm(tx, SOS, severity=1, path=above, subject_kind=kind, subject_id=unit_id, **told)
    for alarm in standing:
        body = {"id": str(alarm.id), "kind": SOS, "severity": 1, "drill": False, "again": True}
        publish(tx, "alarm", body, path=alarm.scope_path)
    set_timer(tx, SOS_UNHEARD, unit_id, tx.now + REPEATED_AFTER)


def forget_places(tx: Tx) -> None:
    """Where somebody called from is dropped after a month; that they called stays."""
    before = {"before": tx.now - PLACE_KEPT}
    tx.session.execute(
        text(
            "update sos_call set geom = null, accuracy_m = null where called_at < :before and geom is not null"
        ),
        before,
    )
    tx.session.execute(
        text(
            "update alarm set params = params - 'lon' - 'lat' - 'accuracy_m'"
            " where kind = 'sos' and raised_at < :before and params ? 'lon'"
        ),
        before,
    )


def _place(tx: Tx, unit_id: UUID, lon: float | None, lat: float | None) -> tuple[float, float] | None:
    if lon is not None and lat is not None:
        return checked_lonlat(lon, lat, "WGS84")
    row = tx.session.execute(
        text("select st_x(geom), st_y(geom) from unit_latest where unit_id = :unit"), {"unit": unit_id}
    ).first()
    return (float(row[0]), float(row[1])) if row else None


def _part_above(tx: Tx, path: str, level: str) -> str:
    """The path of the area of `level` above; the path itself where there is none."""
    labels = path.split(".") if path else []
    found = tx.session.scalar(
        text("select id from area where id = any(:ids) and level = :level limit 1"),
        {"ids": [int(label) for label in labels], "level": level},
    )
    return path if found is None else ".".join(labels[: labels.index(str(found)) + 1])


def _open_job(tx: Tx, unit_id: UUID) -> Dispatch | None:
    return tx.session.scalars(
        select(Dispatch)
        .where(Dispatch.unit_id == unit_id, Dispatch.status.in_(active_statuses("dispatch") - {"offered"}))
        .order_by(Dispatch.accepted_at.desc())
        .limit(1)
    ).first()


def _tell_unit(tx: Tx, unit: Unit) -> None:
    body = {"id": str(unit.id), "unit_id": str(unit.id), "status": unit.status}
    publish(tx, "unit", body, path=unit.scope_path)
