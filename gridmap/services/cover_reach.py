"""Which points each unit reaches within some minutes: asked of the roads, kept while the unit stays about there."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.adapters.valhalla import Valhalla
from gridmap.domain.closures import Closures
from gridmap.domain.metric import buffer_m, distance_m
from gridmap.domain.travel import DETOUR_FACTOR, KMH, USUAL_SPEED_KMH, LonLat, Mode
from gridmap.errors import NotFound, Unavailable

Bools = NDArray[np.bool_]

# A unit that moved by less than this part of the shortest time it counts for is where it was.
MOVED_SHARE = 0.1
# The box of a ring of 64 corners lies a little inside that of its circle.
_BOX_SLACK = 1.01


@dataclass(frozen=True, slots=True)
class FreeUnit:
    """A free unit that counts for some requirement. `minutes` are those of its requirements."""

    id: UUID
    kind: str
    capabilities: tuple[str, ...]
    mode: Mode
    place: LonLat
    path: str
    minutes: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the roads said of a unit at a place; `reached` by minutes (P,)."""

    place: LonLat
    mode: Mode
    closed: object
    at: datetime
    reached: Mapping[float, Bools]


class Reach:
    """The reach of units over fixed points, with at most so many engine seconds a turn.

    Whoever the roads have not been asked about yet is judged by the straight line, and counted as rough.
    """

    def __init__(self, router: Valhalla, lonlat: NDArray[np.float64]) -> None:
        self._router = router
        self._lonlat = lonlat
        self._points = shapely.points(lonlat)
        self._tree = shapely.STRtree(self._points)
        self._known: dict[UUID, _Answer] = {}
        self._posts: dict[tuple[int, Mode, float, object], Bools] = {}

    def refresh(self, units: Sequence[FreeUnit], closures: Closures, now: datetime, budget_s: float) -> float:
        """Ask the roads about units that moved, those never asked about first; returns the seconds it took.

        Raises nothing while the engine is down: the units stay rough.
        """
        self._forget({unit.id for unit in units})
        began = time.perf_counter()
        for unit in sorted(self._stale(units, closures), key=self._urgency, reverse=True):
            if time.perf_counter() - began >= budget_s:
                break
            try:
                rings = self._rings(unit.place, unit.mode, unit.minutes, closures)
            except Unavailable:
                break
            key = closures.by_mode[unit.mode]
            self._known[unit.id] = _Answer(unit.place, unit.mode, key, now, rings)
        return time.perf_counter() - began

    def within(self, units: Sequence[FreeUnit], minutes: float) -> Bools:
        """(U, P) which points each unit reaches within `minutes`."""
        out = np.zeros((len(units), len(self._lonlat)), dtype=bool)
        for row, unit in enumerate(units):
            answer = self._known.get(unit.id)
            if answer is not None and minutes in answer.reached and answer.mode == unit.mode:
                out[row] = answer.reached[minutes]
            else:
                metres_a_second = USUAL_SPEED_KMH[unit.mode] * KMH / DETOUR_FACTOR
                out[row, self._points_within(unit.place, minutes * 60 * metres_a_second)] = True
        return out

    def _points_within(self, place: LonLat, radius_m: float) -> NDArray[np.intp]:
        """The points within `radius_m` by air; only those in the circle's box are measured."""
        in_box: NDArray[np.intp] = self._tree.query(buffer_m(*place, radius_m * _BOX_SLACK))
        lon, lat = self._lonlat[in_box].T
        found: NDArray[np.intp] = in_box[distance_m(*place, lon, lat) <= radius_m]
        return found

    def rough(self, units: Iterable[FreeUnit]) -> int:
        """Units that are judged by the straight line."""
        return sum(unit.id not in self._known for unit in units)

    def oldest_s(self, units: Iterable[FreeUnit], now: datetime) -> float:
        """Age of the oldest answer in use, 0 without one."""
        ages = [(now - self._known[unit.id].at).total_seconds() for unit in units if unit.id in self._known]
        return max(ages, default=0.0)

    def from_point(self, point: int, mode: Mode, minutes: float, closures: Closures) -> Bools:
        """(P,) what a unit standing at a point would reach. Raises Unavailable."""
        key = (point, mode, minutes, closures.by_mode[mode])
        if key not in self._posts:
            if len(self._posts) > 5_000:
                self._posts.clear()
            place = LonLat(*self._lonlat[point].tolist())
            self._posts[key] = self._rings(place, mode, (minutes,), closures)[minutes]
        return self._posts[key]

    def _stale(self, units: Sequence[FreeUnit], closures: Closures) -> list[FreeUnit]:
        return [unit for unit in units if self._is_stale(unit, closures)]

    def _is_stale(self, unit: FreeUnit, closures: Closures) -> bool:
        answer = self._known.get(unit.id)
        if answer is None or answer.mode != unit.mode or not set(unit.minutes) <= set(answer.reached):
            return True
        if answer.closed != closures.by_mode[unit.mode]:
            return True
        moved_s = self._moved_m(unit) / (USUAL_SPEED_KMH[unit.mode] * KMH)
        return moved_s > MOVED_SHARE * min(unit.minutes) * 60

    def _moved_m(self, unit: FreeUnit) -> float:
        answer = self._known[unit.id]
        return float(distance_m(*unit.place, *answer.place))

    def _urgency(self, unit: FreeUnit) -> float:
        return np.inf if unit.id not in self._known else self._moved_m(unit)

    def _forget(self, kept: set[UUID]) -> None:
        for unit_id in self._known.keys() - kept:
            del self._known[unit_id]

    def _rings(
        self, place: LonLat, mode: Mode, minutes: Sequence[float], closures: Closures
    ) -> dict[float, Bools]:
        try:
            shapes = self._router.isochrone(place, mode, minutes, closures.by_mode[mode])
        except NotFound:
            # No road near: it reaches nobody.
            return {time: np.zeros(len(self._points), dtype=bool) for time in minutes}
        for found in shapes:
            shapely.prepare(found)
        return {
            time: np.asarray(shapely.covers(found, self._points))
            for time, found in zip(minutes, shapes, strict=True)
        }
