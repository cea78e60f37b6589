"""The risk page on a small district: a run is made by the worker, list and map show it, a view is a link."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.people import seated
from tests.browser.site import DemoSite

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RUN_TIMEOUT_MS = 240_000


def first_run(page: Page, lines: Locator) -> None:
    """Ask for a run where there is none yet, and wait until the worker has made it: the page shows it by itself."""
    empty = page.get_by_text("还没有预测结果。")
    empty.or_(lines.first).first.wait_for()
    if empty.is_visible():
        page.get_by_role("button", name="立即计算").click()
    lines.first.wait_for(timeout=RUN_TIMEOUT_MS)


def test_the_list_stands_beside_the_map_and_says_why(
    site: DemoSite, chromium: Browser, pictures: Path
) -> None:
    with seated(chromium, site, site.staff("analyst"), "/risk") as seat:
        page = seat.page
        lines = page.get_by_role("listbox", name="清单").get_by_role("option")
        first_run(page, lines)
        page.get_by_label("类别").select_option("appearance")
        lines.first.wait_for()
        expect(page.locator(".legend")).to_contain_text("起/平方公里·周")
        page.get_by_role("listbox", name="清单").focus()
        page.keyboard.press("ArrowDown")
        card = page.locator("section.card")
        expect(card).to_contain_text("每平方公里预计为本层平均的")
        assert "group=appearance" in page.url
        assert "picked=" in page.url
        link = page.url
        page.get_by_role("tab", name="时段与趋势").click()
        expect(page.locator(".chart canvas").first).to_be_visible()
        page.get_by_role("tab", name="检验").click()
        expect(page.get_by_text("采用模型")).to_be_visible()
        page.goto(link)
        expect(card).to_be_visible(timeout=60_000)
        page.get_by_role("button", name="派检查任务").click()
        page.get_by_label("要检查什么").fill("夜间照明")
        page.keyboard.press("Enter")
        expect(page.get_by_text("检查任务已建立")).to_be_visible()
        page.wait_for_timeout(2_000)
        page.screenshot(path=pictures / "risk-page.png")
        assert seat.faults == []
        assert seat.foreign == []


def test_the_console_lays_the_heat_on_the_ground(site: DemoSite, chromium: Browser) -> None:
    with seated(chromium, site, site.staff("analyst"), "/risk") as seat:
        first_run(seat.page, seat.page.get_by_role("listbox", name="清单").get_by_role("option"))
    with seated(chromium, site, site.staff("operator"), "/") as seat:
        page = seat.page
        page.get_by_role("button", name="图层").click()
        with page.expect_response("**/api/risk/surface/**") as answer:
            page.get_by_label("风险热力").check()
        assert answer.value.status == 200
        expect(page.get_by_text("起/平方公里·周")).to_be_visible()
        assert seat.faults == []
