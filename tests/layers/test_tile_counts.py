"""The kept counts stay equal to the rows, whatever happens to the rows."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import insert, text

from gridmap.clock import FixedClock
from gridmap.db.tables import Camera, Incident
from gridmap.services.tile_counts import refresh, refresh_dirty
from gridmap.services.transaction import system_transaction
from gridmap.settings import Settings
from layers.base import NO_FILTER, TileFilter
from layers.registry import get_layer
from layers.tiles import TileReader
from tests.conftest import TEST_NOW, ClonedDatabase
from tests.db.scope_world import PATHS, SOUTH, WEST, World, build_world, camera_row, incident_row
from tests.layers.test_registry import actor_with

KEPT = text(
    "select layer, detail, zoom, cell, class_key, month, status, path::text, n, sum_x, sum_y from tile_count"
    " join tile_layer using (layer, generation) where n <> 0 order by 1, 2, 3, 4, 5, 6, 7, 8"
)
KEPT_AT_FIRST = text(
    "select layer, detail, zoom, cell, class_key, month, status, path::text, n, sum_x, sum_y from tile_count"
    " where generation = coalesce((select generation from tile_layer t where t.layer = tile_count.layer), 0)"
    " and n <> 0 order by 1, 2, 3, 4, 5, 6, 7, 8"
)


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    with ClonedDatabase(settings, "gridmap") as database:
        yield build_world(database, FixedClock(TEST_NOW), seed=3)


def _settle(world: World) -> list[str]:
    changed: list[str] = []
    while found := refresh_dirty(world.database, world.clock):
        changed += found
    return changed


def _added_up_equals_counted_anew(world: World) -> None:
    _settle(world)
    with world.database.system.connect() as connection:
        added_up = connection.execute(KEPT_AT_FIRST).all()
    for layer in ("cameras", "incidents", "resources"):
        assert refresh(world.database, world.clock, layer) >= 0
    with world.database.system.connect() as connection:
        assert connection.execute(KEPT).all() == added_up


def test_notes_add_up_to_a_fresh_count(world: World) -> None:
    _added_up_equals_counted_anew(world)


def test_a_thousand_changes_leave_no_drift(world: World) -> None:
    dice = random.Random(8)
    for step in range(40):
        with system_transaction(world.database, world.clock) as tx:
            for number in range(6):
                serial = 10_000 + step * 6 + number
                tx.session.execute(insert(Camera).values(camera_row(dice, world, TEST_NOW, serial)))
                tx.session.execute(insert(Incident).values(incident_row(dice, world, TEST_NOW, serial)))
            for table in ("camera", "incident"):
                tx.session.execute(
                    text(
                        f"update {table} set scope_path = cast(:path as ltree) where id in"
                        f" (select id from {table} order by md5(id::text || :step) limit 9)"
                    ),
                    {"path": dice.choice(PATHS), "step": str(step)},
                )
                if table == "camera":
                    tx.session.execute(
                        text(
                            "delete from camera where id in"
                            " (select id from camera order by md5(id::text || :step) desc limit 4)"
                        ),
                        {"step": str(step)},
                    )
            tx.session.execute(
                text(
                    "update incident set status = 'closed', outcome = 'solved' where id in (select id from incident"
                    " where status = 'open' order by md5(id::text || :step) limit 5)"
                ),
                {"step": str(step)},
            )
        if dice.random() < 0.5:
            _settle(world)
        if dice.random() < 0.1:
            refresh(world.database, world.clock, dice.choice(("cameras", "incidents")))
    _added_up_equals_counted_anew(world)


def test_a_batch_is_counted_when_it_becomes_visible(world: World) -> None:
    reader = TileReader(world.database, world.clock)
    everywhere = actor_with("camera.read", paths=("",))
    _settle(world)
    before = reader.read(everywhere, get_layer("cameras"), "x", 0, 0, 0).count
    with system_transaction(world.database, world.clock) as tx:
        tx.session.execute(
            text("update import_batch set visible_at = now() where id = :id"), {"id": world.hidden_batch}
        )
        hidden = tx.session.scalar(
            text("select count(*) from camera where batch_id = :id and withdrawn_at is null"),
            {"id": world.hidden_batch},
        )
    assert "cameras" in _settle(world)
    assert reader.read(everywhere, get_layer("cameras"), "y", 0, 0, 0).count == before + hidden


def test_a_change_gives_a_new_version_and_the_screens_hear_of_it(world: World) -> None:
    _settle(world)
    with world.database.system.connect() as connection:
        before = connection.scalar(text("select tile_version('incidents')"))
    with system_transaction(world.database, world.clock) as tx:
        tx.session.execute(
            text(
                "update incident set severity = 5 - severity where id = (select id from incident"
                " where batch_id is null limit 1)"
            )
        )
    assert _settle(world) == ["incidents"]
    with world.database.system.connect() as connection:
        assert connection.scalar(text("select tile_version('incidents')")) != before
        told = connection.scalar(
            text("select body ->> 'layer' from outbox where topic = 'layer_changed' order by id desc limit 1")
        )
    assert told == "incidents"


def test_a_fill_under_way_is_not_kept_for_the_version_after_it(world: World) -> None:
    """The tile is kept under the version its rows had, whatever version was asked for."""
    _settle(world)
    reader = TileReader(world.database, world.clock)
    everywhere = actor_with("camera.read", paths=("",))
    cameras = get_layer("cameras")
    old = reader.read(everywhere, cameras, "999.0", 0, 0, 0)
    assert old.version != "999.0"
    with system_transaction(world.database, world.clock) as tx:
        tx.session.execute(
            insert(Camera).values(
                id=uuid.uuid4(),
                name="新",
                geom=f"SRID=4326;POINT({WEST + 0.01} {SOUTH + 0.01})",
                scope_path="1",
            )
        )
    _settle(world)
    new = reader.read(everywhere, cameras, "999.0", 0, 0, 0)
    assert new.count == old.count + 1
    assert new.etag != old.etag
    assert reader.read(everywhere, cameras, old.version, 0, 0, 0) is old


def test_the_cache_keeps_scopes_and_filters_apart(world: World) -> None:
    _settle(world)
    reader = TileReader(world.database, world.clock)
    cameras = get_layer("cameras")
    everything = reader.read(actor_with("camera.read", paths=("",)), cameras, "x", 0, 0, 0)
    version = everything.version
    part = reader.read(actor_with("camera.read", paths=("1.2.8",)), cameras, version, 0, 0, 0)
    online = reader.read(
        actor_with("camera.read", paths=("",)), cameras, version, 0, 0, 0, TileFilter(statuses=("online",))
    )
    assert 0 < part.count < everything.count
    assert 0 < online.count < everything.count
    assert len({everything.etag, part.etag, online.etag}) == 3
    again = reader.read(actor_with("camera.read", paths=("",)), cameras, version, 0, 0, 0, NO_FILTER)
    assert again is everything


def test_a_tile_that_would_be_too_large_becomes_counts(world: World) -> None:
    with system_transaction(world.database, world.clock) as tx:
        tx.session.execute(
            text(
                "insert into camera (id, name, geom, scope_path) select gen_random_uuid(), repeat('探', 60) || i,"
                " st_setsrid(st_makepoint(120 + random() * 0.0005, 20 + random() * 0.0005), 4326), '1'"
                " from generate_series(1, 7000) i"
            )
        )
    reader = TileReader(world.database, world.clock)
    actor = actor_with("camera.read", paths=("1",))
    zoom, x = 16, int((120.00001 + 180) / 360 * 2**16)
    tiles = [
        reader.read(actor, get_layer("cameras"), "x", zoom, x + dx, y)
        for dx in (0, 1)
        for y in range(29_049, 29_053)
    ]
    assert sum(tile.count for tile in tiles) == 7000
    assert all(len(tile.data) < 500_000 for tile in tiles)
    assert any(tile.thinned for tile in tiles)
