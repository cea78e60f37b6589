"""The whole planar network of the district: built-up streets, country roads, levees, river and border together."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gridmap.demo.district.countryside import draw_countryside
from gridmap.demo.district.linework import Floats, LineClass, LineSet, Mesh, build_mesh
from gridmap.demo.district.streets import Street, StreetRegister, draw_settlement
from gridmap.demo.district.terrain import Terrain

SMALLEST_BLOCK_M2 = 7_000.0


def _village_sites(terrain: Terrain, rng: np.random.Generator) -> Floats:
    """Centres of natural villages: in the open, on dry and not too steep ground, 900 m apart or more."""
    west, south, east, north = terrain.outline.bounds
    blocked = shapely.union_all(
        [s.outline.buffer(350) for s in terrain.settlements]
        + [terrain.levees.buffer(250)]
        + [hill.buffer(-500) for hill in terrain.hills]
        + [lake.buffer(250) for lake in terrain.lakes]
    )
    allowed = terrain.outline.buffer(-450).difference(blocked)
    shapely.prepare(allowed)
    chosen: list[tuple[float, float]] = []
    for x, y in zip(rng.uniform(west, east, 4_000), rng.uniform(south, north, 4_000), strict=True):
        if shapely.contains_xy(allowed, x, y) and all(
            (x - a) ** 2 + (y - b) ** 2 > 1_050**2 for a, b in chosen
        ):
            chosen.append((float(x), float(y)))
    return np.array(chosen)


def _crosscuts(terrain: Terrain, lines: LineSet, out: LineSet) -> None:
    """From each street end on a levee straight to the middle of the river: cuts the water strip into short pieces."""
    bank = terrain.levees.boundary
    geoms = np.array(lines.lines, dtype=object)
    dry = geoms[~np.array(lines.bridges)]
    ends = np.concatenate([shapely.get_point(dry, 0), shapely.get_point(dry, -1)])
    hits = ends[shapely.distance(ends, bank) < 0.02]
    xy = shapely.get_coordinates(hits)
    for point in hits[np.argsort(xy[:, 0])]:
        foot = terrain.river_axis.interpolate(terrain.river_axis.project(point))
        out.add(shapely.LineString([(point.x, point.y), (foot.x, foot.y)]), LineClass.CROSSCUT)


def _levee_roads(terrain: Terrain, register: StreetRegister, out: LineSet) -> None:
    """A riverside avenue inside the city and a narrow levee road outside it, on both banks."""
    city = terrain.settlements[0].outline
    bank = shapely.intersection(terrain.levees.boundary, terrain.outline)
    ends = terrain.levees.boundary.difference(terrain.outline.buffer(-1))
    for side_number, part in enumerate(shapely.get_parts(shapely.line_merge(bank.difference(ends)))):
        town = register.number(Street(0, 3, LineClass.SECONDARY, side_number))
        out.add(shapely.intersection(part, city), LineClass.SECONDARY, town)
        country = register.number(Street(-1, 3, LineClass.UNCLASSIFIED, side_number))
        out.add(shapely.difference(part, city), LineClass.UNCLASSIFIED, country)


def _ring_junctions(terrain: Terrain, lines: LineSet) -> Floats:
    """Points where a street of a built-up area meets its ring street."""
    rings = shapely.union_all([s.outline.boundary for s in terrain.settlements])
    geoms = np.array(lines.lines, dtype=object)
    ends = np.concatenate([shapely.get_point(geoms, 0), shapely.get_point(geoms, -1)])
    rank = np.tile(np.array(lines.classes), 2)
    near = (shapely.distance(ends, rings) < 0.02) & (rank < LineClass.TRUNK)
    return np.asarray(shapely.get_coordinates(ends[near]))


def draw_network(terrain: Terrain, rng: np.random.Generator) -> tuple[Mesh, StreetRegister, Floats]:
    """Noded network of the district, its street register and the village centres (n, 2)."""
    register = StreetRegister()
    town_lines = LineSet()
    for number in range(len(terrain.settlements)):
        _extend(town_lines, draw_settlement(number, terrain, register, rng))
    villages = _village_sites(terrain, rng)
    country = draw_countryside(terrain, _ring_junctions(terrain, town_lines), villages, register, rng)
    everything = LineSet()
    _extend(everything, town_lines)
    _extend(everything, country)
    _crosscuts(terrain, everything, everything)
    _levee_roads(terrain, register, everything)
    everything.add(shapely.intersection(terrain.river_axis, terrain.outline), LineClass.RIVER)
    everything.add(_open(terrain.outline.exterior), LineClass.OUTLINE)
    mesh = build_mesh(everything, SMALLEST_BLOCK_M2, terrain.outline)
    _demote_islands(mesh)
    return mesh, register, villages


def _demote_islands(mesh: Mesh) -> None:
    """Roads that no car can reach from the rest become farm tracks."""
    car = np.flatnonzero(mesh.classes >= LineClass.UNCLASSIFIED)
    n = len(mesh.nodes)
    graph = coo_matrix((np.ones(len(car)), (mesh.start[car], mesh.end[car])), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    main = np.bincount(label[mesh.start[car]]).argmax()
    mesh.classes[car[label[mesh.start[car]] != main]] = LineClass.TRACK


def _open(ring: Any) -> Any:
    return shapely.LineString(shapely.get_coordinates(ring))


def _extend(target: LineSet, more: LineSet) -> None:
    target.lines += more.lines
    target.classes += more.classes
    target.streets += more.streets
    target.bridges += more.bridges
