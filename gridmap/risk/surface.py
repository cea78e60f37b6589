"""Kernel surfaces at speed: count into cells, filter with a Gaussian, correct for the cells and for the edge.

Counting puts each point at cell centres, which adds variance: a twelfth of a cell squared for the nearest centre
(Sheppard 1898), a sixth when a point is shared out over the four nearest. The filter is made narrower by just that. A
kernel near the border would lose what falls outside; dividing by the filtered mask of the area puts it right for an
even spread (the "uniform" correction of spatstat's density.ppp), and one common factor keeps the total.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter

from gridmap.errors import Invalid
from gridmap.risk.arrays import Floats
from gridmap.risk.events import Events
from gridmap.risk.grid import Grid

WEEK_D = 7.0
# Below this many cells a Gaussian is a few samples of itself: the work is done in finer cells.
_LEAST_SIGMA = 1.25
_MOST_FINER = 8
_TRUNCATE = 5.0
# Less of the kernel than this inside the area: too thin to divide by.
_LEAST_COVER = 0.02
BANDWIDTHS_M = tuple(float(round(value)) for value in np.geomspace(100, 3_000, 12))


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
class Bandwidth:
    """What cross-validation chose; `score` is the mean log density over an even spread for each of `candidates_m`."""

    bandwidth_m: float
    candidates_m: tuple[float, ...]
    score: tuple[float, ...]


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
    against the direct sum is under 1e-4 of the highest density for a bandwidth of at least two cells.
    """
    finer, sigma = _resolution(grid, bandwidth_m)
    counts = bin_points(finer, x_m, y_m, weight)
    return _density(finer, grid, counts, sigma, float(counts.sum()))


def bin_points(grid: Grid, x_m: Floats, y_m: Floats, weight: Floats | None = None) -> Floats:
    """(rows, columns) points in each cell's share of the area, each shared out over the four nearest centres."""
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


def choose_bandwidth(
    grid: Grid,
    x_m: Floats,
    y_m: Floats,
    occurred_d: Floats,
    candidates_m: Sequence[float] = BANDWIDTHS_M,
    *,
    folds: int = 3,
) -> Bandwidth:
    """The bandwidth under which later events were likeliest, given the earlier ones.

    The events are cut by time; each of the last `folds` tenths is scored under the surface of everything before it.
    Time order keeps repeats at one address from choosing a spike, as leaving one out would.
    Raises Invalid("risk_too_few_events", events, least) under 20 events inside.
    """
    rows = np.flatnonzero(grid.cell_of(x_m, y_m) >= 0)
    if len(rows) < 20:
        raise Invalid("risk_too_few_events", events=len(rows), least=20)
    rows = rows[np.argsort(occurred_d[rows], kind="stable")]
    cuts = (len(rows) * (1 - np.arange(folds, -1, -1) / 10)).astype(int)
    fitted = [(rows[:start], rows[start:end]) for start, end in pairwise(cuts)]
    even = 1.0 / (grid.inside.sum() * grid.cell_m**2)
    score = []
    for bandwidth_m in candidates_m:
        total, seen = 0.0, 0
        for before, after in fitted:
            density = smooth(grid, x_m[before], y_m[before], bandwidth_m) / len(before)
            at = density.ravel()[grid.cell_of(x_m[after], y_m[after])]
            total += float(np.log(0.999 * at / even + 0.001).sum())
            seen += len(after)
        score.append(total / seen)
    return Bandwidth(float(candidates_m[int(np.argmax(score))]), tuple(candidates_m), tuple(score))


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
    finer, sigma = _resolution(grid, found.bandwidth_m)
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


def _resolution(grid: Grid, bandwidth_m: float) -> tuple[Grid, float]:
    """Cells fine enough for the kernel, and its width in them, less what sharing out to centres adds."""
    if not bandwidth_m > 0:
        raise Invalid("risk_bandwidth", bandwidth_m=bandwidth_m)
    times = 1
    while bandwidth_m * times / grid.cell_m < _LEAST_SIGMA and times < _MOST_FINER:
        times *= 2
    finer = grid.finer(times)
    return finer, float(np.sqrt(max((bandwidth_m / finer.cell_m) ** 2 - 1 / 6, 0.01)))


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
