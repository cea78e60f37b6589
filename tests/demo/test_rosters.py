"""The demo's crews have a roster for two weeks, by their shift, and a second start fills up and repeats nothing."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.db.tables import RosterEntry, Unit
from gridmap.demo.rosters import ensure_rosters
from gridmap.demo.sim_crews import Officer, is_on_shift
from gridmap.domain.ids import new_id
from gridmap.services.transaction import system_transaction


def test_rosters_follow_the_shifts_and_are_filled_up(database: Database, clock: FixedClock) -> None:
    shifts = {"GW00010": "day", "GW00009": "day", "PT00001": "early", "PT00002": "late", "PT00003": "night"}
    with system_transaction(database, clock) as tx:
        for ref, shift in shifts.items():
            tx.session.add(
                Unit(
                    id=new_id(), call_sign=ref, ref=ref, source="demo", kind="patrol", mode="car", shift=shift
                )
            )
    assert ensure_rosters(database, clock) == 16 * len(shifts)
    assert ensure_rosters(database, clock) == 0
    clock.at += timedelta(days=2)
    assert ensure_rosters(database, clock) == 2 * len(shifts)
    with system_transaction(database, clock) as tx:
        rows = tx.session.execute(
            select(Unit, RosterEntry).join(RosterEntry, RosterEntry.unit_id == Unit.id)
        ).all()
        for hour in range(48):
            at = clock.at + timedelta(hours=hour)
            local = at.astimezone(tx.zone)
            planned = {unit.ref for unit, entry in rows if entry.starts_at <= at < entry.ends_at}
            working = {
                ref
                for ref, shift in shifts.items()
                if is_on_shift(Officer(ref, ref, ref, ref, "patrol", shift), local)
            }
            assert planned == working
