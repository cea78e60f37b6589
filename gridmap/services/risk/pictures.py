"""A raster in local metres as a picture in Web Mercator, with its legend, and the outlines of its hottest part.

Web Mercator is only where the picture is drawn: each of its pixels looks up the cell that its centre lies in.
"""

from __future__ import annotations

import io
import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from PIL import Image
from pyproj import Transformer
from scipy.ndimage import zoom

from gridmap.domain.metric import LocalMetric
from gridmap.risk.arrays import Bools, Floats
from gridmap.risk.grid import Grid

HOT_SHARE = 0.05
_FINER = 3
_ALPHA = (90, 150, 185, 205, 220, 230)
_STEPS = (1.0, 2.0, 5.0)
_MOST_PIXELS = 1_500
_TO_MERCATOR = Transformer.from_crs(4326, 3857, always_xy=True)


@dataclass(frozen=True, slots=True)
class Step:
    """A colour for values from `low` up to `high` (None: no end)."""

    low: float
    high: float | None
    color: str

    def as_json(self) -> dict[str, Any]:
        return {"from": self.low, "to": self.high, "color": self.color}


@dataclass(frozen=True)
class Picture:
    """PNG bytes and where they lie: west, south, east, north in degrees, edges straight in Web Mercator."""

    png: bytes
    bounds: tuple[float, float, float, float]


def make_legend(values: Floats, colours: tuple[str, ...]) -> tuple[Step, ...]:
    """Steps at round numbers (1, 2, 5 times a power of ten) up to the 99.5th percentile of what is not zero.

    Round numbers stay the same from run to run while the values do not change much, so pictures can be compared.
    """
    seen = values[np.isfinite(values) & (values > 0)]
    if not len(seen):
        return (Step(0.0, None, colours[0]),)
    top = float(np.quantile(seen, 0.995))
    ladder = [step * 10.0**power for power in range(-6, 7) for step in _STEPS]
    under = [value for value in ladder if value <= top][-(len(colours) - 1) :]
    lows = [0.0, *under]
    highs: list[float | None] = [*under, None]
    shown = colours[-len(lows) :]
    return tuple(Step(low, high, color) for low, high, color in zip(lows, highs, shown, strict=True))


def draw(grid: Grid, metric: LocalMetric, values: Floats, legend: tuple[Step, ...]) -> Picture:
    """Draw (rows, columns) `values`, NaN clear. Smoothed between cell centres, cut at the area's own edge."""
    west, south, east, north = _mercator_bounds(grid, metric)
    pixel_m = max(max(east - west, north - south) / _MOST_PIXELS, grid.cell_m / _FINER)
    columns, rows = math.ceil((east - west) / pixel_m), math.ceil((north - south) / pixel_m)
    x = np.linspace(west, east, columns, endpoint=False) + (east - west) / columns / 2
    y = np.linspace(north, south, rows, endpoint=False) - (north - south) / rows / 2
    lon, lat = _TO_MERCATOR.transform(*np.meshgrid(x, y), direction="INVERSE")
    at_x, at_y = metric.forward(lon, lat)
    smooth, inside, finer_m = _finer(grid, values)
    column = np.floor((at_x - grid.west_m) / finer_m).astype(np.int64)
    row = np.floor((at_y - grid.south_m) / finer_m).astype(np.int64)
    good = (column >= 0) & (column < smooth.shape[1]) & (row >= 0) & (row < smooth.shape[0])
    column, row = np.where(good, column, 0), np.where(good, row, 0)
    seen = smooth[row, column]
    rgba = _coloured(seen, legend)
    rgba[~(good & inside[row, column] & np.isfinite(seen))] = 0
    out = io.BytesIO()
    Image.fromarray(rgba, "RGBA").quantize(64, method=Image.Quantize.FASTOCTREE).save(
        out, "PNG", optimize=True
    )
    (lon_west, lon_east), (lat_south, lat_north) = _TO_MERCATOR.transform(
        [west, east], [south, north], direction="INVERSE"
    )
    return Picture(out.getvalue(), (lon_west, lat_south, lon_east, lat_north))


def _mercator_bounds(grid: Grid, metric: LocalMetric) -> tuple[float, float, float, float]:
    rows, columns = grid.shape
    east_m, north_m = grid.west_m + columns * grid.cell_m, grid.south_m + rows * grid.cell_m
    side = np.linspace(0, 1, 20)
    edge_x = grid.west_m + (east_m - grid.west_m) * np.r_[side, side, np.zeros(20), np.ones(20)]
    edge_y = grid.south_m + (north_m - grid.south_m) * np.r_[np.zeros(20), np.ones(20), side, side]
    x, y = _TO_MERCATOR.transform(*metric.inverse(edge_x, edge_y))
    return float(np.min(x)), float(np.min(y)), float(np.max(x)), float(np.max(y))


def _finer(grid: Grid, values: Floats) -> tuple[Floats, Bools, float]:
    """Values between the cell centres, linear, without running out over the edge."""
    filled = np.where(np.isfinite(values), values, 0.0)
    weight = np.isfinite(values).astype(float)
    big = zoom(filled, _FINER, order=1, grid_mode=True, mode="nearest")
    cover = zoom(weight, _FINER, order=1, grid_mode=True, mode="nearest")
    inside = np.repeat(np.repeat(np.isfinite(values) & (grid.inside > 0.5), _FINER, axis=0), _FINER, axis=1)
    spread = np.divide(big, cover, out=np.full(big.shape, np.nan), where=cover > 0.05)
    return spread, inside, grid.cell_m / _FINER


def _coloured(values: Floats, legend: tuple[Step, ...]) -> Any:
    index = np.zeros(values.shape, dtype=np.int64)
    for number, step in enumerate(legend):
        index[np.nan_to_num(values, nan=-1.0) >= step.low] = number
    first = len(_ALPHA) - len(legend)
    table = np.array(
        [
            [
                *(int(step.color[at : at + 2], 16) for at in (1, 3, 5)),
                _ALPHA[max(first, 0) + number] if number else 0,
            ]
            for number, step in enumerate(legend)
        ],
        dtype=np.uint8,
    )
    # The lowest step is what is usual nearly everywhere: only a breath of colour, so that the map stays to be read.
    table[0, 3] = 40
    return table[index]


def hot_spots(
    grid: Grid, metric: LocalMetric, per_km2: Floats, share: float = HOT_SHARE
) -> dict[str, Any] | None:
    """Outlines (GeoJSON, degrees) of the densest cells that make up `share` of the area, and what part is expected
    there. None where nothing is expected."""
    ground = grid.cell_km2.ravel()
    density = np.where(np.isfinite(per_km2), per_km2, 0.0).ravel()
    if density.max(initial=0.0) <= 0 or np.ptp(density[ground > 0]) <= 1e-12:
        return None
    order = np.argsort(-density, kind="stable")
    taken = order[np.cumsum(ground[order]) <= share * ground.sum()]
    if not len(taken):
        return None
    columns = grid.shape[1]
    west = grid.west_m + (taken % columns) * grid.cell_m
    south = grid.south_m + (taken // columns) * grid.cell_m
    outline = shapely.union_all(shapely.box(west, south, west + grid.cell_m, south + grid.cell_m))
    caught = float((density * ground)[taken].sum() / (density * ground).sum())
    shape = shapely.set_precision(metric.to_degrees(outline), 1e-6)
    return {
        "type": "Feature",
        "geometry": shapely.geometry.mapping(shape),
        "properties": {"area_share": share, "expected_share": round(caught, 4)},
    }


def packed(values: Any, kind: Any = "<f4") -> bytes:
    """An array's bytes, compressed; read back by `unpacked`."""
    return zlib.compress(np.ascontiguousarray(values.astype(kind)).tobytes(), 6)


def unpacked(content: bytes, rows: int, columns: int, kind: Any = "<f4") -> Any:
    """(rows, columns) as it was packed."""
    return np.frombuffer(zlib.decompress(content), dtype=kind).reshape(rows, columns)
