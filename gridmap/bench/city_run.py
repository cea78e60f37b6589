"""What a night's run costs: every class of a city tuned, forecast for three horizons and listed by area."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from shapely.geometry import box

from gridmap.risk.area_list import list_areas
from gridmap.risk.choice import choose
from gridmap.risk.events import Events
from gridmap.risk.forecast import HORIZONS_D, forecast
from gridmap.risk.grid import Areas, Grid

CITY_EVENTS = 300_000
CITY_CLASSES = 20
_SIDE_M, _CELL_M, _AREA_M = 20_000.0, 250.0, 1_000.0
_DAYS = 730


@dataclass(frozen=True)
class CityRun:
    """Seconds of the whole run and of its slowest class, and what was run."""

    seconds: float
    slowest_class_s: float
    events: int
    classes: int
    cells: int
    areas: int

    def as_json(self) -> dict[str, Any]:
        return {
            "events": self.events, "classes": self.classes, "cells": self.cells, "areas": self.areas,
            "horizons": len(HORIZONS_D), "slowest_class_s": round(self.slowest_class_s, 2),
        }  # fmt: skip


def city_run(say: Callable[[str], None]) -> CityRun:
    """The demo district's size: two years, twenty classes, 6,400 cells, 400 areas."""
    rng = np.random.default_rng(2)
    spots = rng.uniform(2_000, 18_000, (200, 2))
    place = spots[rng.integers(0, 200, CITY_EVENTS)] + rng.normal(0, 250, (CITY_EVENTS, 2))
    events = Events.of(
        place[:, 0], place[:, 1], 20_000 + rng.uniform(0, _DAYS, CITY_EVENTS),
        class_index=rng.geometric(0.15, CITY_EVENTS) % CITY_CLASSES, classes=[str(n) for n in range(CITY_CLASSES)],
    )  # fmt: skip
    grid = Grid.of_box((0.0, 0.0, _SIDE_M, _SIDE_M), _CELL_M)
    side = range(0, int(_SIDE_M), int(_AREA_M))
    shapes = [box(x, y, x + _AREA_M, y + _AREA_M) for y in side for x in side]
    origin_d, slowest = 20_000.0 + _DAYS, 0.0
    begun = time.perf_counter()
    areas = Areas.of_polygons([str(n) for n in range(len(shapes))], shapes, grid)
    for name in events.classes:
        started = time.perf_counter()
        mine = events.of_class(name)
        choice = choose(grid, mine, origin_d, HORIZONS_D["week"], areas=areas)
        for horizon_d in HORIZONS_D.values():
            found = forecast(grid, mine, origin_d, horizon_d, areas=areas, choice=choice)
            list_areas(areas, found, mine)
        slowest = max(slowest, time.perf_counter() - started)
        say(f"class {name}: {len(mine)} incidents, {choice.model}")
    return CityRun(time.perf_counter() - begun, slowest, len(events), CITY_CLASSES, grid.size, len(areas))
