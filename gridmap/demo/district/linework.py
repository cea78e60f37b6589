"""Lines that cut the plane: what a street, a bank or a field border is before everything is noded together."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Geoms = NDArray[Any]


class LineClass(IntEnum):
    """Rank of a line. A higher rank wins where two lines lie on each other; `UNCLASSIFIED` and up carry cars."""

    OUTLINE = 0
    RIVER = 1
    CROSSCUT = 2
    FIELD = 3
    TRACK = 4
    UNCLASSIFIED = 5
    RESIDENTIAL = 6
    TERTIARY = 7
    SECONDARY = 8
    PRIMARY = 9
    TRUNK = 10


@dataclass
class LineSet:
    """A growing list of lines with their class, street number (-1 = nameless) and whether they are a bridge."""

    lines: list[Any] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    streets: list[int] = field(default_factory=list)
    bridges: list[bool] = field(default_factory=list)

    def add(self, line: Any, line_class: LineClass, street: int = -1, bridge: bool = False) -> None:
        """Append every LineString part of `line` (metres); empty and shorter than 1 m are skipped."""
        for part in shapely.get_parts(line):
            if part.geom_type == "LineString" and part.length > 1.0:
                self.lines.append(part)
                self.classes.append(int(line_class))
                self.streets.append(street)
                self.bridges.append(bridge)


@dataclass
class Mesh:
    """A noded planar graph. `lines[i]` runs from node `start[i]` to `end[i]`; faces are numbered, -1 = outside.

    Coordinates are district metres. `faces` are simple polygons whose union is the district.
    """

    nodes: Floats
    start: Ints
    end: Ints
    lines: Geoms
    classes: Ints
    streets: Ints
    bridges: NDArray[np.bool_]
    faces: Geoms
    left: Ints
    right: Ints


SNAP_M = 0.05


def _reading_order(geoms: Geoms) -> Ints:
    """North to south in bands of 500 m, west to east within a band: the same on every run."""
    xy = shapely.get_coordinates(shapely.centroid(geoms))
    return np.lexsort((xy[:, 1], xy[:, 0], -np.floor(xy[:, 1] / 500)))


def _node(lines: LineSet) -> tuple[Geoms, Ints, Ints, NDArray[np.bool_]]:
    """Cut all lines at their crossings; each piece takes the attributes of the highest line it lies on."""
    source = np.array(lines.lines, dtype=object)
    noded = shapely.get_parts(shapely.unary_union(shapely.multilinestrings(source), grid_size=SNAP_M))
    noded = noded[_reading_order(noded)]
    middles = shapely.line_interpolate_point(noded, 0.5, normalized=True)
    piece, hit = shapely.STRtree(source).query(middles, predicate="dwithin", distance=4 * SNAP_M)
    rank = np.array(lines.classes)[hit]
    order = np.lexsort((hit, rank, piece))
    best = np.full(len(noded), -1)
    best[piece[order]] = hit[order]
    keep = best >= 0
    noded, best = noded[keep], best[keep]
    return (
        noded,
        np.array(lines.classes)[best],
        np.array(lines.streets)[best],
        np.array(lines.bridges)[best],
    )


def _ends(lines: Geoms) -> tuple[Floats, Ints, Ints]:
    first = shapely.get_coordinates(shapely.get_point(lines, 0))
    last = shapely.get_coordinates(shapely.get_point(lines, -1))
    keys = np.rint(np.vstack([first, last]) * 1000).astype(np.int64)
    _, index, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    nodes = np.vstack([first, last])[index]
    inverse = inverse.reshape(-1)
    return nodes, inverse[: len(lines)], inverse[len(lines) :]


def segment_sides(lines: Geoms, faces: Geoms) -> tuple[Ints, Ints]:
    """Face to the left and to the right of each line (by its first segment); -1 = none. Exact on shared vertices."""
    oriented = shapely.orient_polygons(faces)
    table: dict[tuple[float, float, float, float], int] = {}
    rings = shapely.get_rings(oriented)
    owner = np.repeat(np.arange(len(faces)), shapely.get_num_interior_rings(faces) + 1)
    for ring, face in zip(rings, owner, strict=True):
        xy = shapely.get_coordinates(ring)
        for a, b in zip(xy[:-1].tolist(), xy[1:].tolist(), strict=True):
            table[(a[0], a[1], b[0], b[1])] = int(face)
    left = np.full(len(lines), -1)
    right = np.full(len(lines), -1)
    for i, line in enumerate(lines):
        (ax, ay), (bx, by) = shapely.get_coordinates(line)[:2].tolist()
        left[i] = table.get((ax, ay, bx, by), -1)
        right[i] = table.get((bx, by, ax, ay), -1)
    return left, right


def build_mesh(lines: LineSet, smallest_face_m2: float, district: Any) -> Mesh:
    """Node the lines, then drop minor lines until no face is smaller than asked (as far as that is possible)."""
    pieces, classes, streets, bridges = _node(lines)
    for _ in range(4):
        faces = _faces(pieces, district)
        left, right = segment_sides(pieces, faces)
        drop = _lines_to_drop(pieces, classes, faces, left, right, smallest_face_m2)
        if not drop.any():
            break
        keep = ~drop
        pieces, classes, streets, bridges = pieces[keep], classes[keep], streets[keep], bridges[keep]
    pieces, classes, streets, bridges = _without_stubs(pieces, classes, streets, bridges)
    faces = _faces(pieces, district)
    left, right = segment_sides(pieces, faces)
    nodes, start, end = _ends(pieces)
    return Mesh(nodes, start, end, pieces, classes, streets, bridges, faces, left, right)


def _faces(pieces: Geoms, district: Any) -> Geoms:
    faces = shapely.get_parts(shapely.polygonize(pieces))
    inside = shapely.covers(district.buffer(1.0), shapely.point_on_surface(faces))
    faces = faces[inside]
    oriented: Geoms = shapely.orient_polygons(faces[_reading_order(faces)])
    return oriented


def _lines_to_drop(
    pieces: Geoms, classes: Ints, faces: Geoms, left: Ints, right: Ints, smallest_face_m2: float
) -> NDArray[np.bool_]:
    """For each too small face the lowest, then longest, of its lines that is no main street, bank or outline."""
    area = shapely.area(faces)
    length = shapely.length(pieces)
    droppable = (classes > LineClass.RIVER) & (classes <= LineClass.TERTIARY) & (left >= 0) & (right >= 0)
    drop = np.zeros(len(pieces), dtype=bool)
    touched: set[int] = set()
    for face in np.flatnonzero(area < smallest_face_m2):
        mine = np.flatnonzero(droppable & ((left == face) | (right == face)) & (left != right))
        if face in touched or not len(mine):
            continue
        pick = mine[np.lexsort((-length[mine], classes[mine]))[0]]
        touched.update((int(left[pick]), int(right[pick])))
        drop[pick] = True
    return drop


def _without_stubs(
    pieces: Geoms, classes: Ints, streets: Ints, bridges: NDArray[np.bool_]
) -> tuple[Geoms, Ints, Ints, NDArray[np.bool_]]:
    """Take away loose ends below a secondary street: a block would be built over them."""
    while True:
        nodes, start, end = _ends(pieces)
        degree = np.bincount(np.concatenate([start, end]), minlength=len(nodes))
        stub = ((degree[start] == 1) | (degree[end] == 1)) & (classes <= LineClass.TERTIARY)
        if not stub.any():
            return pieces, classes, streets, bridges
        pieces, classes, streets, bridges = pieces[~stub], classes[~stub], streets[~stub], bridges[~stub]
