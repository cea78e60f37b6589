"""Risk over HTTP: a desk sees its own county's runs, files tell no more than they may, and say who made them."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import openpyxl
import pypdf
import pytest
from PIL import Image
from sqlalchemy import text

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.domain.ids import new_id
from gridmap.domain.metric import LocalMetric
from gridmap.domain.risk_rules import risk_rules
from gridmap.services.risk import jobs
from gridmap.services.risk.store import Author
from gridmap.services.transaction import system_transaction
from tests.db.test_early_warning import happen, turn
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


def narrowed(world: World, login: str, role: str, area_id: int) -> None:
    """An account whose one grant is a smaller area than a county."""
    actor = world.account(login, role, None)
    with system_transaction(world.database, world.clock) as tx:
        tx.session.execute(
            text("update access_grant set area_id = :area where account_id = :account"),
            {"area": area_id, "account": actor.account_id},
        )


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


def test_who_asked_for_an_inspection_takes_it_back(
    ran: tuple[World, str], browse: Browse, world: World
) -> None:
    _, run = ran
    here = browse("analyst.0")
    body = {"run_id": run, "group": "theft", "area_id": world.grid_ids[0][0], "note": "夜间照明"}
    made = ok(here.post("/api/risk/inspections", body))["id"]
    assert ok(here.get("/api/risk/inspections"))["items"][0]["mine"]
    world.account("analyst.other", "analyst", 0)
    other = browse("analyst.other")
    assert not ok(other.get("/api/risk/inspections"))["items"][0]["mine"]
    assert other.post(f"/api/risk/inspections/{made}/cancel", {"reason": "x"}).status_code == 404
    assert here.post(f"/api/risk/inspections/{made}/finish", {"result": "x"}).status_code == 403
    done = ok(here.post(f"/api/risk/inspections/{made}/cancel", {"reason": "误派"}))
    assert (done["status"], done["result"]) == ("cancelled", "误派")
    assert here.post(f"/api/risk/inspections/{made}/cancel", {"reason": "x"}).status_code == 409
    assert ok(here.get("/api/risk/inspections"))["items"] == []
    assert [row["id"] for row in ok(here.get("/api/risk/inspections?all=1"))["items"]] == [made]


def test_a_grant_within_the_county_is_told_its_part_and_no_more(
    ran: tuple[World, str], browse: Browse, world: World
) -> None:
    _, run = ran
    grid = world.grid_ids[0][0]
    narrowed(world, "analyst.grid", "analyst", grid)
    narrowed(world, "analyst.next", "analyst", world.grid_ids[1][0])
    whole, part = browse("analyst.0"), browse("analyst.grid")
    (told,) = [
        row
        for row in ok(whole.get(f"/api/risk/runs/{run}/theft/areas?level=grid"))["items"]
        if row["area_id"] == grid
    ]
    (line,) = ok(part.get("/api/risk/runs"))["items"]
    assert (line["id"], line["is_part"], line["area_code"]) == (run, True, "990101")
    assert (line["snapshot"], line["author"], set(line["params"])) == ({}, "", {"levels", "exposure"})
    surface = ok(part.get(f"/api/risk/runs/{run}/theft"))
    assert (surface["expected"], surface["low"], surface["high"]) == (
        told["expected"],
        told["low"],
        told["high"],
    )
    kept = ("bounds", "legend", "model", "scores", "hotspots", "came_scores")
    assert [surface[name] for name in kept] == [None] * len(kept)
    assert (surface["figures"], surface["warnings"]) == ({}, [])
    assert ok(part.get(f"/api/risk/runs/{run}/theft/areas?level=grid"))["items"] == [told]
    assert ok(part.get(f"/api/risk/runs/{run}/theft/areas?level=community"))["items"] == []
    outlines = ok(part.get(f"/api/risk/runs/{run}/theft/outlines?level=grid"))["features"]
    assert [row["id"] for row in outlines] == [grid]
    assert part.get(f"/api/risk/surface/{run}/theft/forecast.png").status_code == 404
    assert part.get(f"/api/risk/export/{run}/theft.xlsx{MARK}").status_code == 404
    assert ok(part.get(f"/api/risk/runs/{run}/street"))["refused"]["code"] == "risk_part_empty"
    body = {"run_id": run, "group": "theft", "note": "x"}
    assert part.post("/api/risk/inspections", {**body, "area_id": grid}).status_code == 200
    assert part.post("/api/risk/inspections", {**body, "area_id": world.grid_ids[0][1]}).status_code == 404
    elsewhere = browse("analyst.next")
    assert ok(elsewhere.get("/api/risk/runs"))["items"] == []
    assert elsewhere.get(f"/api/risk/runs/{run}/theft").status_code == 404
    assert elsewhere.get(f"/api/risk/runs/{run}/theft/areas?level=grid").status_code == 404
    assert ok(whole.get("/api/risk/runs"))["items"][0]["is_part"] is False


def test_several_areas_of_a_part_have_a_sum_and_no_interval(
    ran: tuple[World, str], browse: Browse, world: World
) -> None:
    _, run = ran
    narrowed(world, "analyst.two", "analyst", world.grid_ids[0][0])
    with system_transaction(world.database, world.clock) as tx:
        tx.session.execute(
            text(
                "insert into access_grant (id, account_id, role, area_id, valid_from)"
                " select :id, account_id, role, :area, valid_from from access_grant where area_id = :first"
            ),
            {"id": new_id(), "area": world.grid_ids[0][1], "first": world.grid_ids[0][0]},
        )
    part = browse("analyst.two")
    rows = ok(part.get(f"/api/risk/runs/{run}/theft/areas?level=grid"))["items"]
    surface = ok(part.get(f"/api/risk/runs/{run}/theft"))
    assert len(rows) == 2
    assert surface["expected"] == pytest.approx(sum(row["expected"] for row in rows))
    assert (surface["low"], surface["high"]) == (None, None)


def test_what_rang_is_listed_with_its_record_and_what_became_of_it(browse: Browse, world: World) -> None:
    happen(world, "S1.01", [0.1, 0.2, 0.3])
    turn(world)
    lead = browse("shift_lead.0")
    (line,) = ok(lead.get("/api/risk/warnings/alarms"))["items"]
    assert (line["status"], line["params"]["count"], line["task_id"]) == ("raised", 3, None)
    assert {"record_days", "record_alarms", "false_share"} <= set(line["params"])
    assert [area["level"] for area in line["areas"]] == ["community", "township", "county"]
    assert line["areas"][-1]["id"] == world.county_ids[0]
    assert ok(browse("shift_lead.1").get("/api/risk/warnings/alarms"))["items"] == []
    made = ok(lead.post(f"/api/risk/warnings/alarms/{line['id']}/task", {"note": "看充电点"}))
    (line,) = ok(lead.get("/api/risk/warnings/alarms"))["items"]
    assert (line["status"], line["acknowledged_by"]) == ("acknowledged", "Shift_Lead.0")
    assert (line["task_id"], line["task_status"]) == (made["id"], "open")


def test_a_silence_is_listed_where_it_holds_and_ended_where_it_was_set(browse: Browse, world: World) -> None:
    lead = browse("shift_lead.0")
    narrowed(world, "lead.grid", "shift_lead", world.grid_ids[0][0])
    under = browse("lead.grid")
    body = {"area_id": world.county_ids[0], "hours": 12, "reason": "灯会"}
    until = ok(lead.post("/api/risk/warnings/fires_together/mute", body))["until"]
    (line,) = ok(lead.get("/api/risk/mutes"))["items"]
    assert (line["reason"], line["muted_by"], line["can_end"]) == ("灯会", "Shift_Lead.0", True)
    assert line["until"] == until
    assert ok(browse("shift_lead.1").get("/api/risk/mutes"))["items"] == []
    assert ok(under.get("/api/risk/mutes"))["items"] == [{**line, "can_end": False}]
    assert under.post(f"/api/risk/mutes/{line['id']}/end").status_code == 403
    assert browse("analyst.0").post(f"/api/risk/mutes/{line['id']}/end").status_code == 403
    happen(world, "S1.01", [0.1, 0.2, 0.3])
    turn(world)
    assert ok(lead.get("/api/risk/warnings/alarms"))["items"] == []
    assert ok(lead.post(f"/api/risk/mutes/{line['id']}/end"))["items"] == []
    assert lead.post(f"/api/risk/mutes/{line['id']}/end").status_code == 409
    turn(world)
    assert len(ok(lead.get("/api/risk/warnings/alarms"))["items"]) == 1


def test_a_file_names_who_made_it_what_for_and_until_when(ran: tuple[World, str], browse: Browse) -> None:
    _, run = ran
    here = browse("analyst.0")
    assert here.get(f"/api/risk/export/{run}/theft.xlsx?days=3").status_code == 422
    book = openpyxl.load_workbook(io.BytesIO(here.get(f"/api/risk/export/{run}/theft.xlsx{MARK}").data))
    words = "\n".join(
        str(cell) for row in book.worksheets[0].iter_rows(values_only=True) for cell in row if cell
    )
    assert "'" not in words.split("\n"), "what is empty stays empty"
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


def test_a_pdf_brings_its_own_type(ran: tuple[World, str], browse: Browse) -> None:
    _, run = ran
    here = browse("analyst.0")
    for lang in ("zh", "en", "zh"):
        _reads(here.get(f"/api/risk/export/{run}/theft.pdf{MARK.replace('zh', lang)}").data, lang)


def _reads(document: bytes, lang: str) -> None:
    """The words of a PDF can be taken out again, and every font of every page lies in it."""
    pages = pypdf.PdfReader(io.BytesIO(document)).pages
    words = "".join(page.extract_text() for page in pages)
    for told in (
        "QUARTERLY",
        "未来四周" if lang == "zh" else "Next four weeks",
        "建议巡逻" if lang == "zh" else "Proposed",
    ):
        assert told in words
    fonts: list[Any] = []
    for page in pages:
        page.extract_text(
            visitor_text=lambda told, _cm, _tm, font, _size: told.strip() and fonts.append(font)
        )
    assert fonts
    for font in fonts:
        assert "/FontFile2" in font["/FontDescriptor"], font["/BaseFont"]


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
