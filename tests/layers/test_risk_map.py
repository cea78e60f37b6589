"""The risk map is one file: with the network cut the map draws, the slider steps and the list finds."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.domain.metric import LocalMetric
from gridmap.domain.risk_rules import risk_rules
from gridmap.services.risk import jobs
from gridmap.services.risk.store import Author
from gridmap.services.transaction import system_transaction
from layers.folium_assets import PLACES
from layers.risk.products import write
from tests.db.test_risk_runs import plant
from tests.world import make_world

pytestmark = pytest.mark.skipif(
    not any((place / "leaflet").is_dir() for place in PLACES),
    reason="the front end's packages are not installed",
)


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_map_slider_and_list_work_without_a_network(
    database: Database, clock: FixedClock, chromium: Browser, tmp_path: Path, lang: str
) -> None:
    world = make_world(database, clock)
    plant(world, 300)
    rules = risk_rules()
    with system_transaction(database, clock) as tx:
        author, weeks = Author(None, "test", "test"), [rules.horizon("4weeks")]
        asked = [
            job
            for origin in (date(2026, 5, 1), date(2026, 6, 1))
            for job in jobs.ask(tx, "990101", weeks, author, origin_on=origin, checked=False)
        ]
    made = jobs.work(database, clock, LocalMetric("EPSG:4547"), rules, only=asked)
    with system_transaction(database, clock) as tx:
        page_text, mime = write(
            tx,
            made[-1],
            "theft",
            "html",
            "zh" if lang == "zh" else "en",
            purpose="QUARTERLY",
            days=30,
            author="me",
        )
    assert mime == "text/html"
    assert re.findall(r"<(?:script|link)[^>]+(?:src|href)=[\"']https?:", page_text.decode()) == []
    file = tmp_path / "risk.html"
    file.write_bytes(page_text)
    context = chromium.new_context(viewport={"width": 1200, "height": 800}, offline=True)
    page = context.new_page()
    asked_for, faults = [], []
    page.on("request", lambda request: asked_for.append(request.url))
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto(file.as_uri())
    heat = page.locator(".leaflet-image-layer")
    heat.wait_for()
    newest = heat.get_attribute("src")
    assert page.locator("#gm-span").inner_text().startswith("2026-06-01")
    page.locator("#gm-time").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator("#gm-span").inner_text().startswith("2026-05-01")
    assert heat.get_attribute("src") != newest
    lines = page.locator("#gm-list li:visible")
    assert lines.count() == 1
    page.locator("#gm-find").fill("zzz")
    assert lines.count() == 0
    page.locator("#gm-find").fill("community-990101")
    lines.first.click()
    assert "gm-on" in (lines.first.get_attribute("class") or "")
    words = page.locator("body").inner_text()
    assert ("起/平方公里·周" if lang == "zh" else "incidents per km² and week") in words
    assert "QUARTERLY" in words
    if lang == "zh" and os.environ.get("GRIDMAP_DOCS_PICTURES"):
        page.screenshot(path=tmp_path / "risk-html.png")
    context.close()
    assert faults == []
    assert [url for url in asked_for if not url.startswith(("file:", "data:", "blob:"))] == []
