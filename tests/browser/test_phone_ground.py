"""The map around the job is on the phone after a reload without a line, and gone with the end of duty."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk import calling, take_call, until
from tests.browser.people import seated
from tests.browser.site import DemoSite
from tests.browser.steps import go_on_duty

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=20_000)

KEPT = """async () => {
  if (!(await caches.has("gridmap-ground-1"))) return [];
  const cache = await caches.open("gridmap-ground-1");
  return (await cache.keys()).map((request) => decodeURIComponent(new URL(request.url).pathname));
}"""


def _kept(page: Page) -> list[str]:
    found: list[str] = page.evaluate(KEPT)
    return found


def _tiles(kept: list[str]) -> list[tuple[int, int, int]]:
    parts = [address.removesuffix(".mvt").rsplit("/", 3)[1:] for address in kept if address.endswith(".mvt")]
    return [(int(z), int(x), int(y)) for z, x, y in parts]


def test_the_ground_around_a_job_outlives_the_line_and_not_the_duty(
    site: DemoSite, chromium: Browser, pictures: Path
) -> None:
    with calling(chromium, site, site.staff("operator")) as desk:
        lon, lat = desk.api("GET", "/api/me")["deployment"]["center"]
        with seated(chromium, site, site.officer(6), "/patrol", place=(lon, lat)) as phone:
            page = phone.page
            go_on_duty(phone, lon, lat)
            assert _tiles(_kept(page)) == [], "without a job nothing of where somebody looked is kept"
            case = take_call(desk, shift_deg=0.003)
            unit = phone.api("GET", "/api/patrol/state")["unit"]["id"]
            made: dict[str, Any] = desk.api(
                "POST", f"/api/incidents/{case['id']}/dispatches", {"unit_id": unit, "expires_s": 600}
            )
            page.get_by_role("button", name="接单").click()
            page.get_by_role("button", name="出发").wait_for()
            tiles = until(
                lambda: _tiles(_kept(page)), lambda rows: sum(z == 16 for z, _, _ in rows) >= 16, most_s=60
            )
            assert sum(z == 16 for z, _, _ in tiles) >= 16, "fetched ahead, whether looked at or not"
            assert len(tiles) <= 500
            columns = {x for z, x, _ in tiles if z == 16}
            assert max(columns) - min(columns) < 12, "the district around the job, not the map"
            page.wait_for_function("navigator.serviceWorker.controller !== null")
            page.wait_for_function("caches.match('/api/me').then((kept) => kept !== undefined)")
            phone.context.set_offline(True)
            page.reload()
            page.get_by_role("button", name="出发").wait_for()
            ground = page.get_by_role("region", name="任务地图").locator("canvas")
            ground.wait_for()

            def colours() -> int:
                box = ground.bounding_box()
                assert box is not None
                card = page.locator("section.sheet").first.bounding_box()
                assert card is not None
                top = box["y"] + 130
                shot = page.screenshot(
                    clip={"x": 10, "y": top, "width": box["width"] - 20, "height": card["y"] - top - 10}
                )
                return _colours(shot)

            assert until(colours, lambda count: count > 40, most_s=30) > 40, (
                "streets and houses, not plain ground"
            )
            page.screenshot(path=pictures / "phone-ground-offline.png")
            phone.context.set_offline(False)
            desk.api("POST", f"/api/dispatches/{made['id']}/recall", {"reason": "试验"})
            expect(page.get_by_text("待命中")).to_be_visible()
            page.get_by_role("button", name="下岗", exact=True).click()
            page.get_by_role("button", name="确定", exact=True).click()
            expect(page.get_by_role("button", name="上岗")).to_be_visible()
            assert until(lambda: _kept(page), lambda kept: not kept) == [], "it goes with the duty"


def _colours(shot: bytes) -> int:
    """How many colours a picture has: plain ground is one."""
    found = Image.open(BytesIO(shot)).convert("RGB").getcolors(maxcolors=1 << 24)
    return len(found or ())
