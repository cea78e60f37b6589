"""Fields, hills and country roads between the built-up areas: a Voronoi mesh whose best edges become roads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import Voronoi

from gridmap.demo.district.linework import Floats, Ints, LineClass, LineSet
from gridmap.demo.district.streets import Street, StreetRegister
from gridmap.demo.district.terrain import Terrain

FIELD_SPACING_M = 700.0


@dataclass
class _Graph:
    """Straight country edges before they are bent. `bridge` edges span the levees."""

    nodes: Floats
    start: Ints
    end: Ints
    bridge: NDArray[np.bool_]
    rank: Ints
    street: Ints
    ring: NDArray[np.bool_]


def _generators(terrain: Terrain, rng: np.random.Generator) -> Floats:
    """Centres of fields: a shaken lattice that covers the district and a rim around it."""
    west, south, east, north = terrain.outline.bounds
    columns = np.arange(west - 2_500, east + 2_500, FIELD_SPACING_M)
    rows = np.arange(south - 2_500, north + 2_500, FIELD_SPACING_M * 0.87)
    grid = np.array(
        [(x + (FIELD_SPACING_M / 2 if j % 2 else 0), y) for j, y in enumerate(rows) for x in columns]
    )
    turn = np.array([[np.cos(0.35), -np.sin(0.35)], [np.sin(0.35), np.cos(0.35)]])
    return np.asarray((grid + rng.normal(0, 0.23 * FIELD_SPACING_M, grid.shape)) @ turn)


def _snap_to(points: Floats, targets: Floats, within_m: float) -> Floats:
    if not len(targets):
        return points
    tree = shapely.STRtree(shapely.points(targets))
    index, distance = tree.query_nearest(shapely.points(points), return_distance=True, all_matches=False)
    near = np.full(len(points), -1)
    far = np.full(len(points), np.inf)
    near[index[0]], far[index[0]] = index[1], distance
    out = points.copy()
    close = far < within_m
    out[close] = targets[near[close]]
    return out


def _mesh(terrain: Terrain, junctions: Floats, rng: np.random.Generator) -> _Graph:
    """Voronoi edges outside the built-up areas; ends on a ring street move to its nearest junction."""
    cells = Voronoi(_generators(terrain, rng))
    ridges = np.array([pair for pair in cells.ridge_vertices if -1 not in pair])
    built = shapely.union_all([s.outline for s in terrain.settlements])
    edges = shapely.linestrings(cells.vertices[ridges])
    edges = edges[shapely.intersects(edges, terrain.outline)]
    open_country = terrain.outline.difference(built)
    edges = shapely.get_parts(shapely.intersection(edges, open_country))
    edges = edges[shapely.length(edges) > 25]
    dry = shapely.get_parts(shapely.difference(edges, terrain.levees))
    wet = shapely.get_parts(shapely.intersection(edges, terrain.levees))
    bank = terrain.levees.boundary
    ends_on_bank = (shapely.distance(shapely.get_point(wet, 0), bank) < 0.01) & (
        shapely.distance(shapely.get_point(wet, -1), bank) < 0.01
    )
    spans = wet[ends_on_bank & (shapely.length(wet) < 520) & shapely.intersects(wet, terrain.river_axis)]
    straight = np.concatenate([dry[shapely.length(dry) > 25], spans])
    is_span = np.concatenate([np.zeros(len(straight) - len(spans), bool), np.ones(len(spans), bool)])
    ends = shapely.get_coordinates(shapely.get_point(np.concatenate([straight, straight]), [0]))
    ends[len(straight) :] = shapely.get_coordinates(shapely.get_point(straight, -1))
    on_ring = shapely.distance(shapely.points(ends), built.boundary) < 0.01
    ends[on_ring] = _snap_to(ends[on_ring], junctions, 400)
    keys = np.rint(ends * 20).astype(np.int64)
    _, index, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    inverse = inverse.reshape(-1)
    start, end = inverse[: len(straight)], inverse[len(straight) :]
    keep = start != end
    count = int(keep.sum())
    return _Graph(
        ends[index],
        start[keep],
        end[keep],
        is_span[keep],
        np.full(count, int(LineClass.FIELD)),
        np.full(count, -1),
        np.zeros(count, dtype=bool),
    )


def _add_rings(graph: _Graph, on_ring: list[Ints], rings: list[Any]) -> None:
    """Ring streets join the graph for path finding only; they are drawn with their settlement."""
    for nodes, ring in zip(on_ring, rings, strict=True):
        order = nodes[np.argsort(shapely.line_locate_point(ring, shapely.points(graph.nodes[nodes])))]
        following = np.roll(order, -1)
        graph.start, graph.end = np.r_[graph.start, order], np.r_[graph.end, following]
        graph.bridge = np.r_[graph.bridge, np.zeros(len(order), dtype=bool)]
        graph.rank = np.r_[graph.rank, np.full(len(order), int(LineClass.TRUNK))]
        graph.street = np.r_[graph.street, np.full(len(order), -1)]
        graph.ring = np.r_[graph.ring, np.ones(len(order), dtype=bool)]


def _shortest_path(
    graph: _Graph, lookup: dict[tuple[int, int], int], cost: Floats, source: int, target: int
) -> list[int]:
    """Edge numbers of the cheapest way; empty when there is none. `lookup`: edge number by its two nodes."""
    n = len(graph.nodes)
    matrix = coo_matrix(
        (np.tile(cost, 2), (np.r_[graph.start, graph.end], np.r_[graph.end, graph.start])), shape=(n, n)
    ).tocsr()
    _, before = dijkstra(matrix, indices=source, return_predecessors=True)
    path = []
    while target != source:
        previous = int(before[target])
        if previous < 0:
            return []
        path.append(lookup[min(previous, target), max(previous, target)])
        target = previous
    return path


def _choose_roads(
    graph: _Graph, terrain: Terrain, villages: Floats, register: StreetRegister, rng: np.random.Generator
) -> None:
    """Give rank and street number to the edges of the cheapest ways between towns, villages and the border."""
    points = shapely.points(graph.nodes)
    rings = [s.outline.exterior for s in terrain.settlements]
    on_ring = [np.flatnonzero(shapely.distance(points, ring) < 0.5) for ring in rings]
    _add_rings(graph, on_ring, rings)
    lengths = np.hypot(*(graph.nodes[graph.start] - graph.nodes[graph.end]).T)
    used = graph.ring.copy()
    pairs = zip(graph.start.tolist(), graph.end.tolist(), strict=True)
    lookup = {(min(a, b), max(a, b)): i for i, (a, b) in enumerate(pairs)}

    def connect(sources: Ints, goal: Floats, rank: LineClass, street: int) -> None:
        if not len(sources):
            return
        source = int(sources[np.argmin(np.hypot(*(graph.nodes[sources] - goal).T))])
        target = int(np.argmin(np.hypot(*(graph.nodes - goal).T)))
        cost = lengths * np.where(used, 0.55, 1.0) * np.where(graph.bridge, 2.5, 1.0) + 30
        for edge in _shortest_path(graph, lookup, cost, source, target):
            used[edge] = True
            if not graph.ring[edge] and rank > graph.rank[edge]:
                graph.rank[edge], graph.street[edge] = rank, street

    border = np.flatnonzero(shapely.distance(points, terrain.outline.exterior) < 0.5)
    order = border[np.argsort(np.arctan2(graph.nodes[border, 1], graph.nodes[border, 0]))]
    exits = order[np.linspace(0, len(order), 7, endpoint=False).astype(int)]
    for i, node in enumerate(exits):
        street = register.number(Street(-1, 4, LineClass.PRIMARY, i))
        connect(on_ring[0], graph.nodes[node], LineClass.PRIMARY, street)
    towns = range(1, len(terrain.settlements))
    for i in towns:
        street = register.number(Street(-1, 4, LineClass.SECONDARY, i))
        nearest = on_ring[i][np.argmin(np.hypot(*graph.nodes[on_ring[i]].T))]
        connect(on_ring[0], graph.nodes[nearest], LineClass.SECONDARY, street)
        j = i % len(towns) + 1
        street = register.number(Street(-1, 4, LineClass.TERTIARY, i))
        goal = graph.nodes[
            on_ring[j][np.argmin(np.hypot(*(graph.nodes[on_ring[j]] - terrain.settlements[i].centre).T))]
        ]
        connect(on_ring[i], goal, LineClass.TERTIARY, street)
    hubs = np.concatenate(on_ring)
    for i, village in enumerate(villages):
        street = register.number(Street(-1, 4, LineClass.UNCLASSIFIED, i))
        sources = np.union1d(hubs, np.unique(np.r_[graph.start[used], graph.end[used]]))
        connect(sources, village, LineClass.UNCLASSIFIED, street)
        # All roads at the village's crossing, so that every field around it borders on one.
        hub = int(np.argmin(np.hypot(*(graph.nodes - village).T)))
        at_hub = (
            ((graph.start == hub) | (graph.end == hub))
            & ~graph.bridge
            & (graph.rank < LineClass.UNCLASSIFIED)
        )
        graph.rank[at_hub], graph.street[at_hub] = LineClass.UNCLASSIFIED, street
        used |= at_hub
    _make_tracks(graph, terrain, rng)


def _make_tracks(graph: _Graph, terrain: Terrain, rng: np.random.Generator) -> None:
    """Some field borders carry a farm track; a few of these are good enough for cars."""
    idle = (graph.rank == LineClass.FIELD) & ~graph.bridge
    draw = rng.random(len(idle))
    graph.rank[idle & (draw < 0.50)] = LineClass.TRACK
    graph.rank[idle & (draw < 0.17)] = LineClass.UNCLASSIFIED
    graph.rank[graph.bridge & (graph.rank == LineClass.FIELD)] = LineClass.CROSSCUT


def _straighten(graph: _Graph, movable: NDArray[np.bool_]) -> None:
    """Ease the zigzag of roads: nodes move towards the middle of their neighbours along the best road."""
    for _ in range(6):
        total = np.zeros_like(graph.nodes)
        count = np.zeros(len(graph.nodes))
        best = np.zeros(len(graph.nodes))
        np.maximum.at(best, graph.start, graph.rank)
        np.maximum.at(best, graph.end, graph.rank)
        for a, b in ((graph.start, graph.end), (graph.end, graph.start)):
            main = (graph.rank == best[a]) & (graph.rank >= LineClass.UNCLASSIFIED)
            np.add.at(total, a[main], graph.nodes[b[main]])
            np.add.at(count, a[main], 1)
        free = movable & (count == 2) & (best < LineClass.TRUNK)
        target = total[free] / 2
        graph.nodes[free] += 0.35 * (target - graph.nodes[free])


def _bend(a: Floats, b: Floats, strength: float, rng: np.random.Generator) -> Any:
    """A gently curved line from a to b, by moving midpoints sideways."""
    points = np.array([a, b])
    reach = strength
    while np.hypot(*(points[1] - points[0])) > 110:
        middle = (points[:-1] + points[1:]) / 2
        step = points[1:] - points[:-1]
        middle += np.column_stack([-step[:, 1], step[:, 0]]) * rng.normal(0, reach, len(step))[:, None]
        merged = np.empty((len(points) + len(middle), 2))
        merged[0::2], merged[1::2] = points, middle
        points, reach = merged, reach * 0.8
    return shapely.LineString(points)


def draw_countryside(
    terrain: Terrain, junctions: Floats, villages: Floats, register: StreetRegister, rng: np.random.Generator
) -> LineSet:
    """All lines outside the built-up areas. `junctions` (n, 2): where ring streets can be joined."""
    graph = _mesh(terrain, junctions, rng)
    _choose_roads(graph, terrain, villages, register, rng)
    points = shapely.points(graph.nodes)
    fixed = shapely.union_all([s.outline for s in terrain.settlements]).boundary
    clear = np.minimum(shapely.distance(points, fixed), shapely.distance(points, terrain.levees))
    movable = (clear > 5) & (shapely.distance(points, terrain.outline.exterior) > 5)
    _straighten(graph, movable)
    out = LineSet()
    drawn = ~graph.ring & ~(graph.bridge & (graph.rank == LineClass.CROSSCUT))
    columns = (graph.start, graph.end, graph.bridge, graph.rank, graph.street)
    for a, b, bridge, rank, street in zip(*(column[drawn] for column in columns), strict=True):
        kind = LineClass(int(rank))
        strength = 0.0 if bridge else (0.035 if kind >= LineClass.TERTIARY else 0.07)
        line = _bend(graph.nodes[a], graph.nodes[b], strength, rng)
        out.add(line, kind, int(street), bridge=bool(bridge))
    return out
