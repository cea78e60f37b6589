"""Word without a job: to the seats of areas, and to units, that something happens on their ground."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update

from gridmap.db.tables import Incident, Notice
from gridmap.domain.ids import new_id
from gridmap.services.outbox import publish
from gridmap.services.transaction import Tx

_ON_THE_WAY_UP = text(
    "select a.id, a.level, v.name, v.path::text as path from area_version v join area a on a.id = v.area_id"
    " where v.path @> cast(:path as ltree) and v.valid @> cast(:at as timestamptz) and a.level = any(:levels)"
    " order by nlevel(v.path)"
)


def areas_above(tx: Tx, path: str, levels: Sequence[str]) -> list[Any]:
    """The areas of these levels that hold `path`, the widest first: id, level, name, path."""
    values = {"path": path, "at": tx.now, "levels": list(levels)}
    return list(tx.session.execute(_ON_THE_WAY_UP, values))


def tell_areas(tx: Tx, incident: Incident, levels: Sequence[str], reason: str) -> None:
    """Whom a plan says to tell: the seats of the areas of these levels that the incident lies in."""
    for area in areas_above(tx, incident.scope_path, levels) if levels else ():
        give_notice(tx, incident, reason, area_path=area.path, area_name=area.name)


def give_notice(
    tx: Tx,
    incident: Incident,
    reason: str,
    *,
    area_path: str | None = None,
    unit_id: UUID | None = None,
    callout_id: UUID | None = None,
    dispatch_id: UUID | None = None,
    **params: Any,
) -> None:
    """One notice: class, severity and number, never address or contact; of a restricted case not even the class."""
    row = Notice(
        id=new_id(),
        incident_id=incident.id,
        callout_id=callout_id,
        dispatch_id=dispatch_id,
        unit_id=unit_id,
        area_path=area_path,
        reason=reason,
        body={
            "class_key": None if incident.restricted else incident.class_key,
            "severity": incident.severity,
            "number": incident.number,
            **params,
        },
        at=tx.now,
        drill=incident.drill,
    )
    tx.session.add(row)
    tx.session.flush()
    body: dict[str, Any] = {"id": str(row.id), "reason": reason, "drill": incident.drill}
    if unit_id is not None:
        body["unit_id"] = str(unit_id)
    publish(tx, "notice", body, path=area_path or incident.scope_path)


def list_notices(tx: Tx, *, unseen_only: bool = True, limit: int = 50) -> list[Notice]:
    """What the actor's own units, or the seats of the actor's areas, were told; the newest first."""
    statement = select(Notice).order_by(Notice.at.desc(), Notice.id.desc()).limit(limit)
    if unseen_only:
        statement = statement.where(Notice.seen_at.is_(None))
    return list(tx.session.scalars(statement))


def put_away(tx: Tx, notice_ids: Iterable[UUID]) -> int:
    """Seen by the unit they are for; those to areas and to others stay as they are. Returns how many."""
    done = tx.session.execute(
        update(Notice)
        .where(
            Notice.id.in_(list(notice_ids)), Notice.unit_id.in_(tx.actor.unit_ids), Notice.seen_at.is_(None)
        )
        .values(seen_at=tx.now)
    )
    return int(done.rowcount)  # type: ignore[attr-defined]
