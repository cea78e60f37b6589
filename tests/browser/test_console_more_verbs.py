"""What else a seat presses: a step on hold, more help, a result without a photo, the check of it, a swap refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.desk import (
    LAPTOP,
    RUBBISH,
    calling,
    choose_for_job,
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
GAS = "S1.03"


def _sent(desk: Seat, case: dict[str, Any], unit: str) -> None:
    until(lambda: desk.api("GET", "/api/units")["items"], lambda rows: any(row["id"] == unit for row in rows))
    desk.api("POST", f"/api/incidents/{case['id']}/dispatches", {"unit_id": unit, "expires_s": 900})


def _status(desk: Seat, case: dict[str, Any], wanted: str) -> str:
    found: str = until(lambda: read_case(desk, case)["status"], lambda status: status == wanted)
    return found


def test_help_a_result_by_radio_no_photo_and_the_check_of_it(site: DemoSite, chromium: Browser) -> None:
    with (
        seated(chromium, site, site.staff("operator"), "/", viewport=LAPTOP) as desk,
        seated(chromium, site, site.staff("shift_lead"), "/", viewport=LAPTOP) as lead,
        calling(chromium, site, site.officer(10)) as phone,
    ):
        page = desk.page
        case = take_call(desk, class_key=RUBBISH, shift_deg=0.081)
        unit = put_on_duty(phone, case["lon"] + 0.001, case["lat"])
        _sent(desk, case, unit)
        open_case(desk, case)
        choose_for_job(page, "代报:接单")
        choose_for_job(page, "代报:已到场")
        choose_for_job(page, "请求增援")
        form = page.get_by_role("dialog")
        form.get_by_label("原因").or_(form.get_by_label("说明")).first.fill("人手不够")
        form.get_by_role("button", name="确定").click()
        expect(form).to_be_hidden()
        # Taken from the list behind the bell, not from the strip over the map.
        page.get_by_role("button", name=re.compile(r"\d+ 条警报")).click()
        line = page.get_by_role("listitem").filter(has_text="请求增援").filter(has_text=case["number"])
        line.get_by_role("button", name="确认", exact=True).click()
        expect(line).to_be_hidden()
        page.keyboard.press("Escape")
        rows = [row for row in desk.api("GET", "/api/alarms")["items"] if row["incident_id"] == case["id"]]
        assert [row for row in rows if row["kind"] == "need_help" and row["status"] == "raised"] == []
        opened = until(lambda: read_case(desk, case)["callouts"], bool)
        assert [row["places"] for row in opened] == [1], "one more is called for at once"
        desk.api("POST", f"/api/callouts/{opened[0]['id']}/stop", {"reason": "试验"})
        detail = open_case(desk, case)
        choose_for_job(page, "代报:处置结果")
        form.get_by_role("radio", name="已处置").check()
        form.get_by_label("说明").fill("已清运")
        form.get_by_role("checkbox", name=re.compile("照片随后")).check()
        form.get_by_role("button", name="确定").click()
        expect(detail.get_by_text("照片待补").first).to_be_visible()
        detail.get_by_role("button", name="无法补拍").click()
        give_reason(page, "无法补拍照片", "现场已恢复")
        expect(detail.get_by_text("无法补拍照片:现场已恢复").first).to_be_visible()
        result = read_case(desk, case)["dispatches"][0]["result"]
        assert (result["photo"], result["photo_reason"]) == ("impossible", "现场已恢复")
        assert _status(desk, case, "awaiting_verification") == "awaiting_verification"
        # Who wrote the result in does not check it: another seat sends it back, then verifies.
        open_case(lead, case)
        lead.page.get_by_role("button", name="退回", exact=True).click()
        give_reason(lead.page, "退回", "角落里还有")
        assert _status(desk, case, "returned") == "returned"
        lead.page.get_by_role("button", name="更多操作").wait_for()
        _sent(desk, case, unit)
        open_case(desk, case)
        choose_for_job(page, "代报:接单")
        choose_for_job(page, "代报:已到场")
        choose_for_job(page, "代报:处置结果")
        form.get_by_role("radio", name="已处置").check()
        form.get_by_label("说明").fill("全部清运")
        form.get_by_role("button", name="确定").click()
        assert _status(desk, case, "awaiting_verification") == "awaiting_verification"
        open_case(lead, case)
        lead.page.get_by_role("button", name="核查结案").click()
        check = lead.page.get_by_role("dialog")
        check.get_by_role("button", name="核查结案").click()
        expect(check).to_be_hidden()
        assert _status(desk, case, "closed") == "closed"
        end_duty(phone)
        assert desk.faults == lead.faults == []


def test_a_step_that_waits_for_somebody_outside_is_put_on_hold(site: DemoSite, chromium: Browser) -> None:
    with seated(chromium, site, site.staff("operator"), "/", viewport=LAPTOP) as desk:
        page = desk.page
        case = take_call(desk, class_key=GAS, severity=3, shift_deg=0.085)
        here = f"/api/incidents/{case['id']}"
        (task,) = desk.api("POST", f"{here}/plan/start", {"plan_key": "hazard"})["tasks"]
        detail = open_case(desk, case)
        detail.get_by_role("button", name=f"挂起:{task['name']['zh']}").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("radio", name="其他").check()
        expect(dialog.get_by_role("button", name="挂起", exact=True)).to_be_disabled()
        dialog.get_by_role("radio", name="等待材料").check()
        dialog.get_by_role("textbox").fill("护栏明早到")
        dialog.get_by_role("button", name="挂起", exact=True).click()
        expect(dialog).to_be_hidden()
        expect(detail.get_by_text("挂起:等待材料或备件").first).to_be_visible()
        held = read_case(desk, case)["tasks"][0]
        assert (held["status"], held["due_at"], held["history"][-1]["words"]) == (
            "paused",
            None,
            "护栏明早到",
        )
        detail.get_by_role("button", name=f"恢复:{task['name']['zh']}").click()
        going = until(lambda: read_case(desk, case)["tasks"][0], lambda row: row["status"] == "open")
        assert going["due_at"] > task["due_at"], "the time on hold does not count"
        desk.api("POST", f"{here}/plan/end", {"plan_key": "hazard", "reason": "试验结束"})
        assert desk.faults == []


def test_a_swap_is_refused_and_nobody_changes_places(site: DemoSite, chromium: Browser) -> None:
    with (
        seated(chromium, site, site.staff("shift_lead"), "/", viewport=LAPTOP) as lead,
        calling(chromium, site, site.officer(13)) as asker,
        calling(chromium, site, site.officer(14)) as asked,
    ):
        page = lead.page
        units = [phone.api("GET", "/api/patrol/state")["unit"] for phone in (asker, asked)]
        day = (datetime.now(UTC) + timedelta(days=43)).replace(minute=0, second=0, microsecond=0)
        span = {"starts_at": day.isoformat(), "ends_at": (day + timedelta(hours=6)).isoformat()}
        entry = lead.api("POST", "/api/rosters", {"unit_id": units[0]["id"], "kind": "duty", **span})
        entry = entry.get("entry", entry)
        swap = asker.api(
            "POST", f"/api/rosters/{entry['id']}/swap", {"to_unit_id": units[1]["id"], "reason": "喝喜酒"}
        )
        asked.api("POST", f"/api/rosters/swaps/{swap['id']}/answer", {"accept": True})
        page.get_by_role("button", name="今日班表").click()
        dialog = page.get_by_role("dialog", name="今日班表")
        dialog.get_by_role("button", name="换班申请").click()
        line = dialog.get_by_role("listitem").filter(has_text="喝喜酒")
        line.get_by_role("button", name="不批准").click()
        expect(line.get_by_role("button", name="不批准")).to_be_hidden()
        (row,) = [row for row in lead.api("GET", "/api/rosters/swaps")["items"] if row["id"] == swap["id"]]
        assert row["status"] == "refused"
        assert row["entry"]["unit_id"] == units[0]["id"]
        lead.api("POST", f"/api/rosters/{entry['id']}/cancel", {"reason": "试验结束"})
        assert lead.faults == []
