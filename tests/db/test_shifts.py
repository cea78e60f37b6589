"""Shift handover: everything open is listed, another person signs, and nothing is left without an owner."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from gridmap.clock import FixedClock
from gridmap.db.tables import Alarm, Incident, IncidentEvent, Task
from gridmap.errors import Conflict, NotFound
from gridmap.services import incidents, shifts
from gridmap.services.alarms import raise_alarm
from gridmap.services.timers import fire_due
from gridmap.services.transaction import system_transaction, transaction
from tests.db.test_walk import report
from tests.world import World

TIMER_HANDLERS = {shifts.HANDOVER_UNSIGNED: shifts.unsigned}


def test_everything_open_moves_to_the_one_who_signs(world: World, clock: FixedClock) -> None:
    olivia, omar = world.account("olivia", "operator", 0), world.account("omar", "operator", 0)
    stays = world.account("stella", "operator", 0)
    mine, nobodys, hers = (report(world, olivia) for _ in range(3))
    elsewhere = report(world, olivia, 1)
    for actor, incident_id in ((olivia, mine), (stays, hers)):
        with transaction(world.database, actor, clock) as tx:
            incidents.take_handling(tx, incident_id)
    with system_transaction(world.database, clock) as tx:
        path = world.county_paths[0]
        raise_alarm(tx, "warning", severity=2, path=path, subject_kind="unit", subject_id=mine)
        name = {"zh": "疏散群众", "en": "Clear the area"}
        tx.session.add(Task(kind="plan_step", scope_path=path, created_at=clock.at, params={"name": name}))
    with transaction(world.database, olivia, clock) as tx:
        started = shifts.start(tx, note="三号路积水")
    listed = {(item["kind"], item["id"]) for item in started.row.items}
    assert {("incident", str(mine)), ("incident", str(nobodys))} <= listed
    assert ("incident", str(hers)) not in listed
    assert {kind for kind, _ in listed} == {"incident", "alarm", "task"}
    assert [item["name"] for item in started.row.items if item["kind"] == "task"] == [name]
    with pytest.raises(Conflict, match="handover_open"), transaction(world.database, olivia, clock) as tx:
        shifts.start(tx)
    late = report(world, olivia)
    with transaction(world.database, omar, clock) as tx:
        signed = shifts.sign(tx, started.row.id)
    assert (signed.from_name, signed.signed_name) == ("Olivia", "Omar")
    assert {item["owner_id"] for item in signed.row.items} == {str(omar.account_id)}
    with system_transaction(world.database, clock) as tx:
        owners = {row.id: row.handler_account_id for row in tx.session.scalars(select(Incident))}
        assert owners == {
            mine: omar.account_id,
            nobodys: omar.account_id,
            late: omar.account_id,
            hers: stays.account_id,
            elsewhere: None,
        }
        assert tx.session.scalars(select(Alarm.owner_account_id)).all() == [omar.account_id]
        assert tx.session.scalars(select(Task.assignee_account_id)).all() == [omar.account_id]
    with transaction(world.database, olivia, clock) as tx:
        assert shifts.list_open(tx) == []
        assert [row.row.status for row in shifts.list_handovers(tx)] == ["signed"]


def test_nobody_signs_for_themselves_not_even_under_another_login(world: World, clock: FixedClock) -> None:
    first, _ = world.officer("olivia", 0)
    again = world.account("olivia2", "operator", 0, person_id=first.person_id)
    seat = world.account("olivia3", "operator", 0, person_id=first.person_id)
    far = world.account("otto", "operator", 1)
    with transaction(world.database, seat, clock) as tx:
        handover_id = shifts.start(tx).row.id
    for actor in (seat, again):
        with pytest.raises(Conflict, match="handover_own"), transaction(world.database, actor, clock) as tx:
            shifts.sign(tx, handover_id)
    with pytest.raises(NotFound), transaction(world.database, far, clock) as tx:
        shifts.sign(tx, handover_id)


def test_an_unsigned_handover_is_an_alarm_until_somebody_signs(world: World, clock: FixedClock) -> None:
    olivia, omar = world.account("olivia", "operator", 0), world.account("omar", "operator", 0)
    with transaction(world.database, olivia, clock) as tx:
        handover_id = shifts.start(tx).row.id
    clock.at += timedelta(minutes=16)
    assert fire_due(world.database, clock, TIMER_HANDLERS) == 1
    with transaction(world.database, omar, clock) as tx:
        (alarm,) = tx.session.scalars(select(Alarm).where(Alarm.kind == "handover_unsigned"))
        assert alarm.params["name"] == "Olivia"
        shifts.sign(tx, handover_id)
    with transaction(world.database, omar, clock) as tx:
        alarm = tx.session.get_one(Alarm, alarm.id)
        assert (alarm.status, alarm.acknowledged_by) == ("acknowledged", omar.account_id)


def test_a_restricted_case_is_seen_by_the_one_who_takes_it_over(world: World, clock: FixedClock) -> None:
    lead, omar = world.account("lena", "shift_lead", 0), world.account("omar", "operator", 0)
    incident_id = report(world, lead, class_key="S4.05")
    with transaction(world.database, lead, clock) as tx:
        incidents.take_handling(tx, incident_id)
        handover_id = shifts.start(tx).row.id
    with transaction(world.database, omar, clock) as tx:
        assert tx.session.get(Incident, incident_id) is None
        shifts.sign(tx, handover_id)
    with transaction(world.database, omar, clock) as tx:
        assert tx.session.get_one(Incident, incident_id).handler_account_id == omar.account_id


def test_a_signature_covers_all_of_a_storm(world: World, clock: FixedClock) -> None:
    """1,200 open incidents, a fifth the seat's own: all are listed and owned afterwards, none is told twice."""
    olivia, omar = world.account("olivia", "operator", 0), world.account("omar", "operator", 0)
    first = report(world, olivia)
    with system_transaction(world.database, clock) as tx:
        tx.session.execute(
            text(
                "insert into incident (id, number, class_key, severity, status, title, geom, area_id, area_version_id,"
                " scope_path, location_method, occurred_from, reported_at, recorded_at, channel, handler_account_id)"
                " select gen_random_uuid(), 'storm-' || n, class_key, 1 + n % 4, 'open', title, geom, area_id,"
                " area_version_id, scope_path, location_method, occurred_from, reported_at, recorded_at, channel,"
                " case when n % 5 = 0 then cast(:me as uuid) end from incident, generate_series(1, 1199) n"
                " where id = :first"
            ),
            {"first": first, "me": olivia.account_id},
        )
    with transaction(world.database, olivia, clock) as tx:
        assert len(shifts.list_open(tx)) == 1200
        started = shifts.start(tx)
        assert len(started.row.items) == 1200
    with transaction(world.database, omar, clock) as tx:
        signed = shifts.sign(tx, started.row.id)
        assert len({item["id"] for item in signed.row.items}) == 1200
    with system_transaction(world.database, clock) as tx:
        assert set(tx.session.scalars(select(Incident.handler_account_id))) == {omar.account_id}
        events = select(IncidentEvent.incident_id).where(IncidentEvent.kind == "handed_on")
        handed = tx.session.scalars(events).all()
        assert len(handed) == len(set(handed)) == 1200
    with transaction(world.database, olivia, clock) as tx:
        assert shifts.list_open(tx) == []
