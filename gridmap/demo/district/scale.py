"""How much of everything a generated data set holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Counts of one data set. `incidents_per_day` is the mean of reports without duplicates."""

    name: str
    communities: int
    grids: int
    cameras: int
    patrol_units: int
    vacant_grids: int
    days: int
    incidents_per_day: float


NORMAL = Scale("normal", 60, 600, 3_000, 150, 12, 730, 390.0)
"""The demo district: one county at true scale."""
SMALL = Scale("small", 60, 600, 300, 30, 12, 30, 390.0)
"""The same district with little history, for tests."""
BIG = Scale("big", 1_500, 15_000, 420_000, 5_000, 0, 730, 2_000_000 / 730)
"""Twenty-five districts side by side, for benchmarks."""

SCALES = {scale.name: scale for scale in (NORMAL, SMALL, BIG)}
