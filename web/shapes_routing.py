"""How roads look from outside: closures, isochrones, tracks on roads, the joint assignment."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from shapely.geometry import mapping
from typing_extensions import TypedDict

from gridmap.db.tables import Closure
from gridmap.services.closures import drawn_shape, state_of

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
