"""Patrol routes: a leg is covered when somebody on duty came by in its hours; nothing says who."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, inspect, text

from gridmap.clock import FixedClock
from gridmap.db.tables import Fix, RouteCover
from gridmap.domain.ids import new_id
from gridmap.domain.metric import LocalMetric
from gridmap.domain.patrol_legs import Window, cut
from gridmap.errors import Conflict, Forbidden, Invalid
from gridmap.services import patrol_routes
from gridmap.services.transaction import system_transaction, transaction
from tests.world import SOUTH, WEST, World

METRIC = LocalMetric("EPSG:4547")
LAT = SOUTH + 0.005


def line(west: float = WEST + 0.001, east: float = WEST + 0.0112) -> dict[str, Any]:
    """About a kilometre along the middle of county 0."""
    return {"type": "LineString", "coordinates": [[west, LAT], [east, LAT]]}


def draw(world: World, **more: Any) -> UUID:
    planner = world.account("lena", "shift_lead", 0)
    with transaction(world.database, planner, world.clock) as tx:
        return patrol_routes.draw(tx, name="一号线", geometry=line(), **more).id


def fixes(world: World, places: Iterable[tuple[float, float]], at: datetime, accuracy_m: float = 8.0) -> None:
    with system_transaction(world.database, world.clock) as tx:
        tx.session.execute(text("select make_fix_partition(:day)"), {"day": at.date()})
        unit_id = new_id()
        rows = [
            {
                "unit_id": unit_id,
                "device_id": unit_id,
                "fixed_at": at + timedelta(seconds=n),
                "received_at": tx.now,
                "geom": f"SRID=4326;POINT({lon} {lat})",
                "accuracy_m": accuracy_m,
            }
            for n, (lon, lat) in enumerate(places)
        ]
        tx.session.execute(insert(Fix), rows)


def shares(world: World, watch: patrol_routes.RouteWatch) -> list[float]:
    clock = world.clock
    assert isinstance(clock, FixedClock)
    clock.at += timedelta(seconds=11)
    watch.turn()
    day = clock.at.date()
    with system_transaction(world.database, clock) as tx:
        (route,) = patrol_routes.list_routes(tx, METRIC, since=day - timedelta(days=1), until=day)
        return [cover.share for cover in route.days]


def test_covered_or_not_by_day(world: World, clock: FixedClock) -> None:
    route_id = draw(world, window="08:00-20:00")
    watch = patrol_routes.RouteWatch(world.database, clock, METRIC)
    watch.turn()
    clock.at += timedelta(minutes=1)
    west_half = [(WEST + 0.001 + n * 0.0005, LAT) for n in range(10)]
    fixes(world, west_half, clock.at)
    fixes(world, [(lon, LAT + 0.0008) for lon, _ in west_half], clock.at)
    fixes(world, [(WEST + 0.0112, LAT)], clock.at, accuracy_m=80.0)
    first = shares(world, watch)
    assert first == [0.0, pytest.approx(0.5, abs=0.11)], "90 m beside it or no idea where does not count"
    # The other half at four in the morning, Shanghai time: outside the hours, though the fixes come late.
    rest = [(WEST + 0.006 + n * 0.0005, LAT) for n in range(11)]
    fixes(world, rest, clock.at.replace(hour=20) - timedelta(days=1))
    assert shares(world, watch) == first
    # Late fixes of yesterday noon count for yesterday.
    fixes(world, rest, clock.at - timedelta(days=1))
    assert shares(world, watch) == [pytest.approx(0.5, abs=0.11), first[1]]
    fixes(world, rest, clock.at)
    assert shares(world, watch)[1] == 1.0
    with system_transaction(world.database, clock) as tx:
        legs = patrol_routes.get_legs(tx, METRIC, route_id, clock.at.date())
        assert len(legs.covered) == len(legs.legs) == 11
    assert {column.key for column in inspect(RouteCover).columns} == {
        "feature_id",
        "day",
        "legs",
        "covered",
        "updated_at",
    }, "no person, no unit, no count of passes, no metres"


def test_who_may_draw_what(world: World, clock: FixedClock) -> None:
    route_id = draw(world)
    operator, stranger = world.account("olivia", "operator", 0), world.account("lars", "shift_lead", 1)
    with pytest.raises(Forbidden), transaction(world.database, operator, clock) as tx:
        patrol_routes.draw(tx, name="x", geometry=line())
    with pytest.raises(Forbidden), transaction(world.database, stranger, clock) as tx:
        patrol_routes.draw(tx, name="x", geometry=line())
    with (
        pytest.raises(Exception, match="route_not_found"),
        transaction(world.database, stranger, clock) as tx,
    ):
        patrol_routes.withdraw(tx, route_id)
    lead = world.account("luke", "shift_lead", 0)
    with transaction(world.database, lead, clock) as tx:
        for bad in ({"type": "Point", "coordinates": [113, 28]}, line(WEST, WEST), {"type": "LineString"}):
            with pytest.raises(Invalid, match="geometry_not_a_line"):
                patrol_routes.draw(tx, name="x", geometry=bad)
        with pytest.raises(Conflict, match="outside_every_area"):
            patrol_routes.draw(tx, name="x", geometry=line(10.0, 10.1))
        patrol_routes.withdraw(tx, route_id)
        assert patrol_routes.list_routes(tx, METRIC, since=clock.at.date(), until=clock.at.date()) == []


def test_legs_are_equal_and_hours_may_cross_midnight() -> None:
    with_shape = METRIC.to_plane(patrol_routes._checked(line()))
    legs = cut(with_shape)
    assert max(leg.length for leg in legs) <= 100.0
    assert sum(leg.length for leg in legs) == pytest.approx(with_shape.length)
    night = Window.parse("22:00-06:00")
    assert night is not None
    shanghai = ZoneInfo("Asia/Shanghai")
    midnight = datetime(2026, 6, 1, 0, 0, tzinfo=shanghai)
    held = [hour for hour in range(24) if night.holds(midnight + timedelta(hours=hour), shanghai)]
    assert held == [0, 1, 2, 3, 4, 5, 22, 23]
    with pytest.raises(Invalid):
        Window.parse("25:00-06:00")
