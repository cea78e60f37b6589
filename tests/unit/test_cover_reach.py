"""Who reaches what by the straight line, before the roads were asked."""

from __future__ import annotations

import numpy as np

from gridmap.adapters.valhalla import Valhalla
from gridmap.domain.ids import new_id
from gridmap.domain.metric import distance_m
from gridmap.domain.travel import DETOUR_FACTOR, KMH, USUAL_SPEED_KMH, LonLat, Mode
from gridmap.services.cover_reach import FreeUnit, Reach


def test_the_box_around_a_circle_leaves_nobody_out() -> None:
    rng = np.random.default_rng(3)
    points = np.column_stack([rng.uniform(112.9, 113.1, 2_000), rng.uniform(28.1, 28.3, 2_000)])
    reach = Reach(Valhalla("http://127.0.0.1:9"), points)
    units = [
        FreeUnit(new_id(), "patrol", (), mode, LonLat(*points[number]), "", (5.0,))
        for number, mode in enumerate([*Mode] * 5)
    ]
    for minutes in (1.0, 5.0, 30.0):
        found = reach.within(units, minutes)
        for row, unit in enumerate(units):
            radius_m = minutes * 60 * USUAL_SPEED_KMH[unit.mode] * KMH / DETOUR_FACTOR
            assert (found[row] == (distance_m(*unit.place, *points.T) <= radius_m)).all()
    assert 0 < reach.within(units, 5.0).mean() < 1
