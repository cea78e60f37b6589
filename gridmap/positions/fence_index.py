"""Where a position lies among many fences: whole batches at once, in local metres, through GEOS's trees.

Borders are cut into short pieces, so that the distance to a border of thousands of corners costs as much as that to a
few; containment goes through prepared polygons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Shape: TypeAlias = Polygon | MultiPolygon

_PIECE_CORNERS = 16


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of one place.

    `near`: by fence number, whether the place lies inside and how far its border is (m; infinite for "farther than
    `clear_m`"). Fences that are not in it do not hold the place, and no border of theirs is nearer than `clear_m`.
    """

    near: dict[int, tuple[bool, float]]
    clear_m: float


class FenceIndex:
    """The shapes of many fences (local metres), numbered as given."""

    def __init__(self, shapes: Sequence[Shape]) -> None:
        self._zones = np.array(shapes, dtype=object)
        if len(shapes):
            shapely.prepare(self._zones)
        self._zone_tree = shapely.STRtree(self._zones)
        self._pieces, self._owner = border_pieces(self._zones)
        self._piece_tree = shapely.STRtree(self._pieces)

    def look(self, x_m: Floats, y_m: Floats, reach_m: Floats) -> list[Sight]:
        """One sight a place; borders farther than `reach_m` (one each) are not measured."""
        points = shapely.points(x_m, y_m)
        near: list[dict[int, tuple[bool, float]]] = [{} for _ in range(len(x_m))]
        clear = reach_m.tolist()
        at, zone = self._zone_tree.query(points)
        holds = shapely.contains_xy(self._zones[zone], x_m[at], y_m[at])
        for place, fence in zip(at[holds].tolist(), zone[holds].tolist(), strict=True):
            near[place][fence] = (True, np.inf)
        for place, fence, away_m in zip(*self._borders(points, reach_m), strict=True):
            near[place][fence] = (fence in near[place], away_m)
            clear[place] = min(clear[place], away_m)
        return [Sight(found, clear_m) for found, clear_m in zip(near, clear, strict=True)]

    def _borders(
        self, points: NDArray[np.object_], reach_m: Floats
    ) -> tuple[list[int], list[int], list[float]]:
        """(place, fence, distance) of every border within reach."""
        at, piece = self._piece_tree.query(points, predicate="dwithin", distance=reach_m)
        if not len(at):
            return [], [], []
        away_m = shapely.distance(self._pieces[piece], points[at])
        key = at * len(self._zones) + self._owner[piece]
        order = np.argsort(key, kind="stable")
        keys, first = np.unique(key[order], return_index=True)
        nearest = np.minimum.reduceat(away_m[order], first)
        place, fence = np.divmod(keys, len(self._zones))
        return place.tolist(), fence.tolist(), nearest.tolist()

    def met_by(self, ways: Floats) -> list[tuple[int, int]]:
        """(way, fence) for each straight way, of shape (n, 2, 2), that meets a fence's border."""
        if not len(ways):
            return []
        way, piece = self._piece_tree.query(shapely.linestrings(ways), predicate="intersects")
        return sorted(set(zip(way.tolist(), self._owner[piece].tolist(), strict=True)))

    def gap_m(self, fence: int, x_m: float, y_m: float) -> float:
        """How far outside a fence a place lies, 0 within."""
        return float(shapely.distance(self._zones[fence], shapely.Point(x_m, y_m)))

    def passes_through(
        self, fence: int, start: tuple[float, float], end: tuple[float, float], doubt_m: float
    ) -> float | None:
        """How far along (0..1) the straight way first meets the fence; None unless it still meets the fence when it
        is moved by `doubt_m` to either side, so that a way along a border or past a corner does not count."""
        way = np.array([start, end])
        along = way[1] - way[0]
        length_m = float(np.hypot(*along))
        if length_m == 0.0:
            return None
        aside = np.array([-along[1], along[0]]) / length_m * doubt_m
        moved = shapely.linestrings(np.array([way + aside, way - aside]))
        if not shapely.intersects(self._zones[fence], moved).all():
            return None
        line = shapely.LineString(way)
        met = shapely.intersection(line, self._zones[fence])
        return None if met.is_empty else float(shapely.Point(start).distance(met)) / length_m


class GridIndex:
    """Cells that do not overlap, numbered as given; on a shared border the lower number holds the place."""

    def __init__(self, cells: Sequence[Shape]) -> None:
        self._cells = np.array(cells, dtype=object)
        if len(cells):
            shapely.prepare(self._cells)
        self._tree = shapely.STRtree(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def find(self, x_m: Floats, y_m: Floats) -> Ints:
        """The cell that holds each place, -1 for none."""
        found = np.full(len(x_m), -1, dtype=np.intp)
        if not len(self._cells) or not len(x_m):
            return found
        at, cell = self._tree.query(shapely.points(x_m, y_m))
        holds = shapely.intersects_xy(self._cells[cell], x_m[at], y_m[at])
        at, cell = at[holds], cell[holds]
        order = np.argsort(-cell, kind="stable")
        found[at[order]] = cell[order]
        return found

    def outside_m(self, cell: Ints, x_m: Floats, y_m: Floats) -> Floats:
        """How far outside its cell each place lies, 0 within; cell -1 gives 0."""
        out = np.zeros(len(x_m))
        asked = np.flatnonzero(cell >= 0)
        if not len(asked):
            return out
        cells = self._cells[cell[asked]]
        left = ~shapely.intersects_xy(cells, x_m[asked], y_m[asked])
        gone = asked[left]
        out[gone] = shapely.distance(cells[left], shapely.points(x_m[gone], y_m[gone]))
        return out


def border_pieces(shapes: NDArray[np.object_]) -> tuple[NDArray[np.object_], Ints]:
    """All rings of all shapes as lines of at most `_PIECE_CORNERS` segments, and the number of the shape of each."""
    parts, part_owner = shapely.get_parts(shapes, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    if not len(rings):
        return np.array([], dtype=object), np.array([], dtype=np.intp)
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    counts = np.bincount(ring, minlength=len(rings))
    begins = np.concatenate([[0], np.cumsum(counts)[:-1]])
    place = np.arange(len(corners)) - begins[ring]
    # Where one piece ends the next begins, so every such corner stands in both; the ring's last only ends one.
    joint = (place % _PIECE_CORNERS == 0) & (place > 0)
    opens = ~(joint & (place == counts[ring] - 1))
    row = np.concatenate([np.flatnonzero(opens), np.flatnonzero(joint)])
    number = np.concatenate([place[opens] // _PIECE_CORNERS, place[joint] // _PIECE_CORNERS - 1])
    order = np.lexsort((place[row], number, ring[row]))
    row, number = row[order], number[order]
    key = np.stack([ring[row], number])
    fresh = np.concatenate([[True], (np.diff(key, axis=1) != 0).any(axis=0)])
    piece = np.cumsum(fresh) - 1
    lines = shapely.linestrings(corners[row], indices=piece)
    return lines, part_owner[ring_part[ring[row[fresh]]]]
