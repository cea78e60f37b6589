"""Risk over HTTP: a desk sees its own county's runs, files tell no more than they may, and say who made them."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import openpyxl
import pytest
from PIL import Image
from sqlalchemy import text

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.domain.metric import LocalMetric
from gridmap.domain.risk_rules import risk_rules
from gridmap.services.risk import jobs
from gridmap.services.risk.store import Author
from gridmap.services.transaction import system_transaction
from tests.db.test_risk_runs import plant
from tests.web.conftest import Browse
from tests.world import World

MARK = "?purpose=QUARTERLY&days=30&lang=zh"


@pytest.fixture
def ran(database: Database, clock: FixedClock, world: World) -> tuple[World, str]:
    """County 0 with thefts and three fires, and one run of the next four weeks."""
    plant(world, 300)
    plant(world, 3, class_key="S1.01", seed=5)
    rules = risk_rules()
    with system_transaction(database, clock) as tx:
        asked = jobs.ask(tx, "990101", [rules.horizon("4weeks")], Author(None, "test", "test"), checked=False)
    (run_id,) = jobs.work(database, clock, LocalMetric("EPSG:4547"), rules, only=asked)
    return world, str(run_id)


def ok(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_a_desk_sees_its_own_county_and_nobody_elses(ran: tuple[World, str], browse: Browse) -> None:
    _, run = ran
    here, there = browse("analyst.0"), browse("analyst.1")
    (line,) = ok(here.get("/api/risk/runs"))["items"]
    assert (line["id"], line["area_code"], line["horizon"]) == (run, "990101", "4weeks")
    surface = ok(here.get(f"/api/risk/runs/{run}/theft"))
    assert surface["model"]
    assert surface["legend"][0]["from"] == 0
    rows = ok(here.get(f"/api/risk/runs/{run}/theft/areas?level=grid"))["items"]
    assert [row["rank"] for row in rows] == [1, 2, 3, 4]
    assert ok(here.get(f"/api/risk/runs/{run}/theft/outlines?level=grid"))["features"][0]["properties"][
        "risk_level"
    ]
    picture = here.get(f"/api/risk/surface/{run}/theft/forecast.png")
    assert Image.open(io.BytesIO(picture.data)).size[0] > 20
    assert here.get(f"/api/risk/surface/{run}/theft/came.png").status_code == 404
    assert ok(there.get("/api/risk/runs"))["items"] == []
    for path in (f"runs/{run}/theft", f"runs/{run}/theft/areas?level=grid", f"surface/{run}/theft/forecast.png",
                 f"export/{run}/theft.xlsx{MARK}"):  # fmt: skip
        assert there.get(f"/api/risk/{path}").status_code == 404, path
    assert browse("administrator").get("/api/risk/runs").status_code == 403
    assert browse("operator.0").get(f"/api/risk/export/{run}/theft.xlsx{MARK}").status_code == 403


def test_a_group_without_history_says_so(database: Database, ran: tuple[World, str], browse: Browse) -> None:
    _, run = ran
    here = browse("analyst.0")
    assert ok(here.get(f"/api/risk/runs/{run}/street"))["refused"] == {"code": "risk_no_events", "params": {}}
    assert ok(here.get(f"/api/risk/runs/{run}/street/areas?level=grid"))["items"] == []
    refused = here.get(f"/api/risk/export/{run}/street.pdf{MARK}")
    assert (refused.status_code, refused.get_json()["code"]) == (422, "risk_no_events")
    assert here.get(f"/api/risk/runs/{run}/nonsense").status_code == 404


def test_runs_are_asked_for_in_ones_own_county(ran: tuple[World, str], browse: Browse, world: World) -> None:
    here = browse("analyst.0")
    body = {"area_id": world.county_ids[0], "horizons": ["week"], "purpose": "look"}
    assert ok(here.post("/api/risk/jobs", body)) == {"waiting": 1}
    assert ok(here.get("/api/risk/jobs"))["items"][0]["status"] == "waiting"
    assert here.post("/api/risk/jobs", {**body, "area_id": world.county_ids[1]}).status_code == 404
    assert here.post("/api/risk/jobs", {**body, "horizons": ["decade"]}).status_code == 422
    assert (
        here.post("/api/risk/jobs", {**body, "origin_on": "2031-01-01"}).get_json()["code"] == "risk_origin"
    )
    assert browse("operator.0").post("/api/risk/jobs", body).status_code == 403


def test_an_inspection_comes_of_the_list(ran: tuple[World, str], browse: Browse, world: World) -> None:
    _, run = ran
    here = browse("analyst.0")
    body = {"run_id": run, "group": "theft", "area_id": world.grid_ids[0][0], "note": "夜间照明"}
    made = ok(here.post("/api/risk/inspections", body))
    (line,) = ok(here.get("/api/risk/inspections"))["items"]
    assert (line["id"], line["note"], line["reason"]["run"]) == (made["id"], "夜间照明", run)
    assert ok(browse("analyst.1").get("/api/risk/inspections"))["items"] == []
    elsewhere = {**body, "area_id": world.grid_ids[1][0]}
    assert here.post("/api/risk/inspections", elsewhere).status_code == 404
    done = ok(browse("operator.0").post(f"/api/risk/inspections/{made['id']}/finish", {"result": "已修复"}))
    assert (done["status"], done["result"]) == ("done", "已修复")


def test_a_file_names_who_made_it_what_for_and_until_when(ran: tuple[World, str], browse: Browse) -> None:
    _, run = ran
    here = browse("analyst.0")
    assert here.get(f"/api/risk/export/{run}/theft.xlsx?days=3").status_code == 422
    book = openpyxl.load_workbook(io.BytesIO(here.get(f"/api/risk/export/{run}/theft.xlsx{MARK}").data))
    words = "\n".join(
        str(cell) for row in book.worksheets[0].iter_rows(values_only=True) for cell in row if cell
    )
    collection = json.loads(here.get(f"/api/risk/export/{run}/theft.geojson{MARK}").data)
    page = here.get(f"/api/risk/export/{run}/theft.html{MARK}").data.decode()
    for told in (words, json.dumps(collection, ensure_ascii=False), page):
        assert "QUARTERLY" in told
        assert "Analyst.0" in told
        assert "2026-07-01" in told
    assert {feature["geometry"]["type"] for feature in collection["features"]} <= {"Polygon", "MultiPolygon"}
    assert here.get(f"/api/risk/export/{run}/theft.pdf{MARK}").data[:5] == b"%PDF-"
    assert Image.open(io.BytesIO(here.get(f"/api/risk/export/{run}/theft.png{MARK}").data)).width == 1600
    assert here.get(f"/api/risk/export/{run}/theft.exe{MARK}").status_code == 404


def test_counts_under_five_do_not_leave_the_centre(
    database: Database, ran: tuple[World, str], browse: Browse
) -> None:
    _, run = ran
    here = browse("analyst.0")
    told = {}
    for group in ("fire", "theft", "all"):
        collection = json.loads(here.get(f"/api/risk/export/{run}/{group}.geojson{MARK}").data)
        told[group] = {row["properties"]["code"]: row["properties"] for row in collection["features"]}
    fires = told["fire"]["990101001001"]
    assert (fires["expected"], fires["recent"], fires["rank"]) == (None, None, None), "three fires"
    # Three fires and 300 thefts make 303: one of the two must go with them, or the three are known.
    shown = [told[group]["990101001001"]["expected"] for group in ("theft", "all")]
    assert None in shown
    raster = Image.open(io.BytesIO(here.get(f"/api/risk/export/{run}/fire.tif{MARK}").data))
    assert (np.asarray(raster) == -9999.0).all()
    with system_transaction(database, FixedClock(ran[0].clock.now())) as tx:
        kept = tx.session.scalar(
            text(
                "select known from risk_area where run_id = :run and class_group = 'fire' and level = 'community'"
            ),
            {"run": run},
        )
    assert kept == 3, "inside the centre the figure stands"


def test_a_geotiff_lies_where_the_run_does(ran: tuple[World, str], browse: Browse) -> None:
    _, run = ran
    image = Image.open(io.BytesIO(browse("analyst.0").get(f"/api/risk/export/{run}/theft.tif{MARK}").data))
    tags = image.tag_v2  # type: ignore[attr-defined]
    assert tags[33550][:2] == (250.0, 250.0)
    lon, lat = LocalMetric("EPSG:4547").inverse(tags[33922][3], tags[33922][4])
    assert (float(lon), float(lat)) == (pytest.approx(113.0, abs=0.005), pytest.approx(28.21, abs=0.005))
    assert tags[34735][-1] == 4547
    values = np.asarray(image)
    seen = values[values > -9999]
    assert seen.max() > 0
