"""Positions are kept for some days and no longer; what belongs to an incident stays with it."""

from __future__ import annotations

from datetime import UTC, date, timedelta

from sqlalchemy import text

from gridmap.clock import FixedClock
from gridmap.db.tables import Dispatch, DispatchLeg
from gridmap.domain.ids import new_id
from gridmap.domain.metric import LocalMetric
from gridmap.positions.fixes import RawFix
from gridmap.services.fix_intake import FixIntake
from gridmap.services.fix_placing import FixPlacer
from gridmap.services.reports import TakeReport, take_report
from gridmap.services.transaction import system_transaction, transaction
from gridmap.services.vault import Vault
from gridmap.settings import Settings
from gridmap.worker import FIX_PARTITIONS_AHEAD_DAYS, age_out
from tests.world import World

TABLES = ("fix", "fix_batch", "device_refusal", "fence_state", "fence_checkpoint", "dispatch_leg")


def days(world: World) -> list[date]:
    with system_transaction(world.database, world.clock) as tx:
        names = tx.session.scalars(
            text("select inhrelid::regclass::text from pg_inherits where inhparent = 'gridmap.fix'::regclass")
        )
        return sorted(date.fromisoformat(name.rpartition("_")[2]) for name in names)


def counts(world: World) -> dict[str, int]:
    with system_transaction(world.database, world.clock) as tx:
        return {table: tx.session.scalar(text(f"select count(*) from {table}")) or 0 for table in TABLES}


def test_positions_leave_with_their_day_and_the_way_to_a_job_stays(
    world: World, clock: FixedClock, settings: Settings
) -> None:
    _, unit_id = world.officer("paul", 0)
    began = clock.at
    operator = world.account("olga", "operator", 0)
    lon, lat = world.point_in(0)
    with transaction(world.database, operator, clock) as tx:
        command = TakeReport(channel="operator", class_key="S1.01", text="x", lon=lon, lat=lat)
        incident_id = take_report(tx, command, Vault(b"k" * 48)).incident_id
    with system_transaction(world.database, clock) as tx:
        tx.session.add(
            Dispatch(
                id=new_id(),
                incident_id=incident_id,
                unit_id=unit_id,
                status="en_route",
                offered_at=began,
                accepted_at=began,
                expires_at=began + timedelta(hours=1),
                offer={},
            )
        )
    clock.at += timedelta(minutes=2)
    intake = FixIntake(world.database, clock, 1)
    placer = FixPlacer(world.database, clock, LocalMetric(settings.local_crs))
    good = RawFix(unit_id=unit_id, lon=lon, lat=lat, fixed_at=began + timedelta(minutes=1), accuracy_m=8)
    poor = RawFix(unit_id=unit_id, lon=lon, lat=lat, fixed_at=began + timedelta(seconds=90), accuracy_m=900)
    assert intake.take([good, poor]) == [True, True]
    placer.turn()
    assert counts(world) == dict.fromkeys(TABLES, 1) | {"fix_batch": 0}

    today = began.astimezone(UTC).date()
    clock.at = began + timedelta(days=settings.positions_kept_days)
    age_out(world.database, clock, settings)
    assert counts(world)["fix"] == 1, "the last day that is kept"
    clock.at += timedelta(days=1)
    age_out(world.database, clock, settings)
    assert counts(world) == dict.fromkeys(TABLES, 0) | {"dispatch_leg": 1}
    kept = days(world)
    assert kept[0] > today
    assert clock.at.astimezone(UTC).date() + timedelta(days=FIX_PARTITIONS_AHEAD_DAYS) in kept
    with system_transaction(world.database, clock) as tx:
        leg = tx.session.query(DispatchLeg).one()
        assert leg.fixed_at == good.fixed_at
