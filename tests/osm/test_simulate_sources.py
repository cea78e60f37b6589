"""Where a replay's facts come from: a site's database, a generated district's folder, and the command over it."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import shapely
from click.testing import CliRunner

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.db.tables import Dispatch, Incident
from gridmap.domain.ids import new_id
from gridmap.errors import NotFound
from gridmap.services.transaction import system_transaction
from gridmap.settings import Settings
from gridmap.simulate.cli import simulate
from gridmap.simulate.demand import draw_fate
from gridmap.simulate.ground import assumptions
from gridmap.simulate.scene import Period
from gridmap.simulate.sources import DatabaseSource
from tests.world import make_world

ZONE = ZoneInfo("Asia/Shanghai")
WEST, SOUTH, STEP_LON, STEP_LAT = 114.30, 30.60, 0.00104, 0.0009


def test_a_database_tells_ground_crews_calls_and_what_jobs_took(
    database: Database, clock: FixedClock, site: Settings
) -> None:
    world = make_world(database, clock)
    _, unit_id = world.officer("okapi", 0, grid=2, mode="foot", capabilities=["mediation"])

    def incident(minutes_ago: float, **values: Any) -> Incident:
        moment = clock.now() - timedelta(minutes=minutes_ago)
        lon, lat = world.point_in(0, 1)
        common = {
            "id": new_id(), "number": str(new_id()), "class_key": "C4.03", "severity": 2, "title": "x",
            "geom": f"SRID=4326;POINT({lon} {lat})", "location_method": "given", "occurred_from": moment,
            "reported_at": moment, "recorded_at": moment, "channel": "operator",
        }  # fmt: skip
        return Incident(**{**common, **values})

    with system_transaction(database, clock) as tx:
        real = incident(120)
        tx.session.add_all(
            [real, incident(60, drill=True), incident(50, status="closed", outcome="duplicate"), incident(30)]
        )
        tx.session.add(incident(20, geom=None, location_method="none"))
        tx.session.flush()
        offered = clock.now() - timedelta(minutes=100)
        tx.session.add(
            Dispatch(
                id=new_id(),
                incident_id=real.id,
                unit_id=unit_id,
                status="done",
                offered_at=offered,
                expires_at=offered,
                offer={},
                en_route_at=offered + timedelta(seconds=90),
                on_scene_at=offered + timedelta(minutes=10),
                done_at=offered + timedelta(minutes=25),
            )
        )
    source = DatabaseSource(database, site, clock, None)
    period = Period(clock.now().astimezone(ZONE) - timedelta(hours=5), 0.5)
    assert source.newest_report() == clock.now() - timedelta(minutes=20)
    ground = source.ground()
    assert len(ground.codes) == 8
    (crew,) = source.crews()
    assert (crew.mode, crew.capabilities, crew.home) == ("foot", ("mediation",), "990101001001003")
    reports = source.reports(period)
    assert reports.at_s.tolist() == [3 * 3600.0, 4.5 * 3600]
    assert ground.area_at(reports.lonlat).tolist() == [1, 1]
    took = source.durations(period)
    assert took.turnout_s.tolist() == [90.0]
    assert [known.tolist() for known in took.work_s] == [[], [900.0], [], []]
    with pytest.raises(NotFound, match="simulate_no_extract"):
        source.streets()


def test_enough_history_replaces_the_assumption() -> None:
    severity = np.array([1, 2, 2, 1])
    many = np.full(60, 777.0)
    few = np.full(10, 5.0)
    empty = np.empty(0)
    measured = type("Known", (), {"turnout_s": few, "work_s": (many, few, empty, empty)})
    turnout, work = draw_fate(severity, assumptions(), measured, np.random.default_rng(1))  # type: ignore[arg-type]
    assert (turnout != 5.0).all()
    assert (work == 777.0).tolist() == [True, False, False, True]


@pytest.fixture
def district(tmp_path: Path, town_pbf: Path) -> Path:
    """The invented town in the form of a generated district."""
    folder = tmp_path / "district"
    folder.mkdir()
    shutil.copy(town_pbf, folder / "district.osm.pbf")
    half = 9.5
    shapes = [
        shapely.box(
            WEST + w * STEP_LON,
            SOUTH + s * STEP_LAT,
            WEST + (w + half) * STEP_LON,
            SOUTH + (s + half) * STEP_LAT,
        )
        for w in (0, half)
        for s in (0, half)
    ]
    codes = [f"99010100{n}001001" for n in (1, 2, 3, 4)]
    frame = gpd.GeoDataFrame({"code": codes, "level": "grid"}, geometry=shapes, crs="EPSG:4490")
    frame.to_file(folder / "areas.gpkg", driver="GPKG")
    book = openpyxl.Workbook()
    for row in (
        ("编号", "呼号", "类型", "出行方式", "能力", "人数", "班次", "区划代码"),
        ("PT00001", "巡1", "patrol", "ebike", "first_aid,traffic", 2, "early", "990101001"),
        ("PT00002", "巡2", "patrol", "ebike", "", 2, "late", "990101002"),
        ("GW00009", "网1", "grid_worker", "foot", "", 1, "day", codes[2]),
    ):
        book.active.append(row)
    book.save(folder / "units.xlsx")
    rng = np.random.default_rng(2)
    lines = ["流水号,来源渠道,事件类别,上报时间,结果,经度,纬度"]
    for n in range(60):
        lon, lat = WEST + rng.uniform(0, 19) * STEP_LON, SOUTH + rng.uniform(0, 19) * STEP_LAT
        moment = datetime(2026, 6, 1, tzinfo=ZONE) + timedelta(minutes=48 * n)
        lines.append(f"D{n},call_110,C4.03,{moment:%Y-%m-%d %H:%M},,{lon:.7f},{lat:.7f}")
    (folder / "incidents.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_the_command_prints_the_table_and_json_of_the_same_run(
    district: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDMAP_DATA_DIR", str(district.parent / "data"))
    common = [
        "--district",
        str(district),
        "--no-engine",
        "--policy",
        "air",
        "--policy",
        "road",
        "--plus",
        "1",
    ]
    period = ["--from", "2026-06-01", "--to", "2026-06-03"]
    shown = CliRunner().invoke(simulate, [*common, *period])
    assert shown.exit_code == 0, shown.output
    assert "60 calls in 2 days from 2026-06-01 00:00, 3 units" in shown.output
    assert "road +1 patrol" in shown.output
    told = CliRunner().invoke(simulate, [*common, *period, "--json"])
    report = json.loads(told.stdout)
    assert [row["policy"] for row in report["rows"]] == ["air", "road", "road +1 patrol"]
    assert report["rows"][0]["against_first"] is None
    assert report["rows"][1]["served"] == 60
    assert {"grid_worker", "patrol"} <= report["rows"][0]["cover"].keys()
    assert report["assumptions"]["turnout_median_s"] == assumptions().turnout_median_s


def test_wrong_use_is_told(district: Path) -> None:
    for words in (["--post", "113,x,patrol"], ["--generate"], ["--policy", "prayer"]):
        assert CliRunner().invoke(simulate, words).exit_code == 2, words
    empty = CliRunner().invoke(
        simulate, ["--district", str(district), "--from", "2026-06-03", "--to", "2026-06-01", "--no-engine"]
    )
    assert getattr(empty.exception, "code", None) == "simulate_period_empty"
