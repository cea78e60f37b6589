"""Joins inner streets to the street network: finds the edge that is met and asks for a vertex there."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from gridmap.demo.district.drawing import Drawing
from gridmap.demo.district.linework import Floats, LineClass, Mesh


class Joiner:
    """Knows which car edges run around each face."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._edges: dict[int, list[int]] = {}
        car = (mesh.classes >= LineClass.UNCLASSIFIED) & ~mesh.bridges
        for edge in np.flatnonzero(car):
            for face in {int(mesh.left[edge]), int(mesh.right[edge])}:
                self._edges.setdefault(face, []).append(int(edge))

    def edges_of(self, face: int) -> list[int]:
        """Car edges around a face."""
        return self._edges.get(face, [])

    def join(self, face: int, start: Floats, ahead: Floats, drawing: Drawing) -> Floats | None:
        """First point of a car edge of the face on the way from `start` to `ahead`; registered as a joint."""
        ray = shapely.LineString([start, ahead])
        best: tuple[float, int, Any] | None = None
        for edge in self.edges_of(face):
            hit = shapely.intersection(ray, self._mesh.lines[edge])
            if hit.is_empty:
                continue
            point = shapely.get_point(hit, 0) if hit.geom_type == "LineString" else shapely.get_parts(hit)[0]
            distance = float(np.hypot(point.x - start[0], point.y - start[1]))
            if best is None or distance < best[0]:
                best = (distance, edge, point)
        if best is None:
            return None
        return self._register(best[1], best[2], drawing)

    def join_nearest(self, face: int, start: Floats, drawing: Drawing) -> Floats | None:
        """Nearest point on any car edge of the face; registered as a joint."""
        edges = self.edges_of(face)
        if not edges:
            return None
        origin = shapely.Point(start)
        distance = shapely.distance(self._mesh.lines[edges], origin)
        edge = edges[int(np.argmin(distance))]
        line = self._mesh.lines[edge]
        return self._register(edge, line.interpolate(line.project(origin)), drawing)

    def _register(self, edge: int, point: Any, drawing: Drawing) -> Floats:
        """Use an existing vertex within 2 m, otherwise a new one."""
        vertices = shapely.get_coordinates(self._mesh.lines[edge])
        near = np.hypot(vertices[:, 0] - point.x, vertices[:, 1] - point.y)
        if near.min() < 2.0:
            return np.asarray(vertices[int(near.argmin())])
        xy = (float(point.x), float(point.y))
        drawing.joints.setdefault(edge, []).append(xy)
        return np.array(xy)
