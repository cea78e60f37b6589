"""The operator's side of a response: plan, checklist, hand-over, steps by radio, calls for help, a closed road."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.people import Seat, seated
from tests.browser.site import DemoSite

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIRE = "S1.01"
expect.set_options(timeout=20_000)


def _fire(desk: Seat) -> dict[str, Any]:
    lon, lat = desk.api("GET", "/api/me")["deployment"]["center"]
    body = {
        "channel": "operator",
        "class_key": FIRE,
        "severity": 2,
        "text": "厨房起火",
        "lon": lon,
        "lat": lat,
    }
    made: dict[str, Any] = desk.api("POST", "/api/reports", body | {"crs": "WGS84"})["incident"]
    return made


def _on_duty_beside(phone: Seat, incident: dict[str, Any]) -> str:
    """The officer's unit, on duty some 100 m away, without pressing anything on its page."""
    state = phone.api("GET", "/api/patrol/state")
    if state["unit"]["status"] == "off_duty":
        phone.api("POST", "/api/patrol/duty", {"action": "start", "reason": "临时召集"})
    at = datetime.now(UTC).isoformat()
    fix = {
        "fixed_at": at,
        "lon": incident["lon"] + 0.001,
        "lat": incident["lat"],
        "accuracy_m": 8.0,
        "crs": "WGS84",
    }
    phone.api("POST", "/api/positions", {"fixes": [fix]})
    return str(state["unit"]["id"])


def _choose(page: Page, verb: str) -> None:
    page.get_by_role("button", name=re.compile("代报与调度")).first.click()
    page.get_by_role("menuitem", name=verb).click()


def test_a_plan_its_steps_and_a_hand_over(site: DemoSite, chromium: Browser, pictures: Path) -> None:
    with seated(chromium, site, site.staff("operator"), "/") as desk:
        page = desk.page
        incident = _fire(desk)
        page.goto(f"{site.url}/?incident={incident['id']}")
        page.get_by_role("button", name="启动预案").click()
        expect(page.get_by_role("heading", name=re.compile("步骤清单"))).to_be_visible()
        expect(page.get_by_text("依次").first).to_be_visible()
        page.get_by_role("checkbox", name=re.compile("^完成:")).first.click()
        expect(page.get_by_role("checkbox", name=re.compile("^完成:")).first).to_be_disabled()
        page.get_by_role("button", name=re.compile("^移交 110")).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("radio", name="119 消防").check()
        dialog.get_by_role("button", name="移交", exact=True).click()
        page.get_by_role("textbox", name="对方编号").fill("XF-2026-118")
        page.get_by_role("button", name="登记回执编号").click()
        expect(page.get_by_text("XF-2026-118")).to_be_visible()
        page.screenshot(path=pictures / "console-plan.png")
        found = desk.api("GET", f"/api/incidents/{incident['id']}")
        assert [row["status"] for row in found["hand_overs"]] == ["acknowledged"]
        assert found["tasks"][0]["status"] == "done"
        assert desk.faults == []


def test_steps_by_radio_and_a_call_for_help(site: DemoSite, chromium: Browser) -> None:
    with seated(chromium, site, site.staff("operator"), "/") as desk:
        page = desk.page
        incident = desk.api(
            "POST",
            "/api/reports",
            {"channel": "operator", "class_key": "S5.02", "text": "噪音", "crs": "WGS84"}
            | dict(zip(("lon", "lat"), desk.api("GET", "/api/me")["deployment"]["center"], strict=True)),
        )["incident"]
        place = (incident["lon"], incident["lat"])
        with seated(chromium, site, site.officer(3), "/patrol", place=place) as phone:
            unit = _on_duty_beside(phone, incident)
        page.wait_for_timeout(2_500)
        desk.api("POST", f"/api/incidents/{incident['id']}/dispatches", {"unit_id": unit, "expires_s": 600})
        page.goto(f"{site.url}/?incident={incident['id']}")
        _choose(page, "代报:接单")
        expect(page.get_by_text("电台代报").first).to_be_visible()
        _choose(page, "代报:已到场")
        expect(page.get_by_text("已到场").first).to_be_visible()
        _choose(page, "请求增援…")
        page.get_by_role("dialog").get_by_role("button", name="确定").click()
        loud = page.get_by_role("alert", name="必须处理的警报")
        expect(loud.get_by_text("请求增援").first).to_be_visible()
        loud.get_by_role("button", name="确认已接手").first.click()
        expect(loud).to_be_hidden()
        _choose(page, "代报:处置结果…")
        form = page.get_by_role("dialog")
        form.get_by_role("radio").first.check()
        form.get_by_role("button", name="确定").click()
        expect(page.locator("[data-primary]")).to_contain_text("核查结案")
        assert desk.faults == []


def test_a_road_is_closed_by_drawing_and_opened_again(
    site: DemoSite, chromium: Browser, pictures: Path
) -> None:
    with seated(chromium, site, site.staff("operator"), "/") as desk:
        page = desk.page
        page.wait_for_selector("canvas.maplibregl-canvas")
        page.get_by_role("button", name="新增封闭").click()
        form = page.get_by_role("form", name="新增封闭")
        page.wait_for_timeout(1_500)
        for x, y in ((700, 400), (780, 430), (840, 420), (900, 300)):
            page.mouse.click(x, y)
        expect(form.get_by_text("4 个点")).to_be_visible()
        page.keyboard.press("Control+z")
        expect(form.get_by_text("3 个点")).to_be_visible()
        form.get_by_label("原因").select_option(label="积水")
        page.screenshot(path=pictures / "console-closure.png")
        form.get_by_role("button", name="封闭道路").click()
        expect(form).to_be_hidden()
        page.get_by_role("button", name=re.compile("^道路封闭")).click()
        page.get_by_role("button", name="解除 积水", exact=True).first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("原因").fill("已恢复通行")
        dialog.get_by_role("button", name="解除", exact=True).click()
        expect(dialog).to_be_hidden()
        assert desk.faults == []
