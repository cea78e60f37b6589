"""Rosters: duty within them or with a reason, its end by itself, leave, and swaps in three hands."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from gridmap.clock import FixedClock
from gridmap.db.tables import Dispatch, Duty, RosterEntry, Unit, UnitLatest
from gridmap.domain.actor import Actor
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.services import patrol, roster_swaps, rosters
from gridmap.services.dispatching import offers, steps
from gridmap.services.timers import fire_due
from gridmap.services.transaction import system_transaction, transaction
from tests.db.test_walk import report, send
from tests.world import World

TIMER_HANDLERS = {patrol.DUTY_ENDS: patrol.duty_is_over}


def plan(
    world: World, lead: Actor, unit_id: UUID, from_h: float, to_h: float, kind: str = "duty"
) -> rosters.Planned:
    """A span by hours from now."""
    now = world.clock.now()
    with transaction(world.database, lead, world.clock) as tx:
        return rosters.plan(
            tx,
            rosters.NewEntry(
                unit_id=unit_id,
                starts_at=now + timedelta(hours=from_h),
                ends_at=now + timedelta(hours=to_h),
                kind=kind,
                vehicle="湘A·0001",
            ),
        )


def start(world: World, officer: Actor, reason: str | None = None) -> Duty:
    with transaction(world.database, officer, world.clock) as tx:
        unit = patrol.set_duty(tx, "start", reason=reason)
    with system_transaction(world.database, world.clock) as tx:
        return tx.session.scalars(select(Duty).where(Duty.unit_id == unit.id, Duty.ended_at.is_(None))).one()


def status(world: World, unit_id: UUID) -> str:
    with system_transaction(world.database, world.clock) as tx:
        return tx.session.get_one(Unit, unit_id).status


def fire(world: World) -> int:
    return fire_due(world.database, world.clock, TIMER_HANDLERS)


def test_duty_ends_by_itself_half_an_hour_after_the_roster(world: World, clock: FixedClock) -> None:
    lead = world.account("lena", "shift_lead", 0)
    officer, unit_id = world.officer("paul", 0, on_duty=False)
    entry = plan(world, lead, unit_id, 0.25, 8).entry
    duty = start(world, officer)
    assert (duty.roster_entry_id, duty.ends_at) == (entry.id, entry.ends_at + timedelta(minutes=30))
    with transaction(world.database, officer, clock) as tx:
        roster = patrol.get_state(tx).roster
        assert roster is not None
        assert roster.entry.vehicle == "湘A·0001"
    clock.at = entry.ends_at + timedelta(minutes=29)
    assert (fire(world), status(world, unit_id)) == (0, "free")
    clock.at += timedelta(minutes=2)
    fire(world)
    assert status(world, unit_id) == "off_duty"
    with system_transaction(world.database, clock) as tx:
        assert tx.session.get(UnitLatest, unit_id) is None, "the place goes with the duty"


def test_duty_stays_while_a_job_is_open_and_goes_on_into_the_next_span(
    world: World, clock: FixedClock
) -> None:
    lead = world.account("lena", "shift_lead", 0)
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0, on_duty=False)
    plan(world, lead, unit_id, 0, 4)
    second = plan(world, lead, unit_id, 4, 8).entry
    start(world, officer)
    clock.at += timedelta(hours=4, minutes=31)
    fire(world)
    assert status(world, unit_id) == "free", "the next span has begun"
    dispatch_id = send(world, operator, report(world, operator), unit_id)
    with transaction(world.database, officer, clock) as tx:
        offers.accept(tx, dispatch_id)
    clock.at = second.ends_at + timedelta(minutes=31)
    fire(world)
    assert status(world, unit_id) == "busy"
    with transaction(world.database, officer, clock) as tx:
        steps.arrive(tx, dispatch_id)
        steps.report_done(tx, dispatch_id, code="solved", note="", photo_ids=[])
    clock.at += timedelta(minutes=6)
    fire(world)
    assert status(world, unit_id) == "off_duty"


def test_outside_the_roster_only_with_a_reason(world: World, clock: FixedClock) -> None:
    lead = world.account("lena", "shift_lead", 0)
    officer, unit_id = world.officer("paul", 0, on_duty=False)
    free, _ = world.officer("petra", 0, on_duty=False)
    entry = plan(world, lead, unit_id, 5, 8).entry
    with pytest.raises(Conflict, match="outside_roster") as refused:
        start(world, officer)
    assert refused.value.params["next_starts_at"] == entry.starts_at.isoformat()
    assert start(world, officer, "临时支援").outside_reason == "临时支援"
    assert start(world, free).outside_reason is None, "nobody keeps a roster for this one"


@pytest.mark.parametrize("how", ["break", "stop", "roster"])
def test_whoever_goes_gives_back_what_they_were_asked(world: World, clock: FixedClock, how: str) -> None:
    lead = world.account("lena", "shift_lead", 0)
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0, on_duty=False)
    entry = plan(world, lead, unit_id, 0, 8).entry
    start(world, officer)
    if how == "roster":
        clock.at = entry.ends_at + timedelta(minutes=30)
    dispatch_id = send(world, operator, report(world, operator), unit_id)
    if how == "roster":
        clock.at += timedelta(seconds=1)
        fire(world)
    else:
        with transaction(world.database, officer, clock) as tx:
            patrol.set_duty(tx, how)
    with system_transaction(world.database, clock) as tx:
        dispatch = tx.session.get_one(Dispatch, dispatch_id)
        assert (dispatch.status, dispatch.decline_reason) == ("declined", "off_duty")
    assert status(world, unit_id) == ("break" if how == "break" else "off_duty")


def test_leave_takes_out_the_duty_it_covers_and_names_it(world: World, clock: FixedClock) -> None:
    lead = world.account("lena", "shift_lead", 0)
    officer, unit_id = world.officer("paul", 0, on_duty=False)
    duty = plan(world, lead, unit_id, 0, 8).entry
    with pytest.raises(Conflict, match="roster_overlaps"):
        plan(world, lead, unit_id, 7, 9)
    leave = plan(world, lead, unit_id, -1, 48, "leave")
    assert [row.id for row in leave.uncovered] == [duty.id]
    with pytest.raises(Conflict, match="outside_roster"):
        start(world, officer)
    with transaction(world.database, lead, clock) as tx:
        rosters.cancel(tx, leave.entry.id, reason="销假")
    plan(world, lead, unit_id, 0, 8)
    assert start(world, officer).roster_entry_id is not None


def test_who_may_plan_and_where(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    stranger = world.account("lars", "shift_lead", 1)
    lead = world.account("lena", "shift_lead", 0)
    _, unit_id = world.officer("paul", 0, on_duty=False)
    with pytest.raises(Forbidden):
        plan(world, operator, unit_id, 0, 8)
    with pytest.raises(NotFound):
        plan(world, stranger, unit_id, 0, 8)
    for hours in ((8, 0), (0, 25)):
        with pytest.raises(Invalid, match="span_out_of_range"):
            plan(world, lead, unit_id, *hours)


def test_a_swap_needs_the_other_and_the_lead(world: World, clock: FixedClock) -> None:
    lead = world.account("lena", "shift_lead", 0)
    paul, paul_unit = world.officer("paul", 0, on_duty=False)
    petra, petra_unit = world.officer("petra", 0, on_duty=False)
    far, far_unit = world.officer("fred", 1, on_duty=False)
    mine, theirs = plan(world, lead, paul_unit, 1, 8).entry, plan(world, lead, petra_unit, 25, 32).entry

    with pytest.raises(Invalid, match="not_a_colleague"), transaction(world.database, paul, clock) as tx:
        roster_swaps.ask(tx, mine.id, to_unit_id=UUID(int=0))
    with pytest.raises((NotFound, Forbidden)), transaction(world.database, petra, clock) as tx:
        roster_swaps.ask(tx, mine.id, to_unit_id=far_unit)
    with transaction(world.database, paul, clock) as tx:
        seen = {
            row.entry.id: row
            for row in rosters.list_entries(tx, since=clock.at, until=clock.at + timedelta(days=2))
        }
        assert seen[theirs.id].call_sign == "PETRA"
        assert seen[theirs.id].person_name is None
        swap = roster_swaps.ask(
            tx, mine.id, to_unit_id=petra_unit, back_entry_id=theirs.id, reason="孩子生病"
        )
    with (
        pytest.raises(Conflict, match="not_allowed_in_status"),
        transaction(world.database, lead, clock) as tx,
    ):
        roster_swaps.decide(tx, swap.id, confirm=True)
    with pytest.raises(Forbidden), transaction(world.database, paul, clock) as tx:
        roster_swaps.answer(tx, swap.id, accept=True)
    with transaction(world.database, petra, clock) as tx:
        assert [row.id for row in roster_swaps.list_swaps(tx)] == [swap.id]
        roster_swaps.answer(tx, swap.id, accept=True)
    with transaction(world.database, far, clock) as tx:
        assert roster_swaps.list_swaps(tx) == []
    with transaction(world.database, lead, clock) as tx:
        roster_swaps.decide(tx, swap.id, confirm=True)
    with system_transaction(world.database, clock) as tx:
        rows = tx.session.scalars(
            select(RosterEntry).order_by(RosterEntry.starts_at, RosterEntry.status)
        ).all()
        now = {(row.unit_id, row.starts_at): row.status for row in rows}
    assert now == {
        (paul_unit, mine.starts_at): "replaced",
        (petra_unit, mine.starts_at): "planned",
        (petra_unit, theirs.starts_at): "replaced",
        (paul_unit, theirs.starts_at): "planned",
    }
