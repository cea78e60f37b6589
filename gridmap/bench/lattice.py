"""Areas of the bench: a lattice of wiggly governance grids and the five levels above them, an exact coverage.

Coordinates are WGS84 lon, lat in degrees. Every edge is made once and used by both its sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, sqrt

import numpy as np
import shapely
from numpy.typing import NDArray

WEST, SOUTH = 113.0, 30.0
PITCH_LON, PITCH_LAT = 0.0042, 0.0036
GRIDS = 15_000
_POINTS_AN_EDGE = 8
_NODE_JITTER, _EDGE_JITTER = 0.15, 0.05
_COMMUNITY, _TOWNSHIP, _COUNTY_ROWS = 5, 25, 50

LEVELS = ("province", "city", "county", "township", "community", "grid")
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class BenchArea:
    """One area; `path` is the ltree of area ids down to it."""

    area_id: int
    parent_id: int | None
    level: str
    code: str
    path: str
    geometry: shapely.Geometry


@dataclass(frozen=True)
class Lattice:
    """`nodes` (rows + 1, columns + 1, 2) are the grids' corners; `areas` in order of their ids, grids last."""

    columns: int
    rows: int
    nodes: Floats
    areas: list[BenchArea]

    @cached_property
    def grids(self) -> list[BenchArea]:
        """Row by row from the south-west."""
        return self.areas[-self.columns * self.rows :]

    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        return (
            float(self.nodes[..., 0].min()),
            float(self.nodes[..., 1].min()),
            float(self.nodes[..., 0].max()),
            float(self.nodes[..., 1].max()),
        )

    def inside(self, grid: Ints, rng: np.random.Generator) -> Floats:
        """A random point well inside each of the given grids: lon, lat, shape (n, 2)."""
        row, column = grid // self.columns, grid % self.columns
        u, v = rng.uniform(0.12, 0.88, (2, len(grid), 1))
        south = self.nodes[row, column] * (1 - u) + self.nodes[row, column + 1] * u
        north = self.nodes[row + 1, column] * (1 - u) + self.nodes[row + 1, column + 1] * u
        return np.asarray(south * (1 - v) + north * v)


def build_lattice(scale: float, rng: np.random.Generator) -> Lattice:
    """About 15,000 grids times `scale`."""
    columns = max(2, ceil(sqrt(GRIDS * scale * 125 / 120)))
    rows = max(2, round(GRIDS * scale / columns))
    base = np.stack(
        np.meshgrid(WEST + np.arange(columns + 1) * PITCH_LON, SOUTH + np.arange(rows + 1) * PITCH_LAT),
        axis=-1,
    )
    pitch = np.array([PITCH_LON, PITCH_LAT])
    nodes = base + rng.uniform(-_NODE_JITTER, _NODE_JITTER, base.shape) * pitch
    across = _edges(nodes[:, :-1], nodes[:, 1:], rng)
    upward = _edges(nodes[:-1], nodes[1:], rng)
    rings = np.concatenate(
        [across[:-1], upward[:, 1:], across[1:, :, ::-1], upward[:, :-1, ::-1]], axis=2
    ).reshape(rows * columns, -1, 2)
    # Multiples of 1e-9 degree, as everywhere; the seam between two edges stands twice.
    cells = shapely.set_precision(shapely.polygons(np.round(rings, 9)), 0)
    return Lattice(columns, rows, nodes, _areas(columns, rows, shapely.remove_repeated_points(cells)))


def _edges(start: Floats, end: Floats, rng: np.random.Generator) -> Floats:
    """Wiggly lines from start to end with both ends exact; shape (..., points, 2)."""
    share = np.linspace(0, 1, _POINTS_AN_EDGE)[:, None]
    line = start[..., None, :] * (1 - share) + end[..., None, :] * share
    noise = rng.uniform(-_EDGE_JITTER, _EDGE_JITTER, line.shape) * np.array([PITCH_LON, PITCH_LAT])
    noise[..., 0, :] = noise[..., -1, :] = 0
    return np.asarray(line + noise)


def _areas(columns: int, rows: int, cells: NDArray[np.object_]) -> list[BenchArea]:
    row, column = np.divmod(np.arange(columns * rows), columns)
    town_columns = columns // _TOWNSHIP + 1
    keys = {
        "province": np.zeros(len(cells), int),
        "city": np.zeros(len(cells), int),
        "county": row // _COUNTY_ROWS,
        "township": (row // _TOWNSHIP) * town_columns + column // _TOWNSHIP,
        "community": (row // _COMMUNITY) * (columns // _COMMUNITY + 1) + column // _COMMUNITY,
        "grid": np.arange(len(cells)),
    }
    areas: list[BenchArea] = []
    parents: list[int | None] = [None] * len(cells)
    paths = [""] * len(cells)
    for depth, level in enumerate(LEVELS):
        # Built from the finest up would be quicker; 15,000 cells take a second either way.
        values, first, members = np.unique(keys[level], return_index=True, return_inverse=True)
        order = np.argsort(members, kind="stable")
        groups = np.split(order, np.searchsorted(members[order], np.arange(1, len(values))))
        next_id = len(areas) + 1
        made = [
            BenchArea(
                area_id=next_id + number,
                parent_id=parents[first[number]],
                level=level,
                code=f"99{depth}{number:09d}",
                path=".".join(filter(None, (paths[first[number]], str(next_id + number)))),
                geometry=shapely.coverage_union_all(cells[group]),
            )
            for number, group in enumerate(groups)
        ]
        areas += made
        for number, group in enumerate(groups):
            for cell in group:
                parents[cell] = made[number].area_id
                paths[cell] = made[number].path
    return areas
