"""Simulated people keep to the streets, workers to their grid; the storm brings what it says."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
import shapely

from gridmap.demo.district.generate import ZONE
from gridmap.demo.district.street_graph import load_street_graph
from gridmap.demo.sim_movement import Mover, Streets, send_to, step
from gridmap.demo.sim_reports import STORM_REPORTS, STORM_S, Caller, load_scenes
from tests.unit.demo.conftest import District

NOON = datetime(2026, 3, 20, 12, 0, tzinfo=ZONE)


@pytest.fixture(scope="module")
def streets(district: District) -> Streets:
    return Streets(load_street_graph(district.folder))


def test_a_worker_walks_on_streets_and_mostly_in_the_own_grid(streets: Streets) -> None:
    rng = np.random.default_rng(3)
    graph = streets.graph
    home = streets.nodes_of(graph.grid_codes[40])
    worker = Mover("w", "foot", home, int(home[0]))
    segments = shapely.linestrings(np.stack([graph.lonlat[graph.start], graph.lonlat[graph.end]], axis=1))
    tree = shapely.STRtree(segments)
    inside, own = 0, set(home.tolist())
    for _ in range(600):
        before = streets.position(worker)
        step(worker, streets, 5.0, rng)
        at = streets.position(worker)
        moved = shapely.Point(before).distance(shapely.Point(at)) * 111_195
        assert moved < 5.0 * 1.3 / np.cos(np.radians(28.4)) + 0.5
        _, gap = tree.query_nearest(shapely.Point(at), return_distance=True)
        assert gap[0] * 111_195 < 0.5
        inside += int(worker.node in own)
    assert inside > 400


def test_a_car_gets_to_its_call_by_streets_open_to_cars(streets: Streets) -> None:
    rng = np.random.default_rng(4)
    graph = streets.graph
    start = streets.nearest(113.41, 28.37)
    car = Mover("c", "emergency_car", np.array([start]), start)
    send_to(car, streets, 113.43, 28.35)
    assert car.path
    usable = {(a, b) for a, b, f in zip(graph.start, graph.end, graph.foot_only, strict=True) if f == 0}
    assert all(pair in usable for pair in zip([start, *car.path], car.path, strict=False))
    for _ in range(1_200):
        step(car, streets, 1.0, rng)
    lon, lat = streets.position(car)
    assert abs(lon - 113.43) < 0.002
    assert abs(lat - 28.35) < 0.002


def test_a_storm_is_three_hundred_reports_in_ten_minutes(district: District) -> None:
    caller = Caller(load_scenes(district.folder), 0.0, 1.0, "run", np.random.default_rng(5))
    caller.storm(1_000.0)
    early = caller.due(1_000.0 + STORM_S / 2, 1.0, NOON)
    late = caller.due(1_000.0 + STORM_S, 1.0, NOON)
    assert len(early) + len(late) == STORM_REPORTS
    assert 100 < len(early) < 200
    refs = {due.ref for due in early + late}
    assert len(refs) == STORM_REPORTS


def test_reports_come_at_the_rate_asked_for(district: District) -> None:
    caller = Caller(load_scenes(district.folder), 440.0, 4.0, "run", np.random.default_rng(6))
    told = sum(len(caller.due(float(second), 10.0, NOON)) for second in range(0, 36_000, 10))
    expected = 440 * 4 / 86_400 * 36_000 * 1.15 * 1.12
    assert 0.85 * expected < told < 1.15 * expected
