"""The width of the kernel by cross-validation forwards in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter

from gridmap.errors import Invalid
from gridmap.risk.arrays import Floats
from gridmap.risk.binning import BIN_MANY_VARIANCE, bin_many
from gridmap.risk.grid import Grid
from gridmap.risk.scoring import EVEN_PART

BANDWIDTHS_M = tuple(float(round(value)) for value in np.geomspace(100, 3_000, 12))
LEAST_EVENTS = 20
# A kernel is looked at in cells of a third of it or less, but not in much smaller ones: wide filters are slow.
_LEAST_SIGMA, _MOST_FINER = 1.25, 8
_COARSE_SIGMA = 3.0


@dataclass(frozen=True)
class Bandwidth:
    """What cross-validation chose; `score` is the mean log density over an even spread for each of `candidates_m`."""

    bandwidth_m: float
    candidates_m: tuple[float, ...]
    score: tuple[float, ...]


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
    if len(rows) < LEAST_EVENTS:
        raise Invalid("risk_too_few_events", events=len(rows), least=LEAST_EVENTS)
    rows = rows[np.argsort(occurred_d[rows], kind="stable")]
    cuts = [0, *(len(rows) * (1 - np.arange(folds, -1, -1) / 10)).astype(int).tolist()]
    slices = [(x_m[rows[start:end]], y_m[rows[start:end]]) for start, end in pairwise(cuts)]
    views: dict[float, _View] = {}
    score = []
    for bandwidth_m in candidates_m:
        side = _side(grid.cell_m, bandwidth_m)
        if side not in views:
            views[side] = _View(grid, side, slices)
        score.append(views[side].score(bandwidth_m) / (cuts[-1] - cuts[1]))
    return Bandwidth(float(candidates_m[int(np.argmax(score))]), tuple(candidates_m), tuple(score))


class _View:
    """The slices counted in cells of one side."""

    def __init__(self, grid: Grid, side_m: float, slices: list[tuple[Floats, Floats]]) -> None:
        self._grid = _resized(grid, side_m)
        self._counts = [bin_many(self._grid, x_m, y_m) for x_m, y_m in slices]
        ground = self._grid.inside
        self._even = ground / ground.sum()

    def score(self, bandwidth_m: float) -> float:
        """Sum of log density over even of every slice but the first, each under those before it."""
        sigma = float(np.sqrt((bandwidth_m / self._grid.cell_m) ** 2 - BIN_MANY_VARIANCE))
        inside = self._grid.inside
        cover = gaussian_filter(inside, sigma, mode="constant")
        edge = inside / np.maximum(cover, 0.02)
        # Filtering is linear: each slice is filtered once and added to what came before.
        before = gaussian_filter(self._counts[0], sigma, mode="constant") * edge
        total = 0.0
        for after in self._counts[1:]:
            seen = (after > 0) & (inside > 0)
            share = before[seen] / before.sum()
            total += float(after[seen] @ np.log((1 - EVEN_PART) * share / self._even[seen] + EVEN_PART))
            before = before + gaussian_filter(after, sigma, mode="constant") * edge
        return total


def _side(cell_m: float, bandwidth_m: float) -> float:
    side = cell_m
    while bandwidth_m / side < _LEAST_SIGMA and side > cell_m / _MOST_FINER:
        side /= 2
    while bandwidth_m / side >= 2 * _COARSE_SIGMA:
        side *= 2
    return side


def _resized(grid: Grid, side_m: float) -> Grid:
    """The same ground in cells of another side, some multiple or part of the old one."""
    if side_m <= grid.cell_m:
        return grid.finer(round(grid.cell_m / side_m))
    times = round(side_m / grid.cell_m)
    rows, columns = (-(-side // times) * times for side in grid.shape)
    padded = np.zeros((rows, columns))
    padded[: grid.shape[0], : grid.shape[1]] = grid.inside
    inside = padded.reshape(rows // times, times, columns // times, times).mean(axis=(1, 3))
    return Grid(grid.west_m, grid.south_m, side_m, inside, grid.crs)
