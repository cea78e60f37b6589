"""The map product is one file: it draws without a server, and no request leaves it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlalchemy import text

from gridmap.clock import FixedClock
from gridmap.errors import Invalid, Misconfigured, NotFound
from gridmap.services.transaction import system_transaction
from gridmap.settings import Settings
from layers.folium_assets import PLACES, read_assets
from layers.folium_map import folium_map
from tests.conftest import TEST_NOW, ClonedDatabase
from tests.db.scope_world import World
from tests.db.scope_world import build_world as build_points

_HAS_ASSETS = any((place / "leaflet").is_dir() for place in PLACES)
needs_assets = pytest.mark.skipif(not _HAS_ASSETS, reason="the front end's packages are not installed")


@pytest.fixture(scope="module")
def world(settings: Settings) -> Iterator[World]:
    with ClonedDatabase(settings, "gridmap") as database:
        made = build_points(database, FixedClock(TEST_NOW))
        with system_transaction(database, made.clock) as tx:
            tx.session.execute(
                text(
                    "insert into area_set (id, tree, name, status, created_at) values (gen_random_uuid(), 'admin',"
                    " 'x', 'verified', now())"
                )
            )
            for number, path in enumerate(("1.2.3", "1.2.8")):
                tx.session.execute(
                    text(
                        "with made as (insert into area (tree, level, scheme, code)"
                        " values ('admin', 'county', 's', :code) returning id)"
                        " insert into area_version (id, area_id, area_set_id, path, name, geom, valid) select"
                        " gen_random_uuid(), made.id, (select id from area_set), cast(:path as ltree), :name,"
                        " st_multi(st_makeenvelope(:west, 30, :west + 0.06, 30.12, 4326)), '[2020-01-01,)' from made"
                    ),
                    {
                        "code": f"c{number}",
                        "path": path,
                        "name": "甲区 <script>alert(1)</script>",
                        "west": 113 + number * 0.06,
                    },
                )
        yield made


@pytest.mark.browser
@needs_assets
def test_the_page_draws_and_asks_nobody_for_anything(world: World, chromium: Browser, tmp_path: Path) -> None:
    with system_transaction(world.database, world.clock) as tx:
        page_text = folium_map(tx.session, lang="zh")
        open_incidents = tx.session.scalar(
            text(
                "select count(*) from incident where scope_path <@ '1.2.3' and status <> 'closed'"
                " and not restricted and not drill"
            )
        )
    file = tmp_path / "map.html"
    file.write_text(page_text, encoding="utf-8")
    asked, faults = [], []
    page = chromium.new_page(viewport={"width": 1000, "height": 700})
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("dialog", lambda dialog: faults.append("a name was run as script"))
    page.goto(file.as_uri())
    page.wait_for_selector(".marker-cluster")
    page.screenshot(path=str(tmp_path / "map.png"))
    shapes = page.locator(".leaflet-overlay-pane canvas, .leaflet-overlay-pane path").count()
    legend = page.locator(".gm-legend").inner_text()
    page.close()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert faults == []
    assert shapes > 0
    assert "开放事件" in legend
    assert f'"n": {open_incidents}' in page_text


@needs_assets
def test_no_address_of_another_host_stands_in_the_page(world: World) -> None:
    with system_transaction(world.database, world.clock) as tx:
        page_text = folium_map(tx.session, ["areas"], "en")
    assert re.findall(r"<(?:script|link)[^>]+(?:src|href)=[\"']https?:", page_text) == []
    assert "Open incidents" in page_text


def test_missing_scripts_are_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as refused:
        read_assets((tmp_path,))
    assert refused.value.code == "map_assets_missing"
    assert refused.value.params["file"] == "leaflet/dist/leaflet.js"


@needs_assets
def test_what_cannot_be_exported_is_refused(world: World) -> None:
    with system_transaction(world.database, world.clock) as tx:
        with pytest.raises(Invalid):
            folium_map(tx.session, ["incidents"])
        tx.session.execute(text("delete from area_version"))
        with pytest.raises(NotFound):
            folium_map(tx.session)
        tx.session.rollback()
