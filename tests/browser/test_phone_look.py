"""Each state of a job on the glass, in two sizes, both themes, both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.people import seated
from tests.browser.phone_look import in_every_look, is_fit, share_of_width
from tests.browser.site import DemoSite
from tests.browser.steps import go_off_duty, go_on_duty
from tests.browser.test_phone_promises import offer_to

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# Two thumbs side by side are about 38 mm; a phone of 360 px is some 68 mm wide.
TWO_THUMBS = 0.56


def test_every_state_of_a_job_fits_the_glass_and_reads_in_the_sun(
    site: DemoSite, chromium: Browser, pictures: Path, tmp_path: Path
) -> None:
    with seated(chromium, site, site.staff("operator"), "/") as desk:
        lon, lat = desk.api("GET", "/api/me")["deployment"]["center"]
        with seated(chromium, site, site.officer(8), "/patrol", place=(lon, lat)) as phone:
            page = phone.page

            def look(state: str, kept: tuple[str, ...] = ()) -> None:
                for name in in_every_look(page):
                    folder = pictures if name in kept else tmp_path
                    page.screenshot(path=folder / f"phone-{state}-{name}.png")
                    is_fit(page)

            page.get_by_role("button", name="上岗").or_(page.get_by_text("待命中")).wait_for()
            look("off-duty")
            go_on_duty(phone, lon, lat)
            look("ready")
            offer_to(desk, phone, lon, lat)
            page.get_by_role("button", name="接单").wait_for()
            look("offer", ("360-light-zh",))
            accept = page.get_by_role("button", name="接单")
            assert share_of_width(page, accept.bounding_box()) >= TWO_THUMBS
            accept.click()
            depart = page.get_by_role("button", name="出发")
            depart.wait_for()
            assert share_of_width(page, depart.bounding_box()) >= TWO_THUMBS
            depart.click()
            page.get_by_role("button", name="我已到场").wait_for()
            look("way")
            page.get_by_role("button", name="我已到场").click()
            page.get_by_role("button", name="已处置").click()
            look("result")
            page.get_by_label("情况说明").fill("已劝离")
            page.get_by_role("button", name="提交结果").click()
            expect(page.get_by_text("待命中")).to_be_visible()
            page.get_by_role("button", name="上报").click()
            look("report", ("360-light-zh",))
            page.get_by_role("button", name="我的一天").click()
            look("day")
            page.get_by_role("button", name="更多", exact=True).click()
            look("more")
            page.get_by_role("button", name="后台定位").click()
            page.get_by_role("button", name="用 OwnTracks").click()
            page.get_by_role("img", name="绑定二维码").wait_for()
            look("binding")
            page.get_by_role("button", name="返回").click()
            page.get_by_role("button", name="解除").first.click()
            expect(page.get_by_text(re.compile("还没有绑定"))).to_be_visible()
            go_off_duty(phone)
            assert phone.faults == []
            assert phone.foreign == []
