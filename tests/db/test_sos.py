"""The button for help: heard, copied, answered by name, and not lost on its way up."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, text

from gridmap.clock import FixedClock
from gridmap.db.tables import Alarm
from gridmap.services import patrol
from gridmap.services.alarms import acknowledge
from gridmap.services.dispatching import sos
from gridmap.services.transaction import system_transaction, transaction
from tests.db.test_watching import alarms, fire
from tests.world import World


def test_sos_is_heard_is_not_silenced_by_the_officer_and_goes_up(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    other = world.account("otto", "operator", 1)
    officer, _ = world.officer("paul", 0)
    here = world.point_in(1)
    with transaction(world.database, officer, clock) as tx:
        sos.call_sos(tx, lon=here[0], lat=here[1], accuracy_m=12.0)
    with transaction(world.database, officer, clock) as tx:
        sos.call_sos(tx, lon=here[0], lat=here[1], accuracy_m=12.0)
        assert sos.say_false(tx, note="误触").false_alarm_at == clock.at
    raised = alarms(world, "sos")
    assert {alarm.status for alarm in raised} == {"raised"}
    for seat in (other, operator):
        with transaction(world.database, seat, clock) as tx:
            seen = tx.session.scalars(select(Alarm).where(Alarm.kind == "sos")).all()
            assert len(seen) == 1, "where the unit is, and one copy of both presses to where it belongs"
            assert (seen[0].params["lon"], seen[0].params["accuracy_m"]) == (here[0], 12.0)
    main = next(alarm for alarm in raised if alarm.subject_kind == "unit")
    clock.at += timedelta(seconds=61)
    fire(world)
    (higher,) = [alarm for alarm in alarms(world, "sos") if alarm.subject_kind == "unit"]
    assert main.scope_path.startswith(higher.scope_path + "."), "unheard, it goes one level up"
    with transaction(world.database, other, clock) as tx:
        acknowledge(tx, main.id)
    with transaction(world.database, officer, clock) as tx:
        call = patrol.get_state(tx).sos
        assert call is not None
        assert sos.acknowledged_by(tx, sos.alarm_of(tx, call)) == "Otto"
    assert {alarm.status for alarm in alarms(world, "sos")} == {"raised", "acknowledged"}
    clock.at += timedelta(seconds=61)
    fire(world)
    (copy,) = [alarm for alarm in alarms(world, "sos") if alarm.subject_kind == "sos_home"]
    assert copy.status == "raised", "the other authority has to answer by itself"
    with transaction(world.database, operator, clock) as tx:
        acknowledge(tx, copy.id)
    fire(world)
    assert {alarm.status for alarm in alarms(world, "sos")} == {"acknowledged"}, "what went up ends with it"
    clock.at += timedelta(seconds=61)
    fire(world)
    clock.at += timedelta(seconds=61)
    assert fire(world) == 0, "acknowledged, it is told no more"
    clock.at += timedelta(days=31)
    with system_transaction(world.database, clock) as tx:
        sos.forget_places(tx)
    assert all("lon" not in alarm.params for alarm in alarms(world, "sos"))


def test_one_word_settles_the_copies_of_a_call_within_one_authority(world: World, clock: FixedClock) -> None:
    """The unit is outside its own township: a seat of the place answers, and the township's copy ends too."""
    far_seat = world.account("olga", "operator", 0)
    officer, _ = world.officer("paul", 0)
    with system_transaction(world.database, clock) as tx:
        community = tx.session.scalar(
            text("select path::text from area_version where area_id = :id"), {"id": world.grid_ids[0][0]}
        )
        tx.session.execute(
            text(
                "update area set level = case id when :id then 'township' else 'community' end"
                " where id = :id or level = 'township'"
            ),
            {"id": world.grid_ids[0][0]},
        )
        tx.session.execute(text("update unit set scope_path = cast(:path as ltree)"), {"path": community})
        tx.session.execute(
            text("update access_grant set area_id = :area where account_id = :seat"),
            {"area": world.grid_ids[0][1], "seat": far_seat.account_id},
        )
    seat = world.actor(far_seat.account_id)  # type: ignore[arg-type]
    place = world.point_in(0, 1)
    with transaction(world.database, officer, clock) as tx:
        sos.call_sos(tx, lon=place[0], lat=place[1], accuracy_m=9.0)
    main, copy = sorted(alarms(world, "sos"), key=lambda alarm: alarm.subject_kind or "", reverse=True)
    assert main.scope_path != copy.scope_path
    with transaction(world.database, seat, clock) as tx:
        assert [alarm.id for alarm in tx.session.scalars(select(Alarm))] == [main.id], (
            "the copy is out of sight"
        )
        acknowledge(tx, main.id)
    assert fire(world) == 1
    settled = {alarm.id: alarm for alarm in alarms(world, "sos")}
    assert {alarm.status for alarm in settled.values()} == {"acknowledged"}
    assert settled[copy.id].acknowledged_by == seat.account_id
    assert settled[copy.id].acknowledged_at == settled[main.id].acknowledged_at
    assert settled[copy.id].params["settled_with"] == str(main.id)


def test_an_unheard_call_goes_up_and_no_seat_loses_it(world: World, clock: FixedClock) -> None:
    seat = world.account("olga", "operator", 0)
    officer, _ = world.officer("paul", 0)
    place = world.point_in(0, 1)
    with transaction(world.database, officer, clock) as tx:
        sos.call_sos(tx, lon=place[0], lat=place[1], accuracy_m=9.0)
    for _ in range(6):
        clock.at += timedelta(seconds=61)
        fire(world)
        with transaction(world.database, seat, clock) as tx:
            assert tx.session.scalars(select(Alarm).where(Alarm.status == "raised")).all()
    assert len({alarm.scope_path for alarm in alarms(world, "sos")}) == 3, "county, city, province"
    with transaction(world.database, seat, clock) as tx:
        (own,) = tx.session.scalars(select(Alarm).where(Alarm.kind == "sos"))
        acknowledge(tx, own.id)
    fire(world)
    assert {alarm.status for alarm in alarms(world, "sos")} == {"acknowledged"}
