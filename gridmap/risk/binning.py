"""Points counted into cells, shared out between centres, and the variance that this adds."""

from __future__ import annotations

import numpy as np

from gridmap.risk.arrays import Floats
from gridmap.risk.grid import Grid

BIN_VARIANCE = 1 / 6
"""Cells squared that `bin_points` adds: the mean of d (1 - d)."""
BIN_MANY_VARIANCE = 3 / 16 + 1 / 48
"""Cells squared that `bin_many` adds: d (1 - d) at d = 1/4, and a twelfth of half a cell squared."""


def bin_points(grid: Grid, x_m: Floats, y_m: Floats, weight: Floats | None = None) -> Floats:
    """(rows, columns) points in the area, each shared out over the four nearest centres; points outside are ignored.

    Adds a sixth of a cell squared on average (`BIN_VARIANCE`) and keeps each point's place.
    """
    rows, columns = grid.shape
    inside = grid.cell_of(x_m, y_m) >= 0
    column = (np.asarray(x_m)[inside] - grid.west_m) / grid.cell_m - 0.5
    row = (np.asarray(y_m)[inside] - grid.south_m) / grid.cell_m - 0.5
    left, low = np.floor(column), np.floor(row)
    right_part, high_part = column - left, row - low
    # One ring more all round, folded back in below: the outer half of an edge cell has its neighbour outside.
    wide = columns + 2
    base = ((low + 1) * wide + left + 1).astype(np.int64)
    total = np.zeros((rows + 2) * wide)
    mass = 1.0 if weight is None else np.asarray(weight, dtype=float)[inside]
    for step, part in (
        (0, (1 - right_part) * (1 - high_part)),
        (1, right_part * (1 - high_part)),
        (wide, (1 - right_part) * high_part),
        (wide + 1, right_part * high_part),
    ):
        total += np.bincount(base + step, part * mass, len(total))
    ringed = total.reshape(rows + 2, wide)
    ringed[1] += ringed[0]
    ringed[-2] += ringed[-1]
    ringed[:, 1] += ringed[:, 0]
    ringed[:, -2] += ringed[:, -1]
    return ringed[1:-1, 1:-1]


def bin_many(grid: Grid, x_m: Floats, y_m: Floats, weight: Floats | None = None) -> Floats:
    """The same for very many points, some five times as quick: they are counted in quarter cells first.

    From there three quarters go to the own centre along each axis and one quarter to the next, which adds the same
    variance everywhere (`BIN_MANY_VARIANCE`). Each point moves by up to a quarter of a cell, which evens out over many.
    """
    rows, columns = grid.shape
    column = (np.asarray(x_m, dtype=float) - grid.west_m) * (2 / grid.cell_m)
    row = (np.asarray(y_m, dtype=float) - grid.south_m) * (2 / grid.cell_m)
    good = (column >= 0) & (column < 2 * columns) & (row >= 0) & (row < 2 * rows)
    mass = None if weight is None else np.asarray(weight, dtype=float)
    if not good.all():
        column, row = column[good], row[good]
        mass = None if mass is None else mass[good]
    flat = row.astype(np.int32) * np.int32(2 * columns) + column.astype(np.int32)
    fine = np.bincount(flat, mass, 4 * grid.size).astype(float).reshape(rows, 2, columns, 2)
    fine *= (grid.inside > 0)[:, None, :, None]
    along = _tent(fine[:, 0], fine[:, 1])
    return np.ascontiguousarray(_tent(along[:, :, 0].T, along[:, :, 1].T).T)


def _tent(low: Floats, high: Floats) -> Floats:
    """Counts in the lower and upper halves of n cells (n, ...), shared out; at the ends nothing leaves."""
    total = 0.75 * (low + high)
    total[1:] += 0.25 * high[:-1]
    total[:-1] += 0.25 * low[1:]
    total[0] += 0.25 * low[0]
    total[-1] += 0.25 * high[-1]
    return np.asarray(total)
