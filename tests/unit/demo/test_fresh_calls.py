"""Calls drawn anew from the demo's known intensity, and the district as a replay reads it."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from gridmap.demo.district.scale import SMALL
from gridmap.simulate.district import draw_calls, read_crews, read_ground
from gridmap.simulate.scene import Period
from tests.unit.demo.conftest import District


def test_fresh_calls_follow_the_intensity(district: District) -> None:
    start = datetime.fromisoformat(district.manifest.start) + timedelta(days=3)
    period = Period(start, 20)
    calls = draw_calls(district.folder, period, np.random.default_rng(1))
    again = draw_calls(district.folder, period, np.random.default_rng(1))
    assert np.array_equal(calls.at_s, again.at_s)
    assert (np.diff(calls.at_s) >= 0).all()
    expected = SMALL.incidents_per_day * period.days
    assert 0.75 * expected < len(calls) < 1.25 * expected
    hour = (calls.at_s // 3600).astype(int) % 24
    night, day = np.isin(hour, (2, 3, 4)).sum(), np.isin(hour, (9, 10, 11)).sum()
    assert night < day / 2
    outside = draw_calls(district.folder, Period(start - timedelta(days=400), 5), np.random.default_rng(1))
    assert len(outside) == 0


def test_the_district_is_read_whole(district: District) -> None:
    ground, crews = read_ground(district.folder), read_crews(district.folder)
    assert len(ground.codes) == SMALL.grids
    assert (ground.weight > 0).mean() > 0.9
    inside = ground.area_at(ground.point)
    assert (inside == np.arange(SMALL.grids)).mean() > 0.99
    assert {crew.mode for crew in crews} == {"foot", "ebike", "car", "emergency_car"}
    assert all(len(ground.below(crew.home)) for crew in crews)
    early = next(crew for crew in crews if crew.ref == "PT00001")
    assert [early.hours[hour] for hour in (7, 8, 15, 16)] == [False, True, True, False]
