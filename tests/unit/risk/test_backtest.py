"""A backtest sees the past only: plant a leak and watch the score jump."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from shapely.geometry import box

from gridmap.errors import Invalid
from gridmap.risk.backtest import Refused, TypeReport, backtest, scored_origins
from gridmap.risk.choice import choose
from gridmap.risk.events import Events
from gridmap.risk.grid import Areas, Grid
from gridmap.risk.history import History
from gridmap.risk.models import MODEL_NAMES, SIMPLE_MODELS
from gridmap.risk.recipe import Part, Recipe
from gridmap.risk.scoring import score_window

from .worlds import city, clustered, inside_points

H = 14.0
QUICK = ("uniform", *SIMPLE_MODELS, "shrunk", "mixture")


def wandering(rng: np.random.Generator) -> Events:
    """Each window of 14 days has a place of its own that nothing before it tells: only a leak can know it."""
    x, y = inside_points(40, rng)
    window = np.repeat(np.arange(40), 25)
    day = 18_000 + 14 * window + rng.uniform(0, 14, len(window))
    return Events.of(x[window] + rng.normal(0, 60, len(day)), y[window] + rng.normal(0, 60, len(day)), day)


def test_a_planted_leak_makes_the_score_jump() -> None:
    grid, events = city(), wandering(np.random.default_rng(1))
    report = backtest(grid, events, H, names=("uniform", "kde", "kde_decay", "last_period"), end_d=18_560).all
    honest = max(score.log_score for score in report.scores)
    assert honest < 0.3
    # The same model, allowed to look one window ahead.
    width = report.choice.of("kde").recipe.parts[0]
    recent = Part(width.bandwidth_m, 7.0)
    history, total, count = History(grid, events, [recent]), 0.0, 0
    for origin in report.origins_d:
        history.move_to(origin + H)
        came = events.between(origin, origin + H)
        score = score_window(history.mix(Recipe.only(recent)), _count(grid, came), grid.cell_km2.ravel())
        total, count = total + score.log_sum, count + score.events
    assert total / count > honest + 0.7


def test_nothing_of_the_future_moves_a_choice_or_a_forecast() -> None:
    grid, rng = city(), np.random.default_rng(3)
    events = clustered(1_500, 560, rng)
    first = scored_origins(events.occurred_d, H, 18_560.0)[0]
    after = events.occurred_d >= first
    x, y = inside_points(int(after.sum()), rng)
    moved = Events.of(
        np.r_[events.x_m[~after], x],
        np.r_[events.y_m[~after], y],
        np.r_[events.occurred_d[~after], events.occurred_d[after]],
    )
    before = backtest(grid, events, H, end_d=18_560, names=QUICK).all
    altered = backtest(grid, moved, H, end_d=18_560, names=QUICK).all
    assert altered.choice == before.choice
    assert altered.score_of("mixture").log_score < before.score_of("mixture").log_score - 0.2


def test_what_was_recorded_late_was_not_known() -> None:
    """Half of the rows are entered after the window they would have helped; they must not help."""
    grid, events = city(), wandering(np.random.default_rng(5))
    origin = 18_280.0
    late = replace(events, recorded_d=events.occurred_d + 200)
    history = History(grid, late, [Part(200.0)])
    history.move_to(origin)
    assert len(history.known) == (events.occurred_d < origin - 200).sum()
    assert choose(grid, late.known_at(origin), origin, H, names=QUICK) == choose(
        grid, late, origin, H, names=QUICK
    )
    # A recording before the event is a wrong clock, not foresight.
    early = replace(events, recorded_d=events.occurred_d - 50)
    assert len(early.known_at(origin)) == (events.occurred_d < origin).sum()


def test_the_chosen_model_is_at_least_as_good_as_the_simple_rules() -> None:
    grid, events = city(), clustered(4_000, 700, np.random.default_rng(7))
    one = backtest(grid, events, 28.0).all
    assert one.models == MODEL_NAMES
    chosen = one.score_of(one.chosen)
    for name in SIMPLE_MODELS:
        rule = one.score_of(name)
        assert chosen.log_score >= rule.log_score - 0.01
        assert (chosen.hit >= rule.hit - 2 * rule.hit_error).all()
    assert chosen.pai == pytest.approx(chosen.hit / [0.01, 0.02, 0.05, 0.1])
    assert chosen.coverage90 == pytest.approx(0.9, abs=0.04)
    assert one.score_of("uniform").log_score == pytest.approx(0, abs=1e-9)


def test_intervals_of_areas_cover_what_came() -> None:
    grid, events = city(), clustered(3_000, 700, np.random.default_rng(8))
    quarters = [
        box(a, b, a + 2_000, b + 2_000) for a in range(0, 8_000, 2_000) for b in range(0, 6_000, 2_000)
    ]
    areas = Areas.of_polygons([str(number) for number in range(len(quarters))], quarters, grid)
    one = backtest(grid, events, 28.0, areas=areas, names=QUICK).all
    assert one.score_of("mixture").coverage90 == pytest.approx(0.9, abs=0.05)
    assert one.score_of("uniform").log_error == pytest.approx(0, abs=1e-9)


def test_a_class_too_rare_is_refused_and_the_others_told() -> None:
    events = clustered(900, 400, np.random.default_rng(2))
    events = replace(events, class_index=np.where(np.arange(900) < 3, 1, 0), classes=("often", "hardly"))
    report = backtest(city(), events, 28.0, names=QUICK)
    named = dict(report.types)
    assert isinstance(named["often"], TypeReport)
    refused = named["hardly"]
    assert isinstance(refused, Refused)
    assert (refused.code, refused.params["events"]) == ("risk_too_few_events", 3)


@pytest.mark.parametrize(
    ("events", "code"),
    [
        (Events.of(np.zeros(0), np.zeros(0), np.zeros(0)), "risk_no_events"),
        (Events.of([1_000.0], [1_000.0], [18_000.0]), "risk_too_few_events"),
        (Events.of(np.full(500, 1_000.0), np.full(500, 1_000.0), 18_000 + np.arange(500.0)), "risk_one_place"),
        (
            Events.of(np.linspace(0, 6_000, 500), np.full(500, 10.0), 18_000 + np.arange(500.0) / 50),
            "risk_history_too_short",
        ),
        (Events.of(np.full(500, 99_000.0), np.full(500, 1_000.0), 18_000 + np.arange(500.0)), "risk_too_few_events"),
    ],
)  # fmt: skip
def test_bad_input_gets_a_clear_answer(events: Events, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        backtest(city(), events, 28.0)
    assert refused.value.code == code


def _count(grid: Grid, events: Events) -> np.ndarray:
    cell = grid.cell_of(events.x_m, events.y_m)
    return np.bincount(cell[cell >= 0], minlength=grid.size).astype(float)
