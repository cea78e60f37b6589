"""Duty ends by itself after the roster, by the site's own worker; the phone says when, and a job holds it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.desk import calling, take_call, until
from tests.browser.people import Seat, seated
from tests.browser.site import DemoSite
from tests.browser.steps import go_on_duty

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=20_000)
AFTER = timedelta(minutes=30)
ZONE = ZoneInfo("Asia/Shanghai")
WHERE = "where t.kind = 'duty.ends' and t.subject_id = d.id and d.unit_id = %(unit)s and d.ended_at is null"
OVER_NOW = f"update timer t set due_at = now() from duty d {WHERE}"
PUT_OFF = f"select t.due_at > now() + interval '1 minute' from timer t, duty d {WHERE}"


def _database(site: DemoSite) -> psycopg.Connection[tuple[Any, ...]]:
    """The site's own database, over its private socket."""
    own = Path(f"/proc/{site.process.pid}/environ").read_bytes().split(b"\0")
    folder = next(line.split(b"=", 1)[1] for line in own if line.startswith(b"GRIDMAP_RUNTIME_DIR="))
    return psycopg.connect(host=folder.decode(), user="gridmap_system", dbname="gridmap", autocommit=True)


def _rostered(lead: Seat, phone: Seat) -> datetime:
    """The end of the span that runs now; one is planned where nobody has."""
    state = phone.api("GET", "/api/patrol/state")
    if state["duty"]["roster"] is None:
        now = datetime.now(UTC)
        span = {
            "starts_at": (now - timedelta(minutes=5)).isoformat(),
            "ends_at": (now + timedelta(minutes=40)).isoformat(),
        }
        lead.api("POST", "/api/rosters", {"unit_id": state["unit"]["id"], "kind": "duty", **span})
        state = phone.api("GET", "/api/patrol/state")
    return datetime.fromisoformat(state["duty"]["roster"]["ends_at"])


def test_duty_ends_half_an_hour_after_the_roster_and_not_under_a_job(
    site: DemoSite, chromium: Browser
) -> None:
    with (
        calling(chromium, site, site.staff("shift_lead")) as lead,
        calling(chromium, site, site.staff("operator")) as desk,
    ):
        lon, lat = desk.api("GET", "/api/me")["deployment"]["center"]
        with (
            seated(chromium, site, site.officer(11), "/patrol", place=(lon, lat)) as phone,
            _database(site) as database,
        ):
            page = phone.page
            roster_ends = _rostered(lead, phone)
            page.reload()
            go_on_duty(phone, lon, lat)
            state = phone.api("GET", "/api/patrol/state")
            unit = {"unit": state["unit"]["id"]}
            ends = datetime.fromisoformat(state["duty"]["ends_at"])
            assert ends == roster_ends + AFTER
            said = ends.astimezone(ZONE).strftime("%H:%M")
            expect(page.get_by_text(f"{said} 自动下岗(有未办结任务时不下岗)")).to_be_visible()

            case = take_call(desk, shift_deg=0.0004)
            made = desk.api(
                "POST", f"/api/incidents/{case['id']}/dispatches", {"unit_id": unit["unit"], "expires_s": 600}
            )
            phone.api("POST", f"/api/dispatches/{made['id']}/accept", {})
            # The half hour is over, as far as the timer knows.
            database.execute(OVER_NOW, unit)
            put_off = until(
                lambda: database.execute(PUT_OFF, unit).fetchone(),
                lambda row: row == (True,),
            )
            assert put_off == (True,), "with an open job it is looked at again later"
            assert phone.api("GET", "/api/patrol/state")["duty"]["on"]

            for verb, body in (
                ("arrive", {}),
                ("done", {"code": "solved", "note": "已处理", "photo_ids": []}),
            ):
                phone.api("POST", f"/api/dispatches/{made['id']}/{verb}", body)
            database.execute(OVER_NOW, unit)
            expect(page.get_by_role("button", name="上岗")).to_be_visible()
            state = phone.api("GET", "/api/patrol/state")
            assert (state["duty"]["on"], state["unit"]["status"]) == (False, "off_duty")
            assert all(row["id"] != unit["unit"] for row in desk.api("GET", "/api/units")["items"])
            assert phone.faults == []
