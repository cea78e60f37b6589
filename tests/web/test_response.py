"""Plans, call-outs, steps and hand-overs through the addresses a console and two phones use."""

from __future__ import annotations

from typing import Any

import pytest

from gridmap.clock import FixedClock
from gridmap.services import plans
from gridmap.services.dispatching.filling import fill_due
from gridmap.services.dispatching.handlers import OFFER_TIMERS
from gridmap.services.timers import fire_due
from gridmap.services.transaction import system_transaction
from tests.callouts import NO_ROADS
from tests.web.conftest import Browse, Browser
from tests.web.test_walk import ok, report
from tests.world import World


@pytest.fixture
def desk(browse: Browse) -> Browser:
    return browse("operator.0")


def work(world: World) -> None:
    for _ in range(10):
        done = fire_due(world.database, world.clock, OFFER_TIMERS)
        if done + fill_due(world.database, world.clock, NO_ROADS) == 0:
            return


def offers_of(phone: Browser) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(phone.get("/api/patrol/state"))["offers"]
    return found


def test_a_broadcast_to_two_phones_has_one_winner_who_is_named(
    desk: Browser, world: World, browse: Browse
) -> None:
    world.officer("wang", 0)
    world.officer("zhao", 0, grid=1)
    wang, zhao = browse("wang"), browse("zhao")
    case = report(desk, world, class_key="S5.02")
    here = f"/api/incidents/{case['id']}"
    body = {"mode": "broadcast", "need": [{"count": 1}], "fence": {"kind": "buffer_m", "value": 3000}}
    opened = ok(desk.post(f"{here}/callouts", body), 201)
    assert (opened["status"], opened["places_left"]) == ("open", 1)
    work(world)
    (first,), (second,) = offers_of(wang), offers_of(zhao)
    assert first["callout"]["places_left"] == 1
    assert "Willow" not in str(first)
    assert ok(wang.post(f"/api/dispatches/{first['dispatch_id']}/accept"))["callout_id"] == opened["id"]
    lost = zhao.post(f"/api/dispatches/{second['dispatch_id']}/accept")
    assert lost.status_code == 409
    assert lost.get_json()["code"] == "need_met"
    assert lost.get_json()["params"]["taken"][0]["call_sign"] == "WANG"
    work(world)
    assert offers_of(zhao) == []
    shown = ok(desk.get(here))
    assert shown["callouts"][0]["status"] == "met"
    assert {job["end_reason"] for job in shown["dispatches"]} == {None, "need_met"}
    assert ok(desk.get(f"{here}/callouts"))["items"] == shown["callouts"]
    assert zhao.get(here).status_code == 404


def test_a_plan_from_preview_to_end_and_a_hand_over(
    desk: Browser, world: World, browse: Browse, clock: FixedClock
) -> None:
    with system_transaction(world.database, clock) as tx:
        plans.load_shipped(tx)
    world.officer("wang", 0)
    case = report(desk, world, class_key="S1.03")
    here = f"/api/incidents/{case['id']}"
    assert {row["key"] for row in ok(desk.get("/api/plans"))["items"]} >= {"fire", "hazard"}
    preview = ok(desk.get(f"{here}/plan"))
    assert preview["match"]["key"] == "hazard"
    assert [one["call_sign"] for one in preview["who"]] == ["WANG"]
    started = ok(desk.post(f"{here}/plan/start"), 201)
    assert [run["plan_key"] for run in started["plan"]] == ["hazard"]
    assert desk.post(f"{here}/plan/start").get_json()["code"] == "plan_already_started"
    (step,) = started["tasks"]
    work(world)
    shown = ok(desk.get(here))
    (asked,) = shown["dispatches"]
    assert asked["status"] == "offered"
    wang = browse("wang")
    assert wang.post(f"/api/tasks/{step['id']}/finish").status_code == 404, "before accepting, out of sight"
    ok(wang.post(f"/api/dispatches/{asked['id']}/accept"))
    assert ok(wang.post(f"/api/tasks/{step['id']}/finish", {"note": "已设置"}))["status"] == "done"
    (callout,) = shown["callouts"]
    assert browse("operator.1").post(f"/api/callouts/{callout['id']}/stop", {"reason": "x"}).status_code in (
        403,
        404,
    )
    more = {"need": [{"count": 2}], "reason": "人手不够"}
    assert ok(desk.post(f"/api/callouts/{callout['id']}/need", more))["places"] == 2
    handed = ok(desk.post(f"{here}/hand-overs", {"agency": "119"}), 201)
    taken = ok(desk.post(f"/api/hand-overs/{handed['id']}/acknowledge", {"their_number": "F-77"}))
    assert (taken["status"], taken["their_number"]) == ("acknowledged", "F-77")
    ended = ok(desk.post(f"{here}/plan/end", {"plan_key": "hazard", "reason": "已移交 119"}))
    assert ended["callouts"][0]["status"] == "stopped"
    assert ok(desk.get(here))["hand_overs"][0]["their_number"] == "F-77"
    ok(desk.post(f"/api/dispatches/{asked['id']}/cancel", {"reason": "已移交 119"}))
    work(world)
    assert [row["status"] for row in ok(desk.get(here))["callouts"]] == ["stopped"], (
        "an ended plan asks nobody"
    )
    closed = ok(desk.post(f"{here}/verify", {"outcome": "handed_over", "note": "119 已接收"}))
    assert closed["outcome"] == "handed_over"


def test_bad_bodies_are_refused_by_name(desk: Browser, world: World, browse: Browse) -> None:
    case = report(desk, world, class_key="S5.02")
    here = f"/api/incidents/{case['id']}/callouts"
    for body, code in (
        ({"mode": "broadcast"}, "broadcast_needs_fence"),
        ({"mode": "named"}, "callout_units"),
        ({"mode": "next_in_line", "need": [{"capability": "x"}]}, "capability_unknown"),
        ({"mode": "next_in_line", "fence": {"kind": "minutes", "value": 500}}, "fence_value_out_of_range"),
    ):
        assert desk.post(here, body).get_json()["code"] == code
    assert browse("analyst.0").post(here, {"mode": "named"}).status_code == 403
    lead = browse("shift_lead.0")
    areas = {"lender_area_id": world.county_ids[1], "borrower_area_id": world.county_ids[0]}
    made = ok(lead.post("/api/agreements", areas), 201)
    assert made["lender_area_name"]
    assert made["lender_area_name"] != made["borrower_area_name"]
    assert [row["id"] for row in ok(desk.get("/api/agreements"))["items"]] == [made["id"]]
    assert ok(lead.post(f"/api/agreements/{made['id']}/end"))["valid_to"] is not None
    assert desk.post("/api/agreements", areas).status_code == 403


def test_a_call_out_is_looked_at_before_anybody_is_asked(desk: Browser, world: World, browse: Browse) -> None:
    world.officer("wang", 0)
    world.officer("zhao", 0, grid=1)
    case = report(desk, world, class_key="S5.02")
    here = f"/api/incidents/{case['id']}/callouts"
    body = {"mode": "next_in_line", "need": [{"unit_kind": "grid_worker", "count": 1}]}
    found = ok(desk.post(f"{here}/preview", body))
    assert found["wanted"] == 1
    assert len(found["who"]) == 1
    everybody = body | {"mode": "broadcast", "fence": {"kind": "buffer_m", "value": 3000}}
    shown = ok(desk.post(f"{here}/preview", everybody))
    assert {one["call_sign"] for one in shown["who"]} == {"WANG", "ZHAO"}
    assert ok(desk.get(here))["items"] == []
    assert offers_of(browse("wang")) == []
    assert desk.post(f"{here}/preview", body | {"mode": "broadcast"}).status_code == 422


def test_a_plan_is_checked_without_a_trace_and_keeps_its_versions(
    world: World, browse: Browse, desk: Browser, clock: FixedClock
) -> None:
    with system_transaction(world.database, clock) as tx:
        plans.load_shipped(tx)
    lead = browse("shift_lead.0")
    (shipped,) = ok(lead.get("/api/plans/fire/versions"))["items"]
    assert (shipped["version"], shipped["source"]) == (1, "shipped")
    changed = shipped["body"] | {"severities": [1]}
    seen = ok(lead.post("/api/plans/fire/check", {"plan": changed}))
    assert (seen["version"], seen["severities"]) == (0, [1])
    broken = lead.post("/api/plans/fire/check", {"plan": changed | {"level": []}})
    assert broken.get_json()["code"] == "plan_broken"
    assert len(ok(lead.get("/api/plans/fire/versions"))["items"]) == 1
    assert ok(lead.post("/api/plans/fire", {"plan": changed}))["version"] == 2
    assert [row["version"] for row in ok(lead.get("/api/plans/fire/versions"))["items"]] == [2, 1]
    assert desk.get("/api/plans/fire/versions").status_code == 403
    assert lead.get("/api/plans/nothing/versions").status_code == 404
