"""Movement of simulated people along the streets of the demo district."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from gridmap.demo.district.linework import Ints
from gridmap.demo.district.street_graph import StreetGraph

FOOT_MPS = 1.3
EBIKE_MPS = 4.2
PATROL_TOP_MPS = 9.0
METRES_PER_DEGREE = 111_195.0
WALK_M = 4_000.0
PATROL_S = 900.0


@dataclass
class Mover:
    """One simulated unit. `path` are the street vertices ahead, `along_m` how far it is on the first stretch.

    `home_nodes` are the vertices of its grid or township; `goal` is set while it answers a call.
    """

    unit_id: str
    mode: str
    home_nodes: Ints
    node: int
    path: list[int] = field(default_factory=list)
    along_m: float = 0.0
    rest_s: float = 0.0
    goal: tuple[float, float] | None = None
    speed_mps: float = 0.0
    heading_deg: float = 0.0


class Streets:
    """The street graph with what movement asks of it: neighbours, stretches, ways."""

    def __init__(self, graph: StreetGraph) -> None:
        self.graph = graph
        n = len(graph.lonlat)
        order = np.argsort(graph.start, kind="stable")
        self._first = np.searchsorted(graph.start[order], np.arange(n + 1))
        self._end = graph.end[order]
        self._car = graph.foot_only[order] == 0
        self._speed = graph.speed_mps[order]
        self._length = graph.length_m[order]
        usable = graph.foot_only == 0
        seconds = np.maximum(graph.length_m / graph.speed_mps, 0.01)
        self._by_car = csr_matrix((seconds[usable], (graph.start[usable], graph.end[usable])), shape=(n, n))
        self._on_foot = csr_matrix((np.maximum(graph.length_m, 0.01), (graph.start, graph.end)), shape=(n, n))

    def nodes_of(self, code: str) -> Ints:
        """Vertices in the area of a code: a grid, or an area above it by its leading digits; all if none."""
        numbers = [i for i, grid in enumerate(self.graph.grid_codes) if grid.startswith(code)]
        found = np.unique(self.graph.member_node[np.isin(self.graph.member_grid, numbers)])
        return found if len(found) else np.arange(len(self.graph.lonlat))

    def neighbours(self, node: int, *, by_car: bool) -> Ints:
        """Where one can go on to from a vertex."""
        part = slice(self._first[node], self._first[node + 1])
        return np.asarray(self._end[part][self._car[part]] if by_car else self._end[part])

    def stretch(self, a: int, b: int) -> tuple[float, float]:
        """Length in metres and usual speed in m/s from vertex a to its neighbour b."""
        part = slice(self._first[a], self._first[a + 1])
        at = int(np.flatnonzero(self._end[part] == b)[0])
        return float(self._length[part][at]), float(self._speed[part][at])

    def way(self, start: int, goal: int, *, by_car: bool, most: float = np.inf) -> list[int]:
        """Vertices after `start` on the quickest way to `goal`; empty when there is none.

        `most` bounds the search: seconds by car, metres on foot.
        """
        graph = self._by_car if by_car else self._on_foot
        _, before = dijkstra(graph, indices=start, return_predecessors=True, limit=most)
        path: list[int] = []
        node = goal
        while node != start:
            path.append(node)
            node = int(before[node])
            if node < 0:
                return []
        return path[::-1]

    def nearest(self, lon: float, lat: float) -> int:
        """The street vertex next to a place."""
        offset = (self.graph.lonlat - (lon, lat)) * (np.cos(np.radians(lat)), 1.0)
        return int(np.argmin((offset**2).sum(axis=1)))

    def position(self, mover: Mover) -> tuple[float, float]:
        """Where a mover is now (lon, lat)."""
        here = self.graph.lonlat[mover.node]
        if not mover.path:
            return float(here[0]), float(here[1])
        length, _ = self.stretch(mover.node, mover.path[0])
        share = min(mover.along_m / max(length, 0.01), 1.0)
        at = here + (self.graph.lonlat[mover.path[0]] - here) * share
        return float(at[0]), float(at[1])

    def has_car_streets(self, node: int) -> bool:
        """Whether a car can leave this vertex."""
        return bool(len(self.neighbours(node, by_car=True)))


def step(mover: Mover, streets: Streets, seconds: float, rng: np.random.Generator) -> None:
    """Move one unit on by `seconds`: wander or patrol, rest at times, or drive to its goal."""
    if mover.rest_s > 0 and mover.goal is None:
        mover.rest_s -= seconds
        mover.speed_mps = 0.0
        return
    left_s = seconds
    while left_s > 0:
        if not mover.path:
            if mover.goal is not None:
                mover.speed_mps = 0.0
                return
            _choose(mover, streets, rng)
            if not mover.path or mover.rest_s > 0:
                return
        length, street_mps = streets.stretch(mover.node, mover.path[0])
        mover.speed_mps = _speed(mover, street_mps)
        need_s = (length - mover.along_m) / mover.speed_mps
        _turn(mover, streets)
        if need_s > left_s:
            mover.along_m += mover.speed_mps * left_s
            return
        left_s -= max(need_s, 1e-3)
        mover.node, mover.along_m = mover.path.pop(0), 0.0


def send_to(mover: Mover, streets: Streets, lon: float, lat: float) -> None:
    """Let a unit drive or walk along the streets to a place."""
    goal = streets.nearest(lon, lat)
    mover.path = streets.way(mover.node, goal, by_car=_by_car(mover))
    mover.along_m, mover.rest_s, mover.goal = 0.0, 0.0, (lon, lat)


def _by_car(mover: Mover) -> bool:
    return mover.mode in ("car", "emergency_car")


def _speed(mover: Mover, street_mps: float) -> float:
    if mover.mode == "foot":
        return FOOT_MPS
    if mover.mode == "ebike":
        return min(EBIKE_MPS, street_mps)
    if mover.goal is not None:
        return street_mps * (1.25 if mover.mode == "emergency_car" else 1.0)
    return min(PATROL_TOP_MPS, street_mps)


def _turn(mover: Mover, streets: Streets) -> None:
    here, there = streets.graph.lonlat[mover.node], streets.graph.lonlat[mover.path[0]]
    east = (there[0] - here[0]) * np.cos(np.radians(here[1]))
    mover.heading_deg = float(np.degrees(np.arctan2(east, there[1] - here[1])) % 360)


def _choose(mover: Mover, streets: Streets, rng: np.random.Generator) -> None:
    """Next leg: a stop now and then, otherwise to some vertex of the home area."""
    walker = not _by_car(mover)
    if rng.random() < (0.45 if walker else 0.25):
        mover.rest_s = float(rng.exponential(240.0 if walker else 150.0))
        return
    goal = int(mover.home_nodes[rng.integers(len(mover.home_nodes))])
    most = WALK_M if walker else PATROL_S
    mover.path = streets.way(mover.node, goal, by_car=not walker, most=most)
    if not mover.path:
        # Nothing within reach: a few steps along the street it stands on.
        around = streets.neighbours(mover.node, by_car=not walker)
        mover.path = [int(around[rng.integers(len(around))])] if len(around) else []
        mover.rest_s = 0.0 if mover.path else 60.0
