"""Intervals hold what they promise when the truth is of their kind."""

from __future__ import annotations

import numpy as np
import pytest

from gridmap.risk.counts import covered, fit_dispersion, log_probability, with_interval


@pytest.mark.parametrize("dispersion", [0.0, 0.05, 0.5])
@pytest.mark.parametrize("mean", [0.3, 4.0, 60.0])
def test_intervals_cover_what_they_say(dispersion: float, mean: float) -> None:
    rng = np.random.default_rng(1)
    level = mean if dispersion == 0 else rng.gamma(1 / dispersion, mean * dispersion, 40_000)
    counts = rng.poisson(level, 40_000).astype(float)
    interval = with_interval(np.full(40_000, mean), dispersion)
    within = (counts >= interval.low) & (counts <= interval.high)
    assert within.mean() >= 0.895
    # Whole numbers cover more than asked; the straddling measure is nominal for small counts too.
    assert covered(counts, np.full(40_000, mean), np.full(40_000, dispersion)).mean() == pytest.approx(
        0.9, abs=0.006
    )


def test_a_too_narrow_interval_is_seen() -> None:
    rng = np.random.default_rng(1)
    counts = rng.poisson(rng.gamma(2.0, 10.0, 5_000)).astype(float)
    assert covered(counts, np.full(5_000, 20.0), np.zeros(5_000)).mean() < 0.6


def test_the_dispersion_is_found_again() -> None:
    rng = np.random.default_rng(7)
    mean = rng.uniform(1, 30, 4_000)
    counts = rng.poisson(rng.gamma(5.0, mean / 5.0)).astype(float)
    assert fit_dispersion(counts, mean) == pytest.approx(0.2, rel=0.15)
    assert fit_dispersion(rng.poisson(mean).astype(float), mean) < 0.01
    assert fit_dispersion(np.zeros(0), np.zeros(0)) == 0.0


def test_probabilities_sum_to_one_and_nothing_expected_is_certain() -> None:
    count = np.arange(0, 400)
    for dispersion in (0.0, 0.3):
        total = np.exp(log_probability(count, np.full(400, 12.0), np.full(400, dispersion))).sum()
        assert total == pytest.approx(1.0, abs=1e-6)
    empty = with_interval(np.zeros(3), 0.4)
    assert (empty.low == 0).all()
    assert (empty.high == 0).all()
