"""The numbers in the tree of areas are those that row-level security lets the caller count."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.db.tables import Camera
from gridmap.domain.actor import Actor
from gridmap.domain.ids import new_id
from gridmap.domain.vocab import vocabulary
from gridmap.services.areas import AreaRow, get_area, list_children
from gridmap.services.reports import TakeReport, take_report
from gridmap.services.transaction import system_transaction, transaction
from gridmap.services.vault import Vault
from tests.world import World, make_world

_BY_POLICY = text(
    "select (select count(*) from incident i where i.status <> 'closed' and i.scope_path <@ cast(:path as ltree)),"
    " (select count(*) from unit u where u.status in ('free', 'busy') and u.scope_path <@ cast(:path as ltree)),"
    " (select count(*) from camera c where c.withdrawn_at is null and c.scope_path <@ cast(:path as ltree))"
)


@pytest.fixture
def busy_world(database: Database, clock: FixedClock) -> World:
    """Open and restricted cases, units and cameras in several grids of both counties."""
    world = make_world(database, clock)
    restricted = next(key for key, row in vocabulary().classes.items() if row.restricted and row.parent)
    for county in (0, 1):
        world.officer(f"unit.{county}", county)
        taker = world.account(f"taker.{county}", "shift_lead", county)
        for grid, class_key in ((0, "S1.01"), (1, "S1.01"), (1, restricted)):
            lon, lat = world.point_in(county, grid)
            with transaction(database, taker, clock) as tx:
                report = TakeReport(channel="operator", class_key=class_key, text="x", lon=lon, lat=lat)
                take_report(tx, report, Vault(b"k" * 48))
        with system_transaction(database, clock) as tx:
            for grid in (0, 0, 2):
                lon, lat = world.point_in(county, grid)
                path = tx.session.scalar(
                    text("select path::text from area_version where area_id = :id"),
                    {"id": world.grid_ids[county][grid]},
                )
                tx.session.add(
                    Camera(id=new_id(), name="c", geom=f"SRID=4326;POINT({lon} {lat})", scope_path=path or "")
                )
    return world


def counts(row: AreaRow) -> tuple[int, int, int]:
    return row.open_incidents, row.units_on_duty, row.cameras


def test_the_tree_counts_what_the_policies_let_through(
    busy_world: World, database: Database, clock: FixedClock
) -> None:
    world = busy_world
    actors: list[Actor] = [
        world.account(f"{role}.{county}", role, county)
        for role in ("operator", "shift_lead", "analyst", "planner", "patrol", "wall")
        for county in (0, None)
    ]
    seen: set[tuple[int, int, int]] = set()
    for actor in actors:
        with transaction(database, actor, clock) as tx:
            rows = [
                *list_children(tx, None),
                *list_children(tx, int(world.county_paths[0].split(".")[1])),
                *(row for county in world.county_ids for row in list_children(tx, county)),
                get_area(tx, world.county_ids[0])[0],
                *(get_area(tx, grid)[0] for grid in world.grid_ids[0]),
            ]
            assert len(rows) == 10
            for row in rows:
                expected = tx.session.execute(_BY_POLICY, {"path": row.path}).one()
                assert counts(row) == tuple(expected), (actor.login, row)
                seen.add(counts(row))
    assert {(0, 0, 0), (2, 1, 3), (3, 1, 3), (6, 2, 6)} <= seen


def test_an_area_names_its_parents_from_the_top(
    busy_world: World, database: Database, clock: FixedClock
) -> None:
    with transaction(database, busy_world.account("desk", "operator", 0), clock) as tx:
        row, outline, parents = get_area(tx, busy_world.grid_ids[0][1])
    assert [parent.level for parent in parents] == ["province", "city", "county", "township", "community"]
    assert outline["type"] == "MultiPolygon"
    assert row.has_children is False
