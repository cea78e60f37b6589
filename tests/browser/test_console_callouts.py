"""Calling people out: by name, by broadcast, whom it would ask, who heard, and who said no and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.desk import (
    LAPTOP,
    RUBBISH,
    calling,
    end_duty,
    give_reason,
    open_case,
    put_on_duty,
    read_case,
    take_call,
    until,
)
from tests.browser.people import Seat, seated
from tests.browser.site import DemoSite

pytestmark = pytest.mark.browser

expect.set_options(timeout=20_000)


def _dispatch_of(phone: Seat) -> str:
    state = until(lambda: phone.api("GET", "/api/patrol/state"), lambda state: bool(state["offers"]))
    return str(state["offers"][0]["dispatch_id"])


def test_people_are_called_by_name_and_by_broadcast(
    site: DemoSite, chromium: Browser, pictures: Path
) -> None:
    with (
        seated(chromium, site, site.staff("operator"), "/", viewport=LAPTOP) as desk,
        calling(chromium, site, site.officer(10)) as first,
        calling(chromium, site, site.officer(11)) as second,
    ):
        page = desk.page
        case = take_call(desk, class_key=RUBBISH, shift_deg=-0.045)
        signs = []
        for phone, shift in ((first, 0.001), (second, 0.002)):
            put_on_duty(phone, case["lon"] + shift, case["lat"])
            signs.append(phone.api("GET", "/api/patrol/state")["unit"]["call_sign"])
        until(lambda: desk.api("GET", "/api/units")["items"], lambda rows: len(rows) >= 2)
        detail = open_case(desk, case)
        calls = detail.locator(".callouts > li")
        # By name: the first says no, and why.
        detail.get_by_role("button", name="呼叫人手").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("radio", name="点名").check()
        dialog.get_by_role("checkbox", name=signs[0]).check()
        dialog.get_by_role("button", name="发起呼叫").click()
        expect(dialog).to_be_hidden()
        job = _dispatch_of(first)
        first.api("POST", "/api/patrol/seen", {"dispatch_ids": [job]})
        first.api("POST", f"/api/dispatches/{job}/decline", {"reason": "no_kit"})
        calls.first.get_by_text("被呼叫的人员(1)").click()
        people = calls.first.locator("details")
        for words in (signs[0], "缺少装备", "已读"):
            expect(people.get_by_text(words).first).to_be_visible()
        assert [row["mode"] for row in read_case(desk, case)["callouts"]] == ["named"]
        # By broadcast: looked at first, then one of the two takes it.
        detail.get_by_role("button", name="呼叫人手").click()
        dialog.get_by_role("radio", name="广播抢单").check()
        expect(dialog.get_by_role("button", name="预览")).to_be_disabled()
        dialog.get_by_label("范围").select_option(label="周边米数")
        dialog.get_by_label("米", exact=True).fill("900")
        dialog.get_by_role("button", name="预览").click()
        expect(dialog.locator(".would").get_by_text(signs[1])).to_be_visible()
        assert len(read_case(desk, case)["callouts"]) == 1, "a preview asks nobody"
        page.screenshot(path=pictures / "console-callout.png")
        dialog.get_by_role("button", name="发起呼叫").click()
        expect(dialog).to_be_hidden()
        second.api("POST", f"/api/dispatches/{_dispatch_of(second)}/accept")
        expect(calls.filter(has_text="广播").locator(".status")).to_have_text("人手已足")
        found = read_case(desk, case)
        taken = [row for row in found["dispatches"] if row["accepted_at"]]
        assert [row["unit"]["call_sign"] for row in taken] == [signs[1]]
        assert {row["mode"]: row["status"] for row in found["callouts"]}["broadcast"] == "met"
        calls.filter(has_text="广播").get_by_role("button", name="停止呼叫").wait_for(state="detached")
        desk.api("POST", f"/api/dispatches/{taken[0]['id']}/recall", {"reason": "试验结束"})
        _stop_what_is_open(desk, case)
        for phone in (first, second):
            end_duty(phone)
        assert desk.faults == []


def _stop_what_is_open(desk: Seat, case: dict[str, object]) -> None:
    """A recalled unit's place is asked for again: the call-out is stopped by its button."""
    call = desk.page.locator(".callouts > li").filter(has_text="广播")
    call.get_by_role("button", name="停止呼叫").click()
    give_reason(desk.page, "停止呼叫", "情况已解除")
    expect(call.locator(".status")).to_have_text("已停止")
    statuses = {row["mode"]: row["status"] for row in read_case(desk, case)["callouts"]}
    assert statuses["broadcast"] == "stopped"
