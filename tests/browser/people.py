"""An operator at a desk and an officer with a phone, as a browser sees them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Request, Response

from tests.browser.site import DemoSite

DESK = {"width": 1600, "height": 900}
PHONE = {"width": 390, "height": 844}
# How long a state is waited for on a machine that has other things to do.
PATIENCE_MS = 90_000


@dataclass
class Seat:
    """A page somebody is logged in on, and what went wrong on it."""

    page: Page
    context: BrowserContext
    site: DemoSite
    faults: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def stand_at(self, lon: float, lat: float) -> None:
        """The phone gets a fresh fix here; Chromium stamps it with the moment of this call."""
        self.context.set_geolocation({"longitude": lon, "latitude": lat, "accuracy": 8})

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """A request of this person's own session, as the page itself makes it."""
        me = self.context.request.get(f"{self.site.url}/api/me").json()
        answer = self.context.request.fetch(
            f"{self.site.url}{path}", method=method, data=body, headers={"X-CSRF-Token": me["csrf"]}
        )
        assert answer.ok, f"{method} {path}: {answer.status} {answer.text()}"
        return answer.json() if answer.text() else None


@contextmanager
def seated(
    chromium: Browser,
    site: DemoSite,
    login: tuple[str, str],
    path: str,
    *,
    place: tuple[float, float] | None = None,
    viewport: dict[str, int] | None = None,
) -> Iterator[Seat]:
    """Log in through the log-in page and arrive at `path`. With a `place` (lon, lat) the browser is a phone there."""
    options: dict[str, Any] = {"ignore_https_errors": True, "viewport": viewport or DESK, "locale": "zh-CN"}
    if place is not None:
        options |= {
            "viewport": viewport or PHONE,
            "is_mobile": True,
            "has_touch": True,
            "device_scale_factor": 2,
            "geolocation": {"longitude": place[0], "latitude": place[1], "accuracy": 8},
            "permissions": ["geolocation"],
        }
    context = chromium.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    seat = Seat(page, context, site)
    _watch(seat)
    page.goto(f"{site.url}{path}")
    page.wait_for_url("**/login**")
    page.get_by_label("账号").fill(login[0])
    page.get_by_label("密码", exact=True).fill(login[1])
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{path}")
    try:
        yield seat
    finally:
        context.close()


def _watch(seat: Seat) -> None:
    """Note script errors, failed answers, and any address outside the site."""

    def on_request(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https") and parts.netloc != urlsplit(seat.site.url).netloc:
            seat.foreign.append(request.url)

    def on_response(response: Response) -> None:
        if response.status >= 500:
            seat.faults.append(f"{response.status} {response.url}")

    seat.page.on("pageerror", lambda error: seat.faults.append(f"script: {error}"))
    seat.page.on("request", on_request)
    seat.page.on("response", on_response)
