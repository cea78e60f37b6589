"""The ground on which a call-out asks people, as a shape: the grid, it and its neighbours, metres, or minutes."""

from __future__ import annotations

from geoalchemy2.shape import to_shape
from shapely import Point, wkb
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text

from gridmap.db.tables import Incident
from gridmap.domain.metric import buffer_m
from gridmap.domain.response import FenceRule
from gridmap.domain.travel import DETOUR_FACTOR, USUAL_SPEED_KMH, Mode
from gridmap.services.transaction import Tx

# Neighbours share a border or a corner; coordinates are multiples of 1e-9 degree.
_TOUCH_DEG = 1e-7

_GRID = text(
    "select st_asbinary(geom) from area_version where area_id = :area and valid @> cast(:at as timestamptz)"
)
_NEIGHBOURS = text(
    "select st_asbinary(st_union(other.geom)) from area_version own join area_version other"
    "   on other.geom && st_expand(own.geom, :touch) and st_dwithin(other.geom, own.geom, :touch)"
    " join area a on a.id = other.area_id join area b on b.id = own.area_id and b.tree = a.tree"
    " where own.area_id = :area and own.valid @> cast(:at as timestamptz)"
    "   and other.is_leaf and other.valid @> cast(:at as timestamptz)"
)


def shape_of(tx: Tx, incident: Incident, rule: FenceRule) -> BaseGeometry | None:
    """The fence in WGS84 degrees; None for minutes, which the routing engine answers, and where no grid is known."""
    point = place_of(incident)
    if rule.kind == "buffer_m":
        return buffer_m(point.x, point.y, rule.value or 0.0)
    if rule.kind == "minutes" or incident.area_id is None:
        return None
    statement = _NEIGHBOURS if rule.kind == "neighbours" else _GRID
    values = {"area": incident.area_id, "at": tx.now}
    if rule.kind == "neighbours":
        values["touch"] = _TOUCH_DEG
    found = tx.session.scalar(statement, values)
    return None if found is None else wkb.loads(bytes(found))


def circle_of(point: Point, minutes: float, mode: Mode) -> BaseGeometry:
    """About how far one gets in so many minutes by the mode's usual speed in town, where no roads are known."""
    return buffer_m(point.x, point.y, minutes * 60 * USUAL_SPEED_KMH[mode] / 3.6 / DETOUR_FACTOR)


def place_of(incident: Incident) -> Point:
    """Where the incident is, in degrees; call-outs are opened for located ones only."""
    shape = to_shape(incident.geom)  # type: ignore[arg-type]
    return Point(shape.x, shape.y)
