"""The street network as a plain graph for the simulator: saved beside the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from gridmap.demo.district.city import City
from gridmap.demo.district.frame import to_metres, to_units, units_to_lonlat
from gridmap.demo.district.linework import Floats, Ints, LineClass
from gridmap.demo.district.roads import MAXSPEED_KMH

GRAPH_NAME = "streets.npz"
INNER_SPEED_MPS = 4.0


@dataclass(frozen=True)
class StreetGraph:
    """Directed segments between street vertices. `lonlat` (n, 2); `start`, `end`, `length_m`, `speed_mps` (m,).

    `member_node`, `member_grid`: pairs of a vertex and a grid it lies in or on; `grid_codes` names the grids.
    `foot_only` edges run against a one-way street.
    """

    lonlat: Floats
    start: Ints
    end: Ints
    length_m: Floats
    speed_mps: Floats
    foot_only: Ints
    member_node: Ints
    member_grid: Ints
    grid_codes: list[str]


def _lines(city: City) -> list[tuple[Ints, float, bool]]:
    """(units, speed in m/s, one-way) of all streets and inner lanes."""
    out = [
        (road.units, MAXSPEED_KMH[road.rank] / 3.6 * 0.75, road.oneway)
        for road in city.roads
        if road.rank >= LineClass.UNCLASSIFIED
    ]
    inner = [
        way.xy
        for way in city.drawing.ways
        if way.tags.get("highway") in ("service", "living_street", "unclassified", "residential")
    ]
    units = to_units(np.vstack(inner))
    parts = np.split(units, np.cumsum([len(xy) for xy in inner])[:-1])
    return out + [(part, INNER_SPEED_MPS, False) for part in parts]


def build_street_graph(city: City) -> StreetGraph:
    """Vertices with equal coordinates are one node, as in the OSM file."""
    lines = _lines(city)
    pieces = np.vstack([np.hstack([u[:-1], u[1:]]) for u, _, _ in lines])
    counts = [len(u) - 1 for u, _, _ in lines]
    speed = np.repeat([s for _, s, _ in lines], counts)
    oneway = np.repeat([o for _, _, o in lines], counts)
    nodes, inverse = np.unique(np.vstack([pieces[:, :2], pieces[:, 2:]]), axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    a, b = inverse[: len(pieces)], inverse[len(pieces) :]
    lonlat = units_to_lonlat(nodes)
    metres = to_metres(lonlat)
    length = np.hypot(*(metres[a] - metres[b]).T)
    real = a != b
    a, b, length, speed, oneway = a[real], b[real], length[real], speed[real], oneway[real]
    member, grid = _grids_of(city, lonlat)
    return StreetGraph(
        lonlat, np.r_[a, b], np.r_[b, a], np.r_[length, length], np.r_[speed, speed],
        np.r_[np.zeros(len(a), dtype=np.int64), oneway.astype(np.int64)], member, grid,
        city.division.grid_codes,
    )  # fmt: skip


def _grids_of(city: City, lonlat: Floats) -> tuple[Ints, Ints]:
    """Pairs of vertex and grid: a vertex on a border belongs to the grids on both sides."""
    node, cell = shapely.STRtree(city.fabric.cells).query(shapely.points(lonlat), predicate="intersects")
    pairs = np.unique(np.column_stack([node, city.division.cell_grid[cell]]), axis=0)
    return pairs[:, 0], pairs[:, 1]


def save_street_graph(graph: StreetGraph, folder: Path) -> Path:
    """Write `streets.npz`."""
    path = folder / GRAPH_NAME
    np.savez_compressed(
        path, lonlat=graph.lonlat, start=graph.start.astype(np.int32), end=graph.end.astype(np.int32),
        length_m=graph.length_m.astype(np.float32), speed_mps=graph.speed_mps.astype(np.float32),
        foot_only=graph.foot_only.astype(np.int8), member_node=graph.member_node.astype(np.int32),
        member_grid=graph.member_grid.astype(np.int32),
        grid_codes=np.array(graph.grid_codes),
    )  # fmt: skip
    return path


def load_street_graph(folder: Path) -> StreetGraph:
    """Read `streets.npz`. Raises FileNotFoundError."""
    with np.load(folder / GRAPH_NAME) as data:
        return StreetGraph(
            data["lonlat"], data["start"].astype(np.int64), data["end"].astype(np.int64),
            data["length_m"].astype(np.float64), data["speed_mps"].astype(np.float64),
            data["foot_only"].astype(np.int64),
            data["member_node"].astype(np.int64),
            data["member_grid"].astype(np.int64), [str(code) for code in data["grid_codes"]],
        )  # fmt: skip
