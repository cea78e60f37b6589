"""The whole walk through the endpoints a browser and a phone use: from a report to a verified close."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from gridmap.clock import FixedClock
from tests.web.conftest import Browse, Browser
from tests.world import World


@pytest.fixture
def desk(browse: Browse) -> Browser:
    return browse("operator.0")


@pytest.fixture
def phone(world: World, browse: Browse) -> tuple[Browser, UUID]:
    _, unit_id = world.officer("wang", 0)
    return browse("wang"), unit_id


def ok(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, (answer.status_code, answer.text)
    return answer.get_json()


def report(desk: Browser, world: World, **more: Any) -> dict[str, Any]:
    lon, lat = world.point_in(0)
    body = {
        "channel": "operator",
        "class_key": "S1.01",
        "text": "smoke from a roof",
        "lon": lon,
        "lat": lat,
        "address": "Willow Lane 7",
        **more,
    }
    found: dict[str, Any] = ok(desk.post("/api/reports", body), 201)["incident"]
    return found


def test_from_report_to_verified_close(
    desk: Browser, phone: tuple[Browser, UUID], world: World, browse: Browse, clock: FixedClock
) -> None:
    officer, unit_id = phone
    # Fire needs a crew that can; this unit is on foot with nothing, so the class is one that anybody can take.
    case = report(desk, world, class_key="S1.03", contact={"name": "Li", "phone": "13800000000"})
    here = f"/api/incidents/{case['id']}"
    assert case["status"] == "open"
    assert case["due_kind"] == "dispatch"

    assert ok(desk.post(f"{here}/handle"))["handler"]["name"] == "Operator.0"
    picks = ok(desk.get(f"{here}/recommendation"))
    assert [pick["unit_id"] for pick in picks["items"]] == [str(unit_id)]
    assert picks["method"] == "straight_line"
    way = ok(desk.get(f"{here}/route?unit={unit_id}"))
    assert way["geometry"]["type"] == "LineString"

    job = ok(desk.post(f"{here}/dispatches", {"unit_id": str(unit_id)}), 201)
    assert job["status"] == "offered"
    state = ok(officer.get("/api/patrol/state"))
    (offer,) = state["offers"]
    assert offer["dispatch_id"] == job["id"]
    assert offer["circle"]["radius_m"] == 300
    assert "Willow Lane" not in officer.get("/api/patrol/state").text
    assert officer.get(here).status_code == 404, "before accepting, the case is out of sight"

    ok(officer.post("/api/patrol/seen", {"dispatch_ids": [job["id"]]}))
    assert ok(officer.post(f"/api/dispatches/{job['id']}/accept"))["status"] == "accepted"
    (mine,) = ok(officer.get("/api/patrol/state"))["jobs"]
    assert mine["incident"]["address"] == "Willow Lane 7"
    assert mine["incident"]["text"] == "smoke from a roof"
    assert ok(officer.post(f"/api/dispatches/{job['id']}/depart"))["status"] == "en_route"
    lon, lat = world.point_in(0)
    sent = {"fixes": [{"lon": lon, "lat": lat, "fixed_at": clock.now().isoformat(), "accuracy_m": 8}]}
    assert ok(officer.post("/api/positions", sent)) == {"accepted": 1, "refused": []}
    assert ok(officer.post(f"/api/dispatches/{job['id']}/arrive"))["status"] == "on_scene"

    busy = desk.post(f"{here}/verify", {"outcome": "solved"})
    assert (busy.status_code, busy.get_json()["code"]) == (409, "dispatch_open")
    no_photo = officer.post(f"/api/dispatches/{job['id']}/done", {"code": "solved", "note": "wire tied"})
    assert (no_photo.status_code, no_photo.get_json()["code"]) == (409, "photo_required")
    photo = upload(officer, case["id"])
    done = ok(
        officer.post(
            f"/api/dispatches/{job['id']}/done",
            {"code": "solved", "note": "wire tied", "photo_ids": [photo["id"]]},
        )
    )
    assert done["result"]["photos"] == [photo["id"]]

    seen = ok(desk.get(here))
    assert seen["status"] == "awaiting_verification"
    assert "close" in seen["allowed"]
    picture = desk.get(f"/api/blobs/{photo['id']}")
    assert picture.mimetype == "image/jpeg"
    assert not Image.open(io.BytesIO(picture.data)).getexif()
    contact = ok(desk.post(f"/api/reports/{seen['reports'][0]['id']}/contact", {"reason": seen["number"]}))
    assert contact == {"name": "Li", "phone": "13800000000"}

    closed = ok(desk.post(f"{here}/verify", {"outcome": "solved", "note": "seen on the photo"}))
    assert (closed["status"], closed["outcome"], closed["due_at"]) == ("closed", "solved", None)
    kinds = [event["kind"] for event in closed["timeline"]]
    assert kinds[0] == "reported"
    assert {"handling_taken", "offered", "accepted", "departed", "arrived", "done", "closed"} <= set(kinds)


def upload(officer: Browser, incident_id: str) -> dict[str, Any]:
    exif = Image.Exif()
    exif[0x010F] = "maker"
    out = io.BytesIO()
    Image.new("RGB", (2_400, 1_200), "navy").save(out, "JPEG", exif=exif)
    out.seek(0)
    answer = officer.client.post(
        "/api/blobs",
        data={"incident_id": incident_id, "purpose": "result", "file": (out, "a.jpg")},
        headers=officer.headers,
    )
    found: dict[str, Any] = ok(answer, 201)
    return found


def test_the_same_message_again_makes_nothing_new(desk: Browser, world: World) -> None:
    lon, lat = world.point_in(0)
    message = {
        "channel": "call_12345",
        "class_key": "S1.01",
        "text": "smoke",
        "lon": lon,
        "lat": lat,
        "source": "hotline",
        "source_ref": "A-1",
    }
    first = ok(desk.post("/api/reports", message), 201)
    again = ok(desk.post("/api/reports", message), 200)
    assert again["report_id"] == first["report_id"]
    assert again["incident"]["id"] == first["incident"]["id"]
    assert (first["created"], again["created"]) == (True, False)


def test_two_hands_on_one_case_do_not_overwrite_each_other(desk: Browser, world: World) -> None:
    case = report(desk, world)
    here = f"/api/incidents/{case['id']}"
    ok(desk.post(f"{here}/note", {"text": "called back"}))
    stale = desk.post(f"{here}/void", {"reason": "a test", "version": case["version"]})
    assert (stale.status_code, stale.get_json()["code"]) == (409, "version_conflict")


def test_filters_and_pages_of_the_queue(desk: Browser, world: World) -> None:
    made = [report(desk, world, text=f"number {number}")["id"] for number in range(5)]
    page = ok(desk.get("/api/incidents?status=open&limit=3"))
    assert (len(page["items"]), page["total"]) == (3, 5)
    rest = ok(desk.get(f"/api/incidents?status=open&limit=3&cursor={page['next']}"))
    assert [row["id"] for row in page["items"] + rest["items"]] == made
    assert rest["next"] is None
    assert ok(desk.get(f"/api/incidents?area={world.county_ids[1]}"))["total"] == 0
    assert ok(desk.get(f"/api/incidents?area={world.county_ids[0]}&class=S1&severity=1,2"))["total"] == 5
    assert ok(desk.get("/api/incidents?q=number%203"))["total"] == 1
    lon, lat = world.point_in(0)
    near = ok(desk.get(f"/api/incidents/nearby?lon={lon}&lat={lat}"))["items"]
    assert len(near) == 5
    assert near[0]["distance_m"] == 0


def test_the_phone_goes_on_and_off_duty(phone: tuple[Browser, UUID], clock: FixedClock, world: World) -> None:
    officer, _ = phone
    assert ok(officer.post("/api/patrol/duty", {"action": "break"}))["duty"]["on_break"]
    assert not ok(officer.post("/api/patrol/duty", {"action": "resume"}))["duty"]["on_break"]
    assert not ok(officer.post("/api/patrol/duty", {"action": "stop"}))["duty"]["on"]
    again = officer.post("/api/patrol/duty", {"action": "stop"})
    assert (again.status_code, again.get_json()["code"]) == (409, "not_on_duty")
    lon, lat = world.point_in(0)
    clock.at = clock.at.replace(hour=5)
    sent = {"fixes": [{"lon": lon, "lat": lat, "fixed_at": clock.now().isoformat()}]}
    assert ok(officer.post("/api/positions", sent)) == {
        "accepted": 0,
        "refused": [{"index": 0, "code": "off_duty"}],
    }
