"""Steps that were tapped without a line: both times are kept, and each is shown for what it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from gridmap.clock import FixedClock
from tests.web.conftest import Browse, Browser
from tests.web.test_walk import ok, report
from tests.web.test_watch import offer
from tests.world import World

# The phone's clock is a quarter of an hour fast: only differences count.
FAST = timedelta(minutes=15)


@pytest.fixture
def desk(browse: Browse) -> Browser:
    return browse("operator.0")


@pytest.fixture
def phone(world: World, browse: Browse) -> tuple[Browser, UUID]:
    _, unit_id = world.officer("wang", 0, grid=1)
    return browse("wang"), unit_id


def tap(phone: Browser, dispatch_id: str, step: str, at: datetime, sent: datetime, body: Any = None) -> Any:
    """A step as the phone sends it: `at` and `sent` are true times, told by the phone's clock."""
    headers = {"X-Tapped-At": (at + FAST).isoformat(), "X-Sent-At": (sent + FAST).isoformat()}
    return phone.post(f"/api/dispatches/{dispatch_id}/{step}", body, headers=headers)


def timeline(desk: Browser, case: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["kind"]: row for row in ok(desk.get(f"/api/incidents/{case['id']}"))["timeline"]}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_steps_carry_the_time_of_the_tap_and_the_time_they_came_in(
    desk: Browser, phone: tuple[Browser, UUID], world: World, clock: FixedClock
) -> None:
    officer, unit_id = phone
    case = report(desk, world, class_key="S5.02")
    dispatch_id = offer(desk, case, unit_id)
    began = clock.at
    clock.at = began + timedelta(seconds=20)
    ok(tap(officer, dispatch_id, "accept", clock.at, clock.at))
    departed, arrived, back = (began + timedelta(minutes=minutes) for minutes in (2, 9, 14))
    clock.at = back
    ok(tap(officer, dispatch_id, "depart", departed, back))
    line = ok(tap(officer, dispatch_id, "arrive", arrived, back))
    assert (moment(line["en_route_at"]), moment(line["on_scene_at"])) == (departed, arrived)
    told = timeline(desk, case)
    assert told["accepted"]["occurred_at"] is None
    assert [moment(told[kind]["at"]) for kind in ("departed", "arrived")] == [back, back]
    assert moment(told["departed"]["occurred_at"]) == departed
    assert moment(told["arrived"]["occurred_at"]) == arrived
    ok(tap(officer, dispatch_id, "done", arrived + timedelta(minutes=1), back, {"code": "solved"}))
    page = desk.get(f"/api/incidents/{case['id']}/after-action?reason=x&lang=zh").get_data(as_text=True)
    assert "手机无网络时按下" in page


def test_a_tap_that_cannot_be_true_is_held_between_the_step_before_and_now(
    desk: Browser, phone: tuple[Browser, UUID], world: World, clock: FixedClock
) -> None:
    officer, unit_id = phone
    case = report(desk, world, class_key="S5.02")
    dispatch_id = offer(desk, case, unit_id)
    accepted = clock.at = clock.at + timedelta(seconds=30)
    ok(officer.post(f"/api/dispatches/{dispatch_id}/accept"))
    clock.at += timedelta(minutes=5)
    line = ok(tap(officer, dispatch_id, "depart", clock.at - timedelta(hours=3), clock.at))
    assert moment(line["en_route_at"]) == accepted
    line = ok(tap(officer, dispatch_id, "arrive", clock.at + timedelta(hours=3), clock.at))
    assert moment(line["on_scene_at"]) == clock.at


def test_a_time_that_cannot_be_read_is_refused_by_name(
    desk: Browser, phone: tuple[Browser, UUID], world: World
) -> None:
    officer, unit_id = phone
    dispatch_id = offer(desk, report(desk, world, class_key="S5.02"), unit_id)
    for headers in (
        {"X-Tapped-At": "yesterday", "X-Sent-At": "now"},
        {"X-Tapped-At": "2026-06-01T04:00:00Z"},
    ):
        answer = officer.post(f"/api/dispatches/{dispatch_id}/accept", headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (422, "tapped_at_unreadable")
