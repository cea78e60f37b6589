"""What operator, shift lead and phone say to each other over the HTTP endpoints of the watch."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from gridmap.clock import FixedClock
from gridmap.db.tables import Audit, DispatchLeg, Task
from gridmap.services.dispatching import watching
from gridmap.services.transaction import system_transaction
from tests.web.conftest import Browse, Browser
from tests.web.test_walk import ok, report
from tests.world import World


@pytest.fixture
def desk(browse: Browse) -> Browser:
    return browse("operator.0")


@pytest.fixture
def phone(world: World, browse: Browse) -> tuple[Browser, UUID]:
    _, unit_id = world.officer("wang", 0, grid=1)
    return browse("wang"), unit_id


def offer(desk: Browser, case: dict[str, Any], unit_id: UUID) -> str:
    found: str = ok(desk.post(f"/api/incidents/{case['id']}/dispatches", {"unit_id": str(unit_id)}), 201)[
        "id"
    ]
    return found


def test_by_radio_diverted_and_brought_home(desk: Browser, phone: tuple[Browser, UUID], world: World) -> None:
    officer, unit_id = phone
    here, there = report(desk, world, class_key="S5.02"), report(desk, world, class_key="S5.01")
    first = offer(desk, here, unit_id)
    for step in ("accept", "depart"):
        line = ok(desk.post(f"/api/dispatches/{first}/radio", {"step": step}))
    assert line["radio_steps"] == ["accept", "depart"]
    body = {"to_incident_id": there["id"], "reason": "更急", "assign": True}
    second = ok(desk.post(f"/api/dispatches/{first}/divert", body), 201)
    assert (second["status"], second["incident_id"]) == ("accepted", there["id"])
    assert second["seconds_est"] > 0
    assert (
        ok(desk.post(f"/api/dispatches/{second['id']}/recall", {"reason": "取消"}))["end_reason"]
        == "recalled"
    )
    third = offer(desk, here, unit_id)
    for step in ("accept", "arrive"):
        ok(desk.post(f"/api/dispatches/{third}/radio", {"step": step}))
    ok(officer.post(f"/api/dispatches/{third}/need-help", {"note": "人多"}))
    ok(officer.post(f"/api/dispatches/{third}/cannot-enter", {"reason": "locked"}))
    assert officer.post(f"/api/dispatches/{third}/radio", {"step": "done"}).status_code == 403
    assert ok(desk.post(f"/api/dispatches/{third}/release", {"reason": "已移交"}))["end_reason"] == "released"
    alarms = {alarm["kind"] for alarm in ok(desk.get("/api/alarms"))["items"]}
    assert alarms >= {"need_help", "entry_blocked"}


def test_the_button_the_question_and_the_seat(
    desk: Browser, phone: tuple[Browser, UUID], world: World, clock: FixedClock
) -> None:
    officer, unit_id = phone
    lon, lat = world.point_in(0)
    assert (
        ok(officer.post("/api/patrol/sos", {"lon": lon, "lat": lat, "accuracy_m": 9.0}), 201)[
            "acknowledged_at"
        ]
        is None
    )
    assert ok(officer.post("/api/patrol/sos/false-alarm", {"note": "误触"}))["false_alarm_at"] is not None
    (alarm,) = [row for row in ok(desk.get("/api/alarms"))["items"] if row["kind"] == "sos"]
    assert (alarm["severity"], alarm["unit_id"], alarm["params"]["lon"]) == (1, str(unit_id), lon)
    ok(desk.post(f"/api/alarms/{alarm['id']}/acknowledge"))
    assert ok(officer.get("/api/patrol/state"))["sos"]["acknowledged_by"] == "Operator.0"

    dispatch_id = offer(desk, report(desk, world, class_key="S5.02", severity=1), unit_id)
    for step in ("accept", "depart"):
        ok(officer.post(f"/api/dispatches/{dispatch_id}/{step}"))
    clock.at += timedelta(minutes=3)
    with system_transaction(world.database, clock) as tx:
        assert watching.look_after(tx) == 1
    question = ok(officer.get("/api/patrol/state"))["question"]
    assert (question["kind"], question["dispatch_id"]) == ("silent", dispatch_id)
    ok(officer.post("/api/patrol/answer", {"question_id": question["id"], "answer": "ok"}))
    assert ok(officer.get("/api/patrol/state"))["question"] is None


def test_rosters_and_the_phone(
    browse: Browse, phone: tuple[Browser, UUID], world: World, clock: FixedClock
) -> None:
    officer, unit_id = phone
    _, other_id = world.officer("zhao", 0)
    lead, other = browse("shift_lead.0"), browse("zhao")
    span = {
        "unit_id": str(unit_id),
        "starts_at": (clock.at + timedelta(hours=2)).isoformat(),
        "ends_at": (clock.at + timedelta(hours=10)).isoformat(),
        "vehicle": "湘A·0001",
    }
    entry = ok(lead.post("/api/rosters", span), 201)["entry"]
    assert browse("operator.0").post("/api/rosters", span).status_code == 403
    ok(lead.post(f"/api/rosters/{entry['id']}/crew", {"vehicle": "湘A·0002"}))
    ok(officer.post("/api/patrol/duty", {"action": "stop"}))
    refused = officer.post("/api/patrol/duty", {"action": "start"})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "outside_roster")
    duty = ok(officer.post("/api/patrol/duty", {"action": "start", "reason": "支援"}))["duty"]
    assert (duty["outside_reason"], duty["next_roster"]["vehicle"]) == ("支援", "湘A·0002")
    colleagues = {row["unit_id"] for row in ok(officer.get("/api/rosters/colleagues"))["items"]}
    assert colleagues == {str(unit_id), str(other_id)}
    swap = ok(officer.post(f"/api/rosters/{entry['id']}/swap", {"to_unit_id": str(other_id)}), 201)
    assert ok(other.get("/api/rosters/swaps"))["items"][0]["to_call_sign"] == "ZHAO"
    ok(other.post(f"/api/rosters/swaps/{swap['id']}/answer", {"accept": True}))
    assert (
        ok(lead.post(f"/api/rosters/swaps/{swap['id']}/decide", {"confirm": True}))["status"] == "confirmed"
    )
    spans = {
        row["unit_id"]: row["kind"]
        for row in ok(other.get("/api/rosters"))["items"]
        if row["status"] == "planned"
    }
    assert spans == {str(other_id): "swap"}


def test_handover_majors_and_routes(desk: Browser, browse: Browse, world: World, clock: FixedClock) -> None:
    lead = browse("shift_lead.0")
    cases = [report(desk, world, class_key="S1.07") for _ in range(2)]
    major = ok(
        desk.post("/api/majors", {"name": "内涝", "incident_ids": [case["id"] for case in cases]}), 201
    )
    queue = ok(desk.get("/api/incidents?status=open"))["items"]
    assert {row["major"]["name"] for row in queue} == {"内涝"}
    assert len(ok(desk.get(f"/api/majors/{major['id']}"))["incidents"]) == 2
    assert desk.post(f"/api/majors/{major['id']}/close").status_code == 409

    assert len(ok(desk.get("/api/shifts/open"))["items"]) == 2
    handover = ok(desk.post("/api/shifts/handover/start", {"note": "三号路"}), 201)
    assert desk.post(f"/api/shifts/handover/{handover['id']}/sign").get_json()["code"] == "handover_own"
    signed = ok(lead.post(f"/api/shifts/handover/{handover['id']}/sign"))
    assert {item["owner_id"] for item in signed["items"]} == {lead.me["account"]["id"]}
    assert ok(lead.get("/api/shifts/handovers"))["items"][0]["signed_name"] == "Shift_Lead.0"

    lon, lat = world.point_in(0)
    line = {"type": "LineString", "coordinates": [[lon, lat], [lon + 0.004, lat]]}
    route = ok(
        lead.post("/api/patrol-routes", {"name": "一号线", "geometry": line, "window": "08:00-20:00"}), 201
    )
    assert route["days"][0]["share"] == 0.0
    legs = ok(desk.get(f"/api/patrol-routes/{route['id']}/legs"))["features"]
    assert [leg["properties"]["covered"] for leg in legs] == [False] * 4


@pytest.mark.parametrize("language", ["zh", "en"])
def test_replay_and_the_report_after(
    desk: Browser, phone: tuple[Browser, UUID], world: World, clock: FixedClock, language: str
) -> None:
    officer, unit_id = phone
    case = report(desk, world, class_key="S5.02", drill=True, text="<script>alert(1)</script>")
    here = f"/api/incidents/{case['id']}"
    dispatch_id = offer(desk, case, unit_id)
    for step in ("accept", "depart"):
        ok(officer.post(f"/api/dispatches/{dispatch_id}/{step}"))
    lon, lat = world.point_in(0)
    with system_transaction(world.database, clock) as tx:
        name = {"zh": "疏散群众", "en": "Clear the area"}
        tx.session.add(
            Task(
                kind="plan_step",
                subject_kind="incident",
                subject_id=UUID(case["id"]),
                scope_path=world.county_paths[0],
                created_at=clock.at,
                due_at=clock.at,
                params={"name": name},
            )
        )
        for n in range(6):
            clock.at += timedelta(seconds=10)
            geom = f"SRID=4326;POINT({lon + (5 - n) * 0.001} {lat})"
            tx.session.add(
                DispatchLeg(dispatch_id=UUID(dispatch_id), fixed_at=clock.at, geom=geom, accuracy_m=6.0)
            )
    ok(officer.post(f"/api/dispatches/{dispatch_id}/arrive"))
    ok(officer.post(f"/api/dispatches/{dispatch_id}/done", {"code": "solved", "note": "劝离"}))

    assert desk.get(f"{here}/replay").status_code == 422
    assert officer.get(f"{here}/replay?reason=x").status_code == 403
    played = ok(desk.get(f"{here}/replay?reason=复盘"))
    assert len(played["legs"][0]["points"]) == 6
    assert played["since"] <= played["legs"][0]["points"][0]["at"] <= played["until"]
    page = desk.get(f"{here}/after-action?reason=复盘&lang={language}")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert not re.search(r"(?i)https?://|<script|<link|<img|@import|url\(", page.text), (
        "it asks nobody for anything"
    )
    assert ("演练" if language == "zh" else "DRILL") in page.text
    assert page.text.count('<path class="way"') == 1
    assert "WANG" in page.text
    assert name[language] in page.text
    with system_transaction(world.database, clock) as tx:
        looks = tx.session.scalars(select(Audit).where(Audit.verb == "trail.view")).all()
        assert [(row.reason, row.params["units"]) for row in looks] == [("复盘", ["WANG"])] * 2
