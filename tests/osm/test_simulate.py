"""Planning replays on the invented town: travel times beside the engine's own, and whole studies from files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely

from gridmap.adapters.valhalla import Valhalla
from gridmap.domain.metric import LocalMetric
from gridmap.domain.travel import LonLat, Mode
from gridmap.errors import Invalid
from gridmap.simulate.agreement import measure
from gridmap.simulate.call_file import read_calls
from gridmap.simulate.demand import NO_HISTORY, Durations, Reports
from gridmap.simulate.ground import ROUND_THE_CLOCK, Crew, Ground, assumptions, make_ground
from gridmap.simulate.scene import Period
from gridmap.simulate.streets import Streets, read_streets
from gridmap.simulate.study import Plan, Study, run_study
from gridmap.simulate.table import lines_of
from gridmap.simulate.travel import RoadTimes

WEST, SOUTH, STEP_LON, STEP_LAT = 114.30, 30.60, 0.00104, 0.0009
ZONE = ZoneInfo("Asia/Shanghai")
PERIOD = Period(datetime(2026, 6, 1, tzinfo=ZONE), 3)
METRIC = LocalMetric("EPSG:4547")


def at(column: float, row: float) -> LonLat:
    return LonLat(WEST + column * STEP_LON, SOUTH + row * STEP_LAT)


def silent(step: str, done: int, total: int) -> None:
    """No progress bar in a test."""


@pytest.fixture(scope="module")
def streets(town_pbf: Path) -> Streets:
    return read_streets([town_pbf])


def times_over(streets: Streets, places: list[LonLat], mode: Mode) -> np.ndarray:
    """Seconds between all places; each one written (from, to)."""
    table = RoadTimes(streets, np.array(places), [mode], METRIC, silent)
    everything = np.arange(len(places))
    return table.table(everything, mode, everything)


@pytest.mark.parametrize("mode", list(Mode))
def test_times_are_the_engines_but_for_a_factor(streets: Streets, town_router: Valhalla, mode: Mode) -> None:
    rng = np.random.default_rng(3)
    places = [at(c, r) for c, r in rng.uniform(0, 19, (40, 2)) if not 8.9 < c < 10.1]
    table = RoadTimes(streets, np.array(places), [mode], METRIC, silent)
    found = measure(table, np.array(places), [mode], town_router, seed=1)[mode]
    assert 0.8 < found.stretch < 1.5
    assert found.median_s < 0.1 * found.median_trip_s


def test_bridges_one_way_streets_and_gates_count(streets: Streets) -> None:
    on_foot = times_over(streets, [at(8, 9), at(11, 9)], Mode.FOOT)
    assert on_foot[0, 1] > 1_300 / (5.1 / 3.6), (
        "three blocks as the crow flies, but the bridges are six rows off"
    )
    lane = [at(3.5, 7), at(6.5, 7)]
    car, blue_lights = times_over(streets, lane, Mode.CAR), times_over(streets, lane, Mode.EMERGENCY_CAR)
    assert car[1, 0] > car[0, 1] * 1.3
    assert blue_lights[1, 0] == pytest.approx(blue_lights[0, 1], abs=1)
    gate = [at(2.5, 10.85), at(2.5, 11)]
    assert times_over(streets, gate, Mode.CAR)[0, 1] > 5 * times_over(streets, gate, Mode.EMERGENCY_CAR)[0, 1]
    walk = times_over(streets, gate, Mode.FOOT)[0, 1]
    assert walk == pytest.approx(15 / (5.1 / 3.6), abs=3), "the gate lets people through"


def test_an_island_and_a_field_far_off_have_no_time(streets: Streets) -> None:
    table = times_over(streets, [at(5, 5), at(44, 4), at(5, 60)], Mode.CAR)
    assert table[0, 0] == 0
    assert np.isinf(table[0, 1:]).all()
    assert np.isinf(table[1:, 0]).all()


def test_a_trip_along_one_street_is_direct(streets: Streets) -> None:
    table = times_over(streets, [at(4.2, 3), at(4.7, 3)], Mode.FOOT)
    assert table[0, 1] == pytest.approx(50 / (5.1 / 3.6), abs=2)
    assert table[0, 1] == pytest.approx(table[1, 0], abs=0.1)


@dataclass(frozen=True)
class TownSource:
    """Four grids, a crew in each, and calls from a file."""

    roads: Streets
    calls: Path

    def ground(self) -> Ground:
        shapes = [
            shapely.box(*at(w, s), *at(w + 10, s + 10)) for w, s in ((0, 0), (9.5, 0), (0, 9.5), (9.5, 9.5))
        ]
        house = np.array([at(c + 0.3, r + 0.3) for c in range(0, 19, 2) for r in range(0, 19, 2)])
        codes = [f"99010100{township}001001" for township in (1, 2, 3, 4)]
        return make_ground(codes, np.array(shapes, dtype=object), house, np.ones(len(house)))

    def crews(self) -> list[Crew]:
        return [
            Crew(f"U{n}", "patrol", mode, (), f"99010100{n}001001", ROUND_THE_CLOCK)
            for n, mode in ((1, "foot"), (2, "ebike"), (3, "ebike"))
        ]

    def streets(self) -> Streets:
        return self.roads

    def reports(self, period: Period) -> Reports:
        return read_calls(self.calls, period, ZONE)[0]

    def durations(self, period: Period) -> Durations:
        return NO_HISTORY


@pytest.fixture(scope="module")
def source(streets: Streets, tmp_path_factory: pytest.TempPathFactory) -> TownSource:
    rng = np.random.default_rng(11)
    path = tmp_path_factory.mktemp("calls") / "calls.csv"
    lines = ["reported_at,class,lon,lat,severity,outcome"]
    for minute in np.sort(rng.uniform(0, 4 * 1440, 120)).tolist():
        lon, lat = at(*rng.uniform(0, 19, 2))
        moment = datetime(2026, 5, 31, 12, tzinfo=ZONE) + timedelta(minutes=minute)
        lines.append(f"{moment:%Y-%m-%d %H:%M},C4.03,{lon:.6f},{lat:.6f},,")
    lines += [
        f"2026-06-01 03:00,C4.03,{lines[1].split(',')[2]},30.6,,duplicate",
        "2026-06-01 03:00,C4.03,,,,",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return TownSource(streets, path)


def study(source: TownSource, plan: Plan, router: Valhalla | None = None) -> Study:
    return run_study(source, PERIOD, plan, assumptions(), METRIC, router, silent)


def test_the_same_seed_gives_the_same_table(source: TownSource) -> None:
    plan = Plan(("air", "road", "assignment"), plus=2, posts=((*at(15, 15), "patrol"),), seed=4)
    first, again = study(source, plan), study(source, plan)
    assert list(lines_of(first)) == list(lines_of(again))
    labels = [row.label for row in first.rows]
    assert labels == ["air", "road", "assignment", "road +2 patrol", "road +post patrol"]
    other = study(source, Plan(("air", "road"), seed=5))
    assert list(lines_of(other))[:3] != list(lines_of(first))[:3]
    road, plus = first.rows[1].figures, first.rows[3].figures
    assert road.served == plus.served == first.calls
    assert plus.response_min["mean"] < road.response_min["mean"], "two more crews for three"
    assert first.rows[1].against_first is not None
    assert first.rows[1].against_first.mean_min < 0


def test_calls_are_those_of_the_period_without_duplicates(source: TownSource) -> None:
    found, unlocated = read_calls(source.calls, PERIOD, ZONE)
    assert unlocated == 1
    assert 60 < len(found) < 110
    assert found.at_s.min() >= 0
    assert (np.diff(found.at_s) >= 0).all()
    assert found.at_s.max() < PERIOD.length_s


def test_new_borders_change_whose_grid_it_is(source: TownSource) -> None:
    ground = source.ground()
    swapped = make_ground(
        [ground.codes[i] for i in (1, 0, 3, 2)], ground.shapes.copy(), ground.house, ground.house_weight
    )
    found = study(source, Plan(("own_grid",), borders=swapped))
    assert [row.label for row in found.rows] == ["own_grid", "own_grid new borders"]
    assert found.rows[0].figures != found.rows[1].figures


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("reported_at,class,lon\n", "simulate_columns_missing"),
        ("reported_at,class,lon,lat\n2026-06-01 03:00,C4.03,east,30.6\n", "simulate_row_broken"),
        ("reported_at,class,lon,lat\n2026-06-01 03:00,ZZ,114.3,30.6\n", "class_unknown"),
    ],
)
def test_a_broken_file_is_refused_by_line(tmp_path: Path, content: str, code: str) -> None:
    path = tmp_path / "calls.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(Invalid, match=code):
        read_calls(path, PERIOD, ZONE)


def test_a_period_without_calls_is_refused(source: TownSource) -> None:
    empty = Period(datetime(2025, 1, 1, tzinfo=ZONE), 2)
    with pytest.raises(Invalid, match="simulate_no_calls"):
        run_study(source, empty, Plan(("road",)), assumptions(), METRIC, None, silent)


def test_the_report_is_json_all_through(source: TownSource) -> None:
    found = study(source, Plan(("road",)))
    assert json.loads(json.dumps([row.figures.as_json() for row in found.rows]))[0]["calls"] == found.calls
