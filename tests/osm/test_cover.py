"""Cover against the real routing engine and a real database, in the invented town: gap, alarm, move-up, and its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
import shapely
from shapely.geometry import MultiPolygon, box
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import Range

from gridmap.adapters.valhalla import Valhalla
from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.db.tables import (
    Alarm,
    Area,
    AreaSet,
    AreaVersion,
    Building,
    CoverRun,
    CoverState,
    Unit,
    UnitLatest,
)
from gridmap.domain.closures import Closure, Closures
from gridmap.domain.cover import CoverRules, Requirement
from gridmap.domain.ids import new_id
from gridmap.domain.travel import LonLat, Mode
from gridmap.services.cover import CoverKeeper
from gridmap.services.cover_alarms import ALARM_KIND
from gridmap.services.cover_reach import FreeUnit, Reach
from gridmap.services.transaction import system_transaction

WEST, SOUTH, STEP_LON, STEP_LAT = 114.30, 30.60, 0.00104, 0.0009
RIVER = 9.5
STANDS_S = 90.0
RULE = Requirement(
    key="patrol",
    zh="巡逻",
    en="Patrol",
    level="township",
    kinds=("patrol",),
    capability=None,
    minutes=4,
    share=0.5,
    hours=(0, 24),
    areas=(),
    exempt=(),
    severity=2,
)
RULES = CoverRules((RULE,), (1, 3, 5), STANDS_S)


def at(column: float, row: float) -> LonLat:
    return LonLat(WEST + column * STEP_LON, SOUTH + row * STEP_LAT)


@dataclass
class Town:
    """A county with a township on each side of the river, houses all over, and patrols that a test puts there."""

    database: Database
    clock: FixedClock
    townships: dict[str, int]
    path: str

    def patrol(self, name: str, place: LonLat) -> UUID:
        unit_id = new_id()
        with system_transaction(self.database, self.clock) as tx:
            unit = Unit(
                id=unit_id, call_sign=name, kind="patrol", mode="ebike", scope_path=self.path, status="free"
            )
            tx.session.add(unit)
            tx.session.flush()
            tx.session.add(
                UnitLatest(
                    unit_id=unit_id,
                    geom=_point(place),
                    fixed_at=tx.now,
                    received_at=tx.now,
                    updated_at=tx.now,
                )
            )
        return unit_id

    def later(self, seconds: float, moved: dict[UUID, LonLat] | None = None) -> None:
        """Time passes; everybody is heard of again, some at another place."""
        self.clock.at += timedelta(seconds=seconds)
        with system_transaction(self.database, self.clock) as tx:
            tx.session.execute(text("update unit_latest set fixed_at = :now"), {"now": tx.now})
            for unit_id, place in (moved or {}).items():
                tx.session.execute(
                    text("update unit_latest set geom = cast(:geom as geometry) where unit_id = :id"),
                    {"geom": _point(place), "id": unit_id},
                )

    def state(self, side: str) -> CoverState:
        with system_transaction(self.database, self.clock) as tx:
            return tx.session.scalars(
                select(CoverState).where(CoverState.area_id == self.townships[side])
            ).one()

    def alarms(self) -> list[Alarm]:
        with system_transaction(self.database, self.clock) as tx:
            return list(tx.session.scalars(select(Alarm).where(Alarm.kind == ALARM_KIND)))

    def run(self) -> CoverRun:
        with system_transaction(self.database, self.clock) as tx:
            return tx.session.scalars(select(CoverRun)).one()


def _point(place: LonLat) -> str:
    return f"SRID=4326;POINT({place.lon} {place.lat})"


@pytest.fixture
def town(database: Database, clock: FixedClock) -> Town:
    with system_transaction(database, clock) as tx:
        area_set = AreaSet(id=new_id(), tree="admin", name="town", status="verified", created_at=tx.now)
        tx.session.add(area_set)
        tx.session.flush()

        def add(
            level: str, code: str, parent: tuple[int, str] | None, west: float, east: float
        ) -> tuple[int, str]:
            area = Area(tree="admin", level=level, scheme="gb", code=code)
            tx.session.add(area)
            tx.session.flush()
            path = f"{parent[1]}.{area.id}" if parent else str(area.id)
            shape = MultiPolygon([box(*at(west, -1), *at(east, 21))])
            tx.session.add(
                AreaVersion(
                    area_id=area.id,
                    parent_id=parent[0] if parent else None,
                    area_set_id=area_set.id,
                    path=path,
                    name=code,
                    is_leaf=level == "grid",
                    geom=f"SRID=4326;{shape.wkt}",
                    valid=Range(tx.now - timedelta(days=1), None),
                )
            )
            return area.id, path

        county = add("county", "990101", None, -1, 21)
        townships = {}
        for number, (side, west, east) in enumerate((("west", -1, RIVER), ("east", RIVER, 21)), 1):
            township = add("township", f"99010100{number}", county, west, east)
            community = add("community", f"99010100{number}001", township, west, east)
            add("grid", f"99010100{number}001001", community, west, east)
            townships[side] = township[0]
        for column in (2, 5, 12, 15):
            for row in (4, 8, 12):
                house = MultiPolygon([box(*at(column + 0.2, row + 0.2), *at(column + 0.4, row + 0.4))])
                tx.session.add(Building(id=new_id(), households=10, geom=f"SRID=4326;{house.wkt}"))
    return Town(database, clock, townships, county[1])


@pytest.fixture
def keeper(town: Town, town_router: Valhalla) -> CoverKeeper:
    return CoverKeeper(town.database, town.clock, town_router, RULES)


def test_a_gap_stands_before_it_rings_and_ends_at_once(town: Town, keeper: CoverKeeper) -> None:
    first, second = town.patrol("A", at(5, 8)), town.patrol("B", at(4, 8))
    keeper.turn()
    assert not town.state("west").gap
    assert town.state("east").gap
    assert town.alarms() == []
    town.later(STANDS_S + 5)
    keeper.turn()
    keeper.turn()
    (alarm,) = town.alarms()
    assert (alarm.status, alarm.severity, alarm.params["code"]) == ("raised", 2, "990101002")
    assert alarm.params["minutes"] == 4
    town.later(20, {first: at(12, 8)})
    keeper.turn()
    assert not town.state("east").gap
    assert not town.state("west").gap
    assert [a.status for a in town.alarms()] == ["resolved"]
    assert second


def test_a_short_gap_rings_no_bell(town: Town, keeper: CoverKeeper) -> None:
    unit = town.patrol("A", at(12, 8))
    town.patrol("B", at(5, 8))
    keeper.turn()
    town.later(30, {unit: at(4, 8)})
    keeper.turn()
    assert town.state("east").gap
    town.later(STANDS_S - 10, {unit: at(12, 8)})
    keeper.turn()
    assert not town.state("east").gap
    assert town.alarms() == []


def test_an_alarm_that_was_noted_does_not_ring_again_while_the_gap_stands(
    town: Town, keeper: CoverKeeper
) -> None:
    town.patrol("A", at(5, 8))
    keeper.turn()
    town.later(STANDS_S + 5)
    keeper.turn()
    with system_transaction(town.database, town.clock) as tx:
        tx.session.execute(text("update alarm set status = 'acknowledged'"))
    town.later(STANDS_S + 5)
    keeper.turn()
    assert [a.status for a in town.alarms()] == ["acknowledged"]


def test_a_spare_unit_is_proposed_with_its_road_time(town: Town, keeper: CoverKeeper) -> None:
    near, far = town.patrol("near", at(8, 15)), town.patrol("far", at(2, 8))
    town.patrol("holds", at(5, 8))
    keeper.turn()
    move = town.state("east").move_up
    assert move is not None
    assert move["unit_id"] == str(near), "by road over the northern bridge it is there first"
    assert move["unit_id"] != str(far)
    assert 60 < move["seconds"] < 600
    assert move["lon"] > at(RIVER, 0).lon


def test_the_only_unit_of_an_area_is_not_taken_from_it(town: Town, keeper: CoverKeeper) -> None:
    town.patrol("alone", at(5, 8))
    keeper.turn()
    assert town.state("east").move_up == {"why": "nobody_spare"}


def test_busy_and_silent_units_give_no_cover(town: Town, keeper: CoverKeeper) -> None:
    busy, silent = town.patrol("busy", at(5, 8)), town.patrol("silent", at(12, 8))
    with system_transaction(town.database, town.clock) as tx:
        tx.session.execute(text("update unit set status = 'busy' where id = :id"), {"id": busy})
        tx.session.execute(
            text("update unit_latest set fixed_at = :then where unit_id = :id"),
            {"then": tx.now - timedelta(hours=1), "id": silent},
        )
    keeper.turn()
    assert town.state("west").gap
    assert town.state("east").gap
    assert town.run().units == 0


def test_a_unit_that_stays_is_not_asked_about_again(town: Town, keeper: CoverKeeper) -> None:
    unit = town.patrol("A", at(5, 8))
    keeper.turn()
    assert town.run().rough_units == 0
    assert town.run().engine_s > 0
    town.later(15, {unit: at(5.3, 8)})
    keeper.turn()
    assert town.run().engine_s < 0.001
    assert town.run().oldest_s == pytest.approx(15, abs=1)
    town.later(15, {unit: at(5, 12)})
    keeper.turn()
    assert town.run().oldest_s == 0


def test_without_the_engine_the_straight_line_judges_and_is_counted(town: Town) -> None:
    down = Valhalla("http://127.0.0.1:9", timeout_s=0.5)
    keeper = CoverKeeper(town.database, town.clock, down, RULES)
    town.patrol("A", at(5, 8))
    keeper.turn()
    assert town.run().rough_units == 1
    assert not town.state("west").gap
    assert town.state("east").gap
    down.close()


def test_no_budget_asks_nobody(town: Town, keeper: CoverKeeper) -> None:
    town.patrol("A", at(5, 8))
    keeper.turn(budget_s=0.0)
    assert town.run().rough_units == 1


def test_a_rule_that_does_not_hold_at_this_hour_leaves_nothing_standing(
    town: Town, town_router: Valhalla
) -> None:
    day = Requirement(**{name: getattr(RULE, name) for name in RULE.__slots__} | {"hours": (8, 20)})
    keeper = CoverKeeper(town.database, town.clock, town_router, CoverRules((day,), (1,), STANDS_S))
    keeper.turn()
    town.later(STANDS_S + 5)
    keeper.turn()
    assert len(town.alarms()) == 1
    town.later(12 * 3600)
    keeper.turn()
    assert {a.status for a in town.alarms()} == {"resolved"}
    with system_transaction(town.database, town.clock) as tx:
        assert tx.session.scalars(select(CoverState)).all() == []


def test_a_closed_bridge_counts_at_once(town_router: Valhalla, clock: FixedClock) -> None:
    points = [at(12, 3), at(6, 3)]
    reach = Reach(town_router, shapely.get_coordinates(shapely.points(points)))
    unit = FreeUnit(new_id(), "patrol", (), Mode.EBIKE, at(8, 3), "1", (4.0,))
    spent = reach.refresh([unit], Closures(), clock.now(), 5.0)
    assert spent > 0
    assert reach.within([unit], 4.0).tolist() == [[True, True]]
    strip = shapely.MultiPolygon([box(*at(9.4, 2.8), *at(9.6, 3.2))])
    shut = Closures((Closure(new_id(), strip, frozenset()),))
    reach.refresh([unit], shut, clock.now(), 5.0)
    assert reach.within([unit], 4.0).tolist() == [[False, True]]


def test_rings_grow_and_agree_with_the_way(town_router: Valhalla) -> None:
    start = at(5, 8)
    rings = town_router.isochrone(start, Mode.EBIKE, (1, 3, 5))
    assert [shape.is_valid for shape in rings] == [True] * 3
    assert rings[0].area < rings[1].area < rings[2].area
    places = [at(column, row) for column in range(0, 20, 3) for row in range(0, 20, 3)]
    wrong = 0
    for place, trip in zip(
        places, [town_router.matrix([start], p, Mode.EBIKE)[0] for p in places], strict=True
    ):
        seconds = trip.seconds or 1e9
        # Within a block of the edge either answer will do: a ring is drawn through points between crossings.
        if abs(seconds - 180) > 30:
            wrong += rings[1].covers(shapely.Point(place)) != (seconds <= 180)
    assert wrong == 0


def test_a_site_without_areas_is_judged_without_fault(database: Database, clock: FixedClock) -> None:
    down = Valhalla("http://127.0.0.1:9", timeout_s=0.5)
    judged = CoverKeeper(database, clock, down, RULES).turn()
    assert [len(rule.areas) for rule in judged] == [0]
    with system_transaction(database, clock) as tx:
        assert tx.session.scalars(select(CoverRun)).one().points == 0
    down.close()
