"""The measures: what they are by hand, and that no order of cells can be played with."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.risk.scoring import AREA_SHARES, score_window

GROUND = np.full(100, 0.0625)


def test_by_hand() -> None:
    share, counts = np.zeros(100), np.zeros(100)
    share[:5] = 0.2
    counts[[0, 1, 50]] = 3, 2, 5
    score = score_window(share, counts, GROUND)
    # Five equal cells are flagged together; of one, two and five of them a fifth, two fifths and all are caught.
    assert score.hit == pytest.approx([1.0, 2.0, 5.0, 5.0 + 5 * 5 / 95])
    assert score.best == pytest.approx([5.0, 8.0, 10.0, 10.0])
    assert score.events == 10
    seen, missed = 0.999 * 0.2 + 1e-5, 1e-5
    assert score.log_sum == pytest.approx(5 * np.log(seen / 0.01) + 5 * np.log(missed / 0.01))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_a_constant_forecast_scores_the_area_and_order_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(0.3, 100).astype(float)
    ground = rng.uniform(0.01, 0.0625, 100)
    even = score_window(ground / ground.sum(), counts, ground)
    assert even.hit == pytest.approx(counts.sum() * np.array(AREA_SHARES), abs=1e-6)
    assert even.log_sum == pytest.approx(0.0, abs=1e-9)
    share = rng.choice([0.0, 1.0, 2.0], 100) * ground
    share = share / share.sum()
    order = rng.permutation(100)
    first, second = (
        score_window(share, counts, ground),
        score_window(share[order], counts[order], ground[order]),
    )
    assert first.hit == pytest.approx(second.hit)
    assert (first.hit <= first.best + 1e-9).all()


def test_no_forecast_beats_the_truth_on_average() -> None:
    rng = np.random.default_rng(2)
    truth = rng.gamma(0.5, 1.0, 100)
    truth /= truth.sum()
    counts = rng.poisson(truth * 50_000).astype(float)
    best = score_window(truth, counts, GROUND).log_sum
    for _ in range(20):
        other = truth * rng.gamma(5.0, 0.2, 100)
        assert score_window(other / other.sum(), counts, GROUND).log_sum < best
