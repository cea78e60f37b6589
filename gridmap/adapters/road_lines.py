"""The extracts' roads with what the routing engine made of each: asked of the engine's own vector tiles.

The engine decides speeds and rights from many tags, so they are not guessed a second time: its tiles tell them way by
way. A way that they do not tell of counts as passable at top speed and as nothing to rely on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import osmium
from mapbox_vector_tile.Mapbox import vector_tile_pb2

from gridmap.domain.road_bounds import MODES, RoadLines
from gridmap.domain.travel import TOP_SPEED_KMH, Mode

TILE_ZOOM = 12
_ATTRIBUTES = (
    "edge.way_id",
    "edge.speed_forward",
    "edge.speed_backward",
    "edge.access_forward",
    "edge.access_backward",
    "edge.destination_only",
    "edge.dismount",
)
# The engine's bits of access.
_AUTO, _PEDESTRIAN, _BICYCLE = 1, 2, 4
# A person may push the bicycle where people on foot may go.
_MAY = {
    Mode.FOOT: _PEDESTRIAN,
    Mode.EBIKE: _BICYCLE | _PEDESTRIAN,
    Mode.CAR: _AUTO,
    Mode.EMERGENCY_CAR: _AUTO,
}
_SURELY = {Mode.FOOT: _PEDESTRIAN, Mode.EBIKE: _BICYCLE, Mode.CAR: _AUTO, Mode.EMERGENCY_CAR: _AUTO}
_BY_ROAD_CLASS = frozenset({Mode.CAR, Mode.EMERGENCY_CAR})
_LINES = ("highway", "railway", "public_transport", "man_made")
_OPEN_ON_FOOT = frozenset({"yes", "designated", "permissive"})
_OPEN_TO_WHEELS = frozenset({"yes", "permissive", "private", "destination", "customers"})
_GATES = frozenset({"gate", "lift_gate", "swing_gate", "entrance"})
_WHEEL_TAGS = ("vehicle", "motor_vehicle", "motorcar", "bicycle", "locked", "access:conditional")
_ONE_WAY = {"yes": 1, "true": 1, "1": 1, "-1": -1, "reverse": -1}
_EARTH_M = 6_371_000.0
# The engine keeps whole metres an edge and rounds coordinates; its sphere is not quite ours.
_ROUNDING_M, _SPHERES = 0.6, 0.995


@dataclass
class _WayFacts:
    """What the engine's edges of one way say, taken together."""

    speed_kmh: float = 0.0
    may: int = 0
    both_ways: int = 0x7FF
    cautious: bool = False

    def add(self, tags: dict[str, Any]) -> None:
        forward, backward = int(tags.get("access:fwd", 0)), int(tags.get("access:bwd", 0))
        self.speed_kmh = max(self.speed_kmh, float(tags.get("speed:fwd", 0)), float(tags.get("speed:bwd", 0)))
        self.may |= forward | backward
        self.both_ways &= forward & backward
        self.cautious |= bool(tags.get("dismount"))


@dataclass
class _Drawn:
    """Ways as read from the extracts: points by OSM id, and each way's points, id and direction."""

    points: dict[int, tuple[float, float]] = field(default_factory=dict)
    ways: dict[int, list[int]] = field(default_factory=dict)
    oneway: dict[int, int] = field(default_factory=dict)
    gates: dict[int, tuple[bool, bool]] = field(default_factory=dict)
    turning: set[int] = field(default_factory=set)


def read_road_lines(extracts: Sequence[Path], service_url: str) -> RoadLines:
    """The roads of `extracts`, as the engine at `service_url`, which has loaded their graph, uses them."""
    drawn = _Drawn()
    for extract in extracts:
        _read_extract(extract, drawn)
    with httpx.Client(base_url=service_url, timeout=30.0, trust_env=False) as client:
        facts = _ask_engine(client, drawn.points.values())
    return _as_arrays(drawn, facts)


def _read_extract(path: Path, drawn: _Drawn) -> None:
    roads = osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY).with_locations()
    for way in roads.with_filter(osmium.filter.KeyFilter(*_LINES)):
        if not isinstance(way, osmium.osm.Way):
            continue
        placed = [node for node in way.nodes if node.location.valid()]
        if len(placed) < 2:
            continue
        drawn.points |= {node.ref: (node.location.lon, node.location.lat) for node in placed}
        drawn.ways[way.id] = [node.ref for node in placed]
        drawn.oneway[way.id] = _ONE_WAY.get(way.tags.get("oneway") or "", 0)
    barriers = osmium.FileProcessor(str(path), osmium.osm.NODE)
    for node in barriers.with_filter(osmium.filter.KeyFilter("barrier", "access")):
        drawn.gates[node.id] = _opens(node.tags)
    relations = osmium.FileProcessor(str(path), osmium.osm.RELATION)
    for relation in relations.with_filter(osmium.filter.TagFilter(("type", "restriction"))):
        if isinstance(relation, osmium.osm.Relation):
            drawn.turning |= {member.ref for member in relation.members if member.type == "w"}


def _opens(tags: Any) -> tuple[bool, bool]:
    """Whether a point on a road surely lets people on foot through, and wheels: the engine opens private gates."""
    plain_gate = tags.get("barrier", "gate") in _GATES and not any(key in tags for key in _WHEEL_TAGS)
    return tags.get("foot", "") in _OPEN_ON_FOOT, plain_gate and tags.get("access", "") in _OPEN_TO_WHEELS


def _ask_engine(client: httpx.Client, points: Any) -> dict[int, _WayFacts]:
    facts: dict[int, _WayFacts] = {}
    tiles = {_tile_of(lon, lat) for lon, lat in points}
    for x, y in sorted(tiles):
        request = {
            "tile": {"z": TILE_ZOOM, "x": x, "y": y},
            "filters": {"action": "include", "attributes": _ATTRIBUTES},
        }
        answer = client.post("/tile", json=request)
        answer.raise_for_status()
        for tags in _edges(answer.content):
            facts.setdefault(int(tags["osm_id"]), _WayFacts()).add(tags)
    return facts


def _tile_of(lon: float, lat: float) -> tuple[int, int]:
    size = 2**TILE_ZOOM
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * size
    return int((lon + 180) / 360 * size), int(y)


def _edges(content: bytes) -> Iterator[dict[str, Any]]:
    tile = vector_tile_pb2.tile()
    tile.ParseFromString(content)
    for layer in tile.layers:
        if layer.name != "edges":
            continue
        values = [_value(value) for value in layer.values]
        for feature in layer.features:
            pairs = zip(feature.tags[::2], feature.tags[1::2], strict=True)
            tags = {layer.keys[key]: values[value] for key, value in pairs}
            if "osm_id" in tags:
                yield tags


def _value(value: Any) -> Any:
    return next((found for _, found in value.ListFields()), 0)


def _as_arrays(drawn: _Drawn, facts: dict[int, _WayFacts]) -> RoadLines:
    number = {ref: index for index, ref in enumerate(drawn.points)}
    lonlat = np.array(list(drawn.points.values()), dtype=float).reshape(-1, 2)
    uses = np.zeros(len(number), dtype=np.int32)
    rows = [np.array([number[ref] for ref in refs], dtype=np.int32) for refs in drawn.ways.values()]
    for row in rows:
        np.add.at(uses, row, 1)
        uses[row[[0, -1]]] += 1
    start = np.concatenate([row[:-1] for row in rows]) if rows else np.empty(0, np.int32)
    end = np.concatenate([row[1:] for row in rows]) if rows else np.empty(0, np.int32)
    way = np.repeat(np.arange(len(rows), dtype=np.int32), [len(row) - 1 for row in rows])
    new_way = np.r_[True, way[1:] != way[:-1]] if len(way) else np.empty(0, bool)
    chain = np.cumsum(new_way | (uses[start] > 1)).astype(np.int32) - 1
    return RoadLines(
        lon=lonlat[:, 0],
        lat=lonlat[:, 1],
        start=start,
        end=end,
        length_m=np.maximum(0.0, _length_m(lonlat[start], lonlat[end]) * _SPHERES - _ROUNDING_M),
        chain=chain,
        way=way,
        speed_kmh=_speeds(drawn, facts),
        sure=_sure(drawn, facts),
        oneway=np.array([_direction(drawn, facts, way_id) for way_id in drawn.ways], dtype=np.int8),
        blocked=_blocked(drawn, number),
    )


def _length_m(a: Any, b: Any) -> Any:
    """Great circles on a sphere smaller than the engine's."""
    lon1, lat1, lon2, lat2 = np.radians([a[:, 0], a[:, 1], b[:, 0], b[:, 1]])
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2 * _EARTH_M * np.arcsin(np.sqrt(half))


def _speeds(drawn: _Drawn, facts: dict[int, _WayFacts]) -> Any:
    speeds = np.zeros((len(MODES), len(drawn.ways)))
    for column, way_id in enumerate(drawn.ways):
        known = facts.get(way_id)
        for row, mode in enumerate(MODES):
            top = TOP_SPEED_KMH[mode]
            if known is None:
                speeds[row, column] = top
            elif known.may & _MAY[mode]:
                speeds[row, column] = min(top, known.speed_kmh) if mode in _BY_ROAD_CLASS else top
    return speeds


def _sure(drawn: _Drawn, facts: dict[int, _WayFacts]) -> Any:
    sure = np.zeros((len(MODES), len(drawn.ways)), dtype=bool)
    for column, way_id in enumerate(drawn.ways):
        known = facts.get(way_id)
        if known is None:
            continue
        for row, mode in enumerate(MODES):
            careful = mode != Mode.FOOT and (known.cautious or way_id in drawn.turning)
            sure[row, column] = bool(known.both_ways & _SURELY[mode]) and not careful
    return sure


def _direction(drawn: _Drawn, facts: dict[int, _WayFacts], way_id: int) -> int:
    """One way only where both the tags and the engine say so."""
    known = facts.get(way_id)
    return 0 if known is None or known.both_ways & _AUTO else drawn.oneway[way_id]


def _blocked(drawn: _Drawn, number: dict[int, int]) -> Any:
    blocked = np.zeros((len(MODES), len(number)), dtype=bool)
    for ref, (on_foot, on_wheels) in drawn.gates.items():
        if ref in number:
            blocked[:, number[ref]] = not on_wheels
            blocked[MODES.index(Mode.FOOT), number[ref]] = not on_foot
    return blocked
