"""Which model, with which parameters, did best on windows of the past that were already over."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gridmap.errors import Invalid
from gridmap.risk.calendar import NO_CALENDAR, Calendar
from gridmap.risk.counts import fit_dispersion
from gridmap.risk.events import Events
from gridmap.risk.grid import Areas, Grid
from gridmap.risk.models import FREEDOM, MODEL_NAMES, best_bandwidth, parts_for, parts_for_bandwidth, tune
from gridmap.risk.recipe import Recipe
from gridmap.risk.spatial import Units, Windows, look_back

MOST_WINDOWS = 20
_LEAST_KNOWN = 10
_SHORTER_D = (14.0, 7.0, 3.0, 1.0)


@dataclass(frozen=True)
class Tuned:
    """One model as it would be used: its recipe, its mean log score over even on windows it was not tuned on, and the
    dispersion of counts around what it and the level expected."""

    model: str
    recipe: Recipe
    log_score: float
    dispersion: float


@dataclass(frozen=True)
class Choice:
    """The answer of `choose`.

    Attributes:
        model: the name of the best. `tuned`: every model that was tried, in the order of `MODEL_NAMES`.
        windows, events: how many earlier windows it rests on, and how many events they held.
        window_d: their length: the horizon, or less where the history is too short for one such window.
    """

    model: str
    tuned: tuple[Tuned, ...]
    windows: int
    events: int
    window_d: float = 0.0

    @property
    def best(self) -> Tuned:
        return self.of(self.model)

    def of(self, model: str) -> Tuned:
        """Raises Invalid("risk_model_unknown", name)."""
        for one in self.tuned:
            if one.model == model:
                return one
        raise Invalid("risk_model_unknown", name=model)

    @classmethod
    def even(cls) -> Choice:
        """The even spread, for data too thin to choose by."""
        return cls("uniform", (Tuned("uniform", Recipe.even(), 0.0, 0.0),), 0, 0)


def choose(
    grid: Grid,
    events: Events,
    origin_d: float,
    horizon_d: float,
    *,
    areas: Areas | None = None,
    calendar: Calendar = NO_CALENDAR,
    names: Sequence[str] = MODEL_NAMES,
    most_windows: int = MOST_WINDOWS,
    tell: Callable[[], None] | None = None,
) -> Choice:
    """Tune every model of `names` and take the one with the best log score, on windows that end by `origin_d`.

    Parameters are tuned on the first two thirds of those windows and compared on the rest, so that a model with many
    parameters has no head start; a near tie goes to the one with fewer (half of Akaike's k / n).
    The winner and the others are then tuned on all of them. A history too short for one window of the horizon is
    judged on shorter ones, down to a day (a new site would see an even spread for two months); without any the even
    spread is the answer. Dispersion is that of areas where they are given, else of blocks of cells. `tell` hears each
    window, twice.
    Raises Invalid("risk_model_unknown", name).
    """
    for name in names:
        if name not in MODEL_NAMES:
            raise Invalid("risk_model_unknown", name=name)
    known = events.known_at(origin_d)
    window_d, origins = windows_before(known, origin_d, horizon_d, most_windows)
    if not origins:
        return Choice.even()
    units = Units.of(grid, areas)
    widths = look_back(grid, known, origins, window_d, parts_for_bandwidth(), units, calendar, tell)
    bandwidth_m = best_bandwidth(widths)
    windows = look_back(
        grid, known, origins, window_d, parts_for(bandwidth_m, window_d), units, calendar, tell
    )
    if not windows.events:
        return Choice.even()
    return _compare(windows, [name for name in MODEL_NAMES if name in names], bandwidth_m)


def windows_before(known: Events, origin_d: float, horizon_d: float, most: int) -> tuple[float, list[float]]:
    """The length of the windows to judge by, and their starts: the longest of which the history holds one."""
    for length_d in (horizon_d, *(length_d for length_d in _SHORTER_D if length_d < horizon_d)):
        if origins := earlier_origins(known, origin_d, length_d, most):
            return length_d, origins
    return horizon_d, []


def earlier_origins(known: Events, origin_d: float, horizon_d: float, most: int) -> list[float]:
    """Starts of windows that end by `origin_d`, ascending: as many as the later two thirds of the history hold.

    A window needs `_LEAST_KNOWN` events and one length of time before it.
    """
    if len(known) < _LEAST_KNOWN:
        return []
    first = np.sort(known.occurred_d)[_LEAST_KNOWN - 1]
    span = origin_d - float(known.occurred_d.min())
    count = min(most, math.floor(span * 2 / 3 / horizon_d))
    starts = [origin_d - number * horizon_d for number in range(count, 0, -1)]
    return [start for start in starts if start > first and start - horizon_d >= known.occurred_d.min()]


def _compare(windows: Windows, names: Sequence[str], bandwidth_m: float) -> Choice:
    early, late = windows.split()
    tuned = []
    for name in names:
        score = late.log_score(tune(name, early, bandwidth_m))
        recipe = tune(name, windows, bandwidth_m)
        counts, means = windows.unit_counts(recipe)
        tuned.append(Tuned(name, recipe, score, fit_dispersion(counts, means)))
    best = max(tuned, key=lambda one: one.log_score - FREEDOM[one.model] / (2 * windows.events))
    return Choice(best.model, tuple(tuned), len(windows), windows.events, windows.horizon_d)
