"""Handing a seat over: everything open is listed, another person signs, and nothing is left without an owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert, select, text, update

from gridmap.db.tables import Account, Alarm, Incident, IncidentEvent, Share, ShiftHandover, Task
from gridmap.domain.ids import new_id
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.services.alarms import raise_alarm
from gridmap.services.auditing import audit
from gridmap.services.outbox import publish
from gridmap.services.timeline import tell_incidents
from gridmap.services.timers import clear_timer, set_timer
from gridmap.services.transaction import Tx

HANDOVER_UNSIGNED = "shift.handover_unsigned"
UNSIGNED = "handover_unsigned"
HANDED_ON = "handed_on"
SIGNED_WITHIN = timedelta(minutes=15)
MAX_NOTE = 2_000


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One thing that somebody must own. `kind` is incident, alarm, closure, callout or task; `code` says which sort.

    `label` is the number or sign that people say; `name` a task's own name, zh and en.
    `owner_id` is None where nobody owned it yet: whoever signs does from then on.
    """

    kind: str
    id: str
    label: str
    code: str
    severity: int | None
    since: str
    owner_id: str | None
    restricted: bool = False
    name: dict[str, str] | None = None


@dataclass(frozen=True)
class Handover:
    """A handover with the names of both persons."""

    row: ShiftHandover
    from_name: str
    signed_name: str | None


# What is open in the actor's sight, as one list; :me is the seat that hands over. Others' incidents stay theirs.
_OPEN = text(
    """
    select 'incident' as kind, i.id::text as id, i.number as label, i.status as code, i.severity::int as severity,
           i.reported_at as since, i.handler_account_id::text as owner_id, i.restricted, null::jsonb as name
      from incident i where i.status <> 'closed' and (i.handler_account_id = :me or i.handler_account_id is null
       and i.scope_path <@ any ((select app_paths('write_paths'))::public.ltree[]))
    union all
    select 'alarm', a.id::text, coalesce(a.params ->> 'number', a.params ->> 'call_sign', ''), a.kind, a.severity,
           a.raised_at, a.owner_account_id::text, false, null
      from alarm a where a.status = 'raised' and (a.owner_account_id = :me or a.owner_account_id is null)
    union all
    select 'task', t.id::text, coalesce(ti.number, ''), t.kind, null, t.created_at, t.assignee_account_id::text, false,
           t.params -> 'name'
      from task t left join incident ti on ti.id = t.subject_id and t.subject_kind = 'incident'
     where t.status in ('open', 'paused') and t.assignee_unit_id is null
       and (t.assignee_account_id = :me or t.assignee_account_id is null)
    union all
    select 'closure', c.id::text, coalesce(c.note, ''), c.reason, null, c.starts_at,
           coalesce(signed.by, c.created_by)::text, false, null
      from closure c left join lateral (
        select h.signed_by as by from shift_handover h
         where h.status = 'signed'
           and h.items @> jsonb_build_array(jsonb_build_object('kind', 'closure', 'id', c.id::text))
         order by h.signed_at desc limit 1) signed on true
     where c.ended_at is null and (c.ends_at is null or c.ends_at > :now)
       and coalesce(signed.by, c.created_by, :me) = :me
    union all
    select 'callout', c.id::text, i.number, c.mode, i.severity, c.opened_at,
           coalesce(signed.by, c.opened_by)::text, i.restricted, null
      from callout c join incident i on i.id = c.incident_id left join lateral (
        select h.signed_by as by from shift_handover h
         where h.status = 'signed'
           and h.items @> jsonb_build_array(jsonb_build_object('kind', 'callout', 'id', c.id::text))
         order by h.signed_at desc limit 1) signed on true
     where c.status = 'open' and coalesce(signed.by, c.opened_by, :me) = :me
    order by severity nulls last, since, id
    """
)


def list_open(tx: Tx) -> list[OpenItem]:
    """Everything open that is the actor's or nobody's, the most severe first. Never cut: all must have an owner."""
    return _open_of(tx, _account_id(tx))


def start(tx: Tx, *, note: str | None = None) -> Handover:
    """List what is open and wait for somebody to sign. Raises Conflict("handover_open") while one waits already."""
    tx.actor.require("case.handle")
    me = _account_id(tx)
    if len(note or "") > MAX_NOTE:
        raise Invalid("note_length", max_length=MAX_NOTE)
    waiting = tx.session.scalar(
        select(ShiftHandover.id).where(ShiftHandover.from_account_id == me, ShiftHandover.status == "open")
    )
    if waiting is not None:
        raise Conflict("handover_open", handover_id=str(waiting))
    row = ShiftHandover(
        id=new_id(),
        scope_path=_seat_path(tx),
        from_account_id=me,
        status="open",
        note=(note or "").strip() or None,
        items=[asdict(item) for item in _open_of(tx, me)],
        started_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    set_timer(tx, HANDOVER_UNSIGNED, row.id, tx.now + SIGNED_WITHIN)
    audit(tx, "shift.handover", "shift_handover", row.id, items=len(row.items))
    _tell(tx, row)
    return _named(tx, row)


def sign(tx: Tx, handover_id: UUID) -> Handover:
    """Take everything over. What opened since the list was made is taken over too, and what was closed is not.

    Raises Conflict("handover_own") for the person who hands over, whatever account they use.
    """
    tx.actor.require("case.handle")
    me = _account_id(tx)
    row = _lock(tx, handover_id)
    if _same_person(tx, row.from_account_id):
        raise Conflict("handover_own")
    _see_restricted(tx, row, me)
    items = _open_of(tx, row.from_account_id)
    _own_incidents(tx, [UUID(item.id) for item in items if item.kind == "incident"], me)
    _own(tx, items, me)
    row.items = [asdict(replace(item, owner_id=str(me))) for item in items]
    row.status, row.signed_at, row.signed_by = "signed", tx.now, me
    clear_timer(tx, HANDOVER_UNSIGNED, row.id)
    tx.session.execute(
        update(Alarm)
        .where(Alarm.kind == UNSIGNED, Alarm.subject_id == row.id, Alarm.status == "raised")
        .values(status="acknowledged", acknowledged_at=tx.now, acknowledged_by=me)
    )
    audit(tx, "shift.sign", "shift_handover", row.id, items=len(items))
    _tell(tx, row)
    return _named(tx, row)


def withdraw(tx: Tx, handover_id: UUID) -> Handover:
    """The seat stays after all; only its own person takes it back."""
    row = _lock(tx, handover_id)
    if row.from_account_id != tx.actor.account_id:
        raise Forbidden("not_your_handover")
    row.status = "withdrawn"
    clear_timer(tx, HANDOVER_UNSIGNED, row.id)
    _tell(tx, row)
    return _named(tx, row)


def list_handovers(tx: Tx, *, limit: int = 50) -> list[Handover]:
    """The history in sight: what waits first, then the newest."""
    rows = tx.session.scalars(
        select(ShiftHandover)
        .order_by(ShiftHandover.status != "open", ShiftHandover.started_at.desc())
        .limit(limit)
    )
    return [_named(tx, row) for row in rows]


def get_handover(tx: Tx, handover_id: UUID) -> Handover:
    """Raises NotFound("handover_not_found")."""
    row = tx.session.get(ShiftHandover, handover_id)
    if row is None:
        raise NotFound("handover_not_found")
    return _named(tx, row)


def unsigned(tx: Tx, handover_id: UUID) -> None:
    """Nobody signed in time: an alarm to every seat of the area."""
    row = tx.session.get(ShiftHandover, handover_id)
    if row is None or row.status != "open":
        return
    name = tx.session.scalar(select(Account.display_name).where(Account.id == row.from_account_id))
    raise_alarm(
        tx,
        UNSIGNED,
        severity=2,
        path=row.scope_path,
        subject_kind="shift_handover",
        subject_id=row.id,
        name=name,
        items=len(row.items),
        started_at=row.started_at.isoformat(),
    )


def _open_of(tx: Tx, account_id: UUID) -> list[OpenItem]:
    rows = tx.session.execute(_OPEN, {"me": account_id, "now": tx.now})
    return [
        OpenItem(
            kind=row.kind,
            id=row.id,
            label=row.label,
            code=row.code,
            severity=row.severity,
            since=row.since.isoformat(),
            owner_id=row.owner_id,
            restricted=row.restricted,
            name=row.name,
        )
        for row in rows
    ]


def _own_incidents(tx: Tx, ids: Sequence[UUID], account_id: UUID) -> None:
    """All in a few statements: hundreds may be open, and a writing transaction has to stay short.

    Locked in the order of their ids, so that two who sign at once wait for each other and do not stand still.
    """
    locked = tx.session.scalars(
        select(Incident).where(Incident.id.in_(ids)).order_by(Incident.id).with_for_update(key_share=True)
    ).all()
    if not locked:
        return
    previous = {incident.id: incident.handler_account_id for incident in locked}
    tx.session.execute(
        update(Incident)
        .where(Incident.id.in_(previous))
        .values(handler_account_id=account_id, handler_since=tx.now, version=Incident.version + 1)
    )
    connection = tx.session.connection()
    connection.execute(
        insert(IncidentEvent),
        [
            {
                "id": new_id(),
                "incident_id": incident_id,
                "at": tx.now,
                "kind": HANDED_ON,
                "actor_account_id": account_id,
                "actor_name": tx.actor.display_name,
                "params": {"previous": str(before) if before else None},
            }
            for incident_id, before in previous.items()
        ],
    )
    tell_incidents(tx, locked, HANDED_ON)


def _own(tx: Tx, items: Sequence[OpenItem], account_id: UUID) -> None:
    alarms = [UUID(item.id) for item in items if item.kind == "alarm"]
    tasks = [UUID(item.id) for item in items if item.kind == "task"]
    tx.session.execute(update(Alarm).where(Alarm.id.in_(alarms)).values(owner_account_id=account_id))
    tx.session.execute(update(Task).where(Task.id.in_(tasks)).values(assignee_account_id=account_id))


def _see_restricted(tx: Tx, row: ShiftHandover, account_id: UUID) -> None:
    """A restricted case is seen by the assigned only; who takes it over is one of them from here on."""
    for item in row.items:
        if item["kind"] == "incident" and item["restricted"]:
            tx.session.add(
                Share(
                    incident_id=UUID(item["id"]),
                    account_id=account_id,
                    reason="handling",
                    created_at=tx.now,
                    created_by=account_id,
                )
            )
    tx.session.flush()


def _lock(tx: Tx, handover_id: UUID) -> ShiftHandover:
    tx.actor.require("case.handle")
    row = tx.session.scalars(
        select(ShiftHandover).where(ShiftHandover.id == handover_id).with_for_update(key_share=True)
    ).first()
    if row is None:
        raise NotFound("handover_not_found")
    if row.status != "open":
        raise Conflict("not_allowed_in_status", noun="shift_handover", status=row.status)
    return row


def _same_person(tx: Tx, account_id: UUID) -> bool:
    if account_id == tx.actor.account_id:
        return True
    person = tx.session.scalar(select(Account.person_id).where(Account.id == account_id))
    return person is not None and person == tx.actor.person_id


def _seat_path(tx: Tx) -> str:
    paths = tx.actor.write_paths
    if not paths:
        raise Forbidden("out_of_write_scope")
    return min(paths, key=len)


def _account_id(tx: Tx) -> UUID:
    if tx.actor.account_id is None:
        raise Forbidden("needs_a_person")
    return tx.actor.account_id


def _named(tx: Tx, row: ShiftHandover) -> Handover:
    names = {
        found.id: found.display_name
        for found in tx.session.execute(
            select(Account.id, Account.display_name).where(
                Account.id.in_([key for key in (row.from_account_id, row.signed_by) if key is not None])
            )
        )
    }
    return Handover(
        row, names.get(row.from_account_id, "?"), names.get(row.signed_by) if row.signed_by else None
    )


def _tell(tx: Tx, row: ShiftHandover) -> None:
    tx.session.flush()
    publish(
        tx, "alarm", {"id": str(row.id), "kind": "shift_handover", "status": row.status}, path=row.scope_path
    )
