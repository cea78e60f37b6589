"""Who gets there first, by road: the exactly fastest few of many people, and the way of one of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry

from gridmap.adapters.valhalla import Route, TracePoint, Valhalla
from gridmap.domain.closures import ALL_OPEN, Closures
from gridmap.domain.metric import buffer_m, distance_m
from gridmap.domain.ranking import Times, rank_fastest
from gridmap.domain.travel import (
    OFF_NETWORK_M,
    LonLat,
    Mode,
    Trip,
    optimistic_seconds,
    usual_seconds,
)
from gridmap.errors import NotFound, Unavailable
from gridmap.optimise.road_bounds import Search
from gridmap.services.road_store import current_bounds

Key = TypeVar("Key", bound=Hashable)
Method = Literal["road", "straight_line"]

_MODES = tuple(Mode)
# The engine tells whole seconds.
_ENGINE_ROUNDS_S = 1.0


@dataclass(frozen=True, slots=True)
class Candidate(Generic[Key]):
    """Somebody who could go: where they are and how they travel."""

    key: Key
    place: LonLat
    mode: Mode


@dataclass(frozen=True, slots=True)
class Arrival(Generic[Key]):
    """A candidate and the trip. By the method "straight_line" seconds are a rough estimate from `distance_m`,
    which then is the straight line."""

    candidate: Candidate[Key]
    trip: Trip


@dataclass(frozen=True, slots=True)
class RoadRanking(Generic[Key]):
    """The answer, and how it was come by.

    Attributes:
        method: "road", or "straight_line" when the routing engine did not answer.
        reason: None by road, else the code of why not.
        fastest: at most k, best first.
        without_trip: looked at, but unreachable or off the network.
        asked: how many the engine was asked about. All others are provably slower than the last of `fastest`.
    """

    method: Method
    reason: str | None
    fastest: tuple[Arrival[Key], ...]
    without_trip: tuple[Arrival[Key], ...]
    asked: int


def rank_by_road(
    router: Valhalla,
    candidates: Sequence[Candidate[Key]],
    target: LonLat,
    k: int = 5,
    closures: Closures = ALL_OPEN,
) -> RoadRanking[Key]:
    """The k candidates with the shortest travel time to `target` by road, each by their own mode.

    Only when the engine does not answer is the straight line used; `method` and `reason` say so.
    """
    roads = _RoadsTo(router, candidates, target, closures)
    try:
        ranking = rank_fastest(roads.optimistic_s(), roads.trips, k=k, tighten=roads.tighten)
    except Unavailable as failure:
        return _by_straight_line(candidates, roads.straight_m.tolist(), k, failure.code)
    return RoadRanking(
        method="road",
        reason=None,
        fastest=tuple(Arrival(candidates[item.index], item.trip) for item in ranking.fastest),
        without_trip=tuple(Arrival(candidates[item.index], item.trip) for item in ranking.without_trip),
        asked=ranking.asked,
    )


class _RoadsTo(Generic[Key]):
    """The routing engine as the ranking asks it: candidates by index, each mode in a request of its own."""

    def __init__(
        self, router: Valhalla, candidates: Sequence[Candidate[Key]], target: LonLat, closures: Closures
    ) -> None:
        self._router = router
        self._candidates = candidates
        self._target = target
        self._closed = closures.by_mode
        self._lon = np.array([candidate.place.lon for candidate in candidates], dtype=float)
        self._lat = np.array([candidate.place.lat for candidate in candidates], dtype=float)
        self.straight_m = distance_m(self._lon, self._lat, target.lon, target.lat)
        self._mode = np.array([_MODES.index(candidate.mode) for candidate in candidates], dtype=np.int8)
        bounds = current_bounds(router.routing_dir)
        self._searches: dict[int, Search] = {}
        if bounds is not None:
            for number in np.unique(self._mode).tolist():
                search = bounds.search(_MODES[number], target, self._closed[_MODES[number]])
                if search.is_known:
                    self._searches[number] = search

    def optimistic_s(self) -> Times:
        """By the straight line: whoever is placed on a road further than OFF_NETWORK_M away gets no trip, so much
        slack is enough at that end; at the other, as far as the road lies that the target is placed on."""
        found = np.zeros(len(self._candidates))
        for number in np.unique(self._mode).tolist():
            mode, members = _MODES[number], self._mode == number
            away_m = self._target_away_m(number)
            found[members] = optimistic_seconds(self.straight_m[members], mode, OFF_NETWORK_M + away_m)
        return found

    def tighten(self, indices: NDArray[np.intp], enough_s: float) -> tuple[Times, NDArray[np.bool_]]:
        """By the roads themselves, where what was stored beside the graph tells."""
        bounds, final = np.zeros(len(indices)), np.ones(len(indices), dtype=bool)
        for number, search in self._searches.items():
            members = np.flatnonzero(self._mode[indices] == number)
            if len(members):
                own = indices[members]
                bounds[members], final[members] = search.bounds_s(
                    self._lon[own], self._lat[own], enough_s + _ENGINE_ROUNDS_S
                )
        return np.maximum(0.0, bounds - _ENGINE_ROUNDS_S), final

    def trips(self, indices: Sequence[int]) -> list[Trip]:
        trips: dict[int, Trip] = {}
        for mode in sorted({self._candidates[index].mode for index in indices}):
            members = [index for index in indices if self._candidates[index].mode == mode]
            places = [self._candidates[index].place for index in members]
            answers = self._router.matrix(places, self._target, mode, self._closed[mode])
            trips.update(zip(members, answers, strict=True))
        return [trips[index] for index in indices]

    def _target_away_m(self, number: int) -> float:
        if number in self._searches:
            return self._searches[number].target_away_m
        mode = _MODES[number]
        return self._router.snapped_m(self._target, mode, self._closed[mode]) or 0.0


def _by_straight_line(
    candidates: Sequence[Candidate[Key]], straight_m: Sequence[float], k: int, reason: str
) -> RoadRanking[Key]:
    def estimate(index: int) -> float:
        return usual_seconds(straight_m[index], candidates[index].mode)

    order = sorted(range(len(candidates)), key=lambda index: (estimate(index), index))[:k]
    fastest = tuple(
        Arrival(candidates[index], Trip("ok", estimate(index), straight_m[index])) for index in order
    )
    return RoadRanking("straight_line", reason, fastest, (), 0)


@dataclass(frozen=True, slots=True)
class Isochrone:
    """What is reached within some minutes (WGS84), or from where the place is reached."""

    minutes: float
    geometry: BaseGeometry
    method: Method
    reason: str | None


def reached_within(
    router: Valhalla,
    place: LonLat,
    mode: Mode,
    minutes: Sequence[float],
    closures: Closures = ALL_OPEN,
    *,
    reverse: bool = False,
) -> list[Isochrone]:
    """Isochrones by road, in the order of `minutes`; circles, and it says so, when the engine does not answer."""
    try:
        shapes = router.isochrone(place, mode, minutes, closures.by_mode[mode], reverse=reverse)
    except Unavailable as failure:
        speed_mps = 1.0 / usual_seconds(1.0, mode)
        circles = [buffer_m(*place, radius_m=speed_mps * one * 60) for one in minutes]
        return [
            Isochrone(one, circle, "straight_line", failure.code)
            for one, circle in zip(minutes, circles, strict=True)
        ]
    return [Isochrone(one, shape, "road", None) for one, shape in zip(minutes, shapes, strict=True)]


@dataclass(frozen=True, slots=True)
class SnappedTrack:
    """A track for the map. By "road" its points lie on roads (where one fits) and the line follows them; by
    "straight_line" they are as they came, joined."""

    method: Method
    reason: str | None
    places: tuple[LonLat, ...]
    line: LineString


def snap_track(router: Valhalla, points: Sequence[TracePoint], mode: Mode) -> SnappedTrack:
    """Put a unit's noisy positions, in order of time, on the roads it most likely went. Needs two points."""
    try:
        found = router.match(points, mode)
    except (Unavailable, NotFound) as failure:
        places = tuple(point.place for point in points)
        return SnappedTrack("straight_line", failure.code, places, LineString(places))
    snapped = zip(found.places, points, strict=True)
    return SnappedTrack(
        "road",
        None,
        tuple(there if there is not None else point.place for there, point in snapped),
        found.line,
    )


@dataclass(frozen=True, slots=True)
class Way:
    """A line to draw. By "straight_line" it joins the two places and the time is a rough estimate."""

    method: Method
    reason: str | None
    geometry: LineString
    seconds: float
    distance_m: float


def way_to(router: Valhalla, start: LonLat, target: LonLat, mode: Mode, closures: Closures = ALL_OPEN) -> Way:
    """The way to draw from a person to a place.

    Raises NotFound("route_not_found") when the engine answers that no way leads there.
    """
    try:
        route: Route = router.route(start, target, mode, closures.by_mode[mode])
    except Unavailable as failure:
        straight_m = float(distance_m(*start, *target))
        line = LineString([start, target])
        return Way("straight_line", failure.code, line, usual_seconds(straight_m, mode), straight_m)
    return Way("road", None, route.geometry, route.seconds, route.distance_m)
