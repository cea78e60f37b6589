"""What tests of the console need on the server's side: cases, people on duty beside them, what it holds afterwards."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.people import Seat
from tests.browser.site import DemoSite

NOISE, RUBBISH, FIRE = "S5.02", "C1.01", "S1.01"
Seen = TypeVar("Seen")
LAPTOP = {"width": 1440, "height": 900}


@contextmanager
def calling(chromium: Browser, site: DemoSite, login: tuple[str, str]) -> Iterator[Seat]:
    """A session without a page: somebody whose screen does not matter to the test."""
    context = chromium.new_context(ignore_https_errors=True)
    try:
        body = {"login": login[0], "password": login[1]}
        answer = context.request.post(f"{site.url}/api/login", data=body)
        assert answer.ok, answer.text()
        yield Seat(context.new_page(), context, site)
    finally:
        context.close()


def take_call(desk: Seat, *, class_key: str = NOISE, shift_deg: float = 0.0, **more: Any) -> dict[str, Any]:
    """A report in the middle of the district, as a hotline would hand it in; answers the incident."""
    lon, lat = desk.api("GET", "/api/me")["deployment"]["center"]
    place = {"lon": lon + shift_deg, "lat": lat, "crs": "WGS84"}
    body = {"channel": "operator", "class_key": class_key, "text": "试验来电"} | place | more
    made: dict[str, Any] = desk.api("POST", "/api/reports", body)["incident"]
    return made


def put_on_duty(phone: Seat, lon: float, lat: float) -> str:
    """The officer's unit on duty at a place, without pressing anything; answers the unit's id."""
    unit = phone.api("GET", "/api/patrol/state")["unit"]
    if unit["status"] == "off_duty":
        phone.api("POST", "/api/patrol/duty", {"action": "start", "reason": "临时召集"})
    now = datetime.now(UTC)
    fix = {"fixed_at": now.isoformat(), "lon": lon, "lat": lat, "accuracy_m": 8.0}
    phone.api("POST", "/api/positions", {"fixes": [fix | {"crs": "WGS84"}]})

    def is_there(state: dict[str, Any]) -> bool:
        return state["last_fix_at"] is not None and datetime.fromisoformat(state["last_fix_at"]) >= now

    # Durable when it is answered, on the map a moment later.
    assert is_there(until(lambda: phone.api("GET", "/api/patrol/state"), is_there)), (
        "the fix was not believed"
    )
    return str(unit["id"])


def end_duty(phone: Seat) -> None:
    """Off duty again, whatever it was asked meanwhile, so that the next test finds nobody there."""
    state = phone.api("GET", "/api/patrol/state")
    if state["unit"]["status"] == "free":
        phone.api("POST", "/api/patrol/duty", {"action": "stop"})


def open_case(seat: Seat, incident: dict[str, Any]) -> Locator:
    """Look at a case on a freshly loaded console; answers its panel."""
    seat.page.goto(f"{seat.site.url}/?incident={incident['id']}")
    detail = seat.page.get_by_role("region", name="事件详情")
    expect(detail.get_by_text(incident["number"]).first).to_be_visible()
    return detail


def read_case(seat: Seat, incident: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = seat.api("GET", f"/api/incidents/{incident['id']}")
    return found


def until(look: Callable[[], Seen], wanted: Callable[[Seen], bool], *, most_s: float = 20.0) -> Seen:
    """What a look shows once it is as wanted; the last look where that never comes, for the assertion to tell."""
    end = time.monotonic() + most_s
    while not wanted(found := look()) and time.monotonic() < end:
        time.sleep(0.3)
    return found


def choose_more(page: Page, verb: str) -> None:
    """A verb from the menu of the case."""
    page.get_by_role("button", name="更多操作").click()
    page.get_by_role("menuitem", name=verb).click()


def choose_for_job(page: Page, verb: str) -> None:
    """A verb from the menu of the first job."""
    page.get_by_role("button", name=re.compile("代报与调度")).first.click()
    page.get_by_role("menuitem", name=verb).click()


def give_reason(page: Page, verb: str, reason: str) -> None:
    """Fill in the reason of a dialog, press its button, see it gone."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("原因").fill(reason)
    dialog.get_by_role("button", name=verb, exact=True).click()
    expect(dialog).to_be_hidden()
