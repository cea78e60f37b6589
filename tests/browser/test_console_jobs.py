"""A job under way, worked from the seat: steps by radio, recall, divert, release, no way in, and a cry for help."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk import (
    LAPTOP,
    RUBBISH,
    calling,
    choose_for_job,
    end_duty,
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


def _offer(desk: Seat, case: dict[str, Any], unit: str) -> dict[str, Any]:
    body = {"unit_id": unit, "expires_s": 900}
    path = f"/api/incidents/{case['id']}/dispatches"
    until(lambda: desk.api("GET", "/api/units")["items"], lambda rows: any(row["id"] == unit for row in rows))
    made: dict[str, Any] = desk.api("POST", path, body)
    return made


def _job(desk: Seat, case: dict[str, Any], status: str) -> dict[str, Any]:
    """The newest job of a case, once it has this status."""
    rows: list[dict[str, Any]] = until(
        lambda: read_case(desk, case)["dispatches"], lambda rows: any(row["status"] == status for row in rows)
    )
    return max(rows, key=lambda row: str(row["offered_at"]))


def _confirm(page: Page, **chosen: str) -> None:
    """The form of a verb: a radio button, a reason or a case to go to."""
    form = page.get_by_role("dialog")
    if "term" in chosen:
        form.get_by_role("radio", name=chosen["term"]).check()
    if "to" in chosen:
        form.get_by_placeholder(re.compile("编号或地址")).fill(chosen["to"])
        form.get_by_role("radio", name=re.compile(chosen["to"])).check()
    if "reason" in chosen:
        form.get_by_label("原因").fill(chosen["reason"])
    form.get_by_role("button", name="确定").click()
    expect(form).to_be_hidden()


def test_a_unit_is_recalled_diverted_and_let_go(site: DemoSite, chromium: Browser) -> None:
    with (
        seated(chromium, site, site.staff("operator"), "/", viewport=LAPTOP) as desk,
        calling(chromium, site, site.officer(9)) as phone,
    ):
        page = desk.page
        first = take_call(desk, class_key=RUBBISH, shift_deg=0.041)
        second = take_call(desk, class_key=RUBBISH, shift_deg=0.046)
        unit = put_on_duty(phone, first["lon"] + 0.001, first["lat"])
        _offer(desk, first, unit)
        open_case(desk, first)
        choose_for_job(page, "代报:拒单")
        _confirm(page, term="距离过远")
        assert _job(desk, first, "declined")["radio_steps"] == ["decline"]
        _offer(desk, first, unit)
        choose_for_job(page, "代报:接单")
        choose_for_job(page, "代报:已出发")
        choose_for_job(page, "召回")
        _confirm(page, reason="已有更近的人")
        assert _job(desk, first, "recalled")["end_reason"] == "recalled"
        _offer(desk, first, unit)
        choose_for_job(page, "代报:接单")
        choose_for_job(page, "改派到其他事件")
        _confirm(page, to=second["number"], reason="更紧急的事件")
        assert _job(desk, first, "diverted")["end_reason"] == "diverted"
        assert _job(desk, second, "offered")["unit"]["id"] == unit
        open_case(desk, second)
        choose_for_job(page, "代报:接单")
        choose_for_job(page, "代报:已到场")
        choose_for_job(page, "无法进入")
        _confirm(page, term="门锁、无人应门")
        loud = page.get_by_role("alert", name="必须处理的警报").locator(".entry_blocked")
        loud.filter(has_text=second["number"]).get_by_role("button", name="确认已接手").click()
        expect(loud.filter(has_text=second["number"])).to_be_hidden()
        choose_for_job(page, "放行离场")
        _confirm(page, reason="现场已无需要")
        assert _job(desk, second, "released")["radio_steps"] == ["accept", "arrive"]
        end_duty(phone)
        assert desk.faults == []
