"""What a seat does with a case besides sending somebody: each verb pressed in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.people import Seat, seated
from tests.browser.site import DemoSite

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOISE, RUBBISH = "S5.02", "C1.01"
expect.set_options(timeout=20_000)


def _call(desk: Seat, *, class_key: str = NOISE, shift_deg: float = 0.0, **more: Any) -> dict[str, Any]:
    """A report in the middle of the district, as a hotline would hand it in."""
    lon, lat = desk.api("GET", "/api/me")["deployment"]["center"]
    body = {
        "channel": "operator",
        "class_key": class_key,
        "text": "试验来电",
        "lon": lon + shift_deg,
        "lat": lat,
    }
    made: dict[str, Any] = desk.api("POST", "/api/reports", body | {"crs": "WGS84"} | more)["incident"]
    return made


def _open(seat: Seat, incident: dict[str, Any]) -> Locator:
    seat.page.goto(f"{seat.site.url}/?incident={incident['id']}")
    detail = seat.page.get_by_role("region", name="事件详情")
    expect(detail.get_by_text(incident["number"]).first).to_be_visible()
    return detail


def _more(page: Page, verb: str) -> None:
    page.get_by_role("button", name="更多操作").click()
    page.get_by_role("menuitem", name=verb).click()


def _give_reason(page: Page, verb: str, reason: str) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("原因").fill(reason)
    dialog.get_by_role("button", name=verb, exact=True).click()
    expect(dialog).to_be_hidden()


def test_a_case_changes_hands_class_and_place_and_ends(site: DemoSite, chromium: Browser) -> None:
    with seated(chromium, site, site.staff("operator"), "/") as desk:
        incident = _call(desk, class_key=NOISE)
        detail = _open(desk, incident)
        desk.page.get_by_role("button", name=re.compile("^受理")).click()
        expect(desk.page.locator("[data-primary]")).not_to_contain_text("受理")
        with seated(chromium, site, site.staff("shift_lead"), "/") as lead:
            _open(lead, incident)
            _more(lead.page, "接管")
            _give_reason(lead.page, "接管", "交接班")
            # The seat that lost it sees by whom and why, without asking.
            expect(detail.get_by_text("交接班")).to_be_visible(timeout=10_000)
            _note_and_reclassify(lead)
            _move(lead)
            _more(lead.page, "作废")
            _give_reason(lead.page, "作废", "测试来电")
            expect(lead.page.locator("[data-primary]")).to_contain_text("重新打开")
            lead.page.locator("[data-primary]").click()
            _give_reason(lead.page, "重新打开", "误结案")
            expect(lead.page.locator("[data-primary]")).not_to_contain_text("重新打开")
            assert lead.faults == []
        kinds = [event["kind"] for event in desk.api("GET", f"/api/incidents/{incident['id']}")["timeline"]]
        for kind in ("noted", "reclassified", "moved", "reopened"):
            assert kind in kinds
        assert desk.faults == []


def _note_and_reclassify(seat: Seat) -> None:
    page = seat.page
    page.get_by_role("textbox", name="补充说明").fill("报告人称声音来自二楼")
    page.get_by_role("button", name="添加").click()
    expect(page.get_by_text("报告人称声音来自二楼")).to_be_visible()
    _more(page, "改类别")
    dialog = page.get_by_role("dialog")
    picker = dialog.get_by_role("combobox", name="类别")
    picker.fill(RUBBISH)
    dialog.get_by_role("option").first.wait_for()
    page.keyboard.press("Enter")
    _give_reason(page, "改类别", "了解到新情况")
    expect(
        page.get_by_role("region", name="事件详情").get_by_role("heading", name="暴露垃圾")
    ).to_be_visible()


def _move(seat: Seat) -> None:
    page = seat.page
    _more(page, "改位置")
    card = page.get_by_role("form", name="改位置")
    expect(card.get_by_text("还没有新的位置")).to_be_visible()
    card.get_by_role("combobox", name="地点").press_sequentially("路2号", delay=20)
    card.get_by_role("option").first.click()
    expect(card.get_by_text("还没有新的位置")).to_be_hidden()
    card.get_by_label("原因").fill("地点不符")
    card.get_by_role("button", name="改位置").click()
    expect(card).to_be_hidden()


def test_the_same_thing_told_twice_becomes_one(site: DemoSite, chromium: Browser) -> None:
    with seated(chromium, site, site.staff("operator"), "/") as desk:
        first = _call(desk, shift_deg=0.02)
        second = _call(desk, shift_deg=0.0201, contact={"name": "钱女士", "phone": "13800000000"})
        detail = _open(desk, second)
        detail.get_by_role("button", name="查看联系人").click()
        _give_reason(desk.page, "查看联系人", "回访报告人")
        expect(detail.get_by_text("13800000000")).to_be_visible()
        _more(desk.page, "标为重复")
        dialog = desk.page.get_by_role("dialog")
        dialog.get_by_placeholder("编号或地址").fill(first["number"])
        dialog.get_by_text(first["number"]).wait_for()
        dialog.get_by_role("radio").first.check()
        _give_reason(desk.page, "标为重复", "同一事件")
        expect(detail.get_by_role("button", name=first["number"])).to_be_visible()
        detail.get_by_role("button", name=first["number"]).click()
        expect(desk.page.get_by_text(first["number"]).first).to_be_visible()
        told = desk.api("GET", f"/api/incidents/{first['id']}")["timeline"]
        assert "duplicate_linked" in [event["kind"] for event in told]
        assert desk.faults == []


def test_what_the_operator_sees_can_be_taken_out_as_a_file(site: DemoSite, chromium: Browser) -> None:
    with seated(chromium, site, site.staff("operator"), "/") as desk:
        _call(desk, shift_deg=-0.02)
        for kind, mark in (("CSV", "编号".encode()), ("XLSX", b"PK")):
            with desk.page.expect_download() as taken:
                desk.page.get_by_role("link", name=kind, exact=True).click()
            content = Path(taken.value.path()).read_bytes()
            assert mark in content[:400]


def test_a_new_severe_case_rings_until_somebody_looks(site: DemoSite, chromium: Browser) -> None:
    with seated(chromium, site, site.staff("operator"), "/") as desk:
        page = desk.page
        expect(page.get_by_text("实时")).to_be_visible()
        with seated(chromium, site, site.staff("shift_lead"), "/") as lead:
            incident = _call(lead, class_key="S1.01", shift_deg=0.01, severity=1)
            banner = page.get_by_role("alert").get_by_role("button", name=re.compile("火情火患.*查看"))
            expect(banner).to_be_visible()
        banner.click()
        expect(page.get_by_text(incident["number"]).first).to_be_visible()
        expect(banner).to_be_hidden()
        assert desk.faults == []


def test_the_wall_shows_figures_and_no_names(site: DemoSite, chromium: Browser, pictures: Path) -> None:
    with seated(chromium, site, site.staff("operator"), "/") as desk:
        incident = _call(desk, shift_deg=0.012)
    size = {"width": 1920, "height": 1080}
    with seated(chromium, site, site.staff("wall"), "/", viewport=size) as wall:
        expect(wall.page.get_by_text("在办事件")).to_be_visible()
        total = wall.page.locator(".wall .total").first
        expect(total).not_to_have_text("0")
        wall.page.wait_for_timeout(3_000)
        wall.page.screenshot(path=pictures / "wall.png")
        assert incident["number"] not in wall.page.content()
        assert wall.page.locator("button").count() == 0
        assert wall.faults == []
        assert wall.foreign == []
