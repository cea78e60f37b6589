"""The forecast and the list made of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from shapely.geometry import box

from gridmap.errors import Invalid
from gridmap.risk.area_list import false_discovery_rates, list_areas
from gridmap.risk.events import Events
from gridmap.risk.forecast import forecast
from gridmap.risk.grid import Areas, Grid

from .worlds import city, clustered

ORIGIN = 18_500.0


def quarters(grid: Grid) -> Areas:
    squares = [
        box(a, b, a + 2_000, b + 2_000) for a in range(0, 8_000, 2_000) for b in range(0, 6_000, 2_000)
    ]
    return Areas.of_polygons([f"q{number}" for number in range(len(squares))], squares, grid)


@pytest.mark.parametrize("horizon_d", [1, 7, 28])
def test_cells_areas_days_and_total_agree(horizon_d: int) -> None:
    grid, events = city(), clustered(2_000, 500, np.random.default_rng(1))
    areas = quarters(grid)
    found = forecast(grid, events, ORIGIN, horizon_d, areas=areas)
    assert found.areas is not None
    assert float(found.total.expected) == pytest.approx(4.0 * horizon_d, rel=0.15)
    assert found.cells.expected.sum() == pytest.approx(found.total.expected)
    assert found.days.sum() == pytest.approx(found.total.expected)
    assert areas.of_cells(found.cells.expected) == pytest.approx(found.areas.expected)
    assert (found.areas.low <= found.areas.expected).all()
    assert (found.areas.expected <= found.areas.high + 1).all()
    assert (found.cells.expected[grid.inside == 0] == 0).all()
    assert found.choice.model != "uniform"


def test_what_comes_after_the_origin_changes_nothing() -> None:
    grid, events = city(), clustered(1_500, 700, np.random.default_rng(2))
    cut = forecast(grid, events.take(events.occurred_d < ORIGIN), ORIGIN, 7)
    whole = forecast(grid, events, ORIGIN, 7)
    assert np.array_equal(cut.cells.expected, whole.cells.expected)
    assert (cut.choice, cut.days.tolist()) == (whole.choice, whole.days.tolist())


def test_patrol_found_rows_are_left_out_and_counted() -> None:
    grid, events = city(), clustered(1_500, 500, np.random.default_rng(3))
    # Patrols go round one corner and find what is there.
    corner = Events.of(
        np.full(900, 7_000.0), np.full(900, 500.0), np.linspace(18_000, 18_499, 900), found=True
    )
    both = Events.of(
        np.r_[events.x_m, corner.x_m], np.r_[events.y_m, corner.y_m], np.r_[events.occurred_d, corner.occurred_d],
        found=np.r_[events.found, corner.found],
    )  # fmt: skip
    alone, left_out, used = (
        forecast(grid, events, ORIGIN, 7),
        forecast(grid, both, ORIGIN, 7),
        forecast(grid, both, ORIGIN, 7, use_found=True),
    )
    assert left_out.found_left_out == 900
    assert np.array_equal(left_out.cells.expected, alone.cells.expected)
    cell = int(grid.cell_of(np.array([7_000.0]), np.array([500.0]))[0])
    assert used.cells.expected.ravel()[cell] > 10 * alone.cells.expected.ravel()[cell]


def test_thin_data_say_so_and_an_area_without_history_still_has_a_figure() -> None:
    grid, events = city(), clustered(2_000, 500, np.random.default_rng(4))
    thin = forecast(grid, events.take(slice(0, 12)), ORIGIN, 7)
    assert thin.thin
    assert thin.choice.model == "uniform"
    areas = quarters(grid)
    empty = events.take(areas.locate(events.x_m, events.y_m) != 3)
    rows = {one.code: one for one in list_areas(areas, forecast(grid, empty, ORIGIN, 28, areas=areas), empty)}
    assert rows["q3"].known == 0
    assert 0 < rows["q3"].expected < 3
    assert rows["q3"].top_hours == ()


def test_ranks_have_a_span_and_noise_is_no_trend() -> None:
    grid, events = city(), clustered(3_000, 500, np.random.default_rng(6))
    areas = quarters(grid)
    rows = list_areas(areas, forecast(grid, events, ORIGIN, 28, areas=areas), events)
    assert [row.rank for row in rows] == list(range(1, len(areas) + 1))
    assert all(row.rank_low <= row.rank <= row.rank_high for row in rows)
    assert any(row.rank_high > row.rank_low for row in rows)
    assert not any(row.trend.real for row in rows)
    # Sixty more in four weeks in one quarter are no noise.
    x = np.r_[events.x_m, np.random.default_rng(0).uniform(2_000, 4_000, 60)]
    y = np.r_[events.y_m, np.random.default_rng(1).uniform(2_000, 4_000, 60)]
    surge = Events.of(x, y, np.r_[events.occurred_d, np.linspace(18_473, 18_499, 60)])
    rows = list_areas(areas, forecast(grid, surge, ORIGIN, 28, areas=areas), surge)
    real = [row for row in rows if row.trend.real and row.trend.ratio > 1]
    assert [row.code for row in real] == ["q4"]


def test_a_changed_recording_is_no_trend() -> None:
    grid, events = city(), clustered(3_000, 500, np.random.default_rng(6))
    areas = quarters(grid)
    found = forecast(grid, events, ORIGIN, 28, areas=areas)
    fresh = clustered(2_500, 60, np.random.default_rng(8), first_d=18_440)
    late = Events.of(
        np.r_[events.x_m, fresh.x_m], np.r_[events.y_m, fresh.y_m], np.r_[events.occurred_d, fresh.occurred_d]
    )
    found = forecast(grid, late, ORIGIN, 28, areas=areas)
    assert len(found.changes) == 1
    assert not any(row.trend.real for row in list_areas(areas, found, late))


def test_false_discovery_rates_by_hand() -> None:
    assert false_discovery_rates(np.array([0.04, 0.01, 0.03, 0.5])) == pytest.approx(
        [0.16 / 3, 0.04, 0.16 / 3, 0.5]
    )


def test_refusals() -> None:
    grid, events = city(), clustered(100, 500, np.random.default_rng(1))
    for origin, horizon, code in (
        (ORIGIN, 0, "risk_horizon"),
        (ORIGIN, 93, "risk_horizon"),
        (ORIGIN + 0.5, 7, "risk_origin"),
        (17_000.0, 7, "risk_no_events"),
    ):
        with pytest.raises(Invalid, match=code):
            forecast(grid, events, origin, horizon)
    with pytest.raises(Invalid, match="risk_class_unknown"):
        events.of_class("never seen")
    with pytest.raises(Invalid, match="risk_model_unknown"):
        forecast(grid, events, ORIGIN, 7).choice.of("oracle")
    with pytest.raises(Invalid, match="risk_weight"):
        replace(events, weight=np.zeros(100))


def test_a_first_month_is_judged_on_shorter_windows_than_four_weeks() -> None:
    """A site that has run for thirty days knows well where things happen: the even spread would deny it."""
    grid, events = city(), clustered(3_000, 30, np.random.default_rng(17))
    made = forecast(grid, events, 18_030.0, 28)
    assert made.choice.model != "uniform"
    assert 1 <= made.choice.window_d < 28
    cell = grid.cell_of(events.x_m, events.y_m)
    came = np.bincount(cell[cell >= 0], minlength=grid.size)
    busiest = np.argsort(came)[-20:]
    share = made.cells.expected.ravel()[busiest].sum() / made.cells.expected.sum()
    assert share > 0.5 * came[busiest].sum() / came.sum()


def test_a_rank_lies_in_its_range_though_most_areas_expect_next_to_nothing() -> None:
    """Many areas of a short horizon expect a billionth of an incident; their order is that of the list."""
    grid, events = city(), clustered(200, 40, np.random.default_rng(3), spots=2)
    squares = [box(a, b, a + 400, b + 400) for a in range(0, 8_000, 400) for b in range(0, 6_000, 400)]
    areas = Areas.of_polygons([f"s{number}" for number in range(len(squares))], squares, grid)
    found = forecast(grid, events, 18_040.0, 1, areas=areas)
    assert found.areas is not None
    faint = np.linspace(1e-13, 1e-11, len(found.areas.expected))
    found = replace(found, areas=replace(found.areas, expected=faint))
    listed = list_areas(areas, found, events)
    assert [row.rank for row in listed] == list(range(1, len(listed) + 1))
    assert all(row.rank_low <= row.rank <= row.rank_high for row in listed)
