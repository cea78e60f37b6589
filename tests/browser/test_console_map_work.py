"""Work on the map itself: a fence by hand and by keyboard, rings of cover, a case played again, its report."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.desk import (
    LAPTOP,
    RUBBISH,
    calling,
    choose_more,
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

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=20_000)


def test_a_fence_is_drawn_by_hand_and_by_keyboard(site: DemoSite, chromium: Browser, pictures: Path) -> None:
    with seated(chromium, site, site.staff("operator"), "/", viewport=LAPTOP) as desk:
        page = desk.page
        page.wait_for_selector("canvas.maplibregl-canvas")
        page.get_by_role("button", name="新建围栏").click()
        form = page.get_by_role("form", name="新建围栏")
        page.wait_for_timeout(1_500)
        for x, y in ((560, 300), (760, 320), (740, 520)):
            page.mouse.click(x, y)
        expect(form.get_by_text("3 个点")).to_be_visible()
        form.get_by_role("button", name="撤销").click()
        expect(form.get_by_text("2 个点")).to_be_visible()
        form.get_by_role("button", name="重做").click()
        expect(form.get_by_text("3 个点")).to_be_visible()
        page.mouse.click(580, 500)
        page.keyboard.press("Control+z")
        expect(form.get_by_text("3 个点")).to_be_visible()
        page.keyboard.press("Control+y")
        expect(form.get_by_text("4 个点")).to_be_visible()
        # A corner is dragged, and put back.
        page.mouse.move(760, 320)
        page.mouse.down()
        page.mouse.move(800, 280, steps=5)
        page.mouse.up()
        page.screenshot(path=pictures / "console-fence.png")
        page.keyboard.press("Control+z")
        form.get_by_label("名称").fill("体育场外围")
        form.get_by_role("button", name="建立围栏").click()
        expect(form).to_be_hidden()
        fences = [
            row for row in desk.api("GET", "/api/fences?purpose=zone")["items"] if row["name"] == "体育场外围"
        ]
        assert len(fences) == 1
        shape = desk.api("GET", f"/api/fences/{fences[0]['id']}")["geometry"]
        corners = shape["coordinates"][0] if shape["type"] == "Polygon" else shape["coordinates"][0][0]
        assert len(corners) == 5, "four corners and the first again"
        # By keyboard alone: the map moves under its middle, Space sets a corner, Enter ends the line.
        page.get_by_role("button", name="新建围栏").click()
        page.wait_for_timeout(500)
        form.get_by_role("button", name="画线").click()
        page.locator("canvas.maplibregl-canvas").focus()
        for key in ("Space", "ArrowRight", "Space", "ArrowDown", "Space"):
            page.keyboard.press(key)
            page.wait_for_timeout(700)
        expect(form.get_by_text("3 个点")).to_be_visible()
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        expect(form).to_be_hidden()
        page.get_by_role("button", name=re.compile("^围栏")).click()
        page.get_by_role("button", name=re.compile("停用.*体育场外围")).click()
        give_reason(page, "停用", "任务结束")
        gone = until(
            lambda: [row["name"] for row in desk.api("GET", "/api/fences?purpose=zone")["items"]],
            lambda names: "体育场外围" not in names,
        )
        assert "体育场外围" not in gone
        assert desk.faults == []


def test_cover_shows_rings_and_who_could_move_up(site: DemoSite, chromium: Browser, pictures: Path) -> None:
    with (
        seated(chromium, site, site.staff("operator"), "/", viewport=LAPTOP) as desk,
        calling(chromium, site, site.officer(0, kind="patrol")) as first,
        calling(chromium, site, site.officer(1, kind="patrol")) as second,
    ):
        page = desk.page
        lon, lat = desk.api("GET", "/api/me")["deployment"]["center"]
        for phone in (first, second):
            put_on_duty(phone, lon, lat)
        page.get_by_role("button", name=re.compile("^力量覆盖")).click()
        rings = page.get_by_role("button", name="1-3-5 分钟圈").first
        with page.expect_response(re.compile("/api/cover/rings")) as answer:
            rings.click()
        assert [ring["properties"]["minutes"] for ring in answer.value.json()["features"]] == [1, 3, 5]
        page.wait_for_timeout(1_500)
        page.screenshot(path=pictures / "console-cover.png")
        page.get_by_role("button", name="隐藏圈").click()
        move = until(
            lambda: [
                row
                for row in desk.api("GET", "/api/cover")["items"]
                if (row["move_up"] or {}).get("call_sign")
            ],
            bool,
            most_s=45,
        )
        assert move, "somebody is free and could move up"
        page.get_by_role("button", name=re.compile("前移")).first.click(timeout=30_000)
        expect(page.get_by_role("complementary", name="地图对象")).to_be_visible()
        for phone in (first, second):
            end_duty(phone)
        assert desk.faults == []


def _worked(desk: Seat, phone: Seat) -> dict[str, Any]:
    """A case somebody went to and reported on, said over the radio."""
    case = take_call(desk, class_key=RUBBISH, shift_deg=-0.02)
    unit = put_on_duty(phone, case["lon"] + 0.002, case["lat"])
    until(lambda: desk.api("GET", "/api/units")["items"], lambda rows: any(row["id"] == unit for row in rows))
    job = desk.api("POST", f"/api/incidents/{case['id']}/dispatches", {"unit_id": unit, "expires_s": 900})
    for step in ("accept", "depart", "arrive"):
        desk.api("POST", f"/api/dispatches/{job['id']}/radio", {"step": step})
        put_on_duty(phone, case["lon"] + 0.001, case["lat"])
    desk.api(
        "POST", f"/api/dispatches/{job['id']}/radio", {"step": "done", "code": "solved", "note": "已清运"}
    )
    return case


def test_a_case_is_played_again_and_told_in_one_file(
    site: DemoSite, chromium: Browser, pictures: Path
) -> None:
    with (
        seated(chromium, site, site.staff("shift_lead"), "/", viewport=LAPTOP) as lead,
        calling(chromium, site, site.staff("operator")) as desk,
        calling(chromium, site, site.officer(18)) as phone,
    ):
        page = lead.page
        # Whoever handled it does not verify it.
        case = _worked(desk, phone)
        open_case(lead, case)
        page.locator("[data-primary]").click()
        page.get_by_role("dialog").get_by_role("button", name="核查结案").click()
        expect(page.locator("[data-primary]")).to_contain_text("重新打开")
        choose_more(page, "在地图上回放")
        give_reason(page, "在地图上回放", "复盘")
        bar = page.get_by_role("region", name="回放")
        slider = bar.get_by_role("slider", name="时间")
        start = slider.get_attribute("aria-valuetext")
        slider.focus()
        page.keyboard.press("End")
        expect(slider).not_to_have_attribute("aria-valuetext", start or "")
        expect(bar).to_contain_text(case["number"])
        page.screenshot(path=pictures / "console-replay.png")
        bar.get_by_role("button", name="播放").click()
        expect(bar.get_by_role("button", name="暂停")).to_be_visible()
        bar.get_by_role("button", name="结束回放").click()
        choose_more(page, "复盘报告")
        with page.expect_download() as taken:
            dialog = page.get_by_role("dialog")
            dialog.get_by_label("原因").fill("复盘")
            dialog.get_by_role("button", name="复盘报告").click()
        told = Path(taken.value.path()).read_text(encoding="utf-8")
        assert case["number"] in told
        assert "已清运" in told
        assert not re.search(r"(?:src|href)=[\"']https?:", told), "the file asks nobody for anything"
        assert read_case(lead, case)["status"] == "closed"
        end_duty(phone)
        assert lead.faults == []
