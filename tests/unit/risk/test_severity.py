"""Severe incidents pull a surface towards them; where to patrol is drawn by a lot that can be drawn again."""

from __future__ import annotations

import numpy as np
import pytest

from gridmap.errors import Invalid
from gridmap.risk.events import Events
from gridmap.risk.grid import Grid
from gridmap.risk.patrols import propose_patrols
from gridmap.risk.severity import severity_load

GRID = Grid(0.0, 0.0, 250.0, np.ones((40, 40)), "EPSG:4547")


def events(west: float, east: float, count: int = 2_000) -> Events:
    rng = np.random.default_rng(3)
    x_m, y_m = rng.uniform(0, 10_000, (2, count))
    return Events.of(x_m, y_m, rng.uniform(0, 300, count), weight=np.where(x_m < 5_000, west, east))


def test_equal_weights_change_nothing() -> None:
    expected = np.random.default_rng(1).random(GRID.shape)
    assert severity_load(GRID, events(3.0, 3.0), expected) == pytest.approx(expected)


def test_the_graver_side_weighs_more_and_the_total_stays() -> None:
    expected = np.ones(GRID.shape)
    load = severity_load(GRID, events(8.0, 1.0), expected)
    assert load.sum() == pytest.approx(expected.sum())
    # Far from the border between them; drawn a little to the mean.
    assert load[:, :8].mean() / load[:, -8:].mean() == pytest.approx(8.0, rel=0.25)


def test_one_grave_incident_is_no_pattern() -> None:
    one = Events.of([500.0], [500.0], [1.0], weight=[8.0])
    assert severity_load(GRID, one, np.ones(GRID.shape)) == pytest.approx(np.ones(GRID.shape), rel=1e-6)


def test_a_share_of_the_patrols_goes_outside_the_hot_list() -> None:
    density = np.arange(50, dtype=float)
    found = propose_patrols(density, 10, 0.2, seed=7)
    assert [one.area for one in found if not one.outside] == list(range(49, 41, -1))
    outside = [one.area for one in found if one.outside]
    assert len(outside) == 2
    assert max(outside) < 42
    assert propose_patrols(density, 10, 0.2, seed=7) == found
    assert propose_patrols(density, 10, 0.2, seed=8) != found
    counted = np.bincount([one.area for seed in range(2_000) for one in propose_patrols(density, 10, 0.2, seed)
                           if one.outside], minlength=50)[:42]  # fmt: skip
    assert counted.min() > 60, "every quiet area is drawn as often as the next"


def test_few_areas_and_bad_shares() -> None:
    assert [one.area for one in propose_patrols(np.array([1.0]), 5, 0.2, 1)] == [0]
    assert propose_patrols(np.zeros(0), 5, 0.2, 1) == ()
    with pytest.raises(Invalid, match="risk_patrols"):
        propose_patrols(np.ones(3), 2, 1.0, 1)
