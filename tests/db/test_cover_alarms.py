"""Cover alarms: one for each cause, told to the lowest desk that answers, and ringing again only for what is new."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from gridmap.adapters.valhalla import Valhalla
from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.db.tables import Alarm, CoverState
from gridmap.domain.cover import CoverRules, Requirement
from gridmap.services.alarms import acknowledge
from gridmap.services.cover import CoverKeeper
from gridmap.services.transaction import system_transaction, transaction
from tests.world import World

STANDS_S = 90.0


def rule(key: str, level: str, minutes: float = 1.0) -> Requirement:
    return Requirement(
        key=key,
        zh=key,
        en=key,
        level=level,
        kinds=("grid_worker",),
        capability=None,
        minutes=minutes,
        share=0.5,
        hours=(0, 24),
        areas=(),
        exempt=(),
        severity=3,
    )


@dataclass
class Site:
    """Two counties of four grids with a house in the middle of each; the roads are away, straight lines judge."""

    world: World
    keeper: CoverKeeper

    def pass_by(self, seconds: float = STANDS_S + 5) -> None:
        """Time passes, everybody is heard of again, cover is judged before and after."""
        self.keeper.turn()
        self.world.clock.at += timedelta(seconds=seconds)  # type: ignore[attr-defined]
        with system_transaction(self.world.database, self.world.clock) as tx:
            tx.session.execute(text("update unit_latest set fixed_at = :now"), {"now": tx.now})
        self.keeper.turn()

    def standing(self) -> list[Alarm]:
        with system_transaction(self.world.database, self.world.clock) as tx:
            return list(
                tx.session.scalars(
                    select(Alarm)
                    .where(Alarm.kind == "cover_gap", Alarm.status != "resolved")
                    .order_by(Alarm.scope_path, Alarm.subject_id)
                )
            )

    def put(self, unit_id: UUID, status: str) -> None:
        with system_transaction(self.world.database, self.world.clock) as tx:
            tx.session.execute(
                text("update unit set status = :status where id = :id"), {"status": status, "id": unit_id}
            )


@pytest.fixture
def site(database: Database, clock: FixedClock, world: World) -> Site:
    with system_transaction(database, clock) as tx:
        tx.session.execute(
            text(
                "insert into building (id, households, geom) select gen_random_uuid(), 10,"
                " st_multi(st_expand(st_centroid(geom), 0.0005)) from area_version where is_leaf"
            )
        )
    away = Valhalla("http://127.0.0.1:9", timeout_s=0.2)
    return Site(
        world, CoverKeeper(database, clock, away, CoverRules((rule("near", "grid"),), (1,), STANDS_S))
    )


def test_a_fresh_site_with_nobody_on_duty_has_one_alarm_a_county(site: Site) -> None:
    site.pass_by()
    alarms = site.standing()
    assert [(a.params["cause"], a.params["count"], a.scope_path) for a in alarms] == [
        ("unstaffed", 4, path) for path in sorted(site.world.county_paths)
    ]
    (first,) = [a.params for a in alarms if a.scope_path == site.world.county_paths[0]]
    assert first["code"] == "990101", "several areas are told as their county"
    assert [area["cause"] for area in first["areas"]] == ["nobody_set"] * 4
    assert first["area_ids"] == sorted(site.world.grid_ids[0])


def test_causes_that_differ_split_and_one_area_is_told_as_itself(site: Site) -> None:
    world = site.world
    _, near = world.officer("ibex", 0, grid=0)
    world.officer("lynx", 0, grid=1)
    world.officer("puma", 0, grid=2)
    off = world.officer("koel", 0, grid=3, on_duty=False)[1]
    with system_transaction(world.database, world.clock) as tx:
        tx.session.execute(
            text("update unit u set scope_path = v.path from area_version v where v.area_id = u.home_area_id")
        )
    site.pass_by()
    here = [a for a in site.standing() if a.scope_path == world.county_paths[0]]
    assert [(a.params["cause"], a.params["count"], a.params["area_id"]) for a in here] == [
        ("unstaffed", 1, world.grid_ids[0][3])
    ]
    assert here[0].params["areas"][0]["cause"] == "off_duty"
    site.put(near, "busy")
    site.pass_by()
    here = [a for a in site.standing() if a.scope_path == world.county_paths[0]]
    assert sorted((a.params["cause"], a.params["area_ids"][0]) for a in here) == [
        ("away", world.grid_ids[0][0]),
        ("unstaffed", world.grid_ids[0][3]),
    ]
    site.put(off, "free")
    site.put(near, "free")
    with system_transaction(world.database, world.clock) as tx:
        tx.session.execute(
            text(
                "insert into unit_latest (unit_id, geom, fixed_at, received_at, updated_at)"
                " select u.id, st_centroid(v.geom), :now, :now, :now from unit u"
                " join area_version v on v.area_id = u.home_area_id where u.id = :id"
            ),
            {"now": tx.now, "id": off},
        )
    site.pass_by()
    assert [a for a in site.standing() if a.scope_path == world.county_paths[0]] == []


def test_a_noted_alarm_rings_anew_for_a_new_area_only(site: Site) -> None:
    world = site.world
    units = [
        world.officer(name, 0, grid=grid)[1] for grid, name in enumerate(("ibex", "lynx", "puma", "koel"))
    ]
    seat = world.account("seat", "operator", 0)

    def here() -> Alarm:
        (alarm,) = [a for a in site.standing() if a.scope_path == world.county_paths[0]]
        return alarm

    site.put(units[0], "busy")
    site.pass_by()
    first = here()
    with transaction(world.database, seat, world.clock) as tx:
        acknowledge(tx, first.id)
    site.pass_by()
    assert (here().id, here().status) == (first.id, "acknowledged")
    site.put(units[1], "busy")
    site.pass_by()
    second = here()
    assert (second.status, second.params["count"]) == ("raised", 2)
    assert second.id != first.id
    site.put(units[2], "busy")
    site.pass_by()
    assert (here().id, here().params["count"]) == (second.id, 3), "it still rings: it only tells of one more"
    with transaction(world.database, seat, world.clock) as tx:
        acknowledge(tx, second.id)
    site.put(units[2], "free")
    site.pass_by()
    assert (here().id, here().status, here().params["count"]) == (second.id, "acknowledged", 2)


def test_a_desk_below_the_county_hears_of_its_own_area(site: Site) -> None:
    world = site.world
    desk = world.account("corner", "operator", 0)
    with system_transaction(world.database, world.clock) as tx:
        tx.session.execute(
            text("update access_grant set area_id = :area where account_id = :id"),
            {"area": world.grid_ids[0][2], "id": desk.account_id},
        )
    site.pass_by()
    own = [a for a in site.standing() if a.params["area_ids"] == [world.grid_ids[0][2]]]
    assert [(a.params["count"], a.scope_path.count(".")) for a in own] == [(1, 5)]
    county = [a for a in site.standing() if a.scope_path == world.county_paths[0]]
    assert [a.params["count"] for a in county] == [3]


def test_what_was_told_is_marked_and_what_ended_is_not(site: Site) -> None:
    site.pass_by()
    with system_transaction(site.world.database, site.world.clock) as tx:
        rows = tx.session.scalars(select(CoverState)).all()
        assert len(rows) == 8
        assert all(row.alarmed_at is not None for row in rows)
    site.world.officer("ibex", 0, grid=0)
    site.pass_by()
    with system_transaction(site.world.database, site.world.clock) as tx:
        bare = {row.area_id for row in tx.session.scalars(select(CoverState)) if row.alarmed_at is not None}
    assert site.world.grid_ids[0][0] not in bare
    assert len(bare) == 7
