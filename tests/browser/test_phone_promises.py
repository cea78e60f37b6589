"""What the phone promises: it calls, it stays awake, it is silent off duty, and it hands no place over unasked."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from gridmap.domain.crs import to_wgs84
from tests.browser.desk import until
from tests.browser.people import Seat, seated
from tests.browser.site import DemoSite
from tests.browser.steps import go_off_duty, go_on_duty

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# Restricted, and one worker alone may go.
MINORS = "S4.03"
# Notes each call and makes it too: the page runs on the browser's own parts.
SPY = """() => {
  window.heard = { vibrate: [], lock: 0, freed: 0, tones: 0, watched: 0 };
  const shake = Navigator.prototype.vibrate;
  Navigator.prototype.vibrate = function (pattern) {
    window.heard.vibrate.push(pattern);
    return shake.call(this, pattern);
  };
  const ask = WakeLock.prototype.request;
  WakeLock.prototype.request = function (kind) { window.heard.lock += 1; return ask.call(this, kind); };
  const free = WakeLockSentinel.prototype.release;
  const let_go = function () { window.heard.freed += 1; return free.call(this); };
  WakeLockSentinel.prototype.release = let_go;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...at) { window.heard.tones += 1; return start.apply(this, at); };
  const watch = Geolocation.prototype.watchPosition;
  Geolocation.prototype.watchPosition = function (...how) { window.heard.watched += 1; return watch.apply(this, how); };
}"""


def test_an_offer_rings_shakes_and_the_screen_stays_on_while_on_duty(
    site: DemoSite, chromium: Browser
) -> None:
    with seated(chromium, site, site.staff("operator"), "/") as desk:
        lon, lat = desk.api("GET", "/api/me")["deployment"]["center"]
        with seated(chromium, site, site.officer(6), "/patrol", place=(lon, lat)) as phone:
            page = phone.page
            phone.context.grant_permissions(["geolocation", "screen-wake-lock"])
            page.context.add_init_script(f"({SPY})()")
            page.reload()
            expect(
                page.get_by_text("锁屏后本页不响铃").or_(page.get_by_role("button", name="上岗"))
            ).to_be_visible()
            go_on_duty(phone, lon, lat)
            expect(page.get_by_text("锁屏后本页不响铃,也不发送位置")).to_be_visible()
            expect(page.get_by_text("在岗时本页让屏幕保持常亮")).to_be_visible()
            assert _heard(page)["lock"] >= 1
            page.evaluate("window.heard.tones = 0; window.heard.vibrate = []")
            offer_to(desk, phone, lon, lat)
            page.get_by_role("button", name="接单").wait_for()
            # Not wait_for_function: it evaluates in the page, which the page's own policy forbids.
            heard = until(lambda: _heard(page), lambda told: told["tones"] >= 4)
            assert heard["tones"] >= 4
            assert [300, 120, 300] in heard["vibrate"]
            page.get_by_role("button", name="拒绝").click()
            page.get_by_role("button", name="正在处置其他任务").click()
            expect(page.get_by_text("待命中")).to_be_visible()
            # A finger on the page ends the ring.
            assert _heard(page)["vibrate"][-1] == 0
            _nothing_leaves_off_duty(phone)
            assert phone.faults == []
            assert phone.foreign == []


def _nothing_leaves_off_duty(phone: Seat) -> None:
    """On a break and off duty no place is watched, and no request with one goes out."""
    page = phone.page
    sent: list[str] = []

    def on_request(request: Request) -> None:
        if "/api/positions" in request.url:
            sent.append(request.url)

    for stop, ready in (("休息", "休息时不接单"), ("下岗", "未上岗时不采集")):
        page.get_by_role("button", name=stop, exact=True).click()
        if stop == "下岗":
            page.get_by_role("button", name="确定", exact=True).click()
        expect(page.get_by_text(ready)).to_be_visible()
        expect(page.get_by_text("全部已发送")).to_be_visible()
        before, known = _heard(page), phone.api("GET", "/api/patrol/state")["last_fix_at"]
        page.on("request", on_request)
        for number in range(4):
            phone.stand_at(113.0 + number * 1e-4, 28.2)
            page.wait_for_timeout(2_000)
        page.remove_listener("request", on_request)
        assert sent == []
        assert _heard(page)["watched"] == before["watched"]
        assert phone.api("GET", "/api/patrol/state")["last_fix_at"] == known
        if stop == "休息":
            page.get_by_role("button", name="结束休息").click()
            expect(page.get_by_text("待命中")).to_be_visible()
    assert _heard(page)["freed"] >= 1, "off duty the screen may go dark"


def test_another_map_app_is_asked_for_first_and_gets_its_own_coordinates(
    site: DemoSite, chromium: Browser, pictures: Path
) -> None:
    with seated(chromium, site, site.staff("operator"), "/") as desk:
        lon, lat = desk.api("GET", "/api/me")["deployment"]["center"]
        with seated(chromium, site, site.officer(7), "/patrol", place=(lon, lat)) as phone:
            page = phone.page
            go_on_duty(phone, lon, lat)
            offer_to(desk, phone, lon, lat)
            page.get_by_role("button", name="接单").click()
            page.get_by_role("button", name="出发").wait_for()
            assert page.locator("a[href*='amap'], a[href*='bdapp'], a[href^='geo:']").count() == 0
            page.get_by_role("button", name="导航").click()
            expect(page.get_by_text("会把任务地点的坐标")).to_be_visible()
            page.screenshot(path=pictures / "phone-navigate.png")
            amap = parse_qs(urlsplit(_address(page, "高德地图")).query)
            assert _metres(_true_place("GCJ-02", amap["dlon"][0], amap["dlat"][0]), (lon, lat)) < 2
            baidu = unquote(_address(page, "百度地图"))
            found = re.search(r"latlng:([\d.]+),([\d.]+)", baidu)
            assert found is not None
            assert _metres(_true_place("BD-09", found[2], found[1]), (lon, lat)) < 2
            plain = re.match(r"geo:([\d.]+),([\d.]+)", _address(page, "手机上的其他地图"))
            assert plain is not None
            assert _metres((float(plain[2]), float(plain[1])), (lon, lat)) < 2
            page.get_by_role("button", name="取消").click()
            _recall(desk, phone)
            expect(page.get_by_text("待命中")).to_be_visible()
            offer_to(desk, phone, lon, lat, class_key=MINORS)
            page.get_by_role("button", name="接单").click()
            page.get_by_role("button", name="出发").wait_for()
            expect(page.get_by_text("涉密类事件,地点不得交给其他应用")).to_be_visible()
            assert page.get_by_role("button", name="导航").count() == 0
            _recall(desk, phone)
            go_off_duty(phone)
            assert phone.faults == []


def _recall(desk: Seat, phone: Seat) -> None:
    job = phone.api("GET", "/api/patrol/state")["jobs"][0]["id"]
    desk.api("POST", f"/api/dispatches/{job}/recall", {"reason": "试验"})


def offer_to(desk: Seat, phone: Seat, lon: float, lat: float, class_key: str = "S5.02") -> None:
    """A job for this phone's unit, without the crowd of the recommendation."""
    told = {"channel": "operator", "class_key": class_key, "text": "音响声音很大", "lon": lon, "lat": lat}
    incident = desk.api("POST", "/api/reports", {**told, "crs": "WGS84"})["incident"]
    unit = phone.api("GET", "/api/patrol/state")["unit"]["id"]
    body = {"unit_id": unit, "expires_s": 600}
    desk.api("POST", f"/api/incidents/{incident['id']}/dispatches", body)


def _address(page: Page, name: str) -> str:
    found = page.get_by_role("link", name=name).get_attribute("href")
    assert found is not None
    return found


def _true_place(system: str, lon: str, lat: str) -> tuple[float, float]:
    """By the server's own formula, not the page's."""
    east, north = to_wgs84(float(lon), float(lat), system)
    return float(east), float(north)


def _metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    north = (one[1] - other[1]) * 111_320
    east = (one[0] - other[0]) * 111_320 * math.cos(math.radians(one[1]))
    return math.hypot(north, east)


def _heard(page: Page) -> Any:
    return page.evaluate("window.heard")
