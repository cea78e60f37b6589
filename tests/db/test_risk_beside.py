"""Beside the count: severity, exposure, cover, proposed patrols; and what files may tell of how many there were."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.domain.ids import new_id
from gridmap.domain.risk_rules import risk_rules
from gridmap.risk.suppress import LEAST
from gridmap.services.patrol_routes import draw
from gridmap.services.risk import jobs
from gridmap.services.risk.products import make_product
from gridmap.services.risk.reading import AreaLine, get_surface, list_areas
from gridmap.services.risk.release import last_period
from gridmap.services.transaction import system_transaction, transaction
from tests.db.test_risk_runs import AUTHOR, METRIC, plant, read
from tests.world import SIDE, SOUTH, WEST, World


def make_run(world: World, clock: FixedClock, horizon: str = "4weeks") -> Any:
    rules = risk_rules()
    with system_transaction(world.database, clock) as tx:
        asked = jobs.ask(tx, "990101", [rules.horizon(horizon)], AUTHOR, checked=False)
    (made,) = jobs.work(world.database, clock, METRIC, rules, only=asked)
    return made


def lines_of(world: World, run_id: Any, level: str = "grid", group: str = "theft") -> dict[int, AreaLine]:
    with system_transaction(world.database, world.clock) as tx:
        return {line.area_id: line for line in list_areas(tx, run_id, group, level)}


def put(world: World, statement: str, **values: Any) -> None:
    with system_transaction(world.database, world.clock) as tx:
        tx.session.execute(text(statement), values)


def build_homes(world: World, grid: int, households: int) -> None:
    lon, lat = world.point_in(0, grid)
    put(
        world,
        "insert into building (id, source, ref, source_hash, households, geom) values (:id, 'x', :ref, 'x', :n,"
        " st_multi(st_makeenvelope(:w, :s, :e, :n2, 4326)))",
        id=new_id(), ref=f"b{grid}", n=households, w=lon, s=lat, e=lon + 1e-4, n2=lat + 1e-4,
    )  # fmt: skip


def test_a_rate_stands_beside_the_count_where_homes_are_counted(world: World, clock: FixedClock) -> None:
    plant(world, 400)
    for grid, households in ((0, 400), (1, 2_000), (2, 10)):
        build_homes(world, grid, households)
    lines = lines_of(world, make_run(world, clock))
    first, second, few, none = (lines[area] for area in world.grid_ids[0])
    assert [one.exposure for one in (first, second, few, none)] == [400, 2_000, 10, 0]
    assert first.rate == pytest.approx(1_000 * first.expected / 400, rel=1e-3)
    mean = (first.expected + second.expected) / 2_400
    assert first.rate_ratio == pytest.approx(first.expected / 400 / mean, rel=1e-2)
    assert second.rate_ratio is not None
    assert second.rate_ratio < 1 < first.rate_ratio
    assert (few.rate, none.rate, none.rate_ratio) == (None, None, None), "too few homes for a rate"


def test_where_nobody_counted_homes_there_is_no_rate(world: World, clock: FixedClock) -> None:
    plant(world, 200)
    assert {(one.exposure, one.rate) for one in lines_of(world, make_run(world, clock)).values()} == {
        (None, None)
    }


def test_grave_incidents_weigh_more_and_the_count_stays(world: World, clock: FixedClock) -> None:
    plant(world, 400)
    plain = lines_of(world, make_run(world, clock))
    put(world, "update incident set severity = 1 where st_x(geom) > :east", east=WEST + SIDE)
    clock.at += timedelta(minutes=1)
    heavy = lines_of(world, make_run(world, clock))
    first, last = world.grid_ids[0][0], world.grid_ids[0][3]
    assert [heavy[one].expected for one in (first, last)] == [plain[one].expected for one in (first, last)]
    assert sum(one.weighted or 0 for one in heavy.values()) == pytest.approx(
        sum(one.expected for one in heavy.values()), rel=0.01
    )
    assert plain[last].weighted == pytest.approx(plain[last].expected, rel=0.01)
    assert (heavy[last].weighted or 0) > 1.2 * heavy[last].expected
    assert (heavy[first].weighted or 0) < heavy[first].expected


def test_cover_is_a_share_of_the_ground(world: World, clock: FixedClock) -> None:
    plant(world, 100)
    lead = world.account("lead", "shift_lead", 0)
    lat = SOUTH + 0.5 * SIDE
    line = {"type": "LineString", "coordinates": [[WEST + 1e-4, lat], [WEST + SIDE - 1e-4, lat]]}
    with transaction(world.database, lead, clock) as tx:
        route = draw(tx, name="LOOP", geometry=line, reach_m=55.0)
    (leaf,) = read(world.database, "select path::text as path from area_version where area_id = :id",
                   id=world.grid_ids[0][1])  # fmt: skip
    lon, at = world.point_in(0, 1)
    for ref, status in (("on", "online"), ("off", "offline")):
        put(
            world,
            "insert into camera (id, source, ref, source_hash, name, status, range_m, geom, scope_path) values"
            " (:id, 'x', :ref, 'x', 'c', :status, :range, st_setsrid(st_makepoint(:lon, :lat), 4326),"
            " cast(:path as ltree))",
            id=new_id(), ref=ref, status=status, range=200 if status == "online" else 900, lon=lon, lat=at,
            path=leaf.path,
        )  # fmt: skip
    legs = 10
    put(
        world,
        "insert into route_cover (feature_id, day, legs, covered, updated_at) values"
        " (:id, cast(:now as date), :legs, '[0, 1, 2, 3]', :now)",
        id=route.id, now=clock.now(), legs=legs,
    )  # fmt: skip
    first, second, *_ = (lines_of(world, make_run(world, clock))[area] for area in world.grid_ids[0])
    # A grid is 982 m wide and 1,108 m high: 110 m of it lie within reach of the route, a circle of 200 m in sight.
    assert first.route_cover == pytest.approx(110 / 1_108, rel=0.03)
    assert second.camera_cover == pytest.approx(3.14 * 200**2 / (982 * 1_108), rel=0.03)
    assert (second.cameras, first.camera_cover) == (2, 0.0)
    assert first.walked == pytest.approx(4 / legs, abs=0.02)
    assert (second.walked, first.patrol_routes, second.patrol_routes) == (None, 1, 0)


def test_proposed_patrols_are_kept_with_the_run_and_can_be_drawn_again(
    world: World, clock: FixedClock
) -> None:
    plant(world, 300)
    first, again = make_run(world, clock), make_run(world, clock)
    told = []
    for run_id in (first, again):
        with system_transaction(world.database, clock) as tx:
            patrols = get_surface(tx, run_id, "theft").figures["patrols"]
        told.append(
            (patrols, {area: one.patrol for area, one in lines_of(world, run_id, "community").items()})
        )
    assert told[0] == told[1]
    patrols, areas = told[0]
    assert patrols["outside_share"] == risk_rules().patrols.outside
    assert isinstance(patrols["seed"], int)
    assert sum(one is not None for one in areas.values()) == patrols["count"]


def test_files_tell_the_same_counts_of_the_same_weeks_whatever_is_entered_later(
    world: World, database: Database, clock: FixedClock
) -> None:
    plant(world, 600, days=80)
    # Beside one group alone the empty ones would be told by the sum.
    plant(world, 300, days=80, class_key="S1.01", seed=5)
    seen = []
    for day in range(3):
        clock.at += timedelta(days=int(day > 0))
        run_id = make_run(world, clock, "week" if day == 1 else "4weeks")
        with system_transaction(database, clock) as tx:
            product = make_product(tx, run_id, "theft", purpose="x", days=3, author="me")
        assert product.period == last_period(date(2026, 6, 1))
        seen.append({row.line.area_id: row.recent for rows in product.lists.values() for row in rows})
        assert all(row.came is None for rows in product.lists.values() for row in rows)
        inside = {row.line.area_id: row.line.recent for rows in product.lists.values() for row in rows}
        # Three thefts that nobody had entered yet.
        plant(world, 3, days=40, seed=90 + day)
    assert seen[0] == seen[1] == seen[2]
    told = [count for count in seen[0].values() if count is not None]
    assert told
    assert min(told) >= LEAST
    assert inside != seen[2], "inside the centre the last four weeks are told as they are"
    period = last_period(date(2026, 6, 1))
    (row,) = read(
        database,
        "select count(*) as n from incident where class_key = 'S2.02' and number not like '%-9_-%'"
        " and (occurred_from at time zone 'Asia/Shanghai')::date between :first and :last",
        first=period.first_on, last=period.last_on,
    )  # fmt: skip
    assert max(told) == row.n


def test_a_file_counts_no_span_that_is_not_a_period(world: World, clock: FixedClock) -> None:
    plant(world, 400, days=80)
    put(
        world,
        "update incident set occurred_from = :at where number like '%-1_'",
        at=clock.now() - timedelta(days=2),
    )
    run_id = make_run(world, clock)
    with system_transaction(world.database, clock) as tx:
        tx.session.execute(
            text(
                'update risk_area set hazards = 3, reasons = \'[{"code": "rising", "params": {"recent": 7,'
                ' "usual": 2.1}}, {"code": "hazards", "params": {"count": 3}}]\' where run_id = :run'
            ),
            {"run": run_id},
        )
        product = make_product(tx, run_id, "theft", purpose="x", days=3, author="me")
    for rows in product.lists.values():
        for row in rows:
            assert [one["params"] for one in row.line.reasons] in ([], [{}, {}])
            assert row.many_hazards is False
            for value in (row.expected, row.per_km2_week):
                assert value is None or value == float(f"{value:.1e}")
