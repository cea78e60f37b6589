"""The models by name, and how each is tuned. A caller names one or lets the backtest choose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridmap.risk.arrays import Floats
from gridmap.risk.recipe import COUNT, EVEN, EVER, Part, Recipe
from gridmap.risk.scoring import EVEN_PART
from gridmap.risk.spatial import Windows

SIMPLE_MODELS = ("count", "last_period", "kde")
"""Rules anybody could use without us; the chosen model is always shown beside them."""

MODEL_NAMES = ("uniform", *SIMPLE_MODELS, "kde_decay", "shrunk", "trigger", "mixture")
"""
uniform       the area, evenly
count         all-time count of each cell
last_period   count of each cell in the last span as long as the horizon (环比)
kde           kernel density of all history, bandwidth by cross-validation
kde_decay     the same with older events weighing less
shrunk        decayed count of each cell, drawn to the kernel surface where thin
trigger       background and trigger: a long-run surface and a burst around recent events (the form of Mohler 2011)
mixture       a weighted sum of surfaces and counts of several widths and memories, weights by likelihood
"""

FREEDOM = {
    "uniform": 0, "count": 0, "last_period": 0, "kde": 1, "kde_decay": 2, "shrunk": 3, "trigger": 4, "mixture": 8,
}  # fmt: skip
"""About how many parameters each is tuned by."""

BANDWIDTHS_M = (100.0, 140.0, 200.0, 280.0, 400.0, 560.0, 800.0, 1_130.0, 1_600.0, 2_260.0)
HALF_LIVES_D = (EVER, 720.0, 240.0, 60.0)
_BURST_DAYS, _BURST_M = (4.0, 14.0, 42.0), (120.0, 300.0)
_STRENGTHS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_EM_STEPS = 200


def parts_for_bandwidth() -> tuple[Part, ...]:
    """What must be looked at first: kernels of all widths."""
    return tuple(Part(width) for width in BANDWIDTHS_M)


def parts_for(bandwidth_m: float, horizon_d: float) -> tuple[Part, ...]:
    """Everything the models are made of, once the width of the plain kernel is known."""
    widths = [bandwidth_m * factor for factor in (0.6, 1.0, 1.8)]
    found = [EVEN, COUNT, Part(None, last_d=horizon_d)]
    found += [Part(bandwidth_m * 4)]
    found += [Part(None, half) for half in HALF_LIVES_D[1:]]
    found += [Part(width, half) for width in widths for half in HALF_LIVES_D]
    found += [Part(width, half) for width in _BURST_M for half in _BURST_DAYS]
    found += [
        Part(widths[2], half, strength=strength) for half in HALF_LIVES_D[:3] for strength in _STRENGTHS
    ]
    found += [
        Part(widths[1], half, strength=strength) for half in HALF_LIVES_D[:3] for strength in _STRENGTHS
    ]
    return tuple(dict.fromkeys(found))


def best_bandwidth(windows: Windows) -> float:
    """The width of the plain kernel that earlier windows were likeliest under."""
    best = _best_single(
        windows, [part for part in windows.parts if part.bandwidth_m and part.half_life_d == EVER]
    )
    assert best.bandwidth_m is not None
    return best.bandwidth_m


def tune(name: str, windows: Windows, bandwidth_m: float) -> Recipe:
    """The recipe of model `name` under which the windows were likeliest."""
    horizon_d = windows.horizon_d
    match name:
        case "uniform":
            return Recipe.even()
        case "count":
            return Recipe.only(COUNT)
        case "last_period":
            return Recipe.only(Part(None, last_d=horizon_d))
        case "kde":
            return Recipe.only(Part(bandwidth_m))
        case "kde_decay":
            return Recipe.only(_best_single(windows, _kernels(windows)))
        case "shrunk":
            return Recipe.only(
                _best_single(windows, [part for part in windows.parts if part.strength is not None])
            )
        case "trigger":
            return _trigger(windows, Part(bandwidth_m))
        case _:
            return _mixture(windows, windows.parts)


def _kernels(windows: Windows) -> list[Part]:
    return [
        part
        for part in windows.parts
        if part.bandwidth_m and part.strength is None and part.half_life_d >= 60.0
    ]


def _best_single(windows: Windows, parts: Sequence[Part]) -> Part:
    return max(parts, key=lambda part: windows.log_score(Recipe.only(part)))


def _trigger(windows: Windows, background: Part) -> Recipe:
    bursts = [Part(width, half) for width in _BURST_M for half in _BURST_DAYS]
    tried = [_mixture(windows, (background, burst)) for burst in bursts]
    return max(tried, key=windows.log_score)


def _mixture(windows: Windows, parts: Sequence[Part]) -> Recipe:
    """Weights by expectation maximisation: the likelihood is concave in them, so the steps climb to its top."""
    density, counts = windows.stacked(parts)
    weights = np.full(len(parts), 1.0 / len(parts))
    if counts.sum() > 0:
        weights = _climb((1 - EVEN_PART) * density + EVEN_PART, counts, weights)
    kept = np.flatnonzero(weights > 1e-3)
    total = weights[kept].sum()
    return Recipe(tuple(parts[int(one)] for one in kept), tuple(float(weights[one] / total) for one in kept))


def _climb(density: Floats, counts: Floats, weights: Floats) -> Floats:
    for _ in range(_EM_STEPS):
        mixed = density @ weights
        weights = weights * (density.T @ (counts / mixed)) / counts.sum()
    return weights
