"""Against the demo's known truth: how far the surface is from it, and whether intervals hold what they say.

`-s` prints the figures of `docs/risk.md`; the slow test has the demo district at true scale.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest

from gridmap.demo.district.anchors import find_anchors
from gridmap.demo.district.city import build_city
from gridmap.demo.district.class_models import CLASS_MODELS
from gridmap.demo.district.incidents import History, draw_history
from gridmap.demo.district.intensity import CELL_M, Anchors, Truth, make_truth
from gridmap.demo.district.scale import NORMAL
from gridmap.risk.backtest import backtest
from gridmap.risk.calendar import day_number
from gridmap.risk.events import Events
from gridmap.risk.forecast import forecast
from gridmap.risk.grid import Grid
from gridmap.risk.history import History as Past
from gridmap.risk.recipe import Part

START = date(2024, 1, 1)
DAYS = 730
HORIZON_D = 28


@dataclass(frozen=True)
class World:
    truth: Truth
    grid: Grid
    history: History

    def events(self, key: str) -> Events:
        """Single reports of one class, with the time they were reported."""
        number = [model.key for model in CLASS_MODELS].index(key)
        rows = (self.history.class_number == number) & (self.history.kind < 2)
        first = day_number(START)
        return Events.of(
            self.history.xy[rows, 0], self.history.xy[rows, 1], first + self.history.occurred_min[rows] / 1_440,
            recorded_d=first + self.history.reported_min[rows] / 1_440,
        )  # fmt: skip

    def expected(self, key: str, from_day: int) -> np.ndarray:
        """(cells,) true mean of the four weeks from a day of the history."""
        number = [model.key for model in CLASS_MODELS].index(key)
        family, model = self.truth.family_of[number], CLASS_MODELS[number]
        days = np.arange(from_day, from_day + HORIZON_D)
        total = np.zeros(self.grid.size)
        for day in days:
            weight = self.truth.share[family, self.truth.month_of_day[day]] * self.truth.rate[number, day]
            total += np.bincount(self.truth.anchor_cell, weight, self.grid.size)
        return total / (1 - model.branching)


def draw(anchors: Anchors, per_day: float) -> World:
    rng = np.random.default_rng(5)
    truth = make_truth(anchors, START, DAYS, per_day, rng)
    history = draw_history(truth, np.full(len(CLASS_MODELS), 3), DAYS * 1_440.0, rng)
    inside = np.bincount(truth.anchor_cell, minlength=int(np.prod(truth.grid_shape))) > 0
    west, south = truth.grid_origin
    return World(truth, Grid(west, south, CELL_M, inside.reshape(truth.grid_shape).astype(float)), history)


@pytest.fixture(scope="module")
def town() -> World:
    """The demo's intensity over a town of invented anchors: 5 x 5 km, shops at the middle."""
    rng = np.random.default_rng(3)
    xy = np.vstack([rng.uniform(0, 5_000, (2_500, 2)), rng.normal(2_500, 500, (1_500, 2)).clip(0, 5_000)])
    middle = np.exp(-((xy - 2_500) ** 2).sum(axis=1) / 2e6)
    weights = np.vstack(
        [rng.gamma(0.5, 1, 4_000), middle * rng.gamma(0.3, 1, 4_000), *rng.gamma(0.3, 1, (3, 4_000))]
    )
    return draw(Anchors(xy, weights, np.full(4_000, -1), [""] * 4_000), 100.0)


def measure(world: World, key: str) -> tuple[float, float, float]:
    """Nats per event the chosen model, the count and the rule-of-thumb kernel lose against who knows the truth."""
    origin_d = float(day_number(START) + DAYS - HORIZON_D)
    true, events = world.expected(key, DAYS - HORIZON_D), world.events(key)
    found = forecast(world.grid, events, origin_d, HORIZON_D)
    known = events.known_at(origin_d)
    scott = float(np.std([known.x_m, known.y_m], axis=1).mean() * len(known) ** (-1 / 6))
    past = Past(world.grid, known, [Part(None), Part(scott)])
    past.move_to(origin_d)
    ours = found.cells.expected.ravel()
    off = np.abs(ours - true).sum() / true.sum()
    told = {
        "known": len(known), "chosen": found.choice.model,
        "expected": round(float(ours.sum()), 1), "true": round(float(true.sum()), 1),
        "off": round(float(off), 2), "lost": round(loss(true, ours), 3),
        "count": round(loss(true, past.share(Part(None))), 3),
        "scott": round(loss(true, past.share(Part(scott))), 3), "even": round(loss(true, world.grid.inside.ravel()), 3),
    }  # fmt: skip
    sys.stdout.write(f"{key}: {told}\n")
    return loss(true, ours), loss(true, past.share(Part(None))), loss(true, past.share(Part(scott)))


def loss(true: np.ndarray, found: np.ndarray) -> float:
    """Kullback-Leibler divergence of the shares, with the backtest's 0.1 % of an even spread in the forecast."""
    p, q = true / true.sum(), 0.999 * found / found.sum() + 0.001 / (true > 0).sum()
    seen = p > 0
    return float((p[seen] * np.log(p[seen] / q[seen])).sum())


@pytest.mark.parametrize("key", ["S2.10", "C1.01"])
def test_the_surface_is_nearer_to_the_truth_than_simple_rules(town: World, key: str) -> None:
    ours, count, scott = measure(town, key)
    assert ours < count
    assert ours < 0.8 * scott
    assert ours < 0.25


def test_intervals_are_nominal_under_the_truth(town: World) -> None:
    inner = [coverage(town, key) for key in ("S2.10", "C1.01", "S5.02", "S2.04")]
    assert np.mean(inner) == pytest.approx(0.9, abs=0.03)
    assert min(inner) > 0.82


def coverage(world: World, key: str) -> float:
    report = backtest(
        world.grid,
        world.events(key),
        HORIZON_D,
        names=("uniform", "kde", "shrunk"),
        end_d=day_number(START) + DAYS,
    ).all
    found = report.score_of("shrunk").coverage90
    sys.stdout.write(
        f"{key}: 90 % intervals of blocks hold {found:.3f} over {len(report.origins_d)} origins\n"
    )
    return found


@pytest.mark.slow
def test_the_demo_district_at_true_scale() -> None:
    district = draw(find_anchors(build_city(20_260_101, NORMAL)), NORMAL.incidents_per_day)
    lost = np.array([measure(district, key) for key in ("S2.10", "C1.01", "S5.02", "S2.04", "S1.08")])
    assert (lost[:, 0] < lost[:, 1]).all()
    assert lost[:, 0].mean() < 0.8 * lost[:, 2].mean()
    inner = [coverage(district, key) for key in ("S2.10", "C1.01", "S5.02", "S2.04", "S1.08")]
    assert np.mean(inner) == pytest.approx(0.9, abs=0.02)
