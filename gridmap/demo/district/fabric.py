"""The final, rounded network and its cells: blocks, populous ones cut along inner streets.

Every coordinate here is an integer multiple of 1e-7 degree, so that streets, grids and higher areas share
vertices to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.demo.district.blocks import Block
from gridmap.demo.district.drawing import Division, Drawing, centres_of
from gridmap.demo.district.frame import to_lonlat, to_metres, to_units, units_to_lonlat
from gridmap.demo.district.linework import Floats, Geoms, Ints, Mesh

ONE_CUT_HOUSEHOLDS = 450
TWO_CUTS_HOUSEHOLDS = 900
INNER = -1
"""Line class of a cut along an inner street."""


@dataclass
class Fabric:
    """`edges[i]` (n, 2) integer units of mesh line i, joints included. Cells are polygons in WGS84 degrees.

    `pair_a`, `pair_b`: neighbouring cells; `pair_class` the class of their common border; `pair_m` its length.
    """

    edges: list[Ints]
    cells: Geoms
    cell_block: Ints
    cell_households: Floats
    cell_area_m2: Floats
    building_cell: Ints
    pair_a: Ints
    pair_b: Ints
    pair_class: Ints
    pair_m: Floats


def _cut_joints(
    mesh: Mesh, block: Block, division: Division, both: bool, joints: dict[int, list[tuple[float, float]]]
) -> list[Floats]:
    """Cut lines of one block in metres, their ends made vertices of the surrounding edges."""
    crossing = np.array(division.crossing)
    around = np.flatnonzero((mesh.left == block.number) | (mesh.right == block.number))
    cuts = []
    for turn in (np.pi / 2, 0.0) if both else (np.pi / 2,):
        direction = np.array([np.cos(division.angle_rad + turn), np.sin(division.angle_rad + turn)])
        line = shapely.LineString([crossing - 3_000 * direction, crossing + 3_000 * direction])
        hit = [
            p
            for p in shapely.get_parts(shapely.intersection(block.polygon, line))
            if p.geom_type == "LineString" and p.distance(shapely.Point(crossing)) < 0.5
        ]
        if not hit:
            continue
        ends = [_joint_at(mesh, around, np.array(c), joints) for c in (hit[0].coords[0], hit[0].coords[-1])]
        cuts.append(np.array([ends[0], crossing, ends[1]]))
    return cuts


def _joint_at(mesh: Mesh, around: Ints, xy: Floats, joints: dict[int, list[tuple[float, float]]]) -> Floats:
    """A vertex of the nearest edge at `xy`: one that exists or is asked for within 2 m, else a new one."""
    point = shapely.Point(xy)
    edge = int(around[np.argmin(shapely.distance(mesh.lines[around], point))])
    known = np.vstack(
        [shapely.get_coordinates(mesh.lines[edge]), *[np.array([j]) for j in joints.get(edge, [])]]
    )
    distance = np.hypot(*(known - xy).T)
    if distance.min() < 2.0:
        return np.asarray(known[int(distance.argmin())])
    foot = mesh.lines[edge].interpolate(mesh.lines[edge].project(point))
    joints.setdefault(edge, []).append((foot.x, foot.y))
    return np.array([foot.x, foot.y])


def _edges_with_joints(mesh: Mesh, joints: dict[int, list[tuple[float, float]]]) -> list[Ints]:
    """Integer coordinates of every edge, joints put in where they belong along it."""
    coordinates = []
    for i, line in enumerate(mesh.lines):
        xy = shapely.get_coordinates(line)
        if i in joints:
            extra = np.array(joints[i])
            vertex_at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
            extra_at = shapely.line_locate_point(line, shapely.points(extra))
            order = np.argsort(np.concatenate([vertex_at, extra_at]), kind="stable")
            xy = np.vstack([xy, extra])[order]
        coordinates.append(xy)
    counts = np.array([len(xy) for xy in coordinates])
    units = to_units(np.vstack(coordinates))
    return [_without_repeats(part) for part in np.split(units, np.cumsum(counts)[:-1])]


def _without_repeats(units: Ints) -> Ints:
    keep = np.ones(len(units), dtype=bool)
    keep[1:] = (np.diff(units, axis=0) != 0).any(axis=1)
    return units[keep]


def _segments(lines: list[Ints], classes: Ints) -> tuple[Ints, Ints]:
    """All two-point pieces (n, 4), each once and lower end first, with the class of their line."""
    parts = np.vstack([np.hstack([line[:-1], line[1:]]) for line in lines])
    owner = np.repeat(classes, [len(line) - 1 for line in lines])
    swap = (parts[:, 0] > parts[:, 2]) | ((parts[:, 0] == parts[:, 2]) & (parts[:, 1] > parts[:, 3]))
    parts[swap] = parts[swap][:, [2, 3, 0, 1]]
    unique, index = np.unique(parts, axis=0, return_index=True)
    return unique, owner[index]


def _neighbours(cells: Geoms, segments: Ints, classes: Ints) -> tuple[Ints, Ints, Ints, Floats]:
    """Which cells share a segment; one row per pair and class with the common length in metres."""
    rings = shapely.get_coordinates(shapely.get_rings(cells))
    ring_geoms = shapely.get_rings(cells)
    owner = np.repeat(np.arange(len(cells)), shapely.get_num_interior_rings(cells) + 1)
    sizes = shapely.get_num_coordinates(ring_geoms)
    units = np.rint(rings * 10**7).astype(np.int64)
    first = np.ones(len(units), dtype=bool)
    first[np.cumsum(sizes) - 1] = False
    at = np.flatnonzero(first)
    parts = np.hstack([units[at], units[at + 1]])
    cell = np.repeat(owner, sizes)[at]
    swap = (parts[:, 0] > parts[:, 2]) | ((parts[:, 0] == parts[:, 2]) & (parts[:, 1] > parts[:, 3]))
    parts[swap] = parts[swap][:, [2, 3, 0, 1]]
    order = np.lexsort((cell, *parts.T[::-1]))
    parts, cell = parts[order], cell[order]
    same = (parts[1:] == parts[:-1]).all(axis=1)
    a, b, shared = cell[:-1][same], cell[1:][same], parts[:-1][same]
    table = {tuple(row): int(kind) for row, kind in zip(segments.tolist(), classes.tolist(), strict=True)}
    kind = np.array([table[tuple(row)] for row in shared.tolist()])
    metres = to_metres(units_to_lonlat(shared.reshape(-1, 2))).reshape(-1, 2, 2)
    length = np.hypot(*(metres[:, 1] - metres[:, 0]).T)
    keys, inverse = np.unique(
        np.column_stack([np.minimum(a, b), np.maximum(a, b), kind]), axis=0, return_inverse=True
    )
    total = np.asarray(np.bincount(inverse.reshape(-1), weights=length), dtype=np.float64)
    return keys[:, 0], keys[:, 1], keys[:, 2], total


def weave(mesh: Mesh, blocks: list[Block], drawing: Drawing) -> Fabric:
    """Round the network, cut populous blocks, find cells, their households and their neighbours."""
    households = np.bincount(
        [b.block for b in drawing.buildings], [b.flats for b in drawing.buildings], len(blocks)
    )
    joints = {edge: list(points) for edge, points in drawing.joints.items()}
    cuts: list[Floats] = []
    for division in drawing.divisions:
        count = households[division.block]
        if count > ONE_CUT_HOUSEHOLDS:
            cuts += _cut_joints(mesh, blocks[division.block], division, count > TWO_CUTS_HOUSEHOLDS, joints)
    edges = _edges_with_joints(mesh, joints)
    lines = edges + [_without_repeats(to_units(cut)) for cut in cuts]
    classes = np.concatenate([mesh.classes, np.full(len(cuts), INNER)])
    segments, segment_class = _segments(lines, classes)
    degrees = units_to_lonlat(segments.reshape(-1, 2)).reshape(-1, 2, 2)
    cells = shapely.get_parts(shapely.polygonize(shapely.linestrings(degrees)))
    centre = shapely.point_on_surface(cells)
    outline = shapely.Polygon(to_lonlat(shapely.get_coordinates(shapely.union_all(mesh.faces).exterior)))
    inside = shapely.covers(outline.buffer(1e-5), centre)
    cells, centre = cells[inside], centre[inside]
    xy = shapely.get_coordinates(centre)
    order = np.lexsort((xy[:, 1], xy[:, 0], -np.floor(xy[:, 1] * 200)))
    cells, centre = shapely.orient_polygons(cells[order]), centre[order]
    cell_block = _containing(mesh.faces, shapely.points(to_metres(shapely.get_coordinates(centre))))
    middles = centres_of(drawing.buildings)
    building_cell = _containing(cells, shapely.points(to_lonlat(middles)))
    flats = np.array([b.flats for b in drawing.buildings], dtype=np.float64)
    area = shapely.area(shapely.transform(cells, to_metres))
    a, b, kind, metres = _neighbours(cells, segments, segment_class)
    counted = np.asarray(np.bincount(building_cell, flats, len(cells)), dtype=np.float64)
    return Fabric(edges, cells, cell_block, counted, area, building_cell, a, b, kind, metres)


def _containing(polygons: Geoms, points: Geoms) -> Ints:
    """For each point the polygon that holds it (the lowest number when on a border, the nearest when in none)."""
    found = np.full(len(points), len(polygons))
    point, polygon = shapely.STRtree(polygons).query(points, predicate="intersects")
    np.minimum.at(found, point, polygon)
    lost = np.flatnonzero(found == len(polygons))
    if len(lost):
        nearest: NDArray[Any] = shapely.STRtree(polygons).nearest(points[lost])
        found[lost] = nearest
    return found
