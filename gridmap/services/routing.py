"""Who gets there first, by road: the exactly fastest few of many people, and the way of one of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from shapely.geometry import LineString, Polygon

from gridmap.adapters.valhalla import Route, Valhalla
from gridmap.domain.metric import distance_m
from gridmap.domain.ranking import rank_fastest
from gridmap.domain.travel import (
    OFF_NETWORK_M,
    UNREACHABLE,
    LonLat,
    Mode,
    Trip,
    optimistic_seconds,
    usual_seconds,
)
from gridmap.errors import Unavailable

Key = TypeVar("Key", bound=Hashable)
Method = Literal["road", "straight_line"]


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
    exclude_polygons: Sequence[Polygon] = (),
) -> RoadRanking[Key]:
    """The k candidates with the shortest travel time to `target` by road, each by their own mode.

    Args:
        exclude_polygons: WGS84 areas whose roads are closed.

    Only when the engine does not answer is the straight line used; `method` and `reason` say so.
    """
    straight_m = distance_m(
        [candidate.place.lon for candidate in candidates],
        [candidate.place.lat for candidate in candidates],
        target.lon,
        target.lat,
    ).tolist()
    try:
        roads = _RoadsTo(router, candidates, straight_m, target, exclude_polygons)
        ranking = rank_fastest(roads.optimistic_s(), roads.trips, k=k)
    except Unavailable as failure:
        return _by_straight_line(candidates, straight_m, k, failure.code)
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
        self,
        router: Valhalla,
        candidates: Sequence[Candidate[Key]],
        straight_m: Sequence[float],
        target: LonLat,
        exclude_polygons: Sequence[Polygon],
    ) -> None:
        self._router = router
        self._candidates = candidates
        self._straight_m = straight_m
        self._target = target
        self._closed = exclude_polygons
        self._target_snapped_m = {
            mode: router.snapped_m(target, mode, exclude_polygons)
            for mode in {candidate.mode for candidate in candidates}
        }

    def optimistic_s(self) -> list[float]:
        return [self._bound_s(index) for index in range(len(self._candidates))]

    def trips(self, indices: Sequence[int]) -> list[Trip]:
        trips: dict[int, Trip] = {}
        for mode in {self._candidates[index].mode for index in indices}:
            members = [index for index in indices if self._candidates[index].mode == mode]
            if self._target_snapped_m[mode] is None:
                answers = [UNREACHABLE] * len(members)
            else:
                places = [self._candidates[index].place for index in members]
                answers = self._router.matrix(places, self._target, mode, self._closed)
            trips.update(zip(members, answers, strict=True))
        return [trips[index] for index in indices]

    def _bound_s(self, index: int) -> float:
        """Whoever is placed on a road further than OFF_NETWORK_M away gets no trip: so much slack is enough."""
        mode = self._candidates[index].mode
        slack_m = OFF_NETWORK_M + (self._target_snapped_m[mode] or 0.0)
        return optimistic_seconds(self._straight_m[index], mode, slack_m)


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
class Way:
    """A line to draw. By "straight_line" it joins the two places and the time is a rough estimate."""

    method: Method
    reason: str | None
    geometry: LineString
    seconds: float
    distance_m: float


def way_to(router: Valhalla, start: LonLat, target: LonLat, mode: Mode) -> Way:
    """The way to draw from a person to a place.

    Raises NotFound("route_not_found") when the engine answers that no way leads there.
    """
    try:
        route: Route = router.route(start, target, mode)
    except Unavailable as failure:
        straight_m = float(distance_m(*start, *target))
        line = LineString([start, target])
        return Way("straight_line", failure.code, line, usual_seconds(straight_m, mode), straight_m)
    return Way("road", None, route.geometry, route.seconds, route.distance_m)
