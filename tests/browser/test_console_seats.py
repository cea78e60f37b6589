"""What seats do among each other: cries for help, the change of shift, major events, rosters, several cases at once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.desk import (
    LAPTOP,
    NOISE,
    RUBBISH,
    calling,
    choose_more,
    end_duty,
    open_case,
    put_on_duty,
    read_case,
    take_call,
    until,
)
from tests.browser.people import seated
from tests.browser.site import DemoSite

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=20_000)

# Counts the tones that the page plays: a headless machine has no loudspeaker to listen to.
COUNT_TONES = """() => {
  window.tones = 0;
  const make = AudioContext.prototype.createOscillator;
  AudioContext.prototype.createOscillator = function () { window.tones += 1; return make.call(this); };
}"""


def test_an_sos_rings_until_a_seat_takes_it(site: DemoSite, chromium: Browser, pictures: Path) -> None:
    with (
        seated(chromium, site, site.staff("operator"), "/", viewport=LAPTOP) as desk,
        calling(chromium, site, site.officer(12)) as phone,
    ):
        page = desk.page
        page.evaluate(COUNT_TONES)
        page.locator("h1").click()
        expect(page.get_by_text("实时")).to_be_visible()
        lon, lat = desk.api("GET", "/api/me")["deployment"]["center"]
        put_on_duty(phone, lon, lat)
        sign = phone.api("GET", "/api/patrol/state")["unit"]["call_sign"]
        call = phone.api("POST", "/api/patrol/sos", {"lon": lon, "lat": lat, "accuracy_m": 9.0})
        line = page.get_by_role("alert", name="必须处理的警报").locator(".one.sos").filter(has_text=sign)
        expect(line).to_be_visible(timeout=10_000)
        assert page.evaluate("tones") > 0
        line.get_by_role("button", name="定位").click()
        expect(page.get_by_role("complementary", name="地图对象").get_by_role("heading")).to_have_text(sign)
        page.wait_for_timeout(1_500)
        page.screenshot(path=pictures / "console-sos.png")
        line.get_by_role("button", name="确认已接手").click()
        expect(line).to_be_hidden()
        waiting = [row["params"] for row in desk.api("GET", "/api/alarms")["items"] if row["kind"] == "sos"]
        assert call["id"] not in [params["sos_id"] for params in waiting], "its copies are taken with it"
        assert (
            phone.api("GET", "/api/patrol/state")["sos"]["acknowledged_by"]
            == desk.api("GET", "/api/me")["account"]["display_name"]
        )
        end_duty(phone)
        assert desk.faults == []


def test_the_next_seat_signs_for_everything_open(site: DemoSite, chromium: Browser) -> None:
    with (
        seated(chromium, site, site.staff("operator"), "/", viewport=LAPTOP) as desk,
        seated(chromium, site, site.staff("shift_lead"), "/", viewport=LAPTOP) as lead,
    ):
        case = take_call(desk, shift_deg=0.05)
        desk.api("POST", f"/api/incidents/{case['id']}/handle", {"version": case["version"]})
        desk.page.get_by_role("button", name="交接班").click()
        mine = desk.page.get_by_role("dialog", name="交接班")
        open_items = [item["id"] for item in desk.api("GET", "/api/shifts/open")["items"]]
        assert case["id"] in open_items
        expect(mine.get_by_role("heading", name=f"{len(open_items)} 项未结")).to_be_visible()
        mine.get_by_label("交班说明").fill("注意广场音响")
        mine.get_by_role("button", name="发起交班").click()
        expect(mine.get_by_text("等待接班人签收").first).to_be_visible()
        lead.page.get_by_role("button", name="交接班").click()
        theirs = lead.page.get_by_role("dialog", name="交接班")
        expect(theirs.get_by_text("注意广场音响")).to_be_visible()
        theirs.get_by_role("button", name="签收接班").first.click()
        theirs.get_by_role("alert").get_by_role("button", name="签收接班").click()
        expect(theirs.get_by_text("没有等待签收的交班")).to_be_visible()
        handler = read_case(desk, case)["handler"]
        assert handler["id"] == lead.api("GET", "/api/me")["account"]["id"]
        newest = desk.api("GET", "/api/shifts/handovers")["items"][0]
        assert (newest["status"], newest["note"]) == ("signed", "注意广场音响")
        told = desk.api("GET", f"/api/shifts/handover/{newest['id']}")
        assert case["id"] in [item["id"] for item in told["items"]]
        assert desk.faults == lead.faults == []


@pytest.mark.slow
def test_many_cases_become_one_major_event(site: DemoSite, chromium: Browser) -> None:
    with seated(chromium, site, site.staff("operator"), "/", viewport=LAPTOP) as desk:
        page = desk.page
        first, second = (take_call(desk, shift_deg=0.06 + 0.002 * n) for n in range(2))
        name = f"暴雨内涝 {first['number']}"
        open_case(desk, first)
        choose_more(page, "并入重大事件")
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("新建,名称").fill(name)
        dialog.get_by_role("button", name="并入重大事件").click()
        expect(dialog).to_be_hidden()
        open_case(desk, second)
        choose_more(page, "并入重大事件")
        dialog.get_by_role("radio", name=name).check()
        dialog.get_by_role("button", name="并入重大事件").click()
        expect(dialog).to_be_hidden()
        page.get_by_role("button", name="重大事件").first.click()
        majors = page.get_by_role("dialog", name="重大事件")
        majors.get_by_role("button", name=name).click()
        expect(majors.locator(".members li")).to_have_count(2)
        majors.get_by_role("button", name="结束重大事件").click()
        majors.get_by_label("总结").fill("已排水")
        majors.get_by_role("button", name="结束重大事件").click()
        expect(page.get_by_text("还有未结案的成员").or_(page.get_by_text("成员")).first).to_be_visible()
        found = next(row for row in desk.api("GET", "/api/majors")["items"] if row["name"] == name)
        assert (found["members"], found["closed_at"]) == (2, None), "two members are still open"
        for case in (first, second):
            version = read_case(desk, case)["version"]
            body = {"version": version, "reason": "试验结束"}
            desk.api("POST", f"/api/incidents/{case['id']}/void", body)
        majors.get_by_role("button", name="结束重大事件").last.click()
        until(
            lambda: [row["name"] for row in desk.api("GET", "/api/majors")["items"]],
            lambda names: name not in names,
        )
        closed = desk.api("GET", f"/api/majors/{found['id']}")
        assert (closed["note"], closed["closed_at"] is not None) == ("已排水", True)
        assert desk.faults == []


def test_a_roster_is_planned_left_and_swapped(site: DemoSite, chromium: Browser, pictures: Path) -> None:
    with (
        seated(chromium, site, site.staff("shift_lead"), "/", viewport=LAPTOP) as lead,
        calling(chromium, site, site.officer(13)) as asker,
        calling(chromium, site, site.officer(14)) as asked,
    ):
        page = lead.page
        units = [phone.api("GET", "/api/patrol/state")["unit"] for phone in (asker, asked)]
        # A day that nobody has planned yet: the demo's rosters end before.
        day = (datetime.now(UTC) + timedelta(days=40)).replace(minute=0, second=0, microsecond=0)
        page.get_by_role("button", name="今日班表").click()
        dialog = page.get_by_role("dialog", name="今日班表")
        dialog.get_by_role("button", name="排班…").click()
        form = dialog.get_by_role("form", name="排班")
        form.get_by_role("combobox", name="力量").fill(units[0]["call_sign"])
        form.get_by_role("option").first.click()
        # The fields speak of the site's own time, eight hours ahead.
        start = day + timedelta(hours=8)
        form.get_by_label("开始").fill(start.strftime("%Y-%m-%dT%H:%M"))
        form.get_by_label("结束").fill((start + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M"))
        form.get_by_label("车辆").fill("电动车 7 号")
        partner = lead.api("GET", "/api/rosters/people")["items"][0]["name"]
        form.get_by_role("combobox", name="搭档").fill(partner)
        form.get_by_role("option").first.click()
        page.screenshot(path=pictures / "console-roster.png")
        form.get_by_role("button", name="保存").click()
        expect(form).to_be_hidden()
        span = {"from": day.isoformat(), "to": (day + timedelta(hours=6)).isoformat()}
        address = "/api/rosters?" + "&".join(f"{key}={at.replace('+', '%2B')}" for key, at in span.items())
        (entry,) = lead.api("GET", address)["items"]
        assert datetime.fromisoformat(entry["starts_at"]) == day
        assert (entry["unit_id"], entry["vehicle"], entry["partner_name"]) == (
            units[0]["id"],
            "电动车 7 号",
            partner,
        )
        # One crew asks the other on the phone; the shift lead confirms.
        body = {"to_unit_id": units[1]["id"], "reason": "家里有事"}
        swap = asker.api("POST", f"/api/rosters/{entry['id']}/swap", body)
        asked.api("POST", f"/api/rosters/swaps/{swap['id']}/answer", {"accept": True})
        dialog.get_by_role("button", name="换班申请").click()
        line = dialog.get_by_role("listitem").filter(has_text="家里有事")
        line.get_by_role("button", name="批准", exact=True).click()
        expect(line.get_by_text("已批准")).to_be_visible()
        planned = [row for row in lead.api("GET", address)["items"] if row["status"] == "planned"]
        assert [(row["unit_id"], row["kind"]) for row in planned] == [(units[1]["id"], "swap")]
        # Who takes it over falls ill: the leave says what it leaves without anybody.
        dialog.get_by_role("button", name="登记请假…").click()
        form.get_by_role("combobox", name="力量").fill(units[1]["call_sign"])
        form.get_by_role("option").first.click()
        form.get_by_label("开始").fill(start.strftime("%Y-%m-%dT%H:%M"))
        form.get_by_label("结束").fill((start + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M"))
        form.get_by_role("button", name="保存").click()
        warning = dialog.get_by_role("alert")
        expect(warning).to_contain_text(units[1]["call_sign"])
        warning.get_by_role("button", name="知道了").click()
        planned = [row for row in lead.api("GET", address)["items"] if row["status"] == "planned"]
        assert [row["kind"] for row in planned] == ["leave"]
        for row in planned:
            lead.api("POST", f"/api/rosters/{row['id']}/cancel", {"reason": "试验结束"})
        assert lead.faults == []


@pytest.mark.slow
def test_several_cases_are_solved_together(site: DemoSite, chromium: Browser) -> None:
    with (
        seated(chromium, site, site.staff("operator"), "/", viewport=LAPTOP) as desk,
        calling(chromium, site, site.officer(15)) as first,
        calling(chromium, site, site.officer(16)) as second,
    ):
        page = desk.page
        cases = [
            take_call(desk, class_key="C1.02", severity=1, shift_deg=-0.06 - 0.004 * n) for n in range(2)
        ]
        for phone, case in zip((first, second), cases, strict=True):
            put_on_duty(phone, case["lon"] + 0.001, case["lat"])
        until(lambda: desk.api("GET", "/api/units")["items"], lambda rows: len(rows) >= 2)
        page.goto(f"{site.url}/?class=C1.02&severity=1")
        expect(page.locator(".queue .row-button")).to_have_count(2)
        page.get_by_role("button", name="统筹派遣").click()
        dialog = page.get_by_role("dialog", name="统筹派遣")
        expect(dialog.get_by_text("平均到达")).to_be_visible(timeout=40_000)
        expect(dialog.locator("li")).to_have_count(2)
        dialog.get_by_role("button", name="派遣选中的 2 件").click()
        expect(dialog).to_be_hidden()
        sent = {row["unit"]["id"] for case in cases for row in read_case(desk, case)["dispatches"]}
        assert len(sent) == 2
        for case in cases:
            for row in read_case(desk, case)["dispatches"]:
                desk.api("POST", f"/api/dispatches/{row['id']}/cancel", {"reason": "试验结束"})
        for phone in (first, second):
            end_duty(phone)
        assert desk.faults == []


def test_a_critical_case_never_sinks_below_the_third_row(site: DemoSite, chromium: Browser) -> None:
    with seated(chromium, site, site.staff("operator"), "/", viewport=LAPTOP) as desk:
        page = desk.page
        case = take_call(desk, class_key=NOISE, severity=1, shift_deg=0.07)
        take_call(desk, class_key=RUBBISH, severity=4, shift_deg=0.071)
        strip = page.get_by_role("region", name="特急未处置")
        page.goto(f"{site.url}/?class=C1.01")
        pinned = strip.locator(f"[data-incident='{case['id']}']")
        more = strip.get_by_text(re.compile("另有"))
        expect(pinned.or_(more).first).to_be_visible()
        box, head = strip.bounding_box(), page.locator(".queue .head").bounding_box()
        assert box is not None
        assert head is not None
        assert box["y"] - head["y"] - head["height"] < 3 * 78, "it stands where the first rows stand"
        version = read_case(desk, case)["version"]
        desk.api("POST", f"/api/incidents/{case['id']}/void", {"version": version, "reason": "试验结束"})
        expect(pinned).to_be_hidden()
        assert desk.faults == []
