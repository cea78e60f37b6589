"""What several stories do at the desk and on the phone."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.browser.people import Seat


def ready_map(page: Page) -> None:
    """Wait until the map's first picture is complete."""
    page.wait_for_selector("canvas.maplibregl-canvas")
    page.wait_for_timeout(2_500)


def address_of(seat: Seat) -> dict[str, float | str]:
    """Some address of the district with its place."""
    me = seat.api("GET", "/api/me")
    lon, lat = me["deployment"]["center"]
    for words in ("路1号", "路2号", "路", "街"):
        hits = seat.api("GET", f"/api/search?q={words}&lon={lon}&lat={lat}")["items"]
        for hit in hits:
            if hit["kind"] in ("address", "building", "street") and hit["lon"] is not None:
                return {"name": hit["name"], "lon": hit["lon"], "lat": hit["lat"]}
    raise AssertionError("the district has no address")


def go_on_duty(phone: Seat, lon: float, lat: float) -> None:
    """Start duty where it is not on, and see the position taken."""
    start, end, called = (
        phone.page.get_by_role("button", name=name, exact=True) for name in ("上岗", "下岗", "临时召集")
    )
    start.or_(end).wait_for()
    if start.is_visible():
        start.click()
        end.or_(called).first.wait_for()
        if called.is_visible():
            # Outside the roster's hours, which depends on when the test runs, duty takes a reason.
            called.click()
    end.wait_for()
    stay_until(phone, (lon, lat), phone.page.get_by_text("位置已送达"))


def go_off_duty(phone: Seat) -> None:
    """Whoever stays on duty where a story left them would be asked first in the next one."""
    phone.api("POST", "/api/patrol/duty", {"action": "stop"})


def stay_until(phone: Seat, place: tuple[float, float], sight: Locator, *, tries: int = 24) -> None:
    """Stand at a place, with a fresh fix every few seconds as a phone gives them, until the page shows it."""
    for number in range(tries):
        # Chromium tells the page of a fix only when it is another one.
        phone.stand_at(place[0] + number % 2 * 1e-6, place[1])
        try:
            sight.first.wait_for(timeout=5_000)
            return
        except PlaywrightTimeout:
            continue
    expect(sight.first).to_be_visible()


def take_the_call(desk: Seat, address: str, initials: str, words: str) -> str:
    """Fill in the report form by keyboard alone; `initials` are the class's, in pinyin. Returns the number."""
    page = desk.page
    ready_map(page)
    page.locator("body").press("n")
    form = page.get_by_role("form", name="登记")
    form.get_by_role("combobox", name="类别").press_sequentially(initials)
    page.keyboard.press("Enter")
    form.get_by_role("combobox", name="地点").press_sequentially(address, delay=20)
    page.get_by_role("option").filter(has_text=address).first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    form.get_by_label("情况").fill(words)
    with page.expect_response("**/api/reports") as answer:
        page.keyboard.press("Control+Enter")
    receipt = answer.value.json()
    assert receipt["created"] is True
    expect(page.get_by_text(receipt["incident"]["number"]).first).to_be_visible()
    return str(receipt["incident"]["number"])
