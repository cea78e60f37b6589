"""Closed roads as the routing engine takes them: areas, and whom they stop."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

import shapely
import shapely.ops
from shapely.geometry import LineString, MultiPolygon, Polygon

from gridmap.domain.metric import LocalMetric
from gridmap.domain.travel import LonLat, Mode
from gridmap.errors import Invalid

# Half the width of the strip that a drawn line becomes: enough to meet the road it was drawn over by hand.
LINE_HALF_WIDTH_M = 5.0
# A line drawn along a street ends on its crossings; cut short, it leaves the cross streets open.
LINE_END_CUT_M = 8.0
MAX_CORNERS = 200
MAX_LENGTH_M = 50_000.0
MAX_AREA_M2 = 100e6


@dataclass(frozen=True, slots=True)
class Closure:
    """One closed place, WGS84. It stops `modes`; none named means everybody."""

    id: UUID
    shape: MultiPolygon
    modes: frozenset[Mode] = frozenset()

    def stops(self, mode: Mode) -> bool:
        return not self.modes or mode in self.modes


@dataclass(frozen=True)
class Closures:
    """Everything that is closed at one moment."""

    items: tuple[Closure, ...] = ()

    @cached_property
    def by_mode(self) -> dict[Mode, tuple[Polygon, ...]]:
        """The closed areas of each mode; every road that touches one of them is shut."""
        return {
            mode: tuple(part for item in self.items if item.stops(mode) for part in item.shape.geoms)
            for mode in Mode
        }

    def holding(self, place: LonLat) -> tuple[UUID, ...]:
        """The closures that a place lies in."""
        point = shapely.Point(*place)
        return tuple(item.id for item in self.items if item.shape.covers(point))


ALL_OPEN = Closures()


def blocked_shape(drawn: Any, metric: LocalMetric) -> MultiPolygon:
    """What a drawn line or area shuts, WGS84: a line becomes a thin strip.

    Raises Invalid: "closure_shape_invalid" (not a line or polygon, or crossing itself), "closure_too_large".
    """
    if shapely.get_num_coordinates(drawn) > MAX_CORNERS:
        raise Invalid("closure_too_large", most_corners=MAX_CORNERS)
    if (
        drawn.geom_type not in ("LineString", "Polygon", "MultiPolygon")
        or drawn.is_empty
        or not drawn.is_valid
    ):
        raise Invalid("closure_shape_invalid", kind=drawn.geom_type)
    plane = metric.to_plane(drawn)
    if plane.length > MAX_LENGTH_M or plane.area > MAX_AREA_M2:
        raise Invalid("closure_too_large", most_length_m=MAX_LENGTH_M, most_area_m2=MAX_AREA_M2)
    if plane.geom_type == "LineString":
        plane = _cut_short(plane).buffer(
            LINE_HALF_WIDTH_M, cap_style="flat", join_style="mitre", mitre_limit=2
        )
    closed = metric.to_degrees(plane)
    parts = [part for part in shapely.get_parts(closed) if part.area > 0]
    if not parts:
        raise Invalid("closure_shape_invalid", kind="empty")
    return MultiPolygon([Polygon(part.exterior) for part in parts])


def _cut_short(line: LineString) -> LineString:
    if line.length < 5 * LINE_END_CUT_M:
        return line
    cut = shapely.ops.substring(line, LINE_END_CUT_M, line.length - LINE_END_CUT_M)
    return LineString(cut.coords)
