"""Windows of the past, seen as a forecaster would have seen them: each part's surface at the start, and what came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from gridmap.risk.arrays import Floats
from gridmap.risk.calendar import Calendar
from gridmap.risk.events import Events
from gridmap.risk.grid import Areas, Grid
from gridmap.risk.history import History
from gridmap.risk.level import fit_level
from gridmap.risk.recipe import Part, Recipe
from gridmap.risk.scoring import EVEN_PART

BLOCK_CELLS = 8
"""Counts are compared with their expectation in blocks of so many cells a side, where there are no areas."""


@dataclass(frozen=True)
class Units:
    """What intervals are told for: areas, or square blocks of cells where there are none.

    `share` (units, cells) sums expected counts of cells; `areas` places events by their very point.
    """

    share: csr_matrix
    areas: Areas | None

    def __len__(self) -> int:
        return int(self.share.shape[0])

    def count(self, grid: Grid, events: Events) -> Floats:
        """(units,) whole numbers of events."""
        if self.areas is not None:
            where = self.areas.locate(events.x_m, events.y_m)
            return np.bincount(where[where >= 0], minlength=len(self)).astype(float)
        cell = grid.cell_of(events.x_m, events.y_m)
        return np.asarray(self.share @ np.bincount(cell[cell >= 0], minlength=grid.size).astype(float))

    @classmethod
    def of(cls, grid: Grid, areas: Areas | None) -> Units:
        return cls(blocks(grid), None) if areas is None else cls(areas.share, areas)


@dataclass(frozen=True)
class Window:
    """One window. K parts, U cells with events, B units (areas, or blocks of cells).

    shares: (U, K) probability of each such cell under each part. even: (U,) under the even spread.
    counts: (U,) events in it. units: (B, K) probability of each unit, unit_counts: (B,) events in it.
    expected: how many events in all were to be expected, by the level known then.
    """

    shares: Floats
    even: Floats
    counts: Floats
    units: Floats
    unit_counts: Floats
    expected: float


@dataclass(frozen=True)
class Windows:
    """Consecutive windows of one length, and the parts that were looked at."""

    parts: tuple[Part, ...]
    windows: tuple[Window, ...]
    horizon_d: float

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def events(self) -> int:
        return int(sum(window.counts.sum() for window in self.windows))

    def split(self) -> tuple[Windows, Windows]:
        """The earlier two thirds and the rest; both are the whole when there is only one."""
        cut = max(1, round(len(self) * 2 / 3))
        early, late = self.windows[:cut], self.windows[cut:] or self.windows
        return Windows(self.parts, early, self.horizon_d), Windows(self.parts, late, self.horizon_d)

    def columns(self, parts: Sequence[Part]) -> list[int]:
        return [self.parts.index(part) for part in parts]

    def log_score(self, recipe: Recipe) -> float:
        """Mean log density over even per event; 0 without events."""
        columns, weights = self.columns(recipe.parts), np.array(recipe.weights)
        total = 0.0
        for one in self.windows:
            density = one.shares[:, columns] @ weights / one.even
            total += float(one.counts @ np.log((1 - EVEN_PART) * density + EVEN_PART))
        return total / max(self.events, 1)

    def unit_counts(self, recipe: Recipe) -> tuple[Floats, Floats]:
        """Counts of all units and windows, and what was to be expected there then."""
        columns, weights = self.columns(recipe.parts), np.array(recipe.weights)
        counts = np.concatenate([one.unit_counts for one in self.windows])
        means = [one.units[:, columns] @ weights * one.expected for one in self.windows]
        ground = np.concatenate([one.units[:, columns].sum(axis=1) > 0 for one in self.windows])
        return counts[ground], np.concatenate(means)[ground]

    def stacked(self, parts: Sequence[Part]) -> tuple[Floats, Floats]:
        """(U of all windows, parts) densities over even, and the counts."""
        columns = self.columns(parts)
        density = [one.shares[:, columns] / one.even[:, None] for one in self.windows]
        return np.vstack(density), np.concatenate([one.counts for one in self.windows])


def look_back(
    grid: Grid,
    events: Events,
    origins_d: Sequence[float],
    horizon_d: float,
    parts: Sequence[Part],
    units: Units,
    calendar: Calendar,
    tell: Callable[[], None] | None = None,
) -> Windows:
    """The windows that begin at `origins_d` (ascending) and last `horizon_d`; what came is all of `events`."""
    history = History(grid, events, parts)
    even = grid.inside.ravel() / grid.inside.sum()
    starts = np.argsort(events.occurred_d, kind="stable")
    sorted_d = events.occurred_d[starts]
    cell = grid.cell_of(events.x_m, events.y_m)
    windows = []
    for origin_d in origins_d:
        history.move_to(origin_d)
        rows = starts[slice(*np.searchsorted(sorted_d, [origin_d, origin_d + horizon_d]))]
        seen, counts = np.unique(cell[rows][cell[rows] >= 0], return_counts=True)
        shares, sums = [], []
        for part in parts:
            share = history.share(part)
            shares.append(share[seen])
            sums.append(units.share @ share)
        windows.append(
            Window(
                np.array(shares).T, even[seen], counts.astype(float), np.array(sums).T,
                units.count(grid, events.take(rows)),
                _expected(history, origin_d, horizon_d, calendar),
            )
        )  # fmt: skip
        if tell is not None:
            tell()
    return Windows(tuple(parts), tuple(windows), horizon_d)


def _expected(history: History, origin_d: float, horizon_d: float, calendar: Calendar) -> float:
    """Events to be expected in the area by what was known at the origin."""
    if not len(history.known):
        return 0.0
    return fit_level(history.known, origin_d, calendar).sum_over(horizon_d)


def blocks(grid: Grid) -> csr_matrix:
    """(blocks, cells) membership in squares of `BLOCK_CELLS` cells a side, those without ground left out."""
    rows, columns = grid.shape
    wide = -(-columns // BLOCK_CELLS)
    block = (np.arange(rows) // BLOCK_CELLS)[:, None] * wide + np.arange(columns) // BLOCK_CELLS
    _, number = np.unique(block.ravel(), return_inverse=True)
    whole = csr_matrix((np.ones(grid.size), (number.ravel(), np.arange(grid.size))))
    return whole[np.flatnonzero(whole @ grid.inside.ravel() > 0)]
