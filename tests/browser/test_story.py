"""The whole story in two real browsers: a call comes in, somebody goes, it is verified and closed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.people import PATIENCE_MS, Seat, seated
from tests.browser.site import DemoSite
from tests.browser.steps import address_of, go_on_duty, stay_until, take_the_call

pytestmark = pytest.mark.browser

NOISE = "zyrm"  # the pinyin initials of "noise": what a practised hand types


def test_from_a_call_to_a_verified_close(site: DemoSite, chromium: Browser, pictures: Path) -> None:
    with seated(chromium, site, site.staff("operator"), "/") as desk:
        place = address_of(desk)
        beside = (float(place["lon"]) + 0.004, float(place["lat"]) + 0.001)
        with seated(chromium, site, site.officer(), "/patrol", place=beside) as phone:
            go_on_duty(phone, *beside)
            number = take_the_call(desk, str(place["name"]), NOISE, "楼下广场音响声音很大，影响孩子休息。")
            _send_the_nearest(desk, pictures)
            phone.stand_at(beside[0] + 0.00001, beside[1])
            _accept(phone, pictures)
            phone.stand_at(*beside)
            _go_there(phone, float(place["lon"]), float(place["lat"]), pictures)
            _report_result(phone)
            _verify(desk, number, pictures)
            assert phone.faults == []
            assert phone.foreign == []
        assert desk.faults == []
        assert desk.foreign == []


def _send_the_nearest(desk: Seat, pictures: Path) -> None:
    page = desk.page
    page.get_by_role("button", name=re.compile("^受理")).click()
    primary = page.locator("[data-primary]")
    expect(primary).to_contain_text("派遣")
    expect(primary).to_be_enabled()
    page.wait_for_timeout(1_500)
    page.screenshot(path=pictures / "console-dispatch.png")
    primary.click()
    expect(primary).to_contain_text("已派出")


def _accept(phone: Seat, pictures: Path) -> None:
    accept = phone.page.get_by_role("button", name="接单")
    accept.wait_for()
    phone.page.wait_for_timeout(1_500)
    phone.page.screenshot(path=pictures / "phone-offer.png")
    assert "号" not in phone.page.locator(".offer").inner_text(), "an offer tells no house number"
    accept.click()
    phone.page.get_by_role("button", name="出发").click()


def _go_there(phone: Seat, lon: float, lat: float, pictures: Path) -> None:
    phone.page.get_by_role("button", name="我已到场").wait_for()
    phone.page.wait_for_timeout(1_500)
    phone.page.screenshot(path=pictures / "phone-on-the-way.png")
    # 400 m take a while: a fix that comes too soon is refused as impossibly fast, a later one is not.
    stay_until(phone, (lon + 0.0001, lat), phone.page.get_by_text("系统判定你已到场"))
    phone.page.get_by_role("button", name="确认到场").click()


def _report_result(phone: Seat) -> None:
    phone.page.get_by_role("button", name="已处置").click()
    phone.page.get_by_label("情况说明").fill("已劝离，现场恢复安静。")
    phone.page.get_by_role("button", name="提交结果").click()
    expect(phone.page.get_by_text("待命中")).to_be_visible()
    phone.page.get_by_role("button", name="我的一天").click()
    expect(phone.page.get_by_text("噪音扰民")).to_be_visible()


def _verify(desk: Seat, number: str, pictures: Path) -> None:
    page = desk.page
    primary = page.locator("[data-primary]")
    expect(primary).to_contain_text("核查结案")
    primary.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="核查结案").click()
    expect(dialog).to_be_hidden()
    expect(primary).to_contain_text("重新打开")
    page.screenshot(path=pictures / "console-closed.png")
    found = desk.api("GET", f"/api/incidents?q={number}")["items"]
    assert [(row["status"], row["outcome"]) for row in found] == [("closed", "solved")]


def test_the_phone_keeps_what_it_cannot_send(site: DemoSite, chromium: Browser) -> None:
    """Out of the lift: what was reported without a line arrives once, in order, after a reload."""
    with seated(chromium, site, site.staff("operator"), "/") as desk:
        place = address_of(desk)
        here = (float(place["lon"]), float(place["lat"]))
        before = _count(desk)
        with seated(chromium, site, site.officer(1), "/patrol", place=here) as phone:
            page = phone.page
            page.get_by_role("button", name="上报").wait_for()
            phone.context.set_offline(True)
            page.get_by_role("button", name="上报").click()
            page.get_by_role("button", name="市容环境").click()
            page.get_by_role("button", name="暴露垃圾").click()
            expect(page.get_by_text("1 项待发送")).to_be_visible()
            phone.context.set_offline(False)
            page.reload()
            expect(page.get_by_text("全部已发送")).to_be_visible()
            for _ in range(PATIENCE_MS // 500):
                if (after := _count(desk)) > before:
                    break
                page.wait_for_timeout(500)
        assert after == before + 1


def _count(desk: Seat) -> int:
    return int(desk.api("GET", "/api/incidents?class=C1.01&limit=1")["total"])
