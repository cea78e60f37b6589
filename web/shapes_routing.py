"""How roads look from outside: closures, isochrones, tracks on roads, the joint assignment."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from shapely.geometry import mapping
from typing_extensions import TypedDict

from gridmap.db.tables import Closure
from gridmap.services.assigning import Going, JointRecommendation
from gridmap.services.closures import drawn_shape, state_of
from gridmap.services.routing import Isochrone
from web.shapes_jobs import PickLine, pick_line

Json = dict[str, Any]


class ClosureLine(TypedDict):
    """A closed line or area as it was drawn (GeoJSON); `modes` empty stops everybody; state planned, closed, over."""

    id: UUID
    reason: str
    note: str | None
    modes: list[str]
    geometry: Json
    state: str
    starts_at: datetime
    ends_at: datetime | None
    created_at: datetime
    created_by: str
    ended_at: datetime | None
    end_reason: str | None


def closure(row: Closure, now: datetime) -> ClosureLine:
    return {
        "id": row.id,
        "reason": row.reason,
        "note": row.note,
        "modes": list(row.modes),
        "geometry": mapping(drawn_shape(row)),
        "state": state_of(row, now),
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "created_at": row.created_at,
        "created_by": row.created_by_name,
        "ended_at": row.ended_at,
        "end_reason": row.end_reason,
    }


class IsochroneLine(TypedDict):
    """GeoJSON; `method` is "straight_line" while no road graph answers, and `why` says so."""

    minutes: float
    geometry: Json
    method: str
    why: str | None


def isochrone(found: Isochrone) -> IsochroneLine:
    return {
        "minutes": found.minutes,
        "geometry": mapping(found.geometry),
        "method": found.method,
        "why": found.reason,
    }


class GoingLine(TypedDict):
    """One incident of a joint answer; without `unit` the code `why` says what is short."""

    incident_id: UUID
    unit: PickLine | None
    why: str | None


class JointLine(TypedDict):
    """Who goes where, in the order asked, and what it gains over one by one (seconds an incident, on average)."""

    method: str
    why: str | None
    items: list[GoingLine]
    seconds: float
    one_by_one_seconds: float
    gain_s: float
    gain_weighted_s: float
    one_by_one_unmet: int


def joint(found: JointRecommendation) -> JointLine:
    return {
        "method": found.method,
        "why": found.why,
        "items": [_going(one) for one in found.going],
        "seconds": found.seconds,
        "one_by_one_seconds": found.one_by_one_seconds,
        "gain_s": found.gain_s,
        "gain_weighted_s": found.gain_weighted_s,
        "one_by_one_unmet": found.one_by_one_unmet,
    }


def _going(one: Going) -> GoingLine:
    return {
        "incident_id": one.incident_id,
        "unit": None if one.pick is None else pick_line(one.pick),
        "why": one.why,
    }
