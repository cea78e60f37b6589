"""The ground of a file of incidents: a local metric system, the raster, and the areas of a GeoJSON file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely
from scipy.ndimage import binary_closing, binary_dilation, binary_fill_holes

from gridmap.domain.metric import LocalMetric
from gridmap.errors import Invalid
from gridmap.risk.arrays import Bools, Floats
from gridmap.risk.grid import Areas, Grid

_REACH_M = 750.0
_OUTLIERS = 0.001
_STRAY = 20.0
_NOWHERE_M = 1e8
_CODE_NAMES = ("code", "id", "district", "beat", "grid", "name")


@dataclass(frozen=True)
class Ground:
    """`grid` and `areas` are in metres of `metric`, an azimuthal equidistant system at the middle of the incidents."""

    metric: LocalMetric
    crs: str
    grid: Grid
    areas: Areas | None


def metric_at(lon: Floats, lat: Floats) -> tuple[LocalMetric, str]:
    """Metres around the median of the points (WGS84 degrees), and the system as a PROJ string.

    Azimuthal equidistant: true from the middle outwards, and off by under 1e-4 across, within 150 km.
    """
    middle = round(float(np.median(lat)), 3), round(float(np.median(lon)), 3)
    crs = f"+proj=aeqd +lat_0={middle[0]} +lon_0={middle[1]} +datum=WGS84 +units=m +no_defs +type=crs"
    return LocalMetric(crs), crs


def plane(metric: LocalMetric, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Metres of the ground; what lies on the other side of the globe lies nowhere near, and is no infinite number."""
    x_m, y_m = metric.forward(lon, lat)
    there = np.isfinite(x_m) & np.isfinite(y_m)
    return np.where(there, x_m, _NOWHERE_M), np.where(there, y_m, _NOWHERE_M)


def read_ground(lon: Floats, lat: Floats, cell_m: float, areas: Path | None) -> Ground:
    """The ground for incidents at these points; give only points that were known before the first forecast.

    With `areas` the grid is their union; without, the cells near a point (`grid_around`).
    Raises Invalid: "file_not_found", "file_unreadable", "risk_areas_empty", "risk_all_outside" when no point lies in
    any area, and those of `Grid.of_polygon`.
    """
    metric, crs = metric_at(lon, lat)
    x_m, y_m = plane(metric, lon, lat)
    if areas is None:
        return Ground(metric, crs, grid_around(x_m, y_m, cell_m, crs), None)
    codes, shapes = _read_areas(areas)
    flat = [metric.to_plane(shape) for shape in shapes]
    union = shapely.union_all(np.array(flat, dtype=object))
    if not shapely.contains_xy(union, x_m, y_m).any():
        raise Invalid("risk_all_outside", file=areas.name)
    grid = Grid.of_polygon(union, cell_m, crs)
    return Ground(metric, crs, grid, Areas.of_polygons(codes, flat, grid))


def grid_around(x_m: Floats, y_m: Floats, cell_m: float, crs: str) -> Grid:
    """Cells within 750 m (or two cells) of a point, gaps of as much closed and holes filled.

    One point in a thousand on each side of each axis may lie anywhere without stretching the grid, and so may every
    point that lies `_STRAY` times as far from the middle as nine in ten do: a slip of a digit.
    """
    reach = max(_REACH_M, 2 * cell_m)
    away = np.hypot(x_m - np.median(x_m), y_m - np.median(y_m))
    near_middle = away <= _STRAY * max(float(np.quantile(away, 0.9)), _REACH_M)
    x_m, y_m = x_m[near_middle], y_m[near_middle]
    west, east = np.quantile(x_m, [_OUTLIERS, 1 - _OUTLIERS], method="nearest")
    south, north = np.quantile(y_m, [_OUTLIERS, 1 - _OUTLIERS], method="nearest")
    box = Grid.of_box(
        (west, south, east, north), cell_m, crs, margin_cells=2 * int(np.ceil(reach / cell_m)) + 1
    )
    cell = box.cell_of(x_m, y_m)
    seen = np.zeros(box.size, dtype=bool)
    seen[cell[cell >= 0]] = True
    disc = _disc(reach / cell_m)
    near = binary_fill_holes(binary_closing(binary_dilation(seen.reshape(box.shape), disc), disc))
    return Grid(box.west_m, box.south_m, cell_m, near.astype(float), crs)


def _disc(radius: float) -> Bools:
    side = np.arange(-int(radius), int(radius) + 1)
    return np.asarray(np.hypot(side[:, None], side) <= radius)


def _read_areas(path: Path) -> tuple[list[str], list[Any]]:
    if not path.is_file():
        raise Invalid("file_not_found", file=path.name)
    try:
        table = geopandas.read_file(path)
    except Exception as error:  # the reader's drivers raise what they like
        raise Invalid("file_unreadable", file=path.name, reason=str(error)[:120]) from error
    table = table.set_crs(4326) if table.crs is None else table.to_crs(4326)
    table = table[table.geom_type.isin(["Polygon", "MultiPolygon"])]
    if not len(table):
        raise Invalid("risk_areas_empty", file=path.name)
    shapes = [shape if shape.is_valid else shape.buffer(0) for shape in table.geometry]
    return _codes(table), shapes


def _codes(table: Any) -> list[str]:
    """A column that names each area once; numbers from 1 where there is none."""
    columns = {str(name).lower(): name for name in table.columns if name != table.geometry.name}
    known = [columns[word] for word in _CODE_NAMES if word in columns]
    coded = [name for lower, name in columns.items() if re.search(r"(code|id|no|num)$", lower)]
    for name in [*known, *coded]:
        values = table[name].astype(str)
        if values.is_unique:
            return [str(value) for value in values]
    return [str(number) for number in range(1, len(table) + 1)]
