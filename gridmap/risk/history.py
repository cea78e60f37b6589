"""The past as grids: counts in cells with several memories, carried forward from one origin to the next."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.ndimage import gaussian_filter

from gridmap.risk.arrays import Floats
from gridmap.risk.binning import BIN_VARIANCE, bin_points
from gridmap.risk.events import Events
from gridmap.risk.grid import Grid
from gridmap.risk.recipe import EVER, Part, Recipe

# Kernels are filtered in cells of this part of their bandwidth or less, so that no filter is slow or coarse.
_FINEST = 8
_LEAST_SIGMA = 0.9
_LEAST_COVER = 0.02


class History:
    """Events that are known, binned, at an origin that only moves forward.

    Nothing is added before it is known, so no score at this origin can see it.
    """

    def __init__(self, grid: Grid, events: Events, parts: Iterable[Part]) -> None:
        self.grid = grid
        self._events = events.take(np.argsort(events.known_d, kind="stable"))
        self._known_d = self._events.known_d
        self._next, self._origin_d = 0, -np.inf
        wanted = set(parts)
        self._cell = {part.half_life_d: np.zeros(grid.size) for part in wanted} | {EVER: np.zeros(grid.size)}
        self._times = {
            part.bandwidth_m: _times(part.bandwidth_m, grid.cell_m) for part in wanted if part.bandwidth_m
        }
        keys = {(self._times[part.bandwidth_m], part.half_life_d) for part in wanted if part.bandwidth_m}
        self._finer = {times: grid.finer(times) for times, _ in keys}
        self._fine = {key: np.zeros(self._finer[key[0]].shape) for key in keys}
        self._cover: dict[tuple[int, float], Floats] = {}
        self._surfaces: dict[tuple[float, float], Floats] = {}

    @property
    def known(self) -> Events:
        """What is known at the present origin."""
        return self._events.take(slice(0, self._next))

    def move_to(self, origin_d: float) -> None:
        """Take in what became known before `origin_d`; weights are as of then."""
        end = int(np.searchsorted(self._known_d, origin_d, side="left"))
        fresh = self._events.take(slice(self._next, end))
        cell = self.grid.cell_of(fresh.x_m, fresh.y_m)
        started = np.isfinite(self._origin_d)
        for half, counts in self._cell.items():
            counts *= 0.5 ** ((origin_d - self._origin_d) / half) if started else 1.0
            weight = fresh.weight * 0.5 ** ((origin_d - fresh.occurred_d) / half)
            counts += np.bincount(cell[cell >= 0], weight[cell >= 0], self.grid.size)
            for times in (times for times, other in self._fine if other == half):
                fine = self._fine[times, half]
                fine *= 0.5 ** ((origin_d - self._origin_d) / half) if started else 1.0
                fine += bin_points(self._finer[times], fresh.x_m, fresh.y_m, weight)
        self._next, self._origin_d = end, origin_d
        self._surfaces.clear()

    def mix(self, recipe: Recipe) -> Floats:
        """(cells,) share of each cell under a recipe; sums to one."""
        total = np.zeros(self.grid.size)
        for part, weight in zip(recipe.parts, recipe.weights, strict=True):
            total += weight * self.share(part)
        return total

    def share(self, part: Part) -> Floats:
        """(cells,) probability that an event falls in each cell; even where nothing is known."""
        even = np.asarray(self.grid.inside.ravel() / self.grid.inside.sum())
        if part.bandwidth_m == 0.0:
            return even
        counts = self._counts(part)
        total = counts.sum()
        if total <= 0:
            return even
        if part.bandwidth_m is None:
            return np.asarray(counts / total)
        surface = self._surface(part)
        if part.strength is None:
            return surface
        expected = surface * total
        drawn = expected * (part.strength + counts) / (part.strength + expected)
        return np.asarray(drawn / drawn.sum())

    def _counts(self, part: Part) -> Floats:
        if part.last_d == EVER:
            return self._cell[part.half_life_d]
        recent = self.known.take(self.known.occurred_d >= self._origin_d - part.last_d)
        cell = self.grid.cell_of(recent.x_m, recent.y_m)
        return np.bincount(cell[cell >= 0], recent.weight[cell >= 0], self.grid.size).astype(float)

    def _surface(self, part: Part) -> Floats:
        assert part.bandwidth_m is not None
        key = part.bandwidth_m, part.half_life_d
        if key not in self._surfaces:
            self._surfaces[key] = self._filtered(*key)
        return self._surfaces[key]

    def _filtered(self, bandwidth_m: float, half_life_d: float) -> Floats:
        times = self._times[bandwidth_m]
        finer = self._finer[times]
        sigma = float(np.sqrt((bandwidth_m / finer.cell_m) ** 2 - BIN_VARIANCE))
        filtered = gaussian_filter(self._fine[times, half_life_d], sigma, mode="constant")
        filtered *= self._edge(times, sigma)
        rows, columns = self.grid.shape
        mass = filtered.reshape(rows, times, columns, times).sum(axis=(1, 3)).ravel()
        return np.asarray(mass / mass.sum())

    def _edge(self, times: int, sigma: float) -> Floats:
        """Inside share over smoothed inside share: turns filtered counts into mass inside the area."""
        if (times, sigma) not in self._cover:
            inside = self._finer[times].inside
            cover = gaussian_filter(inside, sigma, mode="constant")
            self._cover[times, sigma] = inside / np.maximum(cover, _LEAST_COVER)
        return self._cover[times, sigma]


def _times(bandwidth_m: float, cell_m: float) -> int:
    """Into how many parts a cell's side is cut for a kernel."""
    times = 1
    while bandwidth_m * times / cell_m < _LEAST_SIGMA and times < _FINEST:
        times *= 2
    return times
