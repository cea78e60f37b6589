"""On the way: clocks and warnings per step, questions after the officer's welfare, and radio."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from gridmap.adapters.valhalla import Valhalla
from gridmap.clock import FixedClock
from gridmap.db.tables import (
    Alarm,
    Callout,
    Dispatch,
    DispatchLeg,
    Incident,
    IncidentEvent,
    Outbox,
    Unit,
    UnitLatest,
    WelfareQuestion,
)
from gridmap.domain.actor import Actor
from gridmap.errors import Conflict, Forbidden, Invalid
from gridmap.services import patrol
from gridmap.services.dispatching import arrivals, offers, radio, steps, watching
from gridmap.services.dispatching import help as helping
from gridmap.services.reports import TakeReport, take_report
from gridmap.services.timers import fire_due
from gridmap.services.transaction import system_transaction, transaction
from gridmap.services.vault import Vault
from gridmap.worker import TIMER_HANDLERS
from tests.world import World

VAULT = Vault(b"k" * 48)


def report(world: World, actor: Actor, county: int = 0, **changes: object) -> UUID:
    lon, lat = world.point_in(county)
    command = TakeReport(
        **{"channel": "operator", "class_key": "S5.02", "text": "噪音", "lon": lon, "lat": lat, **changes}
    )
    with transaction(world.database, actor, world.clock) as tx:
        return take_report(tx, command, VAULT).incident_id


def send(
    world: World, operator: Actor, incident_id: UUID, unit_id: UUID, travel_s: float | None = 300.0
) -> UUID:
    with transaction(world.database, operator, world.clock) as tx:
        why = "无人可派" if operator.can("case.override") else None
        command = offers.Offer(
            incident_id=incident_id, unit_id=unit_id, expires_s=60, travel_s=travel_s, override_reason=why
        )
        return offers.offer(tx, command).id


def on_the_way(world: World, operator: Actor, officer: Actor, incident_id: UUID, unit_id: UUID) -> UUID:
    dispatch_id = send(world, operator, incident_id, unit_id)
    with transaction(world.database, officer, world.clock) as tx:
        offers.accept(tx, dispatch_id)
        steps.depart(tx, dispatch_id)
    return dispatch_id


def fire(world: World) -> int:
    return fire_due(world.database, world.clock, TIMER_HANDLERS)


def alarms(world: World, kind: str) -> list[Alarm]:
    with system_transaction(world.database, world.clock) as tx:
        return list(tx.session.scalars(select(Alarm).where(Alarm.kind == kind).order_by(Alarm.raised_at)))


def kinds(world: World, incident_id: UUID) -> list[str]:
    with system_transaction(world.database, world.clock) as tx:
        return list(
            tx.session.scalars(
                select(IncidentEvent.kind)
                .where(IncidentEvent.incident_id == incident_id)
                .order_by(IncidentEvent.at, IncidentEvent.id)
            )
        )


def test_a_step_that_takes_too_long_warns_once_and_then_alarms_once(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    incident_id = report(world, operator, severity=2)
    dispatch_id = send(world, operator, incident_id, unit_id)
    with transaction(world.database, officer, clock) as tx:
        offers.accept(tx, dispatch_id)
    clock.at += timedelta(seconds=119)
    assert fire(world) == 0
    clock.at += timedelta(seconds=2)
    fire(world)
    fire(world)
    assert kinds(world, incident_id).count("clock_warned") == 1
    assert alarms(world, "step_overdue") == []
    clock.at += timedelta(seconds=180)
    fire(world)
    (alarm,) = alarms(world, "step_overdue")
    assert (alarm.params["step"], alarm.params["call_sign"]) == ("depart", "PAUL")
    with transaction(world.database, officer, clock) as tx:
        steps.depart(tx, dispatch_id)
    # Seven minutes late would be an alarm at 300 s * 1.8 + 60 s.
    clock.at += timedelta(seconds=300 * 1.3 + 61)
    fire(world)
    assert kinds(world, incident_id).count("clock_warned") == 2
    with transaction(world.database, officer, clock) as tx:
        steps.arrive(tx, dispatch_id)
    clock.at += timedelta(minutes=59)
    assert fire(world) == 0, "the clock of the way has stopped"


def test_a_denied_arrival_is_not_proposed_again_at_once(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    dispatch_id = on_the_way(world, operator, officer, report(world, operator), unit_id)

    def propose() -> datetime | None:
        with system_transaction(world.database, clock) as tx:
            steps.propose_arrival(tx, dispatch_id, 20.0, 8.0)
        with system_transaction(world.database, clock) as tx:
            return tx.session.get_one(Dispatch, dispatch_id).arrival_proposed_at

    assert propose() == clock.at
    with transaction(world.database, officer, clock) as tx:
        assert steps.undo_arrival(tx, dispatch_id).status == "en_route"
    clock.at += timedelta(seconds=30)
    assert propose() is None
    clock.at += timedelta(seconds=31)
    assert propose() == clock.at


def test_silence_on_the_way_asks_the_officer_first_and_then_the_operator(
    world: World, clock: FixedClock
) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    incident_id = report(world, operator, severity=1)
    on_the_way(world, operator, officer, incident_id, unit_id)
    clock.at += timedelta(seconds=119)
    assert look_after(world) == 0
    clock.at += timedelta(seconds=2)
    assert (look_after(world), look_after(world)) == (1, 0)
    with transaction(world.database, officer, clock) as tx:
        question = patrol.get_state(tx).question
        assert question is not None
        assert question.kind == "silent"
    with transaction(world.database, operator, clock) as tx:
        assert tx.session.scalars(select(WelfareQuestion)).all() == [], "the operator does not read questions"
    clock.at += timedelta(seconds=61)
    fire(world)
    (alarm,) = alarms(world, "silence")
    assert alarm.params["why"] == "silent"
    with transaction(world.database, officer, clock) as tx:
        watching.answer(tx, question.id, "ok")
        assert patrol.get_state(tx).question is None
    assert look_after(world) == 0, "who has answered is left in peace"
    assert "silent" not in str(kinds(world, incident_id)), "it stands on no timeline"
    clock.at += timedelta(hours=24, seconds=1)
    with system_transaction(world.database, clock) as tx:
        watching.forget_old(tx)
    with system_transaction(world.database, clock) as tx:
        assert tx.session.scalars(select(WelfareQuestion)).all() == []
    assert alarms(world, "silence") == []


def test_standing_still_asks_and_moving_does_not(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0, grid=2)
    dispatch_id = on_the_way(world, operator, officer, report(world, operator, severity=1), unit_id)
    lon, lat = world.point_in(0, 2)
    _walk(world, dispatch_id, unit_id, [(lon + n * 0.0002, lat) for n in range(20)])
    assert look_after(world) == 0
    _walk(world, dispatch_id, unit_id, [(lon, lat)] * 20)
    assert look_after(world) == 1
    with transaction(world.database, officer, clock) as tx:
        question = patrol.get_state(tx).question
        assert question is not None
        assert question.kind == "still"
        watching.answer(tx, question.id, "help")
    (alarm,) = alarms(world, "need_help")
    assert alarm.severity == 1
    with (
        pytest.raises(Conflict, match="question_answered"),
        transaction(world.database, officer, clock) as tx,
    ):
        watching.answer(tx, question.id, "ok")


@pytest.mark.parametrize(("class_key", "asked"), [("S2.01", 1), ("S5.02", 0)])
def test_alone_on_a_dangerous_scene_is_asked(
    world: World, clock: FixedClock, class_key: str, asked: int
) -> None:
    lead = world.account("lena", "shift_lead", 0)
    officer, unit_id = world.officer("paul", 0)
    dispatch_id = on_the_way(
        world, lead, officer, report(world, lead, class_key=class_key, severity=1), unit_id
    )
    with transaction(world.database, officer, clock) as tx:
        steps.arrive(tx, dispatch_id)
    clock.at += timedelta(seconds=301)
    assert look_after(world) == asked


def test_every_step_can_be_said_by_radio_and_stays_marked(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    stranger = world.account("otto", "operator", 1)
    _, unit_id = world.officer("paul", 0)
    incident_id = report(world, operator)
    dispatch_id = send(world, operator, incident_id, unit_id)
    with pytest.raises(Forbidden), transaction(world.database, operator, clock) as tx:
        offers.accept(tx, dispatch_id)
    for step in ("accept", "depart", "arrive", "done"):
        with transaction(world.database, operator, clock) as tx:
            radio.say_step(tx, dispatch_id, radio.Said(step=step, code="solved", note="电台报"))
    with system_transaction(world.database, clock) as tx:
        dispatch = tx.session.get_one(Dispatch, dispatch_id)
        assert (dispatch.status, dispatch.radio_steps) == ("done", ["accept", "depart", "arrive", "done"])
        events = tx.session.scalars(
            select(IncidentEvent).where(IncidentEvent.incident_id == incident_id).order_by(IncidentEvent.id)
        ).all()
        by_radio = {event.kind: event.actor_name for event in events if event.params.get("via") == "radio"}
        assert by_radio == dict.fromkeys(("accepted", "departed", "arrived", "done"), "Olivia")
        assert tx.session.get_one(Unit, unit_id).status == "free"
    second = send(world, operator, report(world, operator), unit_id)
    with pytest.raises(Exception, match="not_found"), transaction(world.database, stranger, clock) as tx:
        radio.say_step(tx, second, radio.Said(step="accept"))
    with transaction(world.database, operator, clock) as tx:
        assert radio.say_step(tx, second, radio.Said(step="decline", reason="busy")).status == "declined"


def test_recall_before_arrival_and_release_from_the_scene(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    incident_id = report(world, operator)
    dispatch_id = on_the_way(world, operator, officer, incident_id, unit_id)
    with pytest.raises(Conflict, match="not_allowed"), transaction(world.database, operator, clock) as tx:
        radio.release(tx, dispatch_id, reason="没到")
    with pytest.raises(Invalid, match="reason"), transaction(world.database, operator, clock) as tx:
        radio.recall(tx, dispatch_id, reason=" ")
    with transaction(world.database, operator, clock) as tx:
        assert radio.recall(tx, dispatch_id, reason="已自行解决").end_reason == "recalled"
    with transaction(world.database, officer, clock) as tx:
        assert tx.session.get(Incident, incident_id) is None, "sight ends with the job"
    again = on_the_way(world, operator, officer, incident_id, unit_id)
    with transaction(world.database, officer, clock) as tx:
        steps.arrive(tx, again)
    with pytest.raises(Conflict, match="not_allowed"), transaction(world.database, operator, clock) as tx:
        radio.recall(tx, again, reason="晚了")
    with transaction(world.database, operator, clock) as tx:
        assert radio.release(tx, again, reason="消防已接手").end_reason == "released"
    with system_transaction(world.database, clock) as tx:
        assert tx.session.get_one(Unit, unit_id).status == "free"
        assert tx.session.get_one(Incident, incident_id).status == "open"


@pytest.mark.parametrize("assign", [False, True])
def test_divert_ends_here_and_begins_there_or_nothing_happens(
    world: World, clock: FixedClock, assign: bool
) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    here, there = report(world, operator), report(world, operator, severity=1)
    dispatch_id = on_the_way(world, operator, officer, here, unit_id)
    nowhere = report(world, operator, lon=None, lat=None, address="?")
    with (
        pytest.raises(Conflict, match="incident_not_located"),
        transaction(world.database, operator, clock) as tx,
    ):
        radio.divert(tx, dispatch_id, radio.Divert(to_incident_id=nowhere, reason="x"))
    with system_transaction(world.database, clock) as tx:
        assert tx.session.get_one(Dispatch, dispatch_id).status == "en_route", "both or neither"
    with transaction(world.database, operator, clock) as tx:
        made = radio.divert(tx, dispatch_id, radio.Divert(to_incident_id=there, reason="更急", assign=assign))
        assert made.status == ("accepted" if assign else "offered")
    with system_transaction(world.database, clock) as tx:
        old = tx.session.get_one(Dispatch, dispatch_id)
        assert (old.status, old.end_reason) == ("cancelled", "diverted")
        assert tx.session.get_one(Incident, here).status == "open"
        assert tx.session.get_one(Incident, there).status == "assigned"
        assert tx.session.get_one(Unit, unit_id).status == ("busy" if assign else "free")


def test_a_divert_by_rule_needs_no_reason_and_both_timelines_name_the_rule(
    world: World, clock: FixedClock
) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    here, there = report(world, operator), report(world, operator, severity=1)
    dispatch_id = on_the_way(world, operator, officer, here, unit_id)
    equal = report(world, operator)
    with (
        pytest.raises(Conflict, match="divert_by_no_rule"),
        transaction(world.database, operator, clock) as tx,
    ):
        radio.divert(tx, dispatch_id, radio.Divert(to_incident_id=equal))
    with transaction(world.database, operator, clock) as tx:
        radio.divert(tx, dispatch_id, radio.Divert(to_incident_id=there))
    with system_transaction(world.database, clock) as tx:
        number = tx.session.get_one(Incident, here).number
        events = tx.session.scalars(
            select(IncidentEvent).where(IncidentEvent.params["rule"].astext.is_not(None))
        )
        told = {(event.incident_id, event.kind): event.params for event in events}
        assert set(told) == {(here, "diverted"), (there, "offered")}
        for params in told.values():
            assert (params["rule"], params["left_number"], params["grades"]) == ("life_first", number, 2)
            assert params.get("reason") is None


def test_need_help_and_cannot_enter_reach_the_seat(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    other, _ = world.officer("petra", 0)
    incident_id = report(world, operator)
    dispatch_id = on_the_way(world, operator, officer, incident_id, unit_id)
    with transaction(world.database, officer, clock) as tx:
        helping.ask_for_help(tx, dispatch_id, note="三人持棍")
        helping.cannot_enter(tx, dispatch_id, reason="locked", note=None)
    with (
        pytest.raises(Exception, match="not_found"),
        transaction(world.database, other, clock) as tx,
    ):
        helping.ask_for_help(tx, dispatch_id, note=None)
    assert kinds(world, incident_id)[-2:] == ["help_asked", "entry_blocked"]
    fire(world)
    with system_transaction(world.database, clock) as tx:
        (callout,) = tx.session.scalars(select(Callout).where(Callout.incident_id == incident_id))
        assert (callout.mode, callout.need[0]["count"]) == ("next_in_line", 1)
    assert [alarms(world, kind)[0].params["call_sign"] for kind in ("need_help", "entry_blocked")] == [
        "PAUL"
    ] * 2


def test_the_arrival_time_follows_the_unit(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0, grid=3)
    dispatch_id = on_the_way(world, operator, officer, report(world, operator), unit_id)
    # Nothing answers there: the estimate is by straight line, as everywhere while the roads are silent.
    times = arrivals.ArrivalTimes(world.database, clock, Valhalla("http://127.0.0.1:9"))

    def eta() -> datetime:
        with system_transaction(world.database, clock) as tx:
            found = tx.session.get_one(Dispatch, dispatch_id).eta_at
            assert found is not None
            return found

    def told() -> int:
        with system_transaction(world.database, clock) as tx:
            rows = tx.session.scalars(select(Outbox).where(Outbox.topic == "dispatch"))
            return sum(row.body.get("kind") == "eta" for row in rows)

    assert times.refresh() == 1
    first = eta()
    assert first > clock.at + timedelta(minutes=5)
    assert (times.refresh(), told()) == (0, 1)
    lon, lat = world.point_in(0, 1)
    clock.at += timedelta(seconds=20)
    with system_transaction(world.database, clock) as tx:
        tx.session.execute(
            update(UnitLatest)
            .where(UnitLatest.unit_id == unit_id)
            .values(geom=f"SRID=4326;POINT({lon} {lat})", fixed_at=clock.at)
        )
    assert times.refresh() == 0, "at most every half minute"
    clock.at += timedelta(seconds=11)
    assert (times.refresh(), told()) == (1, 2)
    assert eta() < first - timedelta(minutes=2)
    with transaction(world.database, officer, clock) as tx:
        steps.arrive(tx, dispatch_id)
    clock.at += timedelta(seconds=31)
    assert times.refresh() == 0


def look_after(world: World) -> int:
    with system_transaction(world.database, world.clock) as tx:
        return watching.look_after(tx)


def _walk(world: World, dispatch_id: UUID, unit_id: UUID, places: list[tuple[float, float]]) -> None:
    """One place every ten seconds, to now."""
    clock = world.clock
    assert isinstance(clock, FixedClock)
    with system_transaction(world.database, clock) as tx:
        for lon, lat in places:
            clock.at += timedelta(seconds=10)
            geom = f"SRID=4326;POINT({lon} {lat})"
            tx.session.add(DispatchLeg(dispatch_id=dispatch_id, fixed_at=clock.at, geom=geom, accuracy_m=5.0))
        tx.session.execute(
            update(UnitLatest)
            .where(UnitLatest.unit_id == unit_id)
            .values(received_at=clock.at, fixed_at=clock.at)
        )
        tx.session.execute(text("select 1"))
