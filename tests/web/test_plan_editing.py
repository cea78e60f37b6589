"""A plan as the editor writes it: every fault at its field, tried on a case, published, retired, brought back."""

from __future__ import annotations

from typing import Any

import pytest

from gridmap.clock import FixedClock
from gridmap.services import plans
from gridmap.services.transaction import system_transaction
from tests.unit.test_plan_check import PLAN
from tests.web.conftest import Browse, Browser
from tests.web.test_walk import ok, report
from tests.world import World


@pytest.fixture
def lead(browse: Browse) -> Browser:
    return browse("shift_lead.0")


@pytest.fixture
def desk(browse: Browse) -> Browser:
    return browse("operator.0")


def test_a_new_plan_is_published_once_and_never_over_another(lead: Browser) -> None:
    broken = lead.post("/api/plans/new/check", {"plan": PLAN | {"key": "", "classes": []}})
    assert broken.status_code == 422
    faults = broken.get_json()["params"]["faults"]
    assert [(row["field"], row["code"]) for row in faults] == [("key", "key_form"), ("classes", "none_given")]
    assert ok(lead.post("/api/plans/noise", {"plan": PLAN, "based_on": 0}))["version"] == 1
    again = lead.post("/api/plans/noise", {"plan": PLAN | {"auto": []}, "based_on": 0})
    assert (again.status_code, again.get_json()["code"]) == (409, "plan_changed_meanwhile")
    assert ok(lead.post("/api/plans/noise", {"plan": PLAN | {"auto": []}, "based_on": 1}))["version"] == 2
    other = lead.post("/api/plans/quiet/check", {"plan": PLAN})
    assert other.get_json()["params"]["faults"][0]["code"] == "key_other"


def test_a_retired_plan_fits_nothing_and_its_versions_stay(
    lead: Browser, desk: Browser, world: World, clock: FixedClock
) -> None:
    ok(lead.post("/api/plans/noise", {"plan": PLAN}))
    here = f"/api/incidents/{report(desk, world, class_key='S5.02')['id']}/plan"
    assert ok(desk.get(here))["match"]["key"] == "noise"
    assert ok(lead.post("/api/plans/noise", {"plan": PLAN | {"retired": True}, "based_on": 1}))["retired"]
    assert ok(desk.get(here))["match"] is None
    assert desk.post(f"{here}/start", {"plan_key": "noise"}).get_json()["code"] == "plan_not_found"
    with system_transaction(world.database, clock) as tx:
        plans.load_shipped(tx)
    (line,) = [row for row in ok(desk.get("/api/plans"))["items"] if row["key"] == "noise"]
    assert line["retired"], "what runs by it still finds its name"
    ok(lead.post("/api/plans/noise", {"plan": PLAN, "based_on": 2}))
    assert ok(desk.get(here))["match"]["version"] == 3
    versions = ok(lead.get("/api/plans/noise/versions"))["items"]
    assert [row["body"].get("retired", False) for row in versions] == [False, True, False]


def trial(seat: Browser, incident: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = seat.post(
        f"/api/plans/{PLAN['key']}/try", {"plan": PLAN | changes, "incident_id": incident["id"]}
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def test_a_plan_is_tried_level_by_level_and_asks_nobody(
    lead: Browser, desk: Browser, world: World, browse: Browse
) -> None:
    world.officer("wang", 0)
    world.officer("zhao", 0, grid=1)
    case = report(desk, world, class_key="S5.02")
    neighbours = PLAN["level"][1] | {"fence": "neighbours"}
    found = trial(lead, case, level=[PLAN["level"][0], neighbours])
    assert (found["fits"], found["rival"]) == ("class", None)
    assert found["starts"] == ("auto" if case["severity"] == 1 else "click")
    assert len(found["told"]) == 1
    first, second = found["levels"]
    assert (first["mode"], first["after_s"], first["wanted"]) == ("next_in_line", 0, 2)
    assert [one["call_sign"] for one in first["who"]] == ["WANG"], "the grid has one"
    assert (second["mode"], second["after_s"], second["wanted"]) == ("broadcast", 180, 2)
    assert [one["call_sign"] for one in second["who"]] == ["ZHAO"], "who was asked below is not asked again"
    assert found["ends_after_s"] == 360
    assert [step["key"] for step in found["steps"]] == ["note"]
    again = trial(lead, case, level=[PLAN["level"][0], neighbours | {"ask_again": True}])
    assert {one["call_sign"] for one in again["levels"][1]["who"]} == {"WANG", "ZHAO"}
    assert ok(desk.get(f"/api/incidents/{case['id']}/callouts"))["items"] == []
    assert ok(browse("wang").get("/api/patrol/state"))["offers"] == []
    assert desk.post("/api/plans/noise/try", {"plan": PLAN, "incident_id": case["id"]}).status_code == 403
    assert (
        browse("shift_lead.1")
        .post("/api/plans/noise/try", {"plan": PLAN, "incident_id": case["id"]})
        .status_code
        == 404
    )


def test_a_trial_says_when_another_plan_fits_better_or_none_does(
    lead: Browser, desk: Browser, world: World
) -> None:
    ok(lead.post("/api/plans/narrow", {"plan": PLAN | {"key": "narrow", "severities": [3], "auto": []}}))
    case = report(desk, world, class_key="S5.02", severity=3)
    found = trial(lead, case)
    assert (found["fits"], found["rival"]["key"], found["starts"]) == ("class", "narrow", "click")
    assert trial(lead, case, classes=["S5"], severities=[3], auto=[])["fits"] == "group"
    never = trial(lead, case, severities=[1], auto=[])
    assert (never["fits"], never["starts"]) == ("no", "never")


def test_a_past_case_can_be_tried_and_a_restricted_one_is_never_broadcast(
    lead: Browser, desk: Browser, world: World
) -> None:
    world.officer("wang", 0)
    case = report(desk, world, class_key="S5.02")
    ok(desk.post(f"/api/incidents/{case['id']}/verify", {"outcome": "solved", "note": "已处理"}))
    assert trial(lead, case)["levels"][0]["who"][0]["call_sign"] == "WANG"
    kept_in = report(desk, world, class_key="S3.02")
    found = trial(lead, kept_in, classes=["S3"])
    assert [level["mode"] for level in found["levels"]] == ["next_in_line", "next_in_line"]
