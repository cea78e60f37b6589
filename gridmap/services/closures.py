"""Closing a road and opening it again. The next route, ranking or isochrone already knows; nothing is rebuilt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import shapely
from geoalchemy2 import WKBElement, WKTElement
from geoalchemy2.shape import to_shape
from sqlalchemy import or_, select, text

from gridmap.db.tables import Closure as ClosureRow
from gridmap.domain.closures import Closure, Closures, blocked_shape
from gridmap.domain.ids import new_id
from gridmap.domain.metric import LocalMetric
from gridmap.domain.travel import Mode
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.services.areas import path_over
from gridmap.services.auditing import audit
from gridmap.services.outbox import publish
from gridmap.services.timers import clear_timer, set_timer
from gridmap.services.transaction import Tx

CLOSURE_STARTS, CLOSURE_ENDS = "closure.starts", "closure.ends"
MAX_STANDING = 500
LONGEST = timedelta(days=730)


@dataclass(frozen=True, kw_only=True)
class CloseRoad:
    """A closure as it was drawn: a WGS84 line or area. `modes` empty stops everybody; no `ends_at` until ended."""

    drawn: Any
    reason: str
    note: str | None = None
    modes: Sequence[str] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def close_road(tx: Tx, command: CloseRoad, metric: LocalMetric) -> ClosureRow:
    """Shut what was drawn.

    Raises Forbidden("out_of_write_scope") when it reaches out of the actor's areas, Invalid("closure_times_invalid"),
    Invalid("closure_shape_invalid"), Invalid("closure_too_large"), Conflict("too_many_closures").
    """
    tx.actor.require("closure.edit")
    vocabulary().term("closure_reason", command.reason)
    for mode in command.modes:
        vocabulary().term("mode", mode)
    starts_at = max(command.starts_at or tx.now, tx.now)
    if command.ends_at is not None and not starts_at < command.ends_at <= starts_at + LONGEST:
        raise Invalid("closure_times_invalid", longest_days=LONGEST.days)
    blocked = blocked_shape(command.drawn, metric)
    path = path_over(tx, blocked)
    if not tx.actor.writes_in(path):
        raise Forbidden("out_of_write_scope")
    _refuse_too_many(tx)
    row = ClosureRow(
        id=new_id(),
        reason=command.reason,
        note=command.note,
        modes=sorted(set(command.modes)),
        drawn=WKTElement(command.drawn.wkt, srid=4326),
        blocked=WKTElement(blocked.wkt, srid=4326),
        starts_at=starts_at,
        ends_at=command.ends_at,
        scope_path=path,
        created_at=tx.now,
        created_by=tx.actor.account_id,
        created_by_name=tx.actor.display_name,
    )
    tx.session.add(row)
    tx.session.flush()
    if starts_at > tx.now:
        set_timer(tx, CLOSURE_STARTS, row.id, starts_at)
    if command.ends_at is not None:
        set_timer(tx, CLOSURE_ENDS, row.id, command.ends_at)
    audit(tx, "closure.create", "closure", row.id, reason=command.reason)
    _tell(tx, row, "planned" if starts_at > tx.now else "closed")
    return row


def open_road(tx: Tx, closure_id: UUID, *, reason: str | None) -> ClosureRow:
    """End a closure before its time. Raises NotFound, Forbidden, Conflict("closure_over")."""
    tx.actor.require("closure.edit")
    row = tx.session.scalars(
        select(ClosureRow).where(ClosureRow.id == closure_id).with_for_update(key_share=True)
    ).first()
    if row is None:
        seen = tx.session.scalar(select(ClosureRow.id).where(ClosureRow.id == closure_id))
        raise NotFound("closure_not_found") if seen is None else Forbidden("out_of_write_scope")
    if row.ended_at is not None or (row.ends_at is not None and row.ends_at <= tx.now):
        raise Conflict("closure_over")
    row.ended_at, row.ended_by, row.end_reason = tx.now, tx.actor.account_id, reason
    tx.session.flush()
    clear_timer(tx, CLOSURE_STARTS, row.id)
    clear_timer(tx, CLOSURE_ENDS, row.id)
    audit(tx, "closure.end", "closure", row.id, reason=reason)
    _tell(tx, row, "opened")
    return row


def list_closures(tx: Tx, *, include_over: bool = False, limit: int = MAX_STANDING) -> list[ClosureRow]:
    """Closures in the actor's sight by their start; those that are over only when asked for, the newest first."""
    statement = select(ClosureRow)
    if not include_over:
        statement = statement.where(
            ClosureRow.ended_at.is_(None), or_(ClosureRow.ends_at.is_(None), ClosureRow.ends_at > tx.now)
        )
    order = ClosureRow.starts_at.desc() if include_over else ClosureRow.starts_at
    return list(tx.session.scalars(statement.order_by(order, ClosureRow.id).limit(limit)))


def active(tx: Tx, at: datetime | None = None) -> Closures:
    """Everything that is closed at a moment, for the routing: also where the actor has no say."""
    rows = tx.session.execute(text("select id, modes, blocked from closures_at(:at)"), {"at": at or tx.now})
    return Closures(
        tuple(
            Closure(row.id, shapely.from_wkb(bytes(row.blocked)), frozenset(Mode(mode) for mode in row.modes))
            for row in rows
        )
    )


def drawn_shape(row: ClosureRow) -> Any:
    """The line or area as it was drawn, WGS84."""
    drawn = row.drawn
    return shapely.from_wkt(drawn.desc) if isinstance(drawn, WKTElement) else to_shape(_wkb(drawn))


def state_of(row: ClosureRow, now: datetime) -> str:
    """planned, closed or over."""
    if row.ended_at is not None or (row.ends_at is not None and row.ends_at <= now):
        return "over"
    return "planned" if row.starts_at > now else "closed"


def closure_starts(tx: Tx, closure_id: UUID) -> None:
    """Its time has come: screens and running estimates are told."""
    _turn(tx, closure_id, "closed")


def closure_ends(tx: Tx, closure_id: UUID) -> None:
    """Its time is over: screens and running estimates are told."""
    _turn(tx, closure_id, "opened")


def _turn(tx: Tx, closure_id: UUID, kind: str) -> None:
    row = tx.session.get(ClosureRow, closure_id)
    if row is None or row.ended_at is not None:
        return
    # Nothing of the row changes; writing it makes the layer's tiles new.
    tx.session.execute(text("update closure set note = note where id = :id"), {"id": closure_id})
    _tell(tx, row, kind)


def _tell(tx: Tx, row: ClosureRow, kind: str) -> None:
    publish(tx, "closure", {"id": str(row.id), "kind": kind}, path=row.scope_path)


def _refuse_too_many(tx: Tx) -> None:
    standing = tx.session.scalar(text("select count(*) from closures_at(:at)"), {"at": tx.now}) or 0
    if standing >= MAX_STANDING:
        raise Conflict("too_many_closures", most=MAX_STANDING)


def _wkb(element: Any) -> WKBElement:
    assert isinstance(element, WKBElement)
    return element
