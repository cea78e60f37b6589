"""The reading functions that go past row-level security give exactly the rows that it would give, by the index.

Row-level security is the law. The functions repeat it, since its predicates hide the spatial index; so whenever a
policy and a function part, one of these tests must fail.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import mapbox_vector_tile
import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from gridmap.clock import FixedClock
from gridmap.db.cluster import superuser_conninfo
from gridmap.domain.actor import Actor
from gridmap.services.tile_counts import refresh_dirty
from gridmap.services.transaction import transaction
from gridmap.settings import Settings
from layers.base import TileFilter
from layers.registry import get_layer
from layers.tiles import Tile, tile
from tests.conftest import TEST_NOW, ClonedDatabase
from tests.db.scope_world import (
    CAMERA_STATUSES,
    CLASSES,
    KINDS,
    PATHS,
    SIZE_DEG,
    SOUTH,
    STATUSES,
    WEST,
    World,
    build_world,
)

EXAMPLES = 40
EXACT_ZOOM = 14
COUNTED_ZOOMS = (5, 8, 11, 13)
VERBS = ("camera.read", "case.read", "case.read_restricted", "unit.read", "area.read")

_PREDICATES = {
    "cameras": "withdrawn_at is null and (:classes is null or kind = any(:classes))",
    "incidents": "geom is not null and not restricted and not drill"
    " and (:classes is null or class_key = any(:classes))",
    "resources": "layer = 'resources' and withdrawn_at is null and :classes is null",
}
_TABLES = {"cameras": "camera", "incidents": "incident", "resources": "feature"}


@dataclass(frozen=True)
class Ask:
    """What a drawn person asks for."""

    actor: Actor
    classes: tuple[str, ...]
    statuses: tuple[str, ...]


@pytest.fixture(scope="module")
def world(settings: Settings) -> Iterator[World]:
    with ClonedDatabase(settings, "gridmap") as database:
        yield build_world(database, FixedClock(TEST_NOW))


@st.composite
def actors(draw: st.DrawFn, world: World) -> Actor:
    some_paths = st.lists(st.sampled_from(PATHS), max_size=3).map(tuple)
    return Actor(
        account_id=draw(st.sampled_from([None, *world.accounts])),
        login="drawn",
        display_name="drawn",
        verbs=draw(st.frozensets(st.sampled_from(VERBS))),
        case_paths=draw(some_paths),
        map_paths=draw(some_paths),
        write_paths=(),
        unit_ids=draw(st.lists(st.sampled_from(world.units), max_size=2).map(tuple)),
    )


@st.composite
def asks(draw: st.DrawFn, world: World, classes: tuple[str, ...], statuses: tuple[str, ...]) -> Ask:
    some = st.sampled_from([(), ()] + [(one,) for one in classes])
    states = st.sampled_from([(), ()] + [(one,) for one in statuses])
    return Ask(draw(actors(world)), draw(some), draw(states))


def _ids(session: Session, sql: str, **parameters: Any) -> set[UUID]:
    return set(session.scalars(text(sql), parameters).all())


def _lawful(session: Session, layer: str, ask: Ask) -> set[UUID]:
    """The layer's rows by row-level security alone."""
    status = " and (cast(:statuses as text[]) is null or status = any(:statuses))"
    sql = (
        f"select id from {_TABLES[layer]} where "
        + _PREDICATES[layer].replace(":classes is null", "cast(:classes as text[]) is null")
        + ("" if layer == "resources" else status)
    )
    return _ids(session, sql, classes=list(ask.classes) or None, statuses=list(ask.statuses) or None)


def _tiles(session: Session, layer: str, ask: Ask, zoom: int) -> list[Tile]:
    filters = TileFilter(classes=ask.classes, statuses=ask.statuses)
    return [
        tile(session, get_layer(layer), ask.actor, zoom, x, y, filters)
        for x in range(_column(WEST, zoom), _column(WEST + SIZE_DEG, zoom) + 1)
        for y in range(_row(SOUTH + SIZE_DEG, zoom), _row(SOUTH, zoom) + 1)
    ]


def _column(lon: float, zoom: int) -> int:
    return int((lon + 180) / 360 * 2**zoom)


def _row(lat: float, zoom: int) -> int:
    return int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**zoom)


def _features(tiles: list[Tile], layer: str) -> list[dict[str, Any]]:
    decoded = [mapbox_vector_tile.decode(one.data) for one in tiles if one.data]
    return [feature["properties"] for one in decoded for feature in one[layer]["features"]]


LAYERS = {
    "cameras": (KINDS, CAMERA_STATUSES),
    "incidents": (CLASSES, STATUSES),
    "resources": ((), ()),
}
PATIENT = hypothesis_settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("layer", LAYERS)
def test_exact_tiles_hold_exactly_what_row_level_security_shows(world: World, layer: str) -> None:
    @PATIENT
    @given(st.data())
    def check(data: st.DataObject) -> None:
        ask = data.draw(asks(world, *LAYERS[layer]))
        with transaction(world.database, ask.actor, world.clock) as tx:
            lawful = _lawful(tx.session, layer, ask)
            tiles = _tiles(tx.session, layer, ask, EXACT_ZOOM)
        assert not any(one.thinned for one in tiles)
        shown = [feature["id"] for feature in _features(tiles, layer)]
        assert sorted(shown) == sorted(str(one) for one in lawful)
        assert sum(one.count for one in tiles) == len(lawful)

    check()


@pytest.mark.parametrize("layer", LAYERS)
def test_counts_add_up_to_what_row_level_security_shows(world: World, layer: str) -> None:
    @PATIENT
    @given(st.data())
    def check(data: st.DataObject) -> None:
        ask = data.draw(asks(world, *LAYERS[layer]))
        zoom = data.draw(st.sampled_from(COUNTED_ZOOMS))
        with transaction(world.database, ask.actor, world.clock) as tx:
            lawful = _lawful(tx.session, layer, ask)
            tiles = _tiles(tx.session, layer, ask, zoom)
        assert all(one.thinned for one in tiles if one.count)
        assert sum(one.count for one in tiles) == len(lawful)
        assert sum(feature["n"] for feature in _features(tiles, layer)) == len(lawful)

    check()


def test_a_span_of_time_is_counted_to_the_minute(world: World) -> None:
    """Whole months come from the table, the days at either end from the rows: together nothing twice, nothing lost."""

    @PATIENT
    @given(st.data())
    def check(data: st.DataObject) -> None:
        ask = data.draw(asks(world, CLASSES, STATUSES))
        moments = st.none() | st.datetimes(
            TEST_NOW.replace(year=2025, tzinfo=None), TEST_NOW.replace(tzinfo=None)
        ).map(lambda moment: moment.replace(tzinfo=TEST_NOW.tzinfo))
        since, until = data.draw(moments), data.draw(moments)
        zoom = data.draw(st.sampled_from(COUNTED_ZOOMS))
        with transaction(world.database, ask.actor, world.clock) as tx:
            lawful = _ids(
                tx.session,
                "select id from incident where geom is not null and not restricted and not drill"
                " and (cast(:classes as text[]) is null or class_key = any(:classes))"
                " and (cast(:statuses as text[]) is null or status = any(:statuses))"
                " and (cast(:since as timestamptz) is null or reported_at >= :since)"
                " and (cast(:until as timestamptz) is null or reported_at < :until)",
                classes=list(ask.classes) or None,
                statuses=list(ask.statuses) or None,
                since=since,
                until=until,
            )
            filters = TileFilter(classes=ask.classes, statuses=ask.statuses, since=since, until=until)
            counted = sum(
                tile(tx.session, get_layer("incidents"), ask.actor, zoom, x, y, filters).count
                for x in range(_column(WEST, zoom), _column(WEST + SIZE_DEG, zoom) + 1)
                for y in range(_row(SOUTH + SIZE_DEG, zoom), _row(SOUTH, zoom) + 1)
            )
        assert counted == len(lawful)

    check()


# name: the function under test, then the same by row-level security; :w :s :e :n is a box, :q a text.
_IN_BOX = "geom && st_makeenvelope(:w, :s, :e, :n, 4326)"
_SHOWN = "(not restricted or id = any((select app_shared_incidents())::uuid[]))"
READINGS = {
    "units in a box": (
        "select id from units_in_box(:w, :s, :e, :n, null, 9999)",
        f"select u.id from unit u join unit_latest l on l.unit_id = u.id where l.{_IN_BOX}",
    ),
    "incidents in a box": (
        "select id from incidents_in_box(:w, :s, :e, :n, null, null, null, null, 9999)",
        f"select id from incident where {_IN_BOX} and {_SHOWN}",
    ),
    "cameras in a box": (
        "select id from cameras_in_box(:w, :s, :e, :n, null, null, 9999)",
        f"select id from camera where {_IN_BOX} and withdrawn_at is null",
    ),
    "incidents by number": (
        "select id from search_incidents(:number, 9999)",
        f"select id from incident where number like :number || '%' and {_SHOWN}",
    ),
    "incidents by title": (
        "select id from search_incidents(:title, 9999)",
        f"select id from incident where title like '%' || :title || '%' and {_SHOWN}",
    ),
    "cameras by name": (
        "select id from search_cameras(:camera, 9999)",
        "select id from camera where name like '%' || :camera || '%' and withdrawn_at is null",
    ),
}


@pytest.mark.parametrize("reading", READINGS)
def test_boxes_and_searches_find_exactly_what_row_level_security_shows(world: World, reading: str) -> None:
    function, law = READINGS[reading]

    @PATIENT
    @given(st.data())
    def check(data: st.DataObject) -> None:
        actor = data.draw(actors(world))
        corners = st.floats(0, SIZE_DEG)
        w, e = sorted((data.draw(corners), data.draw(corners)))
        s, n = sorted((data.draw(corners), data.draw(corners)))
        values = {"w": WEST + w, "s": SOUTH + s, "e": WEST + e, "n": SOUTH + n}
        values |= {
            "number": data.draw(st.sampled_from(["GM0000001", "GM000002", "GM"])),
            "title": data.draw(st.sampled_from(["标题 1", "标题 22", "5"])),
            "camera": data.draw(st.sampled_from(["探头 1", "39 号", "7"])),
        }
        with transaction(world.database, actor, world.clock) as tx:
            found = _ids(tx.session, function, **_named(function, values))
            lawful = _ids(tx.session, law, **_named(law, values))
        assert found == lawful

    check()


def _named(sql: str, values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if f":{name}" in sql}


def test_a_stranger_sees_nothing(world: World) -> None:
    """Nobody is set: no scope, no verbs."""
    with world.database.app.begin() as connection:
        for layer in ("cameras", "incidents", "resources", "areas", "buildings"):
            found = tile(connection, get_layer(layer), _nobody(), 8, _column(WEST, 8), _row(SOUTH, 8))
            assert (found.data, found.count) == (b"", 0)


def test_the_parts_that_trust_their_caller_are_closed_to_the_web(world: World) -> None:
    for statement in (
        "select * from tile_cells('incidents', 0, 0, 0, '{\"\"}', null, null, null, null)",
        "select * from tile_point",
        "select * from tile_count",
        "select * from tile_delta",
    ):
        with (
            world.database.app.connect() as connection,
            pytest.raises(Exception, match="permission denied"),
        ):
            connection.execute(text(statement))


def _nobody() -> Actor:
    return Actor(
        account_id=None,
        login="",
        display_name="",
        verbs=frozenset(),
        case_paths=(),
        map_paths=(),
        write_paths=(),
    )


CROWDED_AREAS = (
    "insert into area_set (id, tree, name, status, created_at)"
    " values (gen_random_uuid(), 'admin', 'crowded', 'verified', now())",
    "insert into area (tree, level, scheme, code)"
    " select 'admin', 'grid', 'test', 'crowded-' || i from generate_series(0, 2499) i",
    "insert into area_version (id, area_id, area_set_id, path, name, is_leaf, geom, valid)"
    " select gen_random_uuid(), a.id, s.id, cast('1.2.' || a.id as ltree), a.code, true,"
    "  st_multi(st_makeenvelope(113 + x * 0.02, 30 + y * 0.02, 113.02 + x * 0.02, 30.02 + y * 0.02, 4326)),"
    "  tstzrange('2020-01-01', null)"
    " from area a join area_set s on s.name = 'crowded',"
    "  lateral (select split_part(a.code, '-', 2)::int as n) k, lateral (select n % 50 as x, n / 50 as y) at"
    " where a.code like 'crowded-%'",
)


@pytest.fixture(scope="module")
def crowded(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """20,000 cameras and incidents, and a session that reports the plan of every statement inside a function."""
    with ClonedDatabase(settings, "gridmap") as database:
        with database.owner.begin() as connection:
            connection.execute(
                text(
                    "insert into camera (id, name, geom, scope_path) select gen_random_uuid(), 'c' || i,"
                    " st_setsrid(st_makepoint(113 + random(), 30 + random()), 4326), '1.2.3'"
                    " from generate_series(1, 20000) i"
                )
            )
            connection.execute(
                text(
                    "insert into incident (id, number, class_key, severity, title, geom, location_method,"
                    " occurred_from, reported_at, recorded_at, channel, scope_path)"
                    " select gen_random_uuid(), 'n' || i, 'S1.01', 2, '', st_setsrid(st_makepoint("
                    " 113 + random(), 30 + random()), 4326), 'point', now(), now(), now(), 'patrol', '1.2.3'"
                    " from generate_series(1, 20000) i"
                )
            )
            for statement in CROWDED_AREAS:
                connection.execute(text(statement))
        while refresh_dirty(database, FixedClock(TEST_NOW)):
            pass
        name = database.urls.owner.rsplit("/", 1)[1].split("?")[0]
        with psycopg.connect(superuser_conninfo(settings, name), autocommit=True) as connection:
            connection.execute("analyze")
            connection.execute("load 'auto_explain'")
            for setting, value in (
                ("search_path", "gridmap, public"),
                ("auto_explain.log_min_duration", "0"),
                ("auto_explain.log_nested_statements", "on"),
                ("client_min_messages", "log"),
                ("gridmap.actor", "x"),
                ("gridmap.verbs", "camera.read,case.read"),
                ("gridmap.map_paths", "{1.2}"),
                ("gridmap.case_paths", "{1.2}"),
            ):
                connection.execute("select set_config(%s, %s, false)", (setting, value))
            yield connection


X16, Y16 = _column(113.5, 16), _row(30.5, 16)
X9, Y9 = _column(113.5, 9), _row(30.5, 9)
BOX = "113.5, 30.5, 113.51, 30.51"


@pytest.mark.parametrize(
    ("reading", "index"),
    [
        (f"tile_cameras(16, {X16}, {Y16})", "ix_camera_geom_3857"),
        (f"tile_incidents(16, {X16}, {Y16})", "ix_incident_geom_3857"),
        (f"tile_cameras(9, {X9}, {Y9})", "pk_tile_count"),
        (f"tile_incidents(9, {X9}, {Y9})", "pk_tile_count"),
        (f"tile_incidents(9, {X9}, {Y9}, '{{S1.01}}')", "pk_tile_count"),
        (f"cameras_in_box({BOX}, null, null, 100)", "ix_camera_geom_3857"),
        (f"incidents_in_box({BOX}, null, null, null, null, 100)", "ix_incident_geom_3857"),
        ("search_incidents('N1234', 20)", "ix_incident_number"),
        ("search_cameras('c12345', 20)", "ix_camera_name"),
        ("leaf_at('admin', 113.51, 30.51, now())", "ix_area_version_geom"),
        (f"leaves_under(st_makeenvelope({BOX}, 4326), now())", "ix_area_version_geom"),
    ],
)
def test_the_plan_goes_through_the_index(crowded: psycopg.Connection[Any], reading: str, index: str) -> None:
    plans: list[str] = []

    def keep(notice: psycopg.errors.Diagnostic) -> None:
        plans.append(notice.message_primary or "")

    crowded.add_notice_handler(keep)
    try:
        # After five calls the session may settle on one plan for all values: that one counts.
        for _ in range(8):
            plans.clear()
            crowded.execute(f"select * from {reading}")
    finally:
        crowded.remove_notice_handler(keep)
    told = "\n".join(plans)
    assert index in told
    assert "Seq Scan on camera" not in told
    assert "Seq Scan on incident" not in told
    assert "Seq Scan on tile_count" not in told
    assert "Seq Scan on area" not in told
