"""Counts that scatter more than chance alone: negative-binomial intervals, and how wide they must be.

Y has mean m and variance m + a m^2 (NB2; a = 0 is Poisson). `a` is called the dispersion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammaln, xlog1py, xlogy
from scipy.stats import nbinom, poisson

from gridmap.risk.arrays import Floats

_LEAST_MEAN = 1e-12
_DISPERSIONS = np.r_[0.0, np.geomspace(1e-4, 4.0, 40)]


@dataclass(frozen=True)
class Counts:
    """Expected counts with a central interval; all arrays of one shape.

    `low` and `high` are whole numbers: the count lies in [low, high] with at least the asked probability.
    `dispersion` is the `a` of every entry.
    """

    expected: Floats
    low: Floats
    high: Floats
    dispersion: Floats

    def at(self, index: Any) -> Counts:
        return Counts(self.expected[index], self.low[index], self.high[index], self.dispersion[index])


def with_interval(expected: Any, dispersion: Any, coverage: float = 0.9) -> Counts:
    """Intervals around expected counts. Where nothing is expected the interval is [0, 0]."""
    mean = np.asarray(expected, dtype=float)
    spread = np.array(np.broadcast_to(np.asarray(dispersion, dtype=float), mean.shape))
    tail = (1 - coverage) / 2
    low, high = quantile(tail, mean, spread), quantile(1 - tail, mean, spread)
    return Counts(mean, low, high, spread)


def quantile(probability: float, mean: Floats, dispersion: Floats) -> Floats:
    """The least count that is not exceeded with `probability`."""
    safe = np.maximum(mean, _LEAST_MEAN)
    size, success = _parameters(safe, dispersion)
    broad = nbinom.ppf(probability, size, success)
    return np.asarray(np.where(dispersion > 0, broad, poisson.ppf(probability, safe)).clip(0.0))


def cumulative(count: Any, mean: Floats, dispersion: Floats) -> Floats:
    """Probability of at most `count`; 0 under zero."""
    safe = np.maximum(mean, _LEAST_MEAN)
    size, success = _parameters(safe, dispersion)
    return np.asarray(np.where(dispersion > 0, nbinom.cdf(count, size, success), poisson.cdf(count, safe)))


def log_probability(count: Any, mean: Floats, dispersion: Floats) -> Floats:
    safe = np.maximum(mean, _LEAST_MEAN)
    whole = np.asarray(count, dtype=float)
    size, success = _parameters(safe, dispersion)
    broad = gammaln(whole + size) - gammaln(size) + size * np.log(success) + xlog1py(whole, -success)
    return np.asarray(np.where(dispersion > 0, broad, xlogy(whole, safe) - safe) - gammaln(whole + 1))


def covered(count: Any, mean: Floats, dispersion: Floats, coverage: float = 0.9) -> Floats:
    """How much of each count's probability lies in the central interval, 0 to 1; its mean is `coverage` if calibrated.

    A count is a step: its own probability may straddle the border of the interval. Counting the part inside (the
    expectation of the randomised probability integral transform, Czado, Gneiting, Held 2009, Biometrics 65) makes the
    nominal value reachable for small counts too, where whole intervals always cover more.
    """
    upper = cumulative(count, mean, dispersion)
    lower = cumulative(np.asarray(count) - 1, mean, dispersion)
    tail = (1 - coverage) / 2
    part = np.minimum(upper, 1 - tail) - np.maximum(lower, tail)
    return np.asarray((part / np.maximum(upper - lower, 1e-300)).clip(0.0, 1.0))


def fit_dispersion(count: Floats, mean: Floats) -> float:
    """The mean of the dispersion given the counts, over a fixed ladder from 0 to 4; 0 without data.

    With much data that is the likeliest value; with little it is larger, as an interval must be that rests on little.
    """
    if not np.size(count):
        return 0.0
    scores = [float(log_probability(count, mean, np.full(np.shape(mean), a)).sum()) for a in _DISPERSIONS]
    weight = np.exp(np.array(scores) - max(scores))
    return float(weight @ _DISPERSIONS / weight.sum())


def _parameters(mean: Floats, dispersion: Floats) -> tuple[Floats, Floats]:
    size = 1.0 / np.maximum(dispersion, 1e-9)
    return size, size / (size + mean)
