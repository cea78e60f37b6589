"""Small invented cities with a known truth."""

from __future__ import annotations

import numpy as np
from shapely.geometry import Polygon

from gridmap.risk.events import Events
from gridmap.risk.grid import Grid

# A bay cuts into it, so that a corrected edge differs from the box's.
CITY = Polygon(
    [(0, 0), (8_000, 0), (8_000, 3_000), (5_000, 3_500), (8_000, 4_500), (8_000, 8_000), (0, 7_000)]
)


def city(cell_m: float = 250.0) -> Grid:
    return Grid.of_polygon(CITY, cell_m)


def inside_points(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Uniform over the city."""
    grid = city(50.0)
    x, y = rng.uniform(0, 8_000, 4 * count), rng.uniform(0, 8_000, 4 * count)
    kept = grid.cell_of(x, y) >= 0
    return x[kept][:count], y[kept][:count]


def clustered(
    count: int, days: int, rng: np.random.Generator, *, first_d: float = 18_000.0, spots: int = 12
) -> Events:
    """Two thirds around fixed spots of 200 m, the rest anywhere; even in time."""
    x, y = inside_points(count, rng)
    centre_x, centre_y = inside_points(spots, rng)
    hot = rng.random(count) < 0.67
    which = rng.integers(0, spots, count)
    x = np.where(hot, centre_x[which] + rng.normal(0, 200, count), x)
    y = np.where(hot, centre_y[which] + rng.normal(0, 200, count), y)
    return Events.of(x, y, first_d + rng.uniform(0, days, count))
