"""How many a day: kinds of days, late entries, changed recording."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from gridmap.risk.calendar import NO_CALENDAR, Calendar, DayGroup, day_number
from gridmap.risk.events import Events
from gridmap.risk.level import fit_level
from gridmap.risk.quality import find_changes

START = day_number(date(2021, 1, 4))  # a Monday


def draw(rates: np.ndarray, rng: np.random.Generator, first: int = START) -> Events:
    counts = rng.poisson(rates)
    day = np.repeat(np.arange(first, first + len(rates)), counts) + rng.random(counts.sum())
    return Events.of(np.zeros(len(day)), np.zeros(len(day)), day)


def test_weekend_holiday_make_up_day_and_festival_are_found() -> None:
    rng = np.random.default_rng(1)
    days = np.arange(START, START + 730)
    holidays = [date(2021, 5, 1) + timedelta(days=n) for n in range(5)] + [
        date(2022, 5, 1) + timedelta(days=n) for n in range(5)
    ]
    make_up = [date(2021, 4, 25), date(2022, 4, 24), date(2021, 5, 8), date(2022, 5, 7)]
    before = [date(2021, 1, 20) + timedelta(days=n) for n in range(20)] + [
        date(2022, 1, 9) + timedelta(days=n) for n in range(20)
    ]
    calendar = Calendar.of(holidays, make_up, [DayGroup.of("before_spring_festival", before)])
    rate = np.where(calendar.weekday(days) >= 5, 10.0, 20.0)
    rate = rate * np.where(np.isin(days, calendar.holidays), 1.5, 1.0)
    rate = rate * np.where(np.isin(days, [day_number(day) for day in before]), 1.8, 1.0)
    level = fit_level(draw(rate, rng), START + 730, calendar)
    factors = {one.name: one.times for one in level.kinds}
    assert factors["holiday"] == pytest.approx(1.5, abs=0.25)
    assert factors["before_spring_festival"] == pytest.approx(1.8, abs=0.2)
    assert factors["make_up"] == pytest.approx(1.0, abs=0.2)
    assert level.weekday[5] / level.weekday[1] == pytest.approx(0.5, abs=0.06)
    assert level.season.mean() == pytest.approx(1.0)


def test_late_entries_do_not_look_like_a_fall() -> None:
    rng = np.random.default_rng(2)
    events = draw(np.full(400, 30.0), rng)
    late = Events.of(
        events.x_m,
        events.y_m,
        events.occurred_d,
        recorded_d=events.occurred_d + rng.exponential(8.0, len(events)),
    )
    known = late.known_at(START + 400)
    level = fit_level(known, START + 400, NO_CALENDAR)
    assert level.per_day == pytest.approx(30.0, rel=0.08)
    # Without knowing when rows were recorded, the missing ones would be taken for calm.
    blind = Events.of(known.x_m, known.y_m, known.occurred_d)
    assert fit_level(blind, START + 400, NO_CALENDAR).per_day < 28.0


def test_the_level_follows_what_really_changed() -> None:
    rng = np.random.default_rng(3)
    level = fit_level(draw(np.r_[np.full(300, 10.0), np.full(120, 20.0)], rng), START + 420, NO_CALENDAR)
    assert level.per_day == pytest.approx(20.0, rel=0.12)
    assert level.memory_d <= 56


def test_a_class_that_was_switched_on_is_fitted_from_then() -> None:
    rng = np.random.default_rng(4)
    events = draw(np.r_[np.full(300, 0.3), np.full(120, 20.0)], rng)
    changes = find_changes(events, START + 420)
    level = fit_level(events, START + 420, NO_CALENDAR, changes)
    assert abs(level.first_d - (START + 300)) <= 8
    assert level.long_per_day == pytest.approx(20.0, rel=0.1)


def test_a_season_needs_two_years() -> None:
    rng = np.random.default_rng(5)
    days = np.arange(1_000)
    rate = 20 * (1 + 0.5 * np.cos(2 * np.pi * ((START + days) % 365.25 - 200) / 365.25))
    short = fit_level(draw(rate[:500], rng), START + 500, NO_CALENDAR)
    assert (short.season == 1).all()
    long = fit_level(draw(rate, rng), START + 1_000, NO_CALENDAR)
    assert long.season.max() / long.season.min() > 2


def test_scatter_is_zero_for_chance_and_found_for_clumps() -> None:
    rng = np.random.default_rng(6)
    even = fit_level(draw(np.full(700, 12.0), rng), START + 700, NO_CALENDAR)
    clumped = fit_level(draw(12.0 * rng.gamma(2.0, 0.5, 700), rng), START + 700, NO_CALENDAR)
    assert even.dispersion(1) < 0.03
    assert clumped.dispersion(1) == pytest.approx(0.5, abs=0.15)
    assert clumped.dispersion(28) < clumped.dispersion(1)
