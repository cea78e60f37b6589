"""The routing engine, asked over HTTP on this machine: typed places in, typed trips and routes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import polyline
from shapely import union_all
from shapely.geometry import LineString, Polygon, shape
from shapely.geometry.base import BaseGeometry

from gridmap.adapters.valhalla_config import COSTING
from gridmap.domain.metric import distance_m
from gridmap.domain.travel import OFF_NETWORK, OFF_NETWORK_M, UNREACHABLE, LonLat, Mode, Trip
from gridmap.errors import GridmapError, Invalid, NotFound, Unavailable

_SHAPE_DIGITS = 6
_ISOCHRONE_GENERALIZE_M = 15.0

# How many road pieces must be reachable from the road a place is put on. By default the engine asks for 50
# and takes a road across the wall when a compound's own lanes are fewer. So the nearest road is tried first, and
# a better connected one only where no way leads to the nearest: it may be a fragment nobody joined to the rest.
_NEAREST = 0
_CONNECTED = 50


# The engine's own numbers (its loki and thor workers). Of these one bad position fails the whole request.
_NO_ROAD_NEAR = {170, 171}
_TOO_FAR = {154}
_NO_WAY = {441, 442, 443}
_POLYGON_REFUSED = {107, 167, 168}
_NO_MATCH = {443, 444}
# Phones say 3 m and mean less; past the engine's ceiling a point says nothing.
_LEAST_ACCURACY_M, _MOST_ACCURACY_M = 5.0, 100.0


@dataclass(frozen=True)
class Route:
    """A way over the roads.

    Attributes:
        geometry: WGS84 line, lon and lat, from the start's road to the target's.
        seconds, distance_m: along the line.
    """

    geometry: LineString
    seconds: float
    distance_m: float


@dataclass(frozen=True, slots=True)
class TracePoint:
    """A noisy position, WGS84: seconds since the first one, and how far off it may be."""

    place: LonLat
    at_s: float
    accuracy_m: float


@dataclass(frozen=True, slots=True)
class MatchedTrack:
    """A track on the roads: for each point where it was, None where no road fits, and the whole way as one line."""

    places: tuple[LonLat | None, ...]
    line: LineString


class _RefusedError(Exception):
    """The engine answered with an error number of its own."""

    def __init__(self, number: int, text: str) -> None:
        self.number = number
        self.text = text
        super().__init__(text)


class Valhalla:
    """A client of the local routing service. Safe to share between threads; never retries.

    Every call raises Unavailable("routing_unavailable") when the service does not answer in time: the caller
    states that and does without.
    """

    def __init__(self, url: str, *, timeout_s: float = 5.0, routing_dir: Path | None = None) -> None:
        """`routing_dir`: where the graph's own files lie that make a ranking quick; None does without."""
        self.routing_dir = routing_dir
        # The service is on this machine: a proxy of the environment must not come in between.
        self._http = httpx.Client(
            base_url=url, timeout=httpx.Timeout(timeout_s, connect=1.0), trust_env=False
        )

    def close(self) -> None:
        self._http.close()

    def graph_built_at(self) -> int:
        """Unix time of the tiles the service has loaded. Raises Unavailable("routing_graph_missing")."""
        built_at = self._get("/status").get("tileset_last_modified") or 0
        if not built_at:
            raise Unavailable("routing_graph_missing")
        return int(built_at)

    def snapped_m(self, place: LonLat, mode: Mode, exclude_polygons: Sequence[Polygon] = ()) -> float | None:
        """Metres from `place` to the road of `mode` it would be placed on; None when there is none in 35 km.

        Where the nearest road is a fragment, the farther one that is joined to the rest counts.
        """
        request = self._request(mode, ()) | {
            "locations": [_location(place, _CONNECTED)],
            "verbose": False,
        }
        edges = self._post("/locate", request)[0].get("edges") or []
        near = [(edge["correlated_lon"], edge["correlated_lat"]) for edge in edges]
        if near and exclude_polygons:
            try:
                same_place = self._request(mode, exclude_polygons) | {
                    "sources": [_location(place)],
                    "targets": [_location(place)],
                    "verbose": True,
                }
                found = self._ask("/sources_to_targets", same_place)["targets"][0]
                near.append((found["lon"], found["lat"]))
            except _RefusedError:
                return None
        return float(max(distance_m(*place, lon, lat) for lon, lat in near)) if near else None

    def matrix(
        self,
        sources: Sequence[LonLat],
        target: LonLat,
        mode: Mode,
        exclude_polygons: Sequence[Polygon] = (),
    ) -> list[Trip]:
        """The trip from each source to `target`, in the order of `sources`; times are those of `route`.

        A source more than OFF_NETWORK_M from every road is "off_network", one without a way "unreachable".

        Args:
            exclude_polygons: WGS84 areas whose roads are closed.
        """
        trips = self._matrix(sources, target, mode, exclude_polygons, _NEAREST)
        stuck = [index for index, trip in enumerate(trips) if trip.state == "unreachable"]
        if stuck:
            again = [sources[index] for index in stuck]
            answers = self._matrix(again, target, mode, exclude_polygons, _CONNECTED)
            for index, answer in zip(stuck, answers, strict=True):
                trips[index] = answer
        return trips

    def _matrix(
        self,
        sources: Sequence[LonLat],
        target: LonLat,
        mode: Mode,
        exclude_polygons: Sequence[Polygon],
        reachability: int,
    ) -> list[Trip]:
        if not sources:
            return []
        request = self._request(mode, exclude_polygons) | {
            "sources": [_start(place, reachability) for place in sources],
            "targets": [_location(target, reachability)],
            "verbose": True,
        }
        try:
            answer = self._ask("/sources_to_targets", request)
        except _RefusedError as refused:
            return self._matrix_in_halves(refused, sources, target, mode, exclude_polygons, reachability)
        rows, snapped = answer["sources_to_targets"], answer["sources"]
        return [_trip(row[0], place, near) for place, row, near in zip(sources, rows, snapped, strict=True)]

    def _matrix_in_halves(
        self,
        refused: _RefusedError,
        sources: Sequence[LonLat],
        target: LonLat,
        mode: Mode,
        exclude_polygons: Sequence[Polygon],
        reachability: int,
    ) -> list[Trip]:
        """One source without a road spoils a whole request: find it by halving."""
        if refused.number not in _NO_ROAD_NEAR | _TOO_FAR | _NO_WAY:
            raise _translated(refused)
        if self.snapped_m(target, mode) is None:
            return [UNREACHABLE] * len(sources)
        if len(sources) == 1:
            return [OFF_NETWORK if self.snapped_m(sources[0], mode) is None else UNREACHABLE]
        middle = len(sources) // 2
        return [
            trip
            for half in (sources[:middle], sources[middle:])
            for trip in self._matrix(half, target, mode, exclude_polygons, reachability)
        ]

    def route(
        self,
        start: LonLat,
        target: LonLat,
        mode: Mode,
        exclude_polygons: Sequence[Polygon] = (),
    ) -> Route:
        """The fastest way from `start` to `target`.

        Raises:
            NotFound: "route_not_found" when no way leads there.
        """
        try:
            return self._route(start, target, mode, exclude_polygons, _NEAREST)
        except NotFound:
            return self._route(start, target, mode, exclude_polygons, _CONNECTED)

    def _route(
        self,
        start: LonLat,
        target: LonLat,
        mode: Mode,
        exclude_polygons: Sequence[Polygon],
        reachability: int,
    ) -> Route:
        request = self._request(mode, exclude_polygons) | {
            "locations": [_location(start, reachability), _location(target, reachability)],
            "directions_type": "none",
        }
        trip = self._post("/route", request)["trip"]
        points: list[tuple[float, float]] = []
        for leg in trip["legs"]:
            points += polyline.decode(leg["shape"], _SHAPE_DIGITS, geojson=True)
        # A trip that starts where it ends has one point; a line needs two.
        line = LineString(points if len(points) > 1 else points * 2)
        summary = trip["summary"]
        return Route(line, float(summary["time"]), float(summary["length"]) * 1000)

    def isochrone(
        self,
        place: LonLat,
        mode: Mode,
        minutes: Sequence[float],
        exclude_polygons: Sequence[Polygon] = (),
        *,
        reverse: bool = False,
    ) -> list[BaseGeometry]:
        """What is reached from `place` within each of `minutes` (at most four), in their order: WGS84 polygons.

        Args:
            reverse: from where `place` is reached instead.

        Raises:
            NotFound: "route_not_found" when there is no road near.
        """
        request = self._request(mode, exclude_polygons) | {
            "locations": [_location(place)],
            "contours": [{"time": time} for time in sorted(set(minutes))],
            "polygons": True,
            "denoise": 0.0,
            "generalize": _ISOCHRONE_GENERALIZE_M,
            "reverse": reverse,
        }
        parts: dict[float, list[BaseGeometry]] = {time: [] for time in minutes}
        for feature in self._post("/isochrone", request)["features"]:
            parts[float(feature["properties"]["contour"])].append(shape(feature["geometry"]).buffer(0))
        return [union_all(parts[time]) for time in minutes]

    def match(self, points: Sequence[TracePoint], mode: Mode) -> MatchedTrack:
        """Put a noisy track on the roads it most likely followed.

        Raises:
            NotFound: "track_not_matched" when no road fits.
        """
        request = self._request(mode, ()) | {
            "shape": [
                {
                    "lon": point.place[0],
                    "lat": point.place[1],
                    "time": point.at_s,
                    "accuracy": min(max(point.accuracy_m, _LEAST_ACCURACY_M), _MOST_ACCURACY_M),
                }
                for point in points
            ],
            "shape_match": "map_snap",
            "filters": {
                "action": "include",
                "attributes": ["matched.point", "matched.type", "shape"],
            },
        }
        try:
            answer = self._ask("/trace_attributes", request)
        except _RefusedError as refused:
            if refused.number in _NO_MATCH | _NO_WAY | _NO_ROAD_NEAR:
                raise NotFound("track_not_matched", engine_code=refused.number) from None
            raise _translated(refused) from None
        line = polyline.decode(answer["shape"], _SHAPE_DIGITS, geojson=True)
        return MatchedTrack(
            tuple(
                None if found["type"] == "unmatched" else LonLat(found["lon"], found["lat"])
                for found in answer["matched_points"]
            ),
            LineString(line if len(line) > 1 else line * 2),
        )

    def _request(self, mode: Mode, exclude_polygons: Sequence[Polygon]) -> dict[str, Any]:
        costing, options = COSTING[mode]
        request: dict[str, Any] = {
            "costing": costing,
            "costing_options": {costing: options},
            "units": "kilometers",
        }
        if exclude_polygons:
            request["exclude_polygons"] = [
                [list(point[:2]) for point in polygon.exterior.coords] for polygon in exclude_polygons
            ]
        return request

    def _get(self, path: str) -> Any:
        try:
            return _body(self._http.get(path))
        except httpx.HTTPError as error:
            raise _silent(error) from None
        except _RefusedError as refused:
            raise _translated(refused) from None

    def _post(self, path: str, request: dict[str, Any]) -> Any:
        try:
            return self._ask(path, request)
        except _RefusedError as refused:
            raise _translated(refused) from None

    def _ask(self, path: str, request: dict[str, Any]) -> Any:
        """Raises _RefusedError with the engine's own number, for callers that can do better."""
        try:
            return _body(self._http.post(path, json=request))
        except httpx.HTTPError as error:
            raise _silent(error) from None


def _start(place: LonLat, reachability: int) -> dict[str, float]:
    """Where the nearest road leads nowhere, a better connected one must not lie off the network."""
    near = {"search_cutoff": OFF_NETWORK_M} if reachability == _CONNECTED else {}
    return _location(place, reachability) | near


def _location(place: LonLat, reachability: int = _NEAREST) -> dict[str, float]:
    return {"lon": place[0], "lat": place[1], "minimum_reachability": reachability}


def _body(response: httpx.Response) -> Any:
    try:
        body = response.json()
    except ValueError:
        raise Unavailable("routing_unavailable", reason="answer_not_json") from None
    if response.is_success:
        return body
    raise _RefusedError(int(body.get("error_code", 0)), str(body.get("error", "")))


def _silent(error: httpx.HTTPError) -> Unavailable:
    reason = "timeout" if isinstance(error, httpx.TimeoutException) else "connection"
    return Unavailable("routing_unavailable", reason=reason)


def _translated(refused: _RefusedError) -> GridmapError:
    if refused.number in _NO_WAY | _NO_ROAD_NEAR | _TOO_FAR:
        return NotFound("route_not_found", engine_code=refused.number)
    if refused.number in _POLYGON_REFUSED:
        return Invalid("closure_too_large", engine_code=refused.number)
    return Unavailable("routing_refused", engine_code=refused.number)


def _trip(cell: dict[str, Any], place: LonLat, snapped: dict[str, float] | None) -> Trip:
    if snapped is None:
        return OFF_NETWORK
    away_m = float(distance_m(*place, snapped["lon"], snapped["lat"]))
    if away_m > OFF_NETWORK_M:
        return Trip("off_network", snapped_m=away_m)
    if cell.get("time") is None or cell.get("distance") is None:
        return Trip("unreachable", snapped_m=away_m)
    return Trip("ok", float(cell["time"]), float(cell["distance"]) * 1000, away_m)
