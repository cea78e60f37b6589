"""A fire: the plan starts by itself, two crews are called, one of them loses the line; nobody is forgotten."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.people import Seat, seated
from tests.browser.site import DemoSite
from tests.browser.steps import address_of, go_on_duty, stay_until, take_the_call

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIRE = "hqhh"
# A phone at this distance (degrees) from the scene drives there in a believable time.
NEAR_DEG = 0.003


def test_a_fire_with_two_crews_and_a_lift(site: DemoSite, chromium: Browser, pictures: Path) -> None:
    with seated(chromium, site, site.staff("operator"), "/") as desk:
        place = address_of(desk)
        scene = (float(place["lon"]), float(place["lat"]))
        engine_at, worker_at = (scene[0] + NEAR_DEG, scene[1]), (scene[0], scene[1] + NEAR_DEG)
        # The worker of the other story, if it ran before: he stands where it left him, and would be asked first.
        with (
            seated(chromium, site, site.officer(kind="fire"), "/patrol", place=engine_at) as engine,
            seated(chromium, site, site.officer(), "/patrol", place=worker_at) as worker,
        ):
            go_on_duty(engine, *engine_at)
            go_on_duty(worker, *worker_at)
            number = take_the_call(desk, str(place["name"]), FIRE, "三楼厨房冒浓烟，有人呼救。")
            case = desk.api("GET", f"/api/incidents?q={number}")["items"][0]["id"]
            desk.page.get_by_role("button", name=re.compile("^受理")).click()
            expect(desk.page.get_by_role("heading", name=re.compile("^步骤清单"))).to_be_visible(
                timeout=20_000
            )
            _accept_and_leave(engine)
            _accept_in_a_lift(worker, pictures)
            _both_are_counted(desk, case)
            desk.page.screenshot(path=pictures / "console-response.png")
            _arrive(engine, scene, pictures)
            _finish(engine, "明火已扑灭，无人员受伤。")
            _arrive(worker, (scene[0] + 0.0001, scene[1]), pictures)
            _finish(worker, "已疏散楼内居民。")
            _hand_over(desk)
            _close(desk, case)
            for seat in (desk, engine, worker):
                assert seat.faults == []
                assert seat.foreign == []


def _accept_and_leave(phone: Seat) -> None:
    phone.page.get_by_role("button", name="接单").click(timeout=30_000)
    phone.page.get_by_role("button", name="出发").click()
    phone.page.get_by_role("button", name="我已到场").wait_for()


def _accept_in_a_lift(phone: Seat, pictures: Path) -> None:
    """The line goes with the offer on the screen; what was pressed arrives once it is back."""
    phone.page.get_by_role("button", name="接单").wait_for(timeout=30_000)
    phone.context.set_offline(True)
    phone.page.get_by_role("button", name="接单").click()
    expect(phone.page.get_by_text("没有网络:接单已记下")).to_be_visible()
    phone.page.screenshot(path=pictures / "phone-no-line.png")
    phone.context.set_offline(False)
    phone.page.get_by_role("button", name="出发").click(timeout=60_000)
    phone.context.set_offline(True)
    phone.page.reload()
    expect(phone.page.get_by_role("button", name="我已到场")).to_be_visible()
    phone.context.set_offline(False)


def _both_are_counted(desk: Seat, case: str) -> None:
    """The first level asked for a fire engine and the grid's worker: both are on the way, nobody else is asked."""
    until = 60
    while until:
        found = desk.api("GET", f"/api/incidents/{case}")
        statuses = sorted(row["status"] for row in found["dispatches"])
        if statuses == ["en_route", "en_route"]:
            break
        until -= 1
        desk.page.wait_for_timeout(1_000)
    assert statuses == ["en_route", "en_route"]
    assert [row["status"] for row in found["callouts"]] == ["met"]


def _arrive(phone: Seat, scene: tuple[float, float], pictures: Path) -> None:
    # Some 300 m take a while: a fix that came too soon would be refused as impossibly fast.
    phone.page.wait_for_timeout(6_000)
    confirm = phone.page.get_by_role("button", name="确认到场")
    stay_until(phone, scene, confirm)
    phone.page.screenshot(path=pictures / "phone-arrived.png")
    confirm.click()


def _finish(phone: Seat, note: str) -> None:
    onward = phone.page.get_by_role("button", name="去反馈结果")
    solved = phone.page.get_by_role("button", name="已处置")
    onward.or_(solved).first.wait_for()
    if onward.is_visible():
        onward.click()
    solved.click()
    phone.page.get_by_label("情况说明").fill(note)
    phone.page.get_by_role("button", name="提交结果").click()
    expect(phone.page.get_by_text("待命中")).to_be_visible(timeout=20_000)


def _hand_over(desk: Seat) -> None:
    page = desk.page
    page.get_by_role("button", name=re.compile("^移交 110")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name=re.compile("119")).check()
    dialog.get_by_role("button", name="移交", exact=True).click()
    page.get_by_label("对方编号").fill("119-2026-0001")
    page.get_by_role("button", name="登记回执编号").click()
    expect(page.get_by_text("119-2026-0001")).to_be_visible()
    page.get_by_role("checkbox", name=re.compile("^完成:移交 119")).check()


def _close(desk: Seat, case: str) -> None:
    page = desk.page
    primary = page.locator("[data-primary]")
    expect(primary).to_contain_text("核查结案", timeout=20_000)
    primary.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="核查结案").click()
    expect(primary).to_contain_text("重新打开")
    told = [row["kind"] for row in desk.api("GET", f"/api/incidents/{case}")["events"]]
    for kind in (
        "plan_started",
        "callout_opened",
        "callout_met",
        "accepted",
        "arrival_proposed",
        "done",
        "closed",
    ):
        assert kind in told, (kind, told)
