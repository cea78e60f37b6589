"""The risk page on a small district: list and map show a run, a line leads on, rules are muted, files are asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.desk import calling, take_call, until
from tests.browser.people import PHONE, seated
from tests.browser.site import DemoSite

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DESK = {"width": 1440, "height": 900}
SITE_ZONE = ZoneInfo("Asia/Shanghai")
BURGLARY = "S2.03"
# Beyond a day's horizon and the days in which late entries come: what came can be counted. The small district has a
# month of history, so a longer horizon would have nothing to rest on.
ENDED_DAYS_AGO = 4


@pytest.fixture(scope="module")
def forecast(site: DemoSite, chromium: Browser) -> DemoSite:
    """The next four weeks; unchecked, which is a matter of seconds."""
    site.wait_for_history()
    site.command("risk", "run", "--no-check", "--horizon", "4weeks")
    # The site's own worker may have taken the job from the command.
    return wait_for_run(site, chromium, lambda runs: len(runs) > 0)


@pytest.fixture(scope="module")
def past_forecast(forecast: DemoSite, chromium: Browser) -> DemoSite:
    """A day that is over, with what came."""
    past = datetime.now(SITE_ZONE).date() - timedelta(days=ENDED_DAYS_AGO)
    forecast.command("risk", "run", "--no-check", "--horizon", "day", "--as-of", past.isoformat())
    return wait_for_run(forecast, chromium, lambda runs: any(run["outcome_at"] for run in runs))


def wait_for_run(
    site: DemoSite, chromium: Browser, wanted: Callable[[list[dict[str, Any]]], bool]
) -> DemoSite:
    with calling(chromium, site, site.staff("analyst")) as seat:
        runs = until(lambda: seat.api("GET", "/api/risk/runs")["items"], wanted, most_s=240.0)
    assert wanted(runs), [(run["horizon"], run["origin_on"], run["outcome_at"]) for run in runs]
    return site


def lines_of(page: Page) -> Locator:
    return page.get_by_role("listbox", name="清单").get_by_role("option")


def test_the_list_stands_beside_the_map_and_leads_on(
    forecast: DemoSite, chromium: Browser, pictures: Path
) -> None:
    with seated(chromium, forecast, forecast.staff("analyst"), "/risk", viewport=DESK) as seat:
        page = seat.page
        lines_of(page).first.wait_for()
        page.get_by_label("类别").select_option("appearance")
        lines_of(page).first.wait_for()
        expect(page.locator(".legend")).to_contain_text("起/平方公里·周")
        page.get_by_role("listbox", name="清单").focus()
        page.keyboard.press("ArrowDown")
        card = page.locator("section.card")
        expect(card).to_contain_text("每平方公里预计为本层平均的")
        assert "group=appearance" in page.url
        assert "picked=" in page.url
        link = page.url
        page.wait_for_timeout(1_500)
        page.screenshot(path=pictures / "risk-page.png")

        page.keyboard.press("p")
        plan = page.get_by_role("dialog")
        expect(plan.get_by_role("heading", name=re.compile("看预案"))).to_be_visible()
        expect(plan.locator("summary, .empty").first).to_be_visible()
        page.keyboard.press("Escape")
        expect(plan).to_be_hidden()

        page.get_by_role("listbox", name="清单").focus()
        page.keyboard.press("i")
        page.get_by_label("要检查什么").fill("夜间照明")
        page.get_by_role("dialog").get_by_role("button", name="派检查任务").click()
        expect(page.get_by_text("检查任务已建立")).to_be_visible()
        page.get_by_role("button", name="撤销", exact=True).click()
        expect(page.get_by_text("已撤销", exact=True)).to_be_visible()
        page.get_by_role("tab", name="检查任务").click()
        expect(page.get_by_text("没有检查任务")).to_be_visible()
        page.get_by_label("也看已办和已取消的").check()
        expect(page.get_by_text("误派,已撤销").first).to_be_visible()

        page.get_by_role("tab", name="时段与趋势").click()
        expect(page.locator(".chart canvas").first).to_be_visible()
        page.get_by_role("tab", name="检验").click()
        expect(page.get_by_text("采用模型")).to_be_visible()
        page.goto(link)
        expect(card).to_be_visible()
        page.set_viewport_size(PHONE)
        card.get_by_role("button", name="看地图").click()
        expect(page.get_by_role("tab", name="地图")).to_have_attribute("aria-selected", "true")
        expect(card).to_be_hidden()
        assert seat.faults == []
        assert seat.foreign == []


def test_what_came_lies_beside_the_forecast_and_files_name_their_author(
    past_forecast: DemoSite, chromium: Browser
) -> None:
    with seated(chromium, past_forecast, past_forecast.staff("analyst"), "/risk", viewport=DESK) as seat:
        page = seat.page
        lines_of(page).first.wait_for()
        compare = page.get_by_role("button", name="与实际对比")
        expect(compare).to_be_disabled()
        page.get_by_label("预测时段").select_option("day")
        expect(page.get_by_text("事后回算").first).to_be_visible()
        compare.click()
        expect(page.get_by_label("左右拖动对比")).to_be_visible()
        page.get_by_role("button", name="导出").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("网格只有几百户")
        expect(dialog.get_by_role("button", name="GEOJSON")).to_be_disabled()
        dialog.get_by_label("用途").fill("周例会")
        author = seat.api("GET", "/api/me")["account"]["display_name"]
        expect(dialog).to_contain_text(f"编制人 {author}")
        with page.expect_download() as download:
            dialog.get_by_role("button", name="GEOJSON").click()
        told = str(json.loads(download.value.path().read_text(encoding="utf-8")))
        assert "周例会" in told
        assert author in told
        assert seat.faults == []


def test_a_rule_is_muted_with_a_reason_and_heard_again(forecast: DemoSite, chromium: Browser) -> None:
    with calling(chromium, forecast, forecast.staff("shift_lead")) as desk:
        until(lambda: desk.api("GET", "/api/risk/warnings")["items"], bool, most_s=90.0)
    with seated(chromium, forecast, forecast.staff("shift_lead"), "/risk", viewport=DESK) as seat:
        page = seat.page
        page.get_by_role("tab", name="预警").click()
        rules = page.get_by_role("region", name="规则与成绩")
        expect(rules).to_contain_text(re.compile("500 米内 7 天达到 3 起就响"))
        expect(rules).to_contain_text(re.compile(r"过去 \d+ 天"))
        rules.get_by_role("button", name="静音").first.click()
        dialog = page.get_by_role("dialog")
        confirm = dialog.get_by_role("button", name=re.compile("静音到"))
        expect(confirm).to_be_disabled()
        dialog.get_by_label("原因").fill("元宵灯会")
        confirm.click()
        silent = page.get_by_role("region", name="静音中")
        expect(silent).to_contain_text("元宵灯会")
        silent.get_by_role("button", name="取消静音").click()
        expect(silent).to_contain_text("没有静音的规则")
        assert seat.faults == []


def test_a_warning_is_told_with_its_record_and_made_an_inspection(
    forecast: DemoSite, chromium: Browser
) -> None:
    with calling(chromium, forecast, forecast.staff("operator")) as desk:
        for number in range(4):
            take_call(desk, class_key=BURGLARY, shift_deg=number * 0.0005)
        until(lambda: desk.api("GET", "/api/risk/warnings/alarms")["items"], bool, most_s=150.0)
    with seated(chromium, forecast, forecast.staff("shift_lead"), "/risk?panel=warn", viewport=DESK) as seat:
        page = seat.page
        line = (
            page.get_by_role("region", name="响过的预警")
            .get_by_role("listitem")
            .filter(has_text="入室盗窃")
            .first
        )
        expect(line).to_contain_text(re.compile(r"500 米内 7 天 \d+ 起"))
        expect(line).to_contain_text(re.compile("误报"))
        line.get_by_role("button", name="转检查任务").click()
        page.get_by_role("dialog").get_by_label("要检查什么").fill("门窗与监控")
        page.get_by_role("dialog").get_by_role("button", name="转检查任务").click()
        expect(line).to_contain_text("已转检查任务")
        page.get_by_role("tab", name="检查任务").click()
        task = page.get_by_role("listitem").filter(has_text="门窗与监控")
        task.get_by_role("button", name="登记结果").click()
        page.get_by_label("看到了什么").fill("两户窗锁已换")
        page.get_by_role("dialog").get_by_role("button", name="登记结果").click()
        expect(page.get_by_text("结果已登记")).to_be_visible()
        assert seat.faults == []


def test_the_console_lays_the_heat_on_the_ground(forecast: DemoSite, chromium: Browser) -> None:
    with seated(chromium, forecast, forecast.staff("operator"), "/") as seat:
        page = seat.page
        page.get_by_role("button", name="图层").click()
        with page.expect_response("**/api/risk/surface/**") as answer:
            page.get_by_label("风险热力").check()
        assert answer.value.status == 200
        expect(page.get_by_text("起/平方公里·周")).to_be_visible()
        assert seat.faults == []
