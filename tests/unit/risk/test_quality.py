"""Faults of the records are found, and honest records are left alone."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from gridmap.risk.calendar import Calendar
from gridmap.risk.delay import known_share
from gridmap.risk.events import Events, Precision
from gridmap.risk.hours import hour_profile
from gridmap.risk.quality import find_changes, find_default_places, find_default_times, find_repeats

from .worlds import inside_points

MONDAY = 18_659.0  # 2021-02-01
MINUTE = 1 / 1_440


def test_a_default_place_is_told_and_a_hot_address_less_loudly() -> None:
    rng = np.random.default_rng(1)
    x, y = inside_points(2_000, rng)
    x[:150], y[:150] = 4_000.0, 4_000.0
    x[150:165], y[150:165] = 1_000.0, 1_000.0
    events = Events.of(
        x, y, rng.uniform(0, 300, 2_000), class_index=rng.integers(0, 3, 2_000), classes=("a", "b", "c")
    )
    (found,) = find_default_places(events)
    assert sorted(found.rows.tolist()) == list(range(150))
    assert (found.x_m, found.y_m, found.classes) == (4_000.0, 4_000.0, 3)
    assert found.share == pytest.approx(0.075)


def test_one_event_over_three_channels_is_one() -> None:
    events = Events.of(
        [0, 20, 30, 0, 5_000, 0, 0], [0, 0, 0, 0, 0, 0, 0],
        [10.0, 10.0 + 5 * MINUTE, 10.0 + 30 * MINUTE, 10.5, 10.0, 10.0 + 3 * MINUTE, 10.0 + 6 * MINUTE],
        channel_index=[0, 1, 2, 1, 1, 0, 1], class_index=[0, 0, 0, 0, 0, 0, 1], classes=("fire", "noise"),
        channels=("call", "patrol", "sensor"),
    )  # fmt: skip
    found = find_repeats(events)
    assert found.keep.tolist() == [True, False, False, True, True, False, True]
    assert (found.across_channels, found.within_channel) == (2, 1)
    assert found.group.tolist() == [0, 0, 0, 1, 2, 0, 3]


def test_neighbours_in_a_row_do_not_become_one_event() -> None:
    """Each lies within reach of the one before, the last far from the first."""
    steps = np.arange(20)
    found = find_repeats(Events.of(steps * 40.0, np.zeros(20), steps * 60 * MINUTE))
    assert found.keep.sum() == 10


def test_rows_of_one_day_are_joined_over_channels_only() -> None:
    events = Events.of(
        [0, 0, 10, 0], [0, 0, 0, 0], [5.0, 5.0, 5.0, 6.0], precision=Precision.DAY, channel_index=[0, 0, 1, 1],
        channels=("call", "patrol"),
    )  # fmt: skip
    assert find_repeats(events).keep.tolist() == [True, True, False, True]


def test_default_times_stay_out_of_the_hours_and_full_hours_stay_in() -> None:
    rng = np.random.default_rng(3)
    true = MONDAY + rng.integers(0, 70, 3_000) + rng.normal(20.3, 1.0, 3_000) / 24
    round_hours = MONDAY + rng.integers(0, 70, 400) + rng.integers(18, 23, 400) / 24
    noon = MONDAY + rng.integers(0, 70, 500) + 0.5
    dates = MONDAY + rng.integers(0, 70, 300).astype(float)
    day = np.r_[true, round_hours, noon, dates]
    events = Events.of(
        np.zeros(len(day)), np.zeros(len(day)), day, precision=np.repeat([0, 0, 0, 2], [3_000, 400, 500, 300])
    )
    (spike,) = find_default_times(events)
    assert spike.minute == 720
    profile = hour_profile(events)
    assert (profile.rows, profile.coarse, profile.default_time) == (3_400, 300, 500)
    by_hour = profile.shares.reshape(7, 24).sum(axis=0)
    assert profile.top(2)[0] in (20, 19)
    assert by_hour[12] < 0.005
    assert profile.shares.sum() == pytest.approx(1.0)


def test_a_span_is_spread_over_its_hours() -> None:
    # Away from 18:00 to 02:00; ten times on each of ten Mondays.
    count = 100
    day = MONDAY + 7.0 * (np.arange(count) % 10) + 18 / 24
    events = Events.of(np.zeros(count), np.zeros(count), day, occurred_to_d=day + 8 / 24)
    shares = hour_profile(events).shares
    monday_evening, tuesday_night = shares[18:24].sum(), shares[24:26].sum()
    assert monday_evening == pytest.approx(3 * tuesday_night, rel=0.25)
    assert monday_evening + tuesday_night > 0.7


def test_a_holiday_reads_like_a_sunday() -> None:
    """It happens on Mondays that are holidays, every other week, and never on a plain Monday."""
    off = int(MONDAY) + 14 * np.arange(6)
    day = np.repeat(off, 10) + 10.5 / 24
    events = Events.of(np.zeros(60), np.zeros(60), day)
    shares = hour_profile(events, Calendar(off, np.zeros(0, np.int64))).shares
    assert shares[6 * 24 + 10] > shares[10] * 2


def test_a_run_of_holidays_is_no_busier_a_sunday() -> None:
    """Ten incidents every day at ten: eight weeks with three weeks of holidays must not make Sundays stand out."""
    day = np.repeat(np.arange(MONDAY, MONDAY + 56), 10) + 10 / 24
    events = Events.of(np.zeros(len(day)), np.zeros(len(day)), day)
    off = [date(1970, 1, 1) + timedelta(days=int(MONDAY) + n) for n in range(14, 35)]
    by_day = hour_profile(events, Calendar.of(off)).shares.reshape(7, 24).sum(axis=1)
    assert by_day == pytest.approx(np.full(7, 1 / 7), rel=0.02)


def test_no_rows_give_an_even_week() -> None:
    profile = hour_profile(Events.of(np.zeros(2), np.zeros(2), [3.0, 4.0], precision=Precision.DAY))
    assert profile.top() == ()
    assert (profile.shares == 1 / 168).all()


def test_a_new_class_and_a_dying_channel_are_changes_and_a_busy_week_is_not() -> None:
    rng = np.random.default_rng(5)
    old = rng.uniform(0, 700, 3_000)
    fresh = rng.uniform(420, 700, 500)
    day = np.r_[old, fresh, rng.uniform(300, 307, 40)]
    channel = np.where(day < 350, rng.integers(0, 2, len(day)), 0)
    events = Events.of(
        np.zeros(len(day)), np.zeros(len(day)), day, class_index=np.repeat([0, 1, 0], [3_000, 500, 40]),
        channel_index=channel, classes=("a", "b"), channels=("call", "app"),
    )  # fmt: skip
    found = find_changes(events, 700.0)
    assert [(one.kind, one.index) for one in found] == [("channel", 1), ("class", 1)]
    assert found[0].day_d == pytest.approx(350, abs=8)
    assert found[1].day_d == pytest.approx(420, abs=8)
    assert found[1].before_per_week < 0.5 < found[1].after_per_week


def test_the_part_that_is_entered_late_is_known() -> None:
    rng = np.random.default_rng(9)
    day = rng.uniform(0, 400, 20_000)
    delay = rng.exponential(6.0, 20_000)
    events = Events.of(np.zeros(20_000), np.zeros(20_000), day, recorded_d=day + delay)
    share = known_share(events.known_at(400.0), 400.0)
    ages = np.array([1, 3, 7, 14, 30])
    # A day of age a is seen from its middle: a - 1/2 days on average.
    assert share[ages - 1] == pytest.approx(1 - np.exp(-(ages - 0.5) / 6.0), abs=0.05)
    assert (known_share(Events.of(np.zeros(99), np.zeros(99), np.arange(99.0)), 100.0) == 1).all()
