"""Every page stands on its own: no outside host, no script error, no English left in Chinese."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.people import seated
from tests.browser.site import DemoSite

pytestmark = pytest.mark.browser

DESK_SIZES = {"desk": {"width": 1600, "height": 900}, "small": {"width": 1280, "height": 720}}


@pytest.mark.parametrize(
    ("role", "path", "name"),
    [("operator", "/", "console"), ("administrator", "/admin", "admin"), ("auditor", "/admin", "audit")],
)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_page_opens_clean(
    site: DemoSite, chromium: Browser, pictures: Path, role: str, path: str, name: str, theme: str
) -> None:
    with seated(chromium, site, site.staff(role), path) as seat:
        seat.page.evaluate("theme => localStorage.setItem('gridmap.theme', theme)", theme)
        seat.page.reload()
        seat.page.wait_for_selector("header")
        seat.page.wait_for_timeout(4_000)
        seat.page.screenshot(path=pictures / f"{name}-{theme}.png")
        assert seat.faults == []
        assert seat.foreign == []


def test_an_officer_is_told_when_the_console_is_not_theirs(site: DemoSite, chromium: Browser) -> None:
    with seated(chromium, site, site.officer(2), "/patrol", place=(113.0, 28.2)) as seat:
        answer = seat.context.request.get(f"{site.url}/api/accounts")
        assert answer.status == 403
        assert seat.faults == []
