"""A fire: the plan starts by itself, two crews are called, one of them works without a line; nothing is lost."""

from __future__ import annotations

import io
import re
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import REPOSITORY
from tests.browser.people import PATIENCE_MS, Seat, seated
from tests.browser.site import DemoSite
from tests.browser.steps import address_of, go_on_duty, stay_until, take_the_call

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIRE = "hqhh"
# A phone at this distance (degrees) from the scene drives there in a believable time.
NEAR_DEG = 0.003
CORDON = "疏散周边人员"


def test_a_fire_with_two_crews_one_of_them_without_a_line(
    site: DemoSite, chromium: Browser, pictures: Path
) -> None:
    _give_time_to_answer(site, chromium)
    with seated(chromium, site, site.staff("operator"), "/") as desk:
        place = address_of(desk)
        scene = (float(place["lon"]), float(place["lat"]))
        engine_at, patrol_at = (scene[0] + NEAR_DEG, scene[1]), (scene[0], scene[1] + NEAR_DEG)
        with (
            seated(chromium, site, site.officer(kind="fire"), "/patrol", place=engine_at) as engine,
            seated(chromium, site, site.officer(kind="patrol"), "/patrol", place=patrol_at) as patrol,
        ):
            go_on_duty(engine, *engine_at)
            go_on_duty(patrol, *patrol_at)
            number = take_the_call(desk, str(place["name"]), FIRE, "三楼厨房冒浓烟，有人呼救。")
            case = desk.api("GET", f"/api/incidents?q={number}")["items"][0]["id"]
            desk.page.get_by_role("button", name=re.compile("^受理")).click()
            expect(desk.page.get_by_role("heading", name=re.compile("^步骤清单"))).to_be_visible()
            _accept_and_leave(engine)
            _accept_in_a_lift(patrol, pictures)
            _both_are_counted(desk, case)
            desk.page.screenshot(path=pictures / "console-response.png")
            _work_without_a_line(patrol, pictures)
            _tell_by_radio(desk, patrol)
            _arrive(engine, scene, pictures)
            _tick(engine.page, "打通消防通道")
            _finish(engine, "明火已扑灭，无人员受伤。")
            _come_back(patrol, pictures)
            _nothing_is_lost(desk, case)
            _hand_over(desk)
            for seat in (desk, engine, patrol):
                assert seat.faults == []
                assert seat.foreign == []
        with seated(chromium, site, site.staff("shift_lead"), f"/?incident={case}") as lead:
            _close(lead, case, pictures)


def _give_time_to_answer(site: DemoSite, chromium: Browser) -> None:
    """The site's own version of the plan: on a busy machine half a minute is not enough to press a button."""
    rows = tomllib.loads((REPOSITORY / "data" / "vocab" / "plans.toml").read_text(encoding="utf-8"))["plan"]
    plan = next(row for row in rows if row["key"] == "fire")
    plan["level"][0] |= {"offer_s": 600, "deliver_s": 300, "level_s": 900}
    login, password = site.staff("shift_lead")
    context = chromium.new_context(ignore_https_errors=True)
    me = context.request.post(f"{site.url}/api/login", data={"login": login, "password": password}).json()
    answer = context.request.post(
        f"{site.url}/api/plans/fire", data={"plan": plan}, headers={"X-CSRF-Token": me["csrf"]}
    )
    assert answer.ok, answer.text()
    context.close()


def _accept_and_leave(phone: Seat) -> None:
    phone.page.get_by_role("button", name="接单").click()
    phone.page.get_by_role("button", name="出发").click()
    phone.page.get_by_role("button", name="我已到场").wait_for()


def _accept_in_a_lift(phone: Seat, pictures: Path) -> None:
    """The line goes with the offer on the screen; what was pressed arrives once it is back."""
    phone.page.get_by_role("button", name="接单").wait_for()
    phone.context.set_offline(True)
    phone.page.get_by_role("button", name="接单").click()
    expect(phone.page.get_by_text("没有网络:接单已记下")).to_be_visible()
    phone.page.screenshot(path=pictures / "phone-no-line.png")
    phone.context.set_offline(False)
    phone.page.get_by_role("button", name="出发").click()
    phone.page.get_by_role("button", name="我已到场").wait_for()
    expect(phone.page.get_by_text("全部已发送")).to_be_visible()


def _both_are_counted(desk: Seat, case: str) -> None:
    """The first level asked for a fire engine and a patrol: both are on the way, nobody else is asked."""
    found = _until(
        desk, case, lambda told: [row["status"] for row in told["dispatches"]] == ["en_route", "en_route"]
    )
    assert [row["status"] for row in found["callouts"]] == ["met"]


def _work_without_a_line(phone: Seat, pictures: Path) -> None:
    """Arrival, a step of the checklist and the result, tapped without a line; in between the phone dies."""
    page = phone.page
    phone.context.set_offline(True)
    page.get_by_role("button", name="我已到场").click()
    _tick(page, CORDON)
    page.reload()
    expect(page.get_by_role("checkbox", name=re.compile(CORDON))).to_be_checked()
    page.get_by_role("button", name="去反馈结果").click()
    page.get_by_role("button", name="已处置").click()
    page.get_by_label("情况说明").fill("已疏散楼内居民。")
    page.locator("input[type=file]").set_input_files(_photo())
    page.get_by_role("button", name="删除照片 1").wait_for()
    page.screenshot(path=pictures / "phone-result.png")
    page.get_by_role("button", name="提交结果").click()
    expect(page.get_by_text("结果已存在手机上")).to_be_visible()
    expect(page.get_by_text("3 项待发送")).to_be_visible()
    page.reload()
    expect(page.get_by_text("3 项待发送")).to_be_visible()


def _tell_by_radio(desk: Seat, phone: Seat) -> None:
    """The patrol is heard over the radio only: the seat says its steps, and that the photo follows."""
    call_sign = phone.page.locator(".bar strong").inner_text()
    menu = desk.page.get_by_role("button", name=f"{call_sign} 的代报与调度")
    menu.click()
    desk.page.get_by_role("menuitem", name="代报:已到场").click()
    menu.click()
    desk.page.get_by_role("menuitem", name="代报:处置结果…").click()
    dialog = desk.page.get_by_role("dialog")
    dialog.get_by_role("radio", name="已处置").check()
    dialog.get_by_label("说明").fill("电台报告:人员已疏散。")
    dialog.get_by_role("button", name="确定").click()
    expect(dialog).to_be_hidden()


def _come_back(phone: Seat, pictures: Path) -> None:
    """With the line the conflict is shown; the words can be changed and go beside what the seat told."""
    page = phone.page
    phone.context.set_offline(False)
    conflict = page.locator(".refused")
    expect(conflict).to_contain_text("结果已由他人报过")
    page.screenshot(path=pictures / "phone-conflict-radio.png")
    conflict.get_by_role("button", name="补充到已报的结果").click()
    words = conflict.get_by_label("情况说明")
    expect(words).to_have_value("已疏散楼内居民。")
    words.fill("已疏散楼内居民 12 人。")
    conflict.get_by_role("button", name="删除照片 1").wait_for()
    conflict.get_by_role("button", name="补充到结果").click()
    expect(conflict).to_be_hidden()
    expect(page.get_by_text("全部已发送")).to_be_visible()
    expect(page.get_by_text("待命中")).to_be_visible()


def _nothing_is_lost(desk: Seat, case: str) -> None:
    """Words, photo and tick of the phone are there, each with the time of the tap beside the time it came in."""
    found = _until(desk, case, lambda told: any(row["kind"] == "result_added" for row in told["timeline"]))
    told = {row["kind"]: row for row in found["timeline"]}
    assert (told["result_added"]["params"]["note"], told["result_added"]["params"]["photos"]) == (
        "已疏散楼内居民 12 人。",
        1,
    )
    ticked = [
        row for row in found["timeline"] if row["kind"] == "task_finished" and row["occurred_at"] is not None
    ]
    assert [CORDON in row["params"]["name"]["zh"] for row in ticked] == [True]
    for row in (*ticked, told["result_added"]):
        assert datetime.fromisoformat(row["occurred_at"]) < datetime.fromisoformat(row["at"])
    results = [row["result"] for row in found["dispatches"]]
    assert sorted(len(row["photos"]) for row in results) == [0, 1]
    expect(desk.page.get_by_text("手机无网络时按下").first).to_be_visible()


def _arrive(phone: Seat, scene: tuple[float, float], pictures: Path) -> None:
    confirm = phone.page.get_by_role("button", name="确认到场")
    stay_until(phone, scene, confirm)
    phone.page.screenshot(path=pictures / "phone-arrived.png")
    confirm.click()


def _tick(page: Page, step: str) -> None:
    box = page.get_by_role("checkbox", name=re.compile(step))
    box.click()
    expect(box).to_be_checked()


def _finish(phone: Seat, note: str) -> None:
    phone.page.get_by_role("button", name="去反馈结果").click()
    phone.page.get_by_role("button", name="已处置").click()
    phone.page.get_by_label("情况说明").fill(note)
    phone.page.get_by_role("button", name="提交结果").click()
    expect(phone.page.get_by_text("待命中")).to_be_visible()


def _hand_over(desk: Seat) -> None:
    page = desk.page
    page.get_by_role("button", name=re.compile("^移交 110")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name=re.compile("119")).check()
    dialog.get_by_role("button", name="移交", exact=True).click()
    page.get_by_label("对方编号").fill("119-2026-0001")
    page.get_by_role("button", name="登记回执编号").click()
    expect(page.get_by_text("119-2026-0001").first).to_be_visible()
    # Pressed, not checked: the box shows what the server has, a moment later.
    step = page.get_by_role("checkbox", name=re.compile("^完成:移交 119"))
    step.click()
    expect(step).to_be_checked()


def _close(lead: Seat, case: str, pictures: Path) -> None:
    """Another person than whoever told the results looks at them and closes."""
    page = lead.page
    primary = page.locator("[data-primary]")
    expect(primary).to_contain_text("核查结案")
    primary.click()
    page.get_by_role("dialog").get_by_role("button", name="核查结案").click()
    expect(primary).to_contain_text("重新打开")
    page.screenshot(path=pictures / "console-fire-closed.png")
    kinds = {row["kind"] for row in lead.api("GET", f"/api/incidents/{case}")["timeline"]}
    wanted = (
        "plan_started callout_opened callout_met accepted arrival_proposed arrived done handed_over closed"
    )
    assert set(wanted.split()) <= kinds
    assert lead.faults == []


def _until(desk: Seat, case: str, holds: Any) -> Any:
    """The case as the server tells it, once that holds."""
    for _ in range(PATIENCE_MS // 500):
        found = desk.api("GET", f"/api/incidents/{case}")
        if holds(found):
            return found
        desk.page.wait_for_timeout(500)
    raise AssertionError(f"it never came to that: {found['dispatches']} {found['callouts']}")


def _photo() -> Any:
    out = io.BytesIO()
    Image.new("RGB", (640, 480), (120, 130, 110)).save(out, "JPEG")
    return {"name": "scene.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}
