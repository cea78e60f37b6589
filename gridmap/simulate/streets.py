"""The street network of OSM extracts as pieces between junctions, for computing travel times in bulk.

The routing engine answers one question at a time; a replay asks millions. So the replay reads the same extract
the engine's graph was built from and measures how far the two agree (see `agreement`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import osmium
from numpy.typing import NDArray

from gridmap.domain.travel import KMH, TOP_SPEED_KMH, Mode
from gridmap.errors import Invalid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Usual speeds in km/h by class of road where no limit is posted (the engine's own defaults are of this order).
_CAR_KMH = {
    "motorway": 100.0,
    "trunk": 80.0,
    "primary": 60.0,
    "secondary": 50.0,
    "tertiary": 40.0,
    "unclassified": 35.0,
    "residential": 30.0,
    "living_street": 12.0,
    "service": 15.0,
    "road": 25.0,
    "track": 8.0,
}
_NOT_FOR_BIKES = frozenset({"motorway", "motorway_link", "steps"})
_NOT_ON_FOOT = frozenset({"motorway", "motorway_link"})
_FOR_BIKES_ONLY = frozenset({"cycleway", "path", "bridleway"})
_FOR_FEET_ONLY = frozenset({"footway", "pedestrian", "steps", "corridor", "platform"})
_CLOSED = frozenset({"no"})
_BARS_CARS = frozenset({"bollard", "block", "cycle_barrier", "stile", "turnstile", "kissing_gate", "log"})
_BARS_ALL = frozenset({"wall", "fence", "debris"})


@dataclass(frozen=True, slots=True)
class Streets:
    """Pieces of road between junctions.

    Attributes:
        lonlat: (n, 2) WGS84 degrees of the junctions.
        start, end: (m,) junctions of each piece; `lines` its m polylines, each (k, 2) degrees.
        length_m: (m,) metres.
        speed_mps: by mode two (m,) arrays, along and against the line; 0 where the mode may not go.
        barred: by mode the junctions that the mode may not pass.
    """

    lonlat: Floats
    start: Ints
    end: Ints
    lines: tuple[Floats, ...]
    length_m: Floats
    speed_mps: dict[Mode, tuple[Floats, Floats]]
    barred: dict[Mode, Ints]


@dataclass(frozen=True, slots=True)
class _Way:
    tags: dict[str, str]
    nodes: tuple[int, ...]
    places: tuple[tuple[float, float], ...]


def read_streets(extracts: Sequence[Path]) -> Streets:
    """Read every road of the extracts. Raises Invalid("extract_without_roads")."""
    ways: list[_Way] = []
    gates: dict[int, dict[str, str]] = {}
    for path in extracts:
        _read(path, ways, gates)
    if not ways:
        raise Invalid("extract_without_roads", files=[path.name for path in extracts])
    return _pieces(ways, gates)


def _read(path: Path, ways: list[_Way], gates: dict[int, dict[str, str]]) -> None:
    item: Any
    for item in osmium.FileProcessor(str(path)).with_locations():
        kind = item.type_str()
        if kind == "n" and "barrier" in item.tags:
            gates[item.id] = dict(item.tags)
        elif kind == "w" and "highway" in item.tags:
            nodes = [node for node in item.nodes if node.location.valid()]
            if len(nodes) > 1:
                refs = tuple(node.ref for node in nodes)
                places = tuple((node.location.lon, node.location.lat) for node in nodes)
                ways.append(_Way(dict(item.tags), refs, places))


def _pieces(ways: list[_Way], gates: Mapping[int, dict[str, str]]) -> Streets:
    used = Counter(node for way in ways for node in way.nodes)
    for way in ways:
        used.update((way.nodes[0], way.nodes[-1]))
    number: dict[int, int] = {}
    lonlat: list[tuple[float, float]] = []
    start: list[int] = []
    end: list[int] = []
    lines: list[Floats] = []
    speeds: dict[Mode, list[tuple[float, float]]] = {mode: [] for mode in Mode}
    for way in ways:
        allowed = {mode: _speeds(way.tags, mode) for mode in Mode}
        if not any(max(pair) for pair in allowed.values()):
            continue
        cuts = [i for i, node in enumerate(way.nodes) if used[node] > 1 or node in gates]
        for first, last in pairwise(cuts):
            for i in (first, last):
                if way.nodes[i] not in number:
                    number[way.nodes[i]] = len(lonlat)
                    lonlat.append(way.places[i])
            start.append(number[way.nodes[first]])
            end.append(number[way.nodes[last]])
            lines.append(np.array(way.places[first : last + 1]))
            for mode, pair in allowed.items():
                speeds[mode].append(pair)
    known = {number[node]: tags for node, tags in gates.items() if node in number}
    return Streets(
        lonlat=np.array(lonlat),
        start=np.array(start, dtype=np.int64),
        end=np.array(end, dtype=np.int64),
        lines=tuple(lines),
        length_m=_lengths_m(lines),
        speed_mps={mode: (np.array(p)[:, 0], np.array(p)[:, 1]) for mode, p in speeds.items()},
        barred={
            mode: np.array([n for n, tags in known.items() if _bars(tags, mode)], dtype=np.int64)
            for mode in Mode
        },
    )


def _lengths_m(lines: Sequence[Floats]) -> Floats:
    """Metres of polylines in degrees on a local plane: within 0.3 % of the ellipsoid for pieces of streets."""
    out = np.empty(len(lines))
    for i, line in enumerate(lines):
        north_m = np.diff(line[:, 1]) * 110_900.0
        east_m = np.diff(line[:, 0]) * 111_320.0 * np.cos(np.radians(line[:-1, 1]))
        out[i] = np.hypot(north_m, east_m).sum()
    return out


def _speeds(tags: Mapping[str, str], mode: Mode) -> tuple[float, float]:
    """Metres per second along and against a way; 0 is closed to the mode."""
    kind = tags["highway"]
    if mode is Mode.FOOT:
        kmh = 0.0 if _closed_to(tags, "foot", kind in _NOT_ON_FOOT) else _foot_kmh(kind)
        return kmh * KMH, kmh * KMH
    if mode is Mode.EBIKE:
        barred = kind in _NOT_FOR_BIKES | _FOR_FEET_ONLY and tags.get("bicycle") not in ("yes", "designated")
        kmh = 0.0 if _closed_to(tags, "bicycle", barred) else _bike_kmh(kind)
    else:
        emergency = mode is Mode.EMERGENCY_CAR
        known = _CAR_KMH.get(kind.removesuffix("_link"))
        closed = known is None or (not emergency and _closed_to(tags, "motor_vehicle", False))
        kmh = 0.0 if closed or known is None else min(_posted_kmh(tags) or known, TOP_SPEED_KMH[mode])
    way = 0 if mode is Mode.EMERGENCY_CAR else _one_way(tags, mode)
    return (kmh * KMH if way >= 0 else 0.0), (kmh * KMH if way <= 0 else 0.0)


def _foot_kmh(kind: str) -> float:
    return TOP_SPEED_KMH[Mode.FOOT] * (0.6 if kind == "steps" else 1.0)


def _bike_kmh(kind: str) -> float:
    top = TOP_SPEED_KMH[Mode.EBIKE]
    slow = {"track": 0.6, "path": 0.7, "footway": 0.5, "pedestrian": 0.5, "service": 0.8}
    return top * slow.get(kind, 0.9)


def _closed_to(tags: Mapping[str, str], who: str, otherwise: bool) -> bool:
    """The most special tag decides; without any, `otherwise`."""
    for key in (who, *(("vehicle",) if who != "foot" else ()), "access"):
        if key in tags:
            return tags[key] in _CLOSED
    return otherwise


def _posted_kmh(tags: Mapping[str, str]) -> float | None:
    text = tags.get("maxspeed", "")
    return float(text) if text.isdigit() and int(text) > 0 else None


def _one_way(tags: Mapping[str, str], mode: Mode) -> int:
    if mode is Mode.EBIKE and tags.get("oneway:bicycle") == "no":
        return 0
    value = tags.get("oneway", "")
    if value in ("yes", "true", "1"):
        return 1
    if value in ("-1", "reverse"):
        return -1
    return 1 if tags.get("junction") == "roundabout" or tags["highway"] == "motorway" else 0


def _bars(tags: Mapping[str, str], mode: Mode) -> bool:
    """Whether a barrier on a junction stops the mode."""
    kind = tags["barrier"]
    if kind in _BARS_ALL:
        return True
    if mode is Mode.EMERGENCY_CAR:
        return False
    who = {Mode.FOOT: "foot", Mode.EBIKE: "bicycle"}.get(mode, "motor_vehicle")
    return _closed_to(tags, who, mode is Mode.CAR and kind in _BARS_CARS)
