"""Sees to it that a car gets to every grid: farm tracks and field borders become lanes where there is no other way."""

from __future__ import annotations

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from gridmap.demo.district.areas import Division
from gridmap.demo.district.fabric import Fabric
from gridmap.demo.district.linework import Ints, LineClass, Mesh

_PASSABLE = (LineClass.FIELD, LineClass.TRACK)


def open_grids(mesh: Mesh, fabric: Fabric, division: Division) -> int:
    """Raise the class of the lines that are needed; returns how many grids had no street."""
    opened = 0
    grid_of_face = [
        set(division.cell_grid[fabric.cell_block == face].tolist()) for face in range(len(mesh.faces))
    ]
    borders: dict[int, list[int]] = {}
    for edge, faces in enumerate(zip(mesh.left.tolist(), mesh.right.tolist(), strict=True)):
        for grid in set().union(*(grid_of_face[face] for face in faces if face >= 0)):
            borders.setdefault(grid, []).append(edge)
    for _, edges in sorted(borders.items()):
        mine = np.array(edges)
        if (mesh.classes[mine] >= LineClass.UNCLASSIFIED).any():
            continue
        usable = mine[np.isin(mesh.classes[mine], _PASSABLE)]
        if len(usable):
            _open(mesh, usable[np.argmax(shapely.length(mesh.lines[usable]))])
            opened += 1
    return opened


def _open(mesh: Mesh, edge: int) -> None:
    """Make a lane of this line and of the shortest way from it to the streets."""
    lines = np.flatnonzero(mesh.classes >= LineClass.FIELD)
    n = len(mesh.nodes)
    length = shapely.length(mesh.lines[lines])
    graph = coo_matrix((length, (mesh.start[lines], mesh.end[lines])), shape=(n, n)).tocsr()
    distance, before = dijkstra(
        graph, directed=False, indices=int(mesh.start[edge]), return_predecessors=True
    )
    car = mesh.classes >= LineClass.UNCLASSIFIED
    reached: Ints = np.unique(np.r_[mesh.start[car], mesh.end[car]])
    node = int(reached[np.argmin(distance[reached])])
    number = {(int(mesh.start[i]), int(mesh.end[i])): int(i) for i in lines}
    opened = [int(edge)]
    while node != int(mesh.start[edge]):
        previous = int(before[node])
        opened.append(number.get((previous, node), number.get((node, previous), int(edge))))
        node = previous
    for i in opened:
        mesh.classes[i] = max(int(mesh.classes[i]), int(LineClass.UNCLASSIFIED))
