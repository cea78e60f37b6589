"""Role x verb as the design tells it, held against the file and against every route, asked over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from apiflask import APIFlask

from gridmap.domain.vocab import vocabulary
from tests.web.conftest import Browse, Browser
from tests.web.test_guards import addresses
from tests.world import World
from web.guards import guard_of

# Written by hand from the design, not read from roles.toml: a change there is a decision that is taken here too.
READS_GROUND = {"area.read"}
CENTRE = {
    *READS_GROUND, "camera.read", "unit.read", "case.read", "case.report", "case.handle", "case.dispatch",
    "case.verify", "case.export", "contact.read", "alarm.acknowledge", "closure.edit", "fence.read", "fence.edit",
    "risk.read",
}  # fmt: skip
MAY: dict[str, set[str]] = {
    "operator": CENTRE,
    # Past the gates, plans and agreements, rosters, restricted cases: with the shift lead's name on it.
    "shift_lead": CENTRE
    | {"case.read_restricted", "case.reopen", "case.override", "roster.edit", "route.edit", "import.run"}
    | {"response.edit", "agreement.edit", "risk.run", "risk.export"},
    # What is shared with them by an offer, and what they report; no list of cases, units or cameras.
    "patrol": {*READS_GROUND, "case.report", "job.work"},
    "grid_worker": {*READS_GROUND, "case.report", "job.work"},
    # Borders and routes. Fences and closures act on officers within seconds: they are the centre's.
    "planner": {*READS_GROUND, "camera.read", "plan.edit", "route.edit", "import.run", "fence.read"},
    "approver": {*READS_GROUND, "plan.approve"},
    "analyst": {
        *READS_GROUND,
        "camera.read",
        "case.read",
        "case.export",
        "fence.read",
        "risk.read",
        "risk.run",
        "risk.export",
    },
    "department": {*READS_GROUND, "task.work"},
    "camera_maintainer": {*READS_GROUND, "camera.read", "camera.maintain"},
    "wall": {*READS_GROUND, "camera.read", "unit.read", "case.wall"},
    # People, grants, tokens: no case content.
    "administrator": {
        *READS_GROUND,
        "account.manage",
        "grant.manage",
        "token.manage",
        "audit.read",
        "import.run",
    },
    "auditor": {*READS_GROUND, "audit.read"},
    "intake": {"case.report"},
    "position_gateway": {"position.gateway"},
}
PEOPLE = [role for role in MAY if role not in ("intake", "position_gateway")]


def test_the_file_says_what_the_design_says() -> None:
    assert {role.key: set(role.verbs) for role in vocabulary().roles.values()} == MAY
    assert {role.key for role in vocabulary().roles.values() if role.machine} == {
        "intake",
        "position_gateway",
    }


def test_who_submits_never_approves_by_role() -> None:
    assert [role for role, verbs in MAY.items() if {"plan.edit", "plan.approve"} <= verbs] == []
    assert [
        role
        for role, verbs in MAY.items()
        if "grant.manage" in verbs and verbs & {"case.read", "contact.read"}
    ] == []


@pytest.fixture
def seats(browse: Browse, world: World) -> dict[str, Browser]:
    """One of each role, all of county 0."""
    for role in PEOPLE:
        world.account(f"one.{role}", role, 0)
    return {role: browse(f"one.{role}") for role in PEOPLE}


def test_every_door_opens_to_the_roles_of_the_design_and_to_no_other(
    app: APIFlask, seats: dict[str, Browser]
) -> None:
    urls = app.url_map.bind("")
    asked = 0
    for method, address in addresses(app):
        endpoint, _ = urls.match(address, method)
        guard = guard_of(app, endpoint)
        if guard is None or not guard.verbs:
            continue
        for role, seat in seats.items():
            answer = seat.client.open(
                address, method=method, json={} if method != "GET" else None, headers=seat.headers
            )
            open_to = bool(MAY[role] & set(guard.verbs))
            body: dict[str, Any] = answer.get_json(silent=True) or {}
            closed = answer.status_code == 403 and body.get("code") == "forbidden"
            assert closed != open_to, (role, method, address, answer.status_code, body)
            asked += 1
    assert asked > 1000


def test_a_case_is_read_by_who_works_on_cases_and_by_nobody_else(
    seats: dict[str, Browser], world: World
) -> None:
    lon, lat = world.point_in(0)
    report = {"class_key": "S5.02", "text": "深夜施工", "lon": lon, "lat": lat, "channel": "operator"}
    made = seats["operator"].post("/api/reports", report)
    assert made.status_code == 201, made.text
    case = made.get_json()["incident"]["id"]
    readers = {role for role, seat in seats.items() if seat.get(f"/api/incidents/{case}").status_code == 200}
    assert readers == {"operator", "shift_lead", "analyst"}
    listed = {
        role
        for role, seat in seats.items()
        if (answer := seat.get("/api/incidents")).status_code == 200 and answer.get_json()["items"]
    }
    assert listed == readers
