"""From what somebody drew to the polygon that is watched: checked, in WGS84, metres through the local system.

Ceilings are applied to the plain numbers before any geometry library sees them; a border that crosses itself is refused
with the place, since mending it would guess what was meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon, shape
from shapely.geometry.base import BaseGeometry

from gridmap.domain.crs import geometry_to_wgs84, parse_crs, snap_1e9
from gridmap.domain.metric import LocalMetric, area_m2
from gridmap.errors import Invalid, TooLarge

MAX_CORNERS = 20_000
MAX_RINGS = 1_000
MAX_RADIUS_M = 50_000.0
MAX_HALF_WIDTH_M = 2_000.0
MIN_AREA_M2 = 1.0
MAX_AREA_M2 = 2.0e11

_DEPTH = {"Point": 0, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
_PLACE = re.compile(r"\[(-?[\d.]+(?:e-?\d+)?) (-?[\d.]+(?:e-?\d+)?)\]")


def read_geometry(told: Mapping[str, Any], crs: str, kinds: Sequence[str]) -> BaseGeometry:
    """A GeoJSON geometry of the named coordinate system as WGS84 degrees.

    Args:
        kinds: which GeoJSON types are taken.

    Raises:
        Invalid: "crs_unknown", "crs_refused", "fence_geometry" (reason, and lon and lat where there is a place);
        TooLarge: "fence_too_detailed".
    """
    system = parse_crs(crs)
    kind = told.get("type")
    if kind not in kinds or kind not in _DEPTH:
        raise Invalid("fence_geometry", reason="type", given=str(kind)[:40], wanted=list(kinds))
    _check_coordinates(told.get("coordinates"), _DEPTH[kind])
    try:
        drawn = shape({"type": kind, "coordinates": told["coordinates"]})
    except (ValueError, TypeError, shapely.errors.ShapelyError) as error:
        raise Invalid("fence_geometry", reason="unreadable") from error
    if drawn.is_empty:
        raise Invalid("fence_geometry", reason="empty")
    made = snap_1e9(geometry_to_wgs84(drawn, system))
    west, south, east, north = made.bounds
    if not (-180.0 <= west <= east <= 180.0 and -90.0 < south <= north < 90.0):
        raise Invalid("fence_geometry", reason="out_of_range")
    _refuse_invalid(made)
    return made


def _check_coordinates(told: Any, depth: int) -> None:
    """Count positions and rings, and see that every number is one, without building anything."""
    positions, rings, waiting = 0, 0, [(told, depth)]
    while waiting:
        item, left = waiting.pop()
        if not isinstance(item, list | tuple):
            raise Invalid("fence_geometry", reason="unreadable")
        if left == 0:
            numbers = all(type(value) in (int, float) and abs(value) < 1e9 for value in item)
            if not 2 <= len(item) <= 4 or not numbers:
                raise Invalid("fence_geometry", reason="unreadable")
            positions += 1
        else:
            rings += left == 1
            if len(item) > MAX_CORNERS:
                raise TooLarge("fence_too_detailed", most=MAX_CORNERS)
            waiting += [(part, left - 1) for part in item]
        if positions > MAX_CORNERS or rings > MAX_RINGS:
            raise TooLarge("fence_too_detailed", most=MAX_CORNERS)


def _refuse_invalid(made: BaseGeometry) -> None:
    if shapely.is_valid(made):
        return
    told = shapely.is_valid_reason(made)
    place = _PLACE.search(told)
    where = {"lon": round(float(place[1]), 7), "lat": round(float(place[2]), 7)} if place else {}
    raise Invalid("fence_geometry", reason=_reason_key(told), **where)


def _reason_key(told: str) -> str:
    """GEOS's words as a stable code."""
    words = told.split("[")[0].strip().lower()
    for part, code in (
        ("self-intersection", "crosses_itself"),
        ("hole lies outside", "hole_outside"),
        ("nested", "parts_overlap"),
        ("interior is disconnected", "falls_apart"),
        ("too few points", "too_few_corners"),
    ):
        if part in words:
            return code
    return "not_simple"


def area_shape(drawn: BaseGeometry) -> MultiPolygon:
    """The parts of a polygon fence. Raises Invalid("fence_geometry", reason="too_small" | "too_large" | "empty")."""
    parts = [part for part in shapely.get_parts(drawn) if isinstance(part, Polygon) and not part.is_empty]
    if not parts:
        raise Invalid("fence_geometry", reason="empty")
    made = MultiPolygon(parts)
    size_m2 = area_m2(made)
    if not MIN_AREA_M2 <= size_m2 <= MAX_AREA_M2:
        raise Invalid("fence_geometry", reason="too_small" if size_m2 < MIN_AREA_M2 else "too_large")
    return made


def buffer_shape(drawn: BaseGeometry, radius_m: float, metric: LocalMetric) -> MultiPolygon:
    """Everything within `radius_m` of a point, line or area (WGS84 in and out)."""
    if not 0.0 < radius_m <= MAX_RADIUS_M:
        raise Invalid("fence_radius", most=MAX_RADIUS_M)
    return _from_plane(shapely.buffer(metric.to_plane(drawn), radius_m, quad_segs=16), metric)


def corridor_shape(drawn: BaseGeometry, half_width_m: float, metric: LocalMetric) -> MultiPolygon:
    """The strip of `half_width_m` to either side of a line, ending where the line ends (WGS84 in and out)."""
    if not 0.0 < half_width_m <= MAX_HALF_WIDTH_M:
        raise Invalid("fence_half_width", most=MAX_HALF_WIDTH_M)
    plane = metric.to_plane(drawn)
    return _from_plane(shapely.buffer(plane, half_width_m, quad_segs=8, cap_style="flat"), metric)


def joined_shape(parts: Sequence[BaseGeometry]) -> MultiPolygon:
    """Grids as one shape: borders that two of them share vanish."""
    return area_shape(shapely.union_all(np.array(parts, dtype=object)))


def _from_plane(made: BaseGeometry, metric: LocalMetric) -> MultiPolygon:
    if shapely.get_num_coordinates(made) > MAX_CORNERS:
        raise TooLarge("fence_too_detailed", most=MAX_CORNERS)
    return area_shape(snap_1e9(metric.to_degrees(made)))
