"""Where risk is computed: a raster of squares in local metres, with the area it is for, and named areas over it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from scipy.sparse import csr_matrix

from gridmap.errors import Invalid, TooLarge
from gridmap.risk.arrays import Floats, Ints

MOST_CELLS = 16_000_000


@dataclass(frozen=True)
class Grid:
    """Squares of a projected system in metres; row 0 is the southernmost, column 0 the westernmost.

    Attributes:
        west_m, south_m: corner of cell (0, 0) in the system `crs`.
        cell_m: side of a cell.
        inside: (rows, columns) share of each cell that lies in the area, 0 to 1. Risk is only told where it is
            over zero, and edges are corrected by it.
        crs: what the metres are, as pyproj understands it ("EPSG:4547"); the engine itself never reads it.
    """

    west_m: float
    south_m: float
    cell_m: float
    inside: Floats
    crs: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.inside.shape[0], self.inside.shape[1]

    @property
    def size(self) -> int:
        return self.inside.size

    @property
    def cell_km2(self) -> Floats:
        """(rows, columns) square kilometres of each cell that lie in the area."""
        return self.inside * (self.cell_m**2 / 1e6)

    @property
    def area_km2(self) -> float:
        return float(self.cell_km2.sum())

    @property
    def x_m(self) -> Floats:
        """(columns,) eastings of the centres."""
        return np.asarray(self.west_m + (np.arange(self.shape[1]) + 0.5) * self.cell_m)

    @property
    def y_m(self) -> Floats:
        """(rows,) northings of the centres."""
        return np.asarray(self.south_m + (np.arange(self.shape[0]) + 0.5) * self.cell_m)

    def cell_of(self, x_m: Floats, y_m: Floats) -> Ints:
        """Flat index (row * columns + column) of the cell of each point; -1 outside the area."""
        rows, columns = self.shape
        column = np.floor((np.asarray(x_m, float) - self.west_m) / self.cell_m)
        row = np.floor((np.asarray(y_m, float) - self.south_m) / self.cell_m)
        good = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
        flat = np.where(good, row * columns + column, 0).astype(np.int64)
        return np.where(good & (self.inside.ravel()[flat] > 0), flat, -1)

    def finer(self, times: int) -> Grid:
        """The same ground in cells of `cell_m / times`; a cut cell passes its share on to all its parts."""
        if times == 1:
            return self
        inside = np.repeat(np.repeat(self.inside, times, axis=0), times, axis=1)
        return Grid(self.west_m, self.south_m, self.cell_m / times, inside, self.crs)

    @classmethod
    def of_polygon(cls, geometry: Any, cell_m: float, crs: str = "", *, margin_cells: int = 0) -> Grid:
        """Cells over a (multi)polygon in metres; edge cells get the exact share that lies inside.

        Raises Invalid("risk_area_empty"), Invalid("risk_cell_size"), TooLarge("risk_grid_too_large").
        """
        if geometry is None or geometry.is_empty or not geometry.area > 0:
            raise Invalid("risk_area_empty")
        grid = cls.of_box(geometry.bounds, cell_m, crs, margin_cells=margin_cells)
        boxes = grid._boxes()
        shapely.prepare(geometry)
        touched = shapely.intersects(geometry, boxes)
        whole = touched & shapely.contains(geometry, boxes)
        cut = np.flatnonzero(touched & ~whole)
        inside = whole.astype(float)
        inside[cut] = shapely.area(shapely.intersection(boxes[cut], geometry)) / cell_m**2
        # What is a sliver by rounding is no ground.
        inside[inside < 1e-9] = 0.0
        return cls(grid.west_m, grid.south_m, cell_m, inside.reshape(grid.shape).clip(0.0, 1.0), crs)

    @classmethod
    def of_box(
        cls, bounds: tuple[float, float, float, float], cell_m: float, crs: str = "", *, margin_cells: int = 0
    ) -> Grid:
        """Whole cells over (west, south, east, north) in metres, corners on multiples of `cell_m`."""
        if not (math.isfinite(cell_m) and cell_m > 0):
            raise Invalid("risk_cell_size", cell_m=cell_m)
        if not all(math.isfinite(value) for value in bounds):
            raise Invalid("risk_area_empty")
        west, south = (math.floor(value / cell_m) - margin_cells for value in bounds[:2])
        east, north = (math.ceil(value / cell_m) + margin_cells for value in bounds[2:])
        rows, columns = max(north - south, 1), max(east - west, 1)
        if rows * columns > MOST_CELLS:
            raise TooLarge("risk_grid_too_large", cells=rows * columns, most=MOST_CELLS)
        return cls(west * cell_m, south * cell_m, cell_m, np.ones((rows, columns)), crs)

    def _boxes(self) -> Any:
        rows, columns = self.shape
        west = np.tile(self.west_m + np.arange(columns) * self.cell_m, rows)
        south = np.repeat(self.south_m + np.arange(rows) * self.cell_m, columns)
        return shapely.box(west, south, west + self.cell_m, south + self.cell_m)


@dataclass(frozen=True)
class Areas:
    """Named areas of one level over a grid.

    Attributes:
        codes: one a area, in the order of every answer "per area".
        share: (areas, cells) sparse; the share of a cell's inside that lies in the area. Columns sum to one where
            the areas cover the grid.
        km2: (areas,).
        shapes: (areas,) polygons in the grid's metres, to place events exactly.
    """

    codes: tuple[str, ...]
    share: csr_matrix
    km2: Floats
    shapes: Any

    def __len__(self) -> int:
        return len(self.codes)

    def of_cells(self, values: Floats) -> Floats:
        """Sums of a per-cell count (rows, columns) or (cells,) by area: (areas,)."""
        return np.asarray(self.share @ np.asarray(values).ravel())

    def locate(self, x_m: Floats, y_m: Floats) -> Ints:
        """(N,) index of the area that holds each point, -1 in none; on a shared border the first in order."""
        found = np.full(len(x_m), -1, dtype=np.int64)
        if len(x_m) and len(self.codes):
            point, area = shapely.STRtree(self.shapes).query(shapely.points(x_m, y_m), predicate="intersects")
            order = np.lexsort((area, point))[::-1]
            found[point[order]] = area[order]
        return found

    @classmethod
    def of_polygons(cls, codes: Sequence[str], shapes: Sequence[Any], grid: Grid) -> Areas:
        """Areas from polygons in the grid's metres. Raises Invalid("risk_area_empty", area=...)."""
        array = np.array(list(shapes), dtype=object)
        for code, shape in zip(codes, array, strict=True):
            if shape is None or shape.is_empty or not shape.area > 0:
                raise Invalid("risk_area_empty", area=code)
        boxes = grid._boxes()
        area, cell = shapely.STRtree(boxes).query(array, predicate="intersects")
        covered = shapely.area(shapely.intersection(boxes[cell], array[area]))
        ground = grid.inside.ravel()[cell] * grid.cell_m**2
        part = np.divide(covered, ground, out=np.zeros(len(cell)), where=ground > 0).clip(0.0, 1.0)
        share = csr_matrix((part, (area, cell)), shape=(len(array), grid.size))
        share.eliminate_zeros()
        return cls(tuple(codes), share, shapely.area(array) / 1e6, array)
