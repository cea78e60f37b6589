"""Many incidents under one name: a flood, a blackout. Each keeps its own life; the list shows what belongs together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, text

from gridmap.db.tables import Incident, MajorEvent
from gridmap.domain.actor import is_below
from gridmap.domain.ids import new_id
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.services.auditing import audit
from gridmap.services.incidents import lock_incident, touch
from gridmap.services.transaction import Tx

MAX_NAME = 100
MAX_NOTE = 2_000
MAX_AT_ONCE = 200


@dataclass(frozen=True)
class MajorRow:
    """A major event and its members in the actor's sight: how many, how many open, and the gravest severity."""

    major: MajorEvent
    members: int
    open_members: int
    gravest: int | None


def open_major(tx: Tx, *, name: str, incident_ids: Sequence[UUID]) -> MajorRow:
    """Name what the incidents have in common. It is a drill when they are; the two never mix.

    Raises Invalid, Conflict("drill_and_real_do_not_mix"), Conflict("in_another_major").
    """
    tx.actor.require("case.handle")
    if not name.strip() or len(name) > MAX_NAME:
        raise Invalid("name_length", max_length=MAX_NAME)
    if not incident_ids:
        raise Invalid("incidents_needed")
    members = _lock_all(tx, incident_ids)
    major = MajorEvent(
        id=new_id(),
        name=name.strip(),
        scope_path=_common_path(tx, members),
        drill=members[0].drill,
        opened_at=tx.now,
        opened_by=tx.actor.account_id,
    )
    tx.session.add(major)
    tx.session.flush()
    audit(tx, "major.open", "major_event", major.id)
    _join(tx, major, members)
    return get_major(tx, major.id)


def add(tx: Tx, major_id: UUID, incident_ids: Sequence[UUID]) -> MajorRow:
    """More of the same."""
    members = _lock_all(tx, incident_ids)
    _join(tx, _lock(tx, major_id), members)
    return get_major(tx, major_id)


def remove(tx: Tx, major_id: UUID, incident_id: UUID, *, reason: str) -> MajorRow:
    """It did not belong after all."""
    tx.actor.require("case.handle")
    incident = lock_incident(tx, incident_id)
    major = _lock(tx, major_id)
    if incident.major_id != major.id:
        raise Conflict("not_in_this_major", number=incident.number)
    incident.major_id = None
    touch(tx, incident, "major_left", name=major.name, major_id=str(major.id), reason=reason.strip())
    return get_major(tx, major_id)


def close(tx: Tx, major_id: UUID, *, note: str | None = None) -> MajorRow:
    """When every member is closed, also those out of sight. Raises Conflict("major_has_open_members", count)."""
    if len(note or "") > MAX_NOTE:
        raise Invalid("note_length", max_length=MAX_NOTE)
    major = _lock(tx, major_id)
    left = tx.session.scalar(text("select major_open_members(:id)"), {"id": major_id}) or 0
    if left:
        raise Conflict("major_has_open_members", count=left)
    major.closed_at, major.closed_by, major.note = tx.now, tx.actor.account_id, (note or "").strip() or None
    tx.session.flush()
    audit(tx, "major.close", "major_event", major.id)
    return get_major(tx, major_id)


def list_majors(tx: Tx, *, open_only: bool = True, limit: int = 100) -> list[MajorRow]:
    """Major events in sight, the newest first."""
    statement = _rows().order_by(MajorEvent.opened_at.desc()).limit(limit)
    if open_only:
        statement = statement.where(MajorEvent.closed_at.is_(None))
    return [MajorRow(*row) for row in tx.session.execute(statement)]


def get_major(tx: Tx, major_id: UUID) -> MajorRow:
    """Raises NotFound("major_not_found")."""
    tx.session.flush()
    row = tx.session.execute(_rows().where(MajorEvent.id == major_id)).first()
    if row is None:
        raise NotFound("major_not_found")
    return MajorRow(*row)


def list_members(tx: Tx, major_id: UUID) -> list[UUID]:
    """The members in sight, the gravest and oldest first."""
    return list(
        tx.session.scalars(
            select(Incident.id)
            .where(Incident.major_id == major_id)
            .order_by(Incident.severity, Incident.reported_at, Incident.id)
        )
    )


def _rows() -> Select[Any]:
    is_open = Incident.status != "closed"
    members = (
        select(
            Incident.major_id.label("major_id"),
            func.count().label("members"),
            func.count().filter(is_open).label("open_members"),
            func.min(Incident.severity).filter(is_open).label("gravest"),
        )
        .where(Incident.major_id.is_not(None))
        .group_by(Incident.major_id)
        .subquery()
    )
    return select(
        MajorEvent,
        func.coalesce(members.c.members, 0),
        func.coalesce(members.c.open_members, 0),
        members.c.gravest,
    ).outerjoin(members, members.c.major_id == MajorEvent.id)


def _lock_all(tx: Tx, incident_ids: Sequence[UUID]) -> list[Incident]:
    """In the order of their ids, so that two who group the same ones wait for each other and do not stand still."""
    tx.actor.require("case.handle")
    if len(incident_ids) > MAX_AT_ONCE:
        raise Invalid("too_many_incidents", most=MAX_AT_ONCE)
    return [lock_incident(tx, incident_id) for incident_id in sorted(set(incident_ids))]


def _join(tx: Tx, major: MajorEvent, members: Sequence[Incident]) -> None:
    for incident in members:
        if incident.drill != major.drill:
            raise Conflict("drill_and_real_do_not_mix")
        if incident.major_id == major.id:
            continue
        if incident.major_id is not None:
            raise Conflict("in_another_major", number=incident.number)
        incident.major_id = major.id
        touch(tx, incident, "major_joined", name=major.name, major_id=str(major.id))


def _lock(tx: Tx, major_id: UUID) -> MajorEvent:
    tx.actor.require("case.handle")
    major = tx.session.scalars(
        select(MajorEvent).where(MajorEvent.id == major_id).with_for_update(key_share=True)
    ).first()
    if major is None:
        seen = tx.session.scalar(select(MajorEvent.id).where(MajorEvent.id == major_id))
        raise NotFound("major_not_found") if seen is None else Forbidden("out_of_write_scope")
    if major.closed_at is not None:
        raise Conflict("major_closed")
    return major


def _common_path(tx: Tx, members: Sequence[Incident]) -> str:
    """The smallest area over all members that the actor may write in; else the actor's own."""
    first = members[0].scope_path.split(".")
    for length in range(len(first), 0, -1):
        path = ".".join(first[:length])
        if all(is_below(member.scope_path, path) for member in members):
            if tx.actor.writes_in(path):
                return path
            break
    holding = [root for root in tx.actor.write_paths if is_below(members[0].scope_path, root)]
    if not holding:
        raise Forbidden("out_of_write_scope")
    return max(holding, key=len)
