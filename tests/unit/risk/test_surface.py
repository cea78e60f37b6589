"""The surface: its mass, its edge, and the direct sum that it stands for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from gridmap.errors import Invalid
from gridmap.risk.bandwidth import choose_bandwidth
from gridmap.risk.events import Events
from gridmap.risk.grid import Areas, Grid
from gridmap.risk.surface import against_exposure, smooth, surface

from .worlds import CITY, city, clustered, inside_points


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    count=st.integers(1, 400),
    bandwidth_m=st.floats(60.0, 4_000.0),
    cell_m=st.sampled_from([100.0, 250.0, 400.0]),
)
def test_every_event_inside_is_on_the_surface_once(
    seed: int, count: int, bandwidth_m: float, cell_m: float
) -> None:
    grid = city(cell_m)
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-500, 8_500, count), rng.uniform(-500, 8_500, count)
    weight = rng.uniform(0.5, 3.0, count)
    density = smooth(grid, x, y, bandwidth_m, weight)
    total = float((density * grid.inside).sum()) * grid.cell_m**2
    assert total == pytest.approx(weight[grid.cell_of(x, y) >= 0].sum(), rel=1e-9)
    assert (density >= 0).all()
    assert (density[grid.inside == 0] == 0).all()


@pytest.mark.parametrize(("bandwidth_m", "bound"), [(200.0, 1e-3), (400.0, 1e-4), (900.0, 1e-4)])
def test_it_is_the_direct_sum_within_the_stated_error(bandwidth_m: float, bound: float) -> None:
    grid = Grid.of_box((-6_000.0, -6_000.0, 16_000.0, 16_000.0), 100.0)
    rng = np.random.default_rng(3)
    # Far from the edge, where the correction is one.
    x, y = rng.normal(5_000, 400, 3_000).clip(4_000, 6_000), rng.normal(5_000, 300, 3_000).clip(4_000, 6_000)
    found = smooth(grid, x, y, bandwidth_m)
    exact = _direct(grid, x, y, bandwidth_m)
    assert np.abs(found - exact).max() < bound * exact.max()


def test_a_bandwidth_under_a_cell_gives_the_mean_over_each_cell() -> None:
    grid, bandwidth_m = Grid.of_box((0.0, 0.0, 4_000.0, 4_000.0), 400.0), 150.0
    x, y = np.array([2_130.0]), np.array([1_790.0])
    fine = _direct(grid.finer(40), x, y, bandwidth_m)
    exact = fine.reshape(10, 40, 10, 40).mean(axis=(1, 3))
    assert np.abs(smooth(grid, x, y, bandwidth_m) - exact).max() < 0.02 * exact.max()


def test_an_even_spread_has_no_dark_edge() -> None:
    rng = np.random.default_rng(5)
    x, y = inside_points(60_000, rng)
    grid = city(100.0)
    density = smooth(grid, x, y, 500.0)
    even = len(x) / CITY.area
    whole = grid.inside > 0.999
    assert abs(density[whole] / even - 1).max() < 0.25
    # The uncorrected sum keeps about half of it at a straight edge.
    bare = _direct(grid, x, y, 500.0)
    assert bare[20, 0] / even < 0.65 < density[20, 0] / even


def test_the_cross_validated_bandwidth_finds_the_width_of_the_spots() -> None:
    events = clustered(4_000, 400, np.random.default_rng(11))
    found = choose_bandwidth(city(), events.x_m, events.y_m, events.occurred_d)
    assert 80 <= found.bandwidth_m <= 300
    assert len(found.score) == len(found.candidates_m)
    wide = found.score[-1]
    assert max(found.score) > wide + 0.3


def test_repeats_at_one_address_do_not_choose_a_spike() -> None:
    rng = np.random.default_rng(2)
    x, y = inside_points(600, rng)
    # Half of the rows are second reports a minute later.
    x, y = np.repeat(x, 2), np.repeat(y, 2)
    day = np.repeat(np.sort(rng.uniform(0, 300, 600)), 2)
    assert choose_bandwidth(city(), x, y, day).bandwidth_m > 1_000


def test_units_and_rows_left_out_are_told() -> None:
    rng = np.random.default_rng(4)
    x, y = inside_points(200, rng)
    events = Events.of(
        np.r_[x, 99_999.0],
        np.r_[y, 0.0],
        np.r_[np.linspace(0, 69.9, 200), 5.0],
        found=np.arange(201) % 4 == 1,
    )
    grid = city()
    found = surface(grid, events, 0.0, 70.0, bandwidth_m=600.0)
    assert (found.events, found.outside, found.found_left_out, found.weeks) == (150, 1, 50, 10.0)
    assert found.found_share == pytest.approx(50 / 201)
    assert found.per_cell_week(grid).sum() * found.weeks == pytest.approx(150)


def test_a_rate_is_never_told_where_nobody_is() -> None:
    rng = np.random.default_rng(4)
    x, y = inside_points(500, rng)
    grid = city()
    found = surface(grid, Events.of(x, y, np.linspace(0, 69, 500)), 0, 70, bandwidth_m=500.0)
    people = np.where(grid.x_m[None, :] < 4_000, 100.0, 0.0) * (grid.inside > 0)
    exposed = against_exposure(grid, found, people)
    # Where nobody lives, and none within five bandwidths.
    empty = (grid.x_m[None, :] > 6_700) & (grid.inside > 0)
    assert np.isnan(exposed.per_exposed_week[empty]).all()
    assert np.nanmean(exposed.ratio[:, :10]) == pytest.approx(1.0, abs=0.3)
    assert exposed.per_km2_week is found.per_km2_week


def test_refusals() -> None:
    grid = city()
    nothing = Events.of(np.zeros(0), np.zeros(0), np.zeros(0))
    with pytest.raises(Invalid, match="risk_no_events"):
        surface(grid, nothing, 0, 7)
    with pytest.raises(Invalid, match="risk_period_empty"):
        surface(grid, nothing, 7, 7)
    with pytest.raises(Invalid, match="risk_too_few_events"):
        surface(grid, Events.of([100.0], [100.0], [1.0]), 0, 7)
    with pytest.raises(Invalid, match="risk_bandwidth"):
        smooth(grid, np.zeros(1), np.zeros(1), 0.0)


def test_areas_share_the_cells_of_a_grid() -> None:
    grid = city()
    halves = Areas.of_polygons(
        ["west", "east"], [CITY & box(0, 0, 4_090, 9_000), CITY & box(4_090, 0, 9_000, 9_000)], grid
    )
    inside = grid.inside.ravel() > 0
    assert np.asarray(halves.share.sum(axis=0)).ravel()[inside] == pytest.approx(1.0)
    assert halves.of_cells(grid.cell_km2) == pytest.approx(halves.km2)
    assert halves.locate(np.array([100.0, 5_000.0, -1.0]), np.array([100.0, 100.0, 100.0])).tolist() == [
        0,
        1,
        -1,
    ]


def _direct(grid: Grid, x: np.ndarray, y: np.ndarray, bandwidth_m: float) -> np.ndarray:
    """The sum of all kernels at each centre."""
    across = np.exp(-((grid.x_m[:, None] - x) ** 2) / (2 * bandwidth_m**2))
    along = np.exp(-((grid.y_m[:, None] - y) ** 2) / (2 * bandwidth_m**2))
    return along @ across.T / (2 * np.pi * bandwidth_m**2)
