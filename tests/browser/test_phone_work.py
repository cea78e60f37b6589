"""The phone's own states: a job taken, a result that is refused and saved, a cry for help, big targets everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.people import Seat, seated
from tests.browser.phone_look import is_fit
from tests.browser.site import DemoSite
from tests.browser.steps import go_off_duty, go_on_duty

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def _is_fit_for_gloves(page: Page) -> None:
    is_fit(page, least_target_px=56)


def _send_a_job(desk: Seat, phone: Seat, lon: float, lat: float) -> dict[str, Any]:
    told = {"channel": "operator", "class_key": "S5.02", "text": "音响声音很大", "lon": lon, "lat": lat}
    incident = desk.api("POST", "/api/reports", {**told, "crs": "WGS84"})["incident"]
    unit = phone.api("GET", "/api/patrol/state")["unit"]["id"]
    made = desk.api("POST", f"/api/incidents/{incident['id']}/dispatches", {"unit_id": unit})
    assert isinstance(made, dict)
    return made


def test_a_result_that_came_too_late_is_shown_and_saved(
    site: DemoSite, chromium: Browser, pictures: Path
) -> None:
    with seated(chromium, site, site.staff("operator"), "/") as desk:
        lon, lat = desk.api("GET", "/api/me")["deployment"]["center"]
        with seated(chromium, site, site.officer(4), "/patrol", place=(lon + 0.002, lat)) as phone:
            page = phone.page
            go_on_duty(phone, lon + 0.002, lat)
            _is_fit_for_gloves(page)
            job = _send_a_job(desk, phone, lon, lat)
            page.get_by_role("button", name="接单").click()
            page.get_by_role("button", name="出发").click()
            page.get_by_role("button", name="导航").click()
            assert page.get_by_role("link", name="高德地图").get_attribute("href")
            _is_fit_for_gloves(page)
            page.get_by_role("button", name="取消").click()
            # From here on nothing goes out: the step that is refused has a result waiting behind it.
            phone.context.set_offline(True)
            page.get_by_role("button", name="我已到场").click()
            page.get_by_role("button", name="已处置").click()
            page.get_by_label("情况说明").fill("已劝离")
            _is_fit_for_gloves(page)
            # What was filled in outlives the page.
            page.reload()
            expect(page.get_by_label("情况说明")).to_have_value("已劝离")
            page.get_by_role("button", name="提交结果").click()
            expect(page.get_by_text("结果已存在手机上")).to_be_visible()
            page.screenshot(path=pictures / "phone-result-kept.png")
            desk.api("POST", f"/api/dispatches/{job['id']}/cancel", {"reason": "已由其他单元处置"})
            phone.context.set_offline(False)
            conflict = page.locator(".refused")
            expect(conflict).to_contain_text("已被指挥台撤回")
            _is_fit_for_gloves(page)
            page.screenshot(path=pictures / "phone-conflict.png")
            conflict.get_by_role("button", name="改为新上报").click()
            expect(page.get_by_text("全部已发送")).to_be_visible()
            reports = phone.api("GET", "/api/patrol/state")["reports_today"]
            assert [row["class_key"] for row in reports] == ["S5.02"]
            go_off_duty(phone)
            assert phone.faults == []
            assert phone.foreign == []


def test_a_cry_for_help_is_held_can_be_undone_and_arrives(
    site: DemoSite, chromium: Browser, pictures: Path
) -> None:
    with seated(chromium, site, site.officer(5), "/patrol", place=(113.0, 28.2)) as phone:
        page = phone.page
        page.locator(".sos").wait_for()
        _hold(page, 600)
        expect(page.get_by_role("alertdialog")).to_have_count(0)
        _hold(page, 2_300)
        panel = page.get_by_role("alertdialog", name="紧急求救")
        panel.get_by_role("button", name="撤销").click()
        expect(panel).to_have_count(0)
        assert phone.api("GET", "/api/patrol/state")["sos"] is None
        _hold(page, 2_300)
        expect(panel).to_contain_text("指挥台已收到")
        _is_fit_for_gloves(page)
        page.screenshot(path=pictures / "phone-sos.png")
        assert phone.api("GET", "/api/patrol/state")["sos"]["acknowledged_at"] is None
        assert phone.faults == []


def _hold(page: Page, for_ms: int) -> None:
    box = page.locator(".sos").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.wait_for_timeout(for_ms)
    page.mouse.up()
