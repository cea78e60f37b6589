"""Kernel surfaces at speed: count into cells, filter with a Gaussian, correct for the cells and for the edge.

Counting puts each point at cell centres, which adds variance: a twelfth of a cell squared for the nearest centre
(Sheppard 1898), more when a point is shared out (`BIN_VARIANCE`). The filter is made narrower by just that. A
kernel near the border would lose what falls outside; dividing by the filtered mask of the area puts it right for an
even spread (the "uniform" correction of spatstat's density.ppp), and one common factor keeps the total.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from gridmap.errors import Invalid
from gridmap.risk.arrays import Floats
from gridmap.risk.bandwidth import choose_bandwidth
from gridmap.risk.binning import BIN_MANY_VARIANCE, BIN_VARIANCE, bin_many, bin_points
from gridmap.risk.events import Events
from gridmap.risk.grid import Grid

WEEK_D = 7.0
MANY_POINTS = 200_000
# Below this many cells a Gaussian is a few samples of itself: the work is done in finer cells.
_LEAST_SIGMA = 1.25
_MOST_FINER = 8
_TRUNCATE = 5.0
# Less of the kernel than this inside the area: too thin to divide by.
_LEAST_COVER = 0.02


@dataclass(frozen=True)
class Surface:
    """Expected incidents.

    Attributes:
        per_km2_week: (rows, columns) expected number, or sum of weights, per square kilometre and week; 0 outside.
        bandwidth_m: standard deviation of the kernel.
        events: rows that went in. `outside`: rows left out because they lie outside the area.
        found_left_out: rows left out because a patrol, camera or task found them; `found_share` of all rows.
        weeks: length of the time they span.
    """

    per_km2_week: Floats
    bandwidth_m: float
    events: int
    outside: int
    found_left_out: int
    found_share: float
    weeks: float

    def per_cell_week(self, grid: Grid) -> Floats:
        """(rows, columns) expected number per cell and week."""
        return self.per_km2_week * grid.cell_km2


@dataclass(frozen=True)
class Exposed:
    """A surface beside what could suffer. `per_exposed_week`: per unit of exposure and week, NaN under `least`;
    `ratio`: that rate over the area's mean rate. Never to be shown without the count."""

    per_km2_week: Floats
    per_exposed_week: Floats
    ratio: Floats


def smooth(grid: Grid, x_m: Floats, y_m: Floats, bandwidth_m: float, weight: Floats | None = None) -> Floats:
    """Density in points (or weight) per square metre at each cell, (rows, columns), 0 outside the area.

    Sums to the number of points inside the area over the ground inside it. Points outside are ignored. Its error
    against the direct sum is under 1e-4 of the highest density for a bandwidth of at least four cells, under 2e-4 where
    `MANY_POINTS` are counted the quick way.
    """
    finer = _resolution(grid, bandwidth_m)
    many = len(x_m) >= MANY_POINTS
    counts = (bin_many if many else bin_points)(finer, x_m, y_m, weight)
    sigma = _sigma(finer, bandwidth_m, BIN_MANY_VARIANCE if many else BIN_VARIANCE)
    return _density(finer, grid, counts, sigma, float(counts.sum()))


def surface(
    grid: Grid,
    events: Events,
    from_d: float,
    to_d: float,
    *,
    bandwidth_m: float | None = None,
    use_found: bool = False,
) -> Surface:
    """Expected incidents of all rows of `events` that happened in [from_d, to_d), by kernel density.

    Args:
        bandwidth_m: None = by `choose_bandwidth`.
        use_found: also fit rows that patrols, cameras or tasks found.
    Raises Invalid: "risk_no_events", "risk_too_few_events" (when the bandwidth is to be chosen), "risk_period_empty".
    """
    if not to_d > from_d:
        raise Invalid("risk_period_empty")
    within = events.between(from_d, to_d)
    if not len(within):
        raise Invalid("risk_no_events")
    used = within if use_found else within.take(~within.found)
    inside = grid.cell_of(used.x_m, used.y_m) >= 0
    kept = used.take(inside)
    if not len(kept):
        raise Invalid("risk_no_events")
    if bandwidth_m is None:
        bandwidth_m = choose_bandwidth(grid, kept.x_m, kept.y_m, kept.occurred_d).bandwidth_m
    weeks = (to_d - from_d) / WEEK_D
    density = smooth(grid, kept.x_m, kept.y_m, bandwidth_m, kept.weight) * (1e6 / weeks)
    left_out = len(within) - len(used)
    return Surface(
        density, bandwidth_m, len(kept), len(used) - len(kept), left_out, float(within.found.mean()), weeks
    )


def against_exposure(grid: Grid, found: Surface, exposure: Floats, *, least: float = 1.0) -> Exposed:
    """The same surface per unit of exposure (residents, households, passers-by) in each cell, (rows, columns).

    Exposure is smoothed with the surface's own bandwidth first, so that both are read over the same ground (a ratio of
    kernel densities, as CrimeStat's dual kernel). Cells with under `least` exposed per square kilometre have no rate.
    """
    finer = _resolution(grid, found.bandwidth_m)
    sigma = _sigma(finer, found.bandwidth_m, 0.0)
    times = round(grid.cell_m / finer.cell_m)
    spread = np.repeat(np.repeat(np.asarray(exposure, float), times, axis=0), times, axis=1) / times**2
    per_km2 = _density(finer, grid, spread, sigma, float(np.sum(exposure))) * 1e6
    enough = per_km2 >= least
    rate = np.divide(found.per_km2_week, per_km2, out=np.full(grid.shape, np.nan), where=enough)
    ground = grid.cell_km2
    mean = float(
        (found.per_km2_week * ground)[enough].sum() / max(float((per_km2 * ground)[enough].sum()), 1e-300)
    )
    return Exposed(found.per_km2_week, rate, rate / mean if mean > 0 else np.full(grid.shape, np.nan))


def _resolution(grid: Grid, bandwidth_m: float) -> Grid:
    """Cells fine enough for the kernel."""
    if not bandwidth_m > 0:
        raise Invalid("risk_bandwidth", bandwidth_m=bandwidth_m)
    times = 1
    while bandwidth_m * times / grid.cell_m < _LEAST_SIGMA and times < _MOST_FINER:
        times *= 2
    return grid.finer(times)


def _sigma(grid: Grid, bandwidth_m: float, added: float) -> float:
    """The kernel in cells, less the variance that counting into cells added."""
    return float(np.sqrt(max((bandwidth_m / grid.cell_m) ** 2 - added, 0.01)))


def _density(finer: Grid, grid: Grid, counts: Floats, sigma: float, total: float) -> Floats:
    """Filter, correct at the edge, and bring back to the cells of `grid` with the same total."""
    filtered = gaussian_filter(counts, sigma, mode="constant", truncate=_TRUNCATE)
    if (finer.inside == 1.0).all():
        cover = np.outer(*(gaussian_filter(np.ones(side), sigma, mode="constant", truncate=_TRUNCATE)
                           for side in finer.shape))  # fmt: skip
    else:
        cover = gaussian_filter(finer.inside, sigma, mode="constant", truncate=_TRUNCATE)
    density = np.where(finer.inside > 0, filtered / np.maximum(cover, _LEAST_COVER), 0.0) / finer.cell_m**2
    times = round(grid.cell_m / finer.cell_m)
    if times > 1:
        rows, columns = grid.shape
        density = density.reshape(rows, times, columns, times).mean(axis=(1, 3))
    mass = float((density * grid.inside).sum()) * grid.cell_m**2
    return density * (total / mass) if mass > 0 else density
