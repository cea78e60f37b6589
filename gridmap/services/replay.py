"""An incident as it went: its timeline, where the assigned units were, and what was fenced off or closed then.

Looking at anybody's trail needs a reason, and the look itself is written down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import func, select, text

from gridmap.db.tables import Dispatch, IncidentEvent, Unit
from gridmap.errors import Invalid
from gridmap.services.auditing import audit
from gridmap.services.case_queries import CaseRow, get_case_row
from gridmap.services.transaction import Tx

MAX_REASON = 500
MAX_POINTS = 20_000
# How far around the scene and the ways a closure is told, in degrees: about a kilometre.
AROUND_DEG = 0.01


@dataclass(frozen=True, slots=True)
class LegPoint:
    """Where an assigned unit was, WGS84 degrees."""

    at: datetime
    lon: float
    lat: float
    accuracy_m: float | None


@dataclass(frozen=True)
class Leg:
    """The way of one unit on this job, from taking it to clearing it."""

    dispatch: Dispatch
    call_sign: str
    mode: str
    points: tuple[LegPoint, ...]


@dataclass(frozen=True)
class Shape:
    """An area that held for a while: a fence of the call-out, or closed roads. `until` None: it still does."""

    id: UUID
    kind: str
    label: str
    geometry: BaseGeometry
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class Replay:
    """Everything to play it again between `since` and `until`."""

    row: CaseRow
    since: datetime
    until: datetime
    events: tuple[IncidentEvent, ...]
    legs: tuple[Leg, ...]
    shapes: tuple[Shape, ...]


def get_replay(tx: Tx, incident_id: UUID, *, reason: str) -> Replay:
    """Raises Forbidden without the verb, Invalid without a reason, NotFound for a case out of sight."""
    tx.actor.require("case.verify")
    if not reason.strip() or len(reason) > MAX_REASON:
        raise Invalid("reason_needed")
    row = get_case_row(tx, incident_id)
    incident = row.incident
    happened = func.coalesce(IncidentEvent.occurred_at, IncidentEvent.at)
    events = tuple(
        tx.session.scalars(
            select(IncidentEvent)
            .where(IncidentEvent.incident_id == incident_id)
            .order_by(happened, IncidentEvent.id)
        )
    )
    legs = _legs(tx, incident_id)
    until = incident.closed_at or max(
        [tx.now, *(point.at for leg in legs for point in leg.points)], default=tx.now
    )
    since = min([incident.reported_at, *(event.at for event in events)])
    shapes = _shapes(tx, incident_id, _box(row, legs), since, until)
    audit(
        tx,
        "trail.view",
        "incident",
        incident_id,
        reason=reason.strip(),
        units=sorted({leg.call_sign for leg in legs if leg.points}),
    )
    return Replay(row, since, until, events, legs, shapes)


_POINTS = text(
    "select l.dispatch_id, l.fixed_at, st_x(l.geom) as lon, st_y(l.geom) as lat, l.accuracy_m"
    " from dispatch_leg l where l.dispatch_id = any(:ids) order by l.dispatch_id, l.fixed_at limit :most"
)


def _legs(tx: Tx, incident_id: UUID) -> tuple[Leg, ...]:
    rows = tx.session.execute(
        select(Dispatch, Unit.call_sign, Unit.mode)
        .outerjoin(Unit, Unit.id == Dispatch.unit_id)
        .where(Dispatch.incident_id == incident_id)
        .order_by(Dispatch.offered_at, Dispatch.id)
    ).all()
    points: dict[UUID, list[LegPoint]] = {row[0].id: [] for row in rows}
    for found in tx.session.execute(_POINTS, {"ids": list(points), "most": MAX_POINTS}):
        points[found.dispatch_id].append(LegPoint(found.fixed_at, found.lon, found.lat, found.accuracy_m))
    return tuple(Leg(row[0], row[1] or "?", row[2] or "", tuple(points[row[0].id])) for row in rows)


_SHAPES = text(
    """
    select f.id, 'fence' as kind, f.name as label, st_asbinary(f.geom) as shape, f.since,
           least(f.archived_at, f.expires_at) as until
      from fence f where f.incident_id = :incident and f.since <= :until
    union all
    select c.id, 'closure', c.reason, st_asbinary(c.drawn), c.starts_at, least(c.ended_at, c.ends_at)
      from closure c
     where c.starts_at <= :until and coalesce(least(c.ended_at, c.ends_at), :until) >= :since
       and c.drawn && st_makeenvelope(:west, :south, :east, :north, 4326)
    order by since, id
    """
)


def _shapes(
    tx: Tx, incident_id: UUID, box: Sequence[float] | None, since: datetime, until: datetime
) -> tuple[Shape, ...]:
    west, south, east, north = box or (0.0, 0.0, 0.0, 0.0)
    asked: dict[str, Any] = {"west": west, "south": south, "east": east, "north": north}
    rows = tx.session.execute(
        _SHAPES, {"incident": incident_id, "since": since, "until": until + timedelta(seconds=1), **asked}
    )
    return tuple(
        Shape(row.id, row.kind, row.label, shapely.from_wkb(bytes(row.shape)), row.since, row.until)
        for row in rows
    )


def _box(row: CaseRow, legs: Sequence[Leg]) -> tuple[float, float, float, float] | None:
    places = [(point.lon, point.lat) for leg in legs for point in leg.points]
    if row.lon is not None and row.lat is not None:
        places.append((row.lon, row.lat))
    if not places:
        return None
    west, south, east, north = shapely.MultiPoint(places).bounds
    return west - AROUND_DEG, south - AROUND_DEG, east + AROUND_DEG, north + AROUND_DEG
