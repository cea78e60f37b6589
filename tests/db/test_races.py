"""Two at the same instant: exactly one wins, and the other is told why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

from gridmap.clock import FixedClock
from gridmap.db.tables import Alarm, Dispatch, Report, Unit
from gridmap.errors import Conflict
from gridmap.services.dispatching import offers, steps
from gridmap.services.reports import TakeReport, take_report
from gridmap.services.timers import fire_due
from gridmap.services.transaction import system_transaction, transaction
from gridmap.services.vault import Vault
from tests.races import at_once
from tests.world import World

VAULT = Vault(b"k" * 48)


def _report(world: World, login: str) -> UUID:
    lon, lat = world.point_in(0)
    with transaction(world.database, world.account(login, "operator", 0), world.clock) as tx:
        command = TakeReport(channel="operator", class_key="S5.02", text="噪音", lon=lon, lat=lat)
        return take_report(tx, command, VAULT).incident_id


def test_one_unit_two_offers_accepted_at_once(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    made = []
    for login in ("a1", "a2"):
        incident_id = _report(world, login)
        with transaction(world.database, operator, clock) as tx:
            command = offers.Offer(incident_id=incident_id, unit_id=unit_id, expires_s=60)
            made.append(offers.offer(tx, command).id)

    def accept(dispatch_id: UUID) -> Callable[[], object]:
        def call() -> object:
            with transaction(world.database, officer, clock) as tx:
                return offers.accept(tx, dispatch_id).status

        return call

    results = at_once([accept(dispatch_id) for dispatch_id in made])
    assert sorted(str(result) for result in results if isinstance(result, str)) == ["accepted"]
    (loser,) = [result for result in results if isinstance(result, Conflict)]
    assert loser.code == "unit_not_available"
    with system_transaction(world.database, clock) as tx:
        statuses = sorted(tx.session.scalars(select(Dispatch.status)))
        assert statuses == ["accepted", "offered"]
        assert tx.session.get_one(Unit, unit_id).status == "busy"


def test_accepting_while_the_seat_calls_it_off(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    incident_id = _report(world, "a1")
    for _ in range(5):
        with transaction(world.database, operator, clock) as tx:
            command = offers.Offer(incident_id=incident_id, unit_id=unit_id, expires_s=60)
            dispatch_id = offers.offer(tx, command).id

        def accept(dispatch_id: UUID = dispatch_id) -> object:
            with transaction(world.database, officer, clock) as tx:
                return offers.accept(tx, dispatch_id).status

        def cancel(dispatch_id: UUID = dispatch_id) -> object:
            with transaction(world.database, operator, clock) as tx:
                return steps.cancel(tx, dispatch_id, reason="误派").status

        results = at_once([accept, cancel])
        assert "cancelled" in results, results
        with system_transaction(world.database, clock) as tx:
            assert tx.session.get_one(Dispatch, dispatch_id).status == "cancelled"
            assert tx.session.get_one(Unit, unit_id).status == "free"


def test_the_same_message_from_many_wires_is_one_report(world: World, clock: FixedClock) -> None:
    actors = [world.account(f"op{number}", "operator", 0) for number in range(6)]
    lon, lat = world.point_in(0)
    command = TakeReport(
        channel="call_12345",
        class_key="S5.02",
        text="噪音",
        lon=lon,
        lat=lat,
        source="12345",
        source_ref="A-1",
    )

    def send(index: int) -> Callable[[], object]:
        def call() -> object:
            with transaction(world.database, actors[index], clock) as tx:
                return take_report(tx, command, VAULT).incident_id

        return call

    results = at_once([send(index) for index in range(len(actors))])
    assert len(set(results)) == 1
    with system_transaction(world.database, clock) as tx:
        assert tx.session.scalar(select(func.count(Report.id))) == 1


def test_two_tickers_fire_a_timer_once(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    units = [world.officer(f"unit{number}", 0)[1] for number in range(6)]
    for number, unit_id in enumerate(units):
        incident_id = _report(world, f"a{number}")
        with transaction(world.database, operator, clock) as tx:
            offers.offer(tx, offers.Offer(incident_id=incident_id, unit_id=unit_id, expires_s=30))
    clock.at += timedelta(seconds=31)
    ends = {offers.OFFER_EXPIRES: offers.expire_offer}
    fired = at_once([lambda: fire_due(world.database, clock, ends) for _ in range(3)])
    assert sum(count for count in fired if isinstance(count, int)) == len(units)
    with system_transaction(world.database, clock) as tx:
        assert tx.session.scalar(select(func.count(Alarm.id))) == len(units)
