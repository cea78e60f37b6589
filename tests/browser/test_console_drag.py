"""Sending by hand: a unit dropped on a case, a case dropped on a unit, and the gates that no drag gets past."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.desk import (
    FIRE,
    LAPTOP,
    NOISE,
    calling,
    end_duty,
    open_case,
    put_on_duty,
    read_case,
    take_call,
    until,
)
from tests.browser.people import Seat, seated
from tests.browser.site import DemoSite

pytestmark = pytest.mark.browser

expect.set_options(timeout=20_000)


def _drag(page: Page, start: Locator | tuple[float, float], end: Locator | tuple[float, float]) -> None:
    """As a hand does it: pressed, moved in steps, looked at, let go."""
    (x, y), (to_x, to_y) = _middle(start), _middle(end)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 12, y + 8, steps=3)
    page.mouse.move(to_x, to_y, steps=12)
    expect(page.locator(".ghost.over")).to_be_visible()
    page.mouse.up()


def _middle(what: Locator | tuple[float, float]) -> tuple[float, float]:
    if isinstance(what, tuple):
        return what
    what.scroll_into_view_if_needed()
    box = what.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _fly_to_unit(page: Page, call_sign: str) -> tuple[float, float]:
    """Find a unit by its call sign; answers where on the page the map then shows it."""
    page.get_by_role("combobox", name="搜索").fill(call_sign)
    page.get_by_role("option").filter(has_text=call_sign).first.click()
    card = page.get_by_role("complementary", name="地图对象")
    expect(card.get_by_role("heading", name=call_sign)).to_be_visible()
    page.wait_for_timeout(2_500)
    box = page.locator(".middle").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _offered(desk: Seat, incident: dict[str, Any]) -> list[tuple[str, str]]:
    found = until(lambda: read_case(desk, incident)["dispatches"], bool)
    return [(row["unit"]["id"], row["status"]) for row in found]


def test_a_unit_and_a_case_find_each_other_by_hand(site: DemoSite, chromium: Browser) -> None:
    with (
        seated(chromium, site, site.staff("operator"), "/", viewport=LAPTOP) as desk,
        calling(chromium, site, site.officer(6)) as first,
        calling(chromium, site, site.officer(7)) as second,
    ):
        page = desk.page
        cases = [take_call(desk, class_key=NOISE, severity=1, shift_deg=0.03 + 0.004 * n) for n in range(2)]
        units = [
            put_on_duty(phone, case["lon"] + 0.001, case["lat"])
            for phone, case in zip((first, second), cases, strict=True)
        ]
        signs = [phone.api("GET", "/api/patrol/state")["unit"]["call_sign"] for phone in (first, second)]
        page.reload()
        row = page.locator(f"[data-incident='{cases[0]['id']}']").first
        row.wait_for()
        _drag(page, _fly_to_unit(page, signs[0]), row)
        dialog = page.get_by_role("dialog", name="确认派遣")
        expect(dialog.get_by_text(signs[0])).to_be_visible()
        dialog.get_by_role("button", name="派遣", exact=True).click()
        expect(dialog).to_be_hidden()
        assert _offered(desk, cases[0]) == [(units[0], "offered")]
        # The other way round: from the queue onto the unit in the map.
        place = _fly_to_unit(page, signs[1])
        _drag(page, page.locator(f"[data-incident='{cases[1]['id']}']").first, place)
        dialog.get_by_role("button", name="派遣", exact=True).click()
        expect(dialog).to_be_hidden()
        assert _offered(desk, cases[1]) == [(units[1], "offered")]
        for phone, case in zip((first, second), cases, strict=True):
            job = read_case(desk, case)["dispatches"][0]["id"]
            desk.api("POST", f"/api/dispatches/{job}/cancel", {"reason": "演练结束"})
            end_duty(phone)
        assert desk.faults == []


@pytest.mark.slow
def test_no_drag_gets_past_the_gates_without_a_shift_lead(site: DemoSite, chromium: Browser) -> None:
    """One grid worker alone and no fire crew: the desk is told why not, a shift lead gives a reason on record."""
    with (
        seated(chromium, site, site.staff("shift_lead"), "/", viewport=LAPTOP) as lead,
        calling(chromium, site, site.officer(8)) as phone,
    ):
        page = lead.page
        case = take_call(lead, class_key=FIRE, severity=2, shift_deg=-0.03)
        unit = put_on_duty(phone, case["lon"] + 0.001, case["lat"])
        sign = phone.api("GET", "/api/patrol/state")["unit"]["call_sign"]
        head = open_case(lead, case).locator("[data-incident]")
        _drag(page, _fly_to_unit(page, sign), head)
        page.get_by_role("dialog").get_by_role("button", name="派遣", exact=True).click()
        gates = page.get_by_role("dialog", name="不符合派遣条件")
        send = gates.get_by_role("button", name="仍然派遣")
        expect(send).to_be_disabled()
        assert read_case(lead, case)["dispatches"] == []
        gates.get_by_label("放行理由").fill("消防车被堵,先行疏散")
        send.click()
        expect(gates).to_be_hidden()
        assert _offered(lead, case) == [(unit, "offered")]
        job = read_case(lead, case)["dispatches"][0]["id"]
        lead.api("POST", f"/api/dispatches/{job}/cancel", {"reason": "演练结束"})
        end_duty(phone)
        assert lead.faults == []
