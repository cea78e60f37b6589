"""A forecast in which severe incidents count for more than slight ones."""

from __future__ import annotations

import numpy as np

from gridmap.risk.arrays import Floats
from gridmap.risk.events import Events
from gridmap.risk.grid import Grid
from gridmap.risk.surface import smooth

_BANDWIDTH_M = 1_000.0
_PRIOR_EVENTS = 20.0


def severity_load(
    grid: Grid, events: Events, expected: Floats, *, bandwidth_m: float = _BANDWIDTH_M
) -> Floats:
    """(rows, columns) expected incidents per cell, each cell's by how heavy incidents are around it; same total.

    The count stays what it is, and so does its interval: this is a second figure beside it, in incidents of average
    weight. How heavy incidents are near a cell is the kernel-weighted mean of `events.weight`, drawn to the mean of
    all by the weight of `_PRIOR_EVENTS`, so that one grave incident in an empty corner is not a pattern.

    Args:
        events: rows of the past, `weight` by severity; found rows count too.
        expected: (rows, columns) of the forecast, zero outside.
    """
    total = float(expected.sum())
    if not len(events) or total <= 0:
        return expected
    near = smooth(grid, events.x_m, events.y_m, bandwidth_m)
    heavy = smooth(grid, events.x_m, events.y_m, bandwidth_m, events.weight)
    # A Gaussian kernel holds about as many events as lie in 4 pi times its variance.
    rows = 4 * np.pi * bandwidth_m**2
    mean = float(events.weight.mean())
    factor = (heavy * rows + _PRIOR_EVENTS * mean) / (near * rows + _PRIOR_EVENTS)
    loaded = expected * factor
    return np.asarray(loaded * (total / loaded.sum()))
