"""A shift lead writes response plans in the form: new, changed, tried on a case, copied, retired; JSON in and out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk import LAPTOP, NOISE, end_duty, put_on_duty, take_call
from tests.browser.people import Seat, seated
from tests.browser.site import DemoSite

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=20_000)
# A plan that no other test starts.
PLAN = "violence"


def versions_of(lead: Seat, key: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = lead.api("GET", f"/api/plans/{key}/versions")["items"]
    return found


def publish(page: Page) -> None:
    page.get_by_role("button", name="发布为新版本").click()
    page.get_by_role("dialog").get_by_role("button", name="发布为新版本").click()


def test_a_plan_is_changed_in_the_form_with_each_fault_at_its_field(
    site: DemoSite, chromium: Browser, pictures: Path
) -> None:
    with seated(chromium, site, site.staff("shift_lead"), "/admin#plans", viewport=LAPTOP) as lead:
        page = lead.page
        plans = {row["key"]: row for row in lead.api("GET", "/api/plans")["items"]}
        (before, *_) = versions_of(lead, PLAN)
        page.get_by_role("button", name=plans[PLAN]["name"]["zh"]).click()
        publishing = page.get_by_role("button", name="发布为新版本")
        expect(publishing).to_be_disabled()
        level = page.get_by_role("listitem", name="第 1 级")
        level.get_by_label("应答时限").fill("5")
        expect(level.get_by_text("须在 10–3600 之间。")).to_be_visible()
        publishing.click()
        expect(level.get_by_label("应答时限")).to_be_focused()
        level.get_by_label("应答时限").fill("40")
        expect(level.get_by_text("须在 10–3600 之间。")).to_be_hidden()
        level.get_by_label("需要谁").first.select_option("k:grid_worker")
        level.get_by_label("人数").fill("3")
        expect(page.get_by_role("complementary").get_by_text("网格员 × 3")).to_be_visible()
        # The checklist by keyboard: a line more, written, moved up with its focus.
        first = page.get_by_label("步骤 1 中文")
        was = first.input_value()
        first.press("Enter")
        page.keyboard.type("通知物业")
        page.get_by_label("步骤 2 英文").fill("Call the property manager")
        page.get_by_label("步骤 2 中文").press("Alt+ArrowUp")
        expect(first).to_have_value("通知物业")
        expect(first).to_be_focused()
        expect(page.get_by_label("步骤 2 中文")).to_have_value(was)
        page.screenshot(path=pictures / "admin-plans.png")
        publish(page)
        expect(page.get_by_text(f"已发布版本 {int(str(before['version'])) + 1}")).to_be_visible()
        (after, *rest) = versions_of(lead, PLAN)
        assert rest[0] == before, "nothing is overwritten"
        body = json.loads(json.dumps(after["body"]))
        assert (body["level"][0]["offer_s"], body["level"][0]["need"]) == (
            40,
            [{"unit_kind": "grid_worker", "count": 3}],
        )
        assert body["step"][0]["name"]["en"] == "Call the property manager"
        assert lead.faults == []


def test_a_new_plan_is_written_tried_published_copied_and_retired(
    site: DemoSite, chromium: Browser, pictures: Path
) -> None:
    with (
        seated(chromium, site, site.staff("shift_lead"), "/admin#plans", viewport=LAPTOP) as lead,
        seated(chromium, site, site.officer(3), "/patrol", place=(118.9, 33.6)) as phone,
    ):
        page = lead.page
        case = take_call(lead, class_key=NOISE, text="新预案试算")
        put_on_duty(phone, case["lon"], case["lat"])
        unit = phone.api("GET", "/api/patrol/state")["unit"]
        page.get_by_role("button", name="新建预案").click()
        page.get_by_role("button", name="发布为新版本").click()
        expect(page.get_by_role("alert")).to_contain_text("需要修正")
        page.get_by_label("中文名称").fill("夜间噪音处置")
        page.get_by_label("英文名称").fill("Night noise")
        expect(page.get_by_label("编号")).to_have_value("night_noise")
        page.get_by_role("combobox", name="适用类别").fill("噪")
        page.get_by_role("option").filter(has_text=NOISE).click()
        level = page.get_by_role("listitem", name="第 1 级")
        level.get_by_label("呼叫范围").select_option("minutes")
        page.get_by_role("button", name="添加一级").click()
        second = page.get_by_role("listitem", name="第 2 级")
        second.get_by_role("radio", name="广播抢单").check()
        expect(second.get_by_text("广播呼叫须指定范围。")).to_be_visible()
        second.get_by_label("呼叫范围").select_option("buffer_m")
        expect(page.get_by_role("alert").filter(has_text="需要修正")).to_be_hidden()
        page.get_by_role("tab", name="试算").click()
        page.get_by_placeholder("按编号、地址或文字查找").fill(case["number"])
        found = page.get_by_role("complementary").locator("label").filter(has_text=case["number"])
        found.get_by_role("radio").check()
        page.get_by_role("button", name="试算", exact=True).click()
        told = page.get_by_role("complementary").get_by_role("status")
        expect(told).to_contain_text("适用:该类别")
        expect(told).to_contain_text(unit["call_sign"])
        page.screenshot(path=pictures / "admin-plan-trial.png")
        publish(page)
        expect(page.get_by_text("已发布版本 1")).to_be_visible()
        page.get_by_role("button", name="复制为新预案").click()
        expect(page.get_by_label("编号")).to_have_value("night_noise_copy")
        page.get_by_label("中文名称").fill("改了一半")
        page.get_by_role("button", name="夜间噪音处置").click()
        page.get_by_role("dialog").get_by_role("button", name="放弃修改").click()
        page.get_by_role("button", name="停用").click()
        page.get_by_role("dialog").get_by_role("button", name="停用").click()
        expect(page.get_by_role("button", name="恢复使用")).to_be_visible()
        newest, first = versions_of(lead, "night_noise")
        assert json.loads(json.dumps(newest["body"])) == {
            **json.loads(json.dumps(first["body"])),
            "retired": True,
        }
        assert phone.api("GET", "/api/patrol/state")["offers"] == [], "a trial asks nobody"
        end_duty(phone)
        assert lead.faults == []


def test_a_plan_goes_out_and_comes_in_as_json(site: DemoSite, chromium: Browser) -> None:
    with seated(chromium, site, site.staff("shift_lead"), "/admin#plans", viewport=LAPTOP) as lead:
        page = lead.page
        (newest, *_) = versions_of(lead, "hazard")
        body = json.loads(json.dumps(newest["body"]))
        page.get_by_role("button", name=body["name"]["zh"]).click()
        page.get_by_role("button", name="导入/导出").click()
        dialog = page.get_by_role("dialog")
        text = dialog.get_by_role("textbox")
        assert json.loads(text.input_value())["step"][0]["key"] == "mark_site"
        for written, sentence in (
            ("{ no plan", "JSON"),
            (json.dumps(body | {"key": "other"}), "这是预案“other”"),
            (json.dumps(body | {"levels": 3}), "不认识的字段“levels”"),
        ):
            text.fill(written)
            dialog.get_by_role("button", name="读入表单").click()
            expect(dialog).to_contain_text(sentence)
        text.fill(json.dumps(body | {"severities": [3, 4], "classes": ["S1", "Z9"]}))
        dialog.get_by_role("button", name="读入表单").click()
        expect(dialog).to_be_hidden()
        expect(page.get_by_text("本系统没有“Z9”。")).to_be_visible()
        page.get_by_role("button", name="去掉 Z9").click()
        expect(page.get_by_text("本系统没有“Z9”。")).to_be_hidden()
        with page.expect_download() as saved:
            page.get_by_role("button", name="导入/导出").click()
            dialog.get_by_role("button", name="存为文件").click()
        assert json.loads(saved.value.path().read_text())["severities"] == [3, 4]
        assert versions_of(lead, "hazard")[0] == newest, "nothing is written before it is published"
        assert lead.faults == []
