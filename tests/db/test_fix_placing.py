"""From the door to the unit's place: many senders at once, several devices of a unit, late fixes, a damaged batch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from gridmap.clock import FixedClock
from gridmap.db.tables import Device, Fix, FixBatch, UnitLatest
from gridmap.domain.ids import new_id
from gridmap.domain.metric import LocalMetric
from gridmap.errors import Invalid
from gridmap.positions.fixes import Door, RawFix
from gridmap.services.fix_intake import FixIntake
from gridmap.services.fix_placing import FixPlacer
from gridmap.services.transaction import system_transaction
from tests.world import World

METRIC = LocalMetric("EPSG:4547")


@pytest.fixture
def placer(world: World, clock: FixedClock) -> FixPlacer:
    return FixPlacer(world.database, clock, METRIC)


@pytest.fixture
def intake(world: World, clock: FixedClock) -> FixIntake:
    return FixIntake(world.database, clock, 1)


def page_fix(world: World, unit_id: UUID, seconds: float = 0, east_m: float = 0) -> RawFix:
    lon, lat = world.point_in(0)
    at = world.clock.now() + timedelta(seconds=seconds)
    return RawFix(unit_id=unit_id, lon=lon + east_m / 98_000, lat=lat, fixed_at=at, accuracy_m=8)


def test_many_senders_at_once_each_get_their_own_answer(
    world: World, intake: FixIntake, placer: FixPlacer, clock: FixedClock
) -> None:
    on = [world.officer(f"on{number}", 0)[1] for number in range(3)]
    off = [world.officer(f"off{number}", 0, on_duty=False)[1] for number in range(3)]
    clock.at += timedelta(minutes=1)
    asked = [
        [page_fix(world, on[number % 3], -number), page_fix(world, off[number % 3], -number)]
        for number in range(24)
    ]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(intake.take, asked))
    assert answers == [[True, False]] * 24
    with system_transaction(world.database, clock) as tx:
        batches = tx.session.scalar(select(func.count()).select_from(FixBatch))
    assert batches is not None
    assert 1 <= batches <= 24
    assert placer.turn() == batches
    with system_transaction(world.database, clock) as tx:
        assert tx.session.scalar(select(func.count()).select_from(Fix)) == 24
        assert tx.session.scalar(select(func.count()).select_from(FixBatch)) == 0


def test_a_failing_write_fails_everybody_and_frees_the_door(world: World, intake: FixIntake) -> None:
    _, unit_id = world.officer("paul", 0)
    broken = replace(page_fix(world, unit_id), accuracy_m=1e300)
    with pytest.raises(OverflowError):
        intake.take([broken])
    assert intake.take([page_fix(world, unit_id)]) == [True]


def test_late_fixes_are_stored_and_do_not_move_the_unit_back(
    world: World, intake: FixIntake, placer: FixPlacer, clock: FixedClock
) -> None:
    _, unit_id = world.officer("paul", 0)
    clock.at += timedelta(minutes=30)
    intake.take([page_fix(world, unit_id, 0, 100)])
    placer.turn()
    intake.take([page_fix(world, unit_id, -600, 20), page_fix(world, unit_id, -1200, 10)])
    intake.take([page_fix(world, unit_id, 0, 100)])
    placer.turn()
    with system_transaction(world.database, clock) as tx:
        times = tx.session.scalars(select(Fix.fixed_at).order_by(Fix.fixed_at)).all()
        assert times == [clock.at - timedelta(seconds=s) for s in (1200, 600, 0)]
        assert tx.session.get_one(UnitLatest, unit_id).fixed_at == clock.at


def test_the_better_device_leads_while_it_is_fresh(
    world: World, intake: FixIntake, placer: FixPlacer, clock: FixedClock
) -> None:
    _, unit_id = world.officer("paul", 0)
    car, phone = new_id(), new_id()
    with system_transaction(world.database, clock) as tx:
        for device_id, priority in ((car, 10), (phone, 50)):
            tx.session.add(
                Device(
                    id=device_id,
                    label="x",
                    kind="osmand",
                    unit_id=unit_id,
                    priority=priority,
                    created_at=tx.now,
                )
            )
    clock.at += timedelta(minutes=30)

    def of(device_id: UUID, seconds: float, east_m: float) -> RawFix:
        return replace(page_fix(world, unit_id, seconds, east_m), device_id=device_id, door=Door.DEVICE)

    def place_m() -> float:
        with system_transaction(world.database, clock) as tx:
            lon = tx.session.scalar(
                text("select st_x(geom) from unit_latest where unit_id = :u"), {"u": unit_id}
            )
        return round((float(lon or 0) - world.point_in(0)[0]) * 98_000)

    intake.take([of(phone, -400, 40), of(car, -300, 0)])
    placer.turn()
    intake.take([of(phone, -250, 40)])
    placer.turn()
    assert place_m() == 0, "the car was heard 50 s ago"
    intake.take([of(phone, -100, 40)])
    placer.turn()
    assert place_m() == 40, "the car is silent"
    # The car's queue comes late: it led all the time.
    intake.take([of(car, -120, 5)])
    placer.turn()
    with system_transaction(world.database, clock) as tx:
        rows = tx.session.execute(select(Fix.fixed_at, Fix.leads).where(Fix.device_id == phone)).all()
    assert {round((row.fixed_at - clock.at).total_seconds()): row.leads for row in rows} == {
        -400: True,
        -250: False,
        -100: False,
    }


def test_a_damaged_batch_is_set_aside_and_holds_nobody_up(
    world: World, intake: FixIntake, placer: FixPlacer, clock: FixedClock
) -> None:
    _, unit_id = world.officer("paul", 0)
    clock.at += timedelta(seconds=30)
    with system_transaction(world.database, clock) as tx:
        tx.session.add(
            FixBatch(id=new_id(), received_at=tx.now - timedelta(seconds=1), shard=0, body=b"rubbish")
        )
    intake.take([page_fix(world, unit_id)])
    for _ in range(6):
        with pytest.raises(Invalid, match="fix_batch_unknown"):
            placer.turn()
    assert placer.turn() == 1
    with system_transaction(world.database, clock) as tx:
        assert tx.session.get_one(UnitLatest, unit_id).fixed_at == clock.at
        (left,) = tx.session.scalars(select(FixBatch)).all()
    assert (left.faults, left.set_aside_at) == (5, clock.at)


def test_a_turn_takes_so_many_fixes_and_says_that_more_wait(
    world: World, intake: FixIntake, placer: FixPlacer, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, unit_id = world.officer("paul", 0)
    clock.at += timedelta(minutes=5)
    for batch in range(4):
        clock.at += timedelta(seconds=1)
        intake.take([page_fix(world, unit_id, -batch * 20 - number) for number in range(10)])
    monkeypatch.setattr("gridmap.services.fix_placing.MOST_FIXES", 15)
    told = [(placer.turn(), placer.has_more) for _ in range(3)]
    assert told == [(2, True), (2, True), (0, False)]
    with system_transaction(world.database, clock) as tx:
        assert tx.session.scalar(select(func.count()).select_from(Fix)) == 40


def test_a_sender_that_is_stopped_while_it_keeps_pace_hands_the_pen_on(
    world: World, intake: FixIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, unit_id = world.officer("paul", 0)
    intake.take([page_fix(world, unit_id)])

    def stopped(_seconds: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("gridmap.services.fix_intake.time.sleep", stopped)
        patched.setattr("gridmap.services.fix_intake.PACE_S", 60.0)
        intake._next_write_s = float("inf")
        with pytest.raises(KeyboardInterrupt):
            intake.take([page_fix(world, unit_id, -1)])
    intake._next_write_s = 0.0
    assert intake.take([page_fix(world, unit_id, -2)]) == [True]
