"""The whole chain under row-level security: report, offer, accept, arrive, result, verify, close."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from gridmap.clock import FixedClock
from gridmap.db.tables import Alarm, Dispatch, Incident, IncidentEvent, Unit
from gridmap.domain.actor import Actor
from gridmap.domain.metric import LocalMetric
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.positions.decoders.phone import PhoneBatch, PhoneFix
from gridmap.services import incidents
from gridmap.services.case_queries import CaseFilter, get_case, list_cases
from gridmap.services.dispatching import offers, steps
from gridmap.services.fix_intake import FixIntake
from gridmap.services.fix_placing import FixPlacer
from gridmap.services.positions import Taken, receive_batch
from gridmap.services.reports import TakeReport, take_report
from gridmap.services.timers import fire_due
from gridmap.services.transaction import transaction
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


def send(world: World, operator: Actor, incident_id: UUID, unit_id: UUID, expires_s: int = 60) -> UUID:
    with transaction(world.database, operator, world.clock) as tx:
        command = offers.Offer(incident_id=incident_id, unit_id=unit_id, expires_s=expires_s)
        return offers.offer(tx, command).id


def test_from_report_to_verified_close(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    incident_id = report(world, operator)
    dispatch_id = send(world, operator, incident_id, unit_id)

    with transaction(world.database, officer, clock) as tx:
        assert tx.session.get(Incident, incident_id) is None, "before acceptance the case stays out of sight"
        offer = tx.session.get_one(Dispatch, dispatch_id).offer
        assert offer["circle"]["radius_m"] == 300
        offers.accept(tx, dispatch_id)
    with transaction(world.database, officer, clock) as tx:
        assert tx.session.get(Incident, incident_id) is not None
        steps.depart(tx, dispatch_id)
    clock.at += timedelta(minutes=3)
    with transaction(world.database, officer, clock) as tx:
        steps.arrive(tx, dispatch_id)
    with transaction(world.database, officer, clock) as tx:
        steps.report_done(tx, dispatch_id, code="solved", note="劝离", photo_ids=[])
    with transaction(world.database, operator, clock) as tx:
        detail = get_case(tx, incident_id)
        assert detail.row.incident.status == "awaiting_verification"
        assert set(detail.allowed) >= {"close", "return"}
        incidents.verify_and_close(tx, incident_id, outcome="solved")
    with transaction(world.database, operator, clock) as tx:
        detail = get_case(tx, incident_id)
    assert (detail.row.incident.status, detail.row.incident.outcome) == ("closed", "solved")
    kinds = [event.kind for event in detail.events]
    assert kinds == ["reported", "offered", "accepted", "departed", "arrived", "done", "closed"]


def test_who_did_the_job_does_not_verify_it(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    second_login = world.account("paul2", "operator", 0, person_id=officer.person_id)
    incident_id = report(world, operator)
    dispatch_id = send(world, operator, incident_id, unit_id)
    _do_job(world, officer, dispatch_id)
    with (
        pytest.raises(Conflict, match="verifier_is_handler"),
        transaction(world.database, second_login, clock) as tx,
    ):
        incidents.verify_and_close(tx, incident_id, outcome="solved")


def test_no_close_while_a_dispatch_is_open(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    _, unit_id = world.officer("paul", 0)
    incident_id = report(world, operator)
    send(world, operator, incident_id, unit_id)
    for verb in (
        lambda tx: incidents.verify_and_close(tx, incident_id, outcome="solved", note="x"),
        lambda tx: incidents.void(tx, incident_id, reason="x"),
    ):
        with (
            pytest.raises(Conflict, match="dispatch_open"),
            transaction(world.database, operator, clock) as tx,
        ):
            verb(tx)


def test_returned_and_reopened_keep_history_and_need_new_work(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    incident_id = report(world, operator)
    _do_job(world, officer, send(world, operator, incident_id, unit_id))
    clock.at += timedelta(minutes=1)
    with transaction(world.database, operator, clock) as tx:
        incidents.return_incident(tx, incident_id, reason="照片不清")
    clock.at += timedelta(minutes=1)
    dispatch_id = send(world, operator, incident_id, unit_id)
    with transaction(world.database, operator, clock) as tx:
        steps.cancel(tx, dispatch_id, reason="误派")
    with transaction(world.database, operator, clock) as tx:
        case = get_case(tx, incident_id)
        assert case.row.incident.status == "open", "an old result does not count after the return"
    clock.at += timedelta(minutes=1)
    _do_job(world, officer, send(world, operator, incident_id, unit_id))
    with transaction(world.database, operator, clock) as tx:
        incidents.verify_and_close(tx, incident_id, outcome="solved")
    with transaction(world.database, operator, clock) as tx:
        incidents.reopen(tx, incident_id, reason="群众再次反映")
        kinds = [event.kind for event in get_case(tx, incident_id).events]
    assert {"returned", "cancelled", "closed", "reopened"} <= set(kinds)


def test_an_offer_expires_frees_the_case_and_raises_an_alarm(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    incident_id = report(world, operator)
    dispatch_id = send(world, operator, incident_id, unit_id, expires_s=30)
    clock.at += timedelta(seconds=31)
    with pytest.raises(Conflict, match="offer_expired"), transaction(world.database, officer, clock) as tx:
        offers.accept(tx, dispatch_id)
    assert fire_due(world.database, clock, TIMER_HANDLERS) == 2, "it was not delivered, and ran out"
    with transaction(world.database, operator, clock) as tx:
        assert tx.session.get_one(Incident, incident_id).status == "open"
        assert [alarm.kind for alarm in tx.session.scalars(select(Alarm))] == ["offer_unheard"]
    assert fire_due(world.database, clock, TIMER_HANDLERS) == 0, "a timer fires once"


def test_declining_puts_the_case_back_and_shows_nothing_of_it(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    incident_id = report(world, operator)
    dispatch_id = send(world, operator, incident_id, unit_id)
    with transaction(world.database, officer, clock) as tx:
        offers.decline(tx, dispatch_id, reason="busy")
    clock.at += timedelta(seconds=1)
    with transaction(world.database, officer, clock) as tx:
        assert tx.session.get(Incident, incident_id) is None
    with transaction(world.database, operator, clock) as tx:
        assert tx.session.get_one(Incident, incident_id).status == "open"


def test_a_strangers_unit_cannot_answer(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    _, unit_id = world.officer("paul", 0)
    stranger, _ = world.officer("steve", 0)
    dispatch_id = send(world, operator, report(world, operator), unit_id)
    with pytest.raises((NotFound, Forbidden)), transaction(world.database, stranger, clock) as tx:
        offers.accept(tx, dispatch_id)


def sent(world: World, officer: Actor, fix: PhoneFix) -> Taken:
    return receive_batch(FixIntake(world.database, world.clock, 1), officer, PhoneBatch(fixes=[fix]))


def test_arrival_is_proposed_from_positions_and_confirmed(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0, at=world.point_in(0, 2))
    incident_id = report(world, operator)
    dispatch_id = send(world, operator, incident_id, unit_id)
    with transaction(world.database, officer, clock) as tx:
        offers.accept(tx, dispatch_id)
    clock.at += timedelta(minutes=5)
    lon, lat = world.point_in(0)
    placer = FixPlacer(world.database, clock, LocalMetric("EPSG:4547"))
    assert (
        sent(world, officer, PhoneFix(lon=lon + 0.0001, lat=lat, fixed_at=clock.at, accuracy_m=10)).accepted
        == 1
    )
    assert placer.turn() == 1
    with transaction(world.database, operator, clock) as tx:
        assert tx.session.get_one(Dispatch, dispatch_id).arrival_proposed_at is None, (
            "passing by is no arrival"
        )
    clock.at += timedelta(seconds=20)
    assert sent(world, officer, PhoneFix(lon=lon, lat=lat, fixed_at=clock.at, accuracy_m=10)).accepted == 1
    assert placer.turn() == 1
    with transaction(world.database, operator, clock) as tx:
        dispatch = tx.session.get_one(Dispatch, dispatch_id)
        assert dispatch.arrival_proposed_at == clock.at
        assert dispatch.status == "accepted", "a proposal is not an arrival"
        kinds = list(
            tx.session.scalars(select(IncidentEvent.kind).where(IncidentEvent.incident_id == incident_id))
        )
    assert "arrival_proposed" in kinds


def test_positions_off_duty_are_refused_and_not_kept(world: World, clock: FixedClock) -> None:
    officer, _ = world.officer("paul", 0, on_duty=False)
    lon, lat = world.point_in(0)
    got = sent(world, officer, PhoneFix(lon=lon, lat=lat, fixed_at=clock.at))
    assert (got.accepted, got.refused) == (0, ((0, "off_duty"),))
    assert FixPlacer(world.database, clock, LocalMetric("EPSG:4547")).turn() == 0


def test_the_photo_is_asked_for_where_the_class_says_so(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    dispatch_id = send(world, operator, report(world, operator, class_key="C1.01"), unit_id)
    with transaction(world.database, officer, clock) as tx:
        offers.accept(tx, dispatch_id)
        steps.arrive(tx, dispatch_id)
    with pytest.raises(Conflict, match="photo_required"), transaction(world.database, officer, clock) as tx:
        steps.report_done(tx, dispatch_id, code="solved", note="", photo_ids=[])
    with transaction(world.database, officer, clock) as tx:
        steps.report_done(tx, dispatch_id, code="not_found", note="", photo_ids=[])
    with transaction(world.database, operator, clock) as tx:
        assert tx.session.get_one(Unit, unit_id).status == "free"


def test_the_same_message_twice_is_one_report(world: World) -> None:
    operator = world.account("olivia", "operator", 0)
    first = report(world, operator, channel="call_12345", source="12345", source_ref="A-1")
    again = report(world, operator, channel="call_12345", source="12345", source_ref="A-1", text="again")
    assert first == again


def test_restricted_cases_stay_with_the_assigned(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    colleague = world.account("oscar", "operator", 0)
    lead = world.account("lea", "shift_lead", 0)
    incident_id = report(world, operator, class_key="S4.05")
    seen = {}
    for actor in (operator, colleague, lead):
        with transaction(world.database, actor, clock) as tx:
            seen[actor.login] = tx.session.get(Incident, incident_id) is not None
    assert seen == {"olivia": True, "oscar": False, "lea": True}


def test_a_neighbour_county_neither_reads_nor_writes(world: World, clock: FixedClock) -> None:
    west, east = world.account("wanda", "operator", 0), world.account("eric", "operator", 1)
    incident_id = report(world, west, 0)
    with transaction(world.database, east, clock) as tx:
        assert list_cases(tx, CaseFilter()).rows == ()
    with pytest.raises(NotFound), transaction(world.database, east, clock) as tx:
        incidents.void(tx, incident_id, reason="mine now")


def test_one_seat_handles_and_a_take_over_says_why(world: World, clock: FixedClock) -> None:
    first, second = world.account("olivia", "operator", 0), world.account("oscar", "operator", 0)
    incident_id = report(world, first)
    with transaction(world.database, first, clock) as tx:
        incidents.take_handling(tx, incident_id)
    with (
        pytest.raises(Conflict, match="handled_by_another"),
        transaction(world.database, second, clock) as tx,
    ):
        incidents.take_handling(tx, incident_id)
    with pytest.raises(Invalid, match="reason_needed"), transaction(world.database, second, clock) as tx:
        incidents.take_handling(tx, incident_id, take_over=True)
    with transaction(world.database, second, clock) as tx:
        assert (
            incidents.take_handling(tx, incident_id, take_over=True, reason="换班").handler_account_id
            == second.account_id
        )


def _do_job(world: World, officer: Actor, dispatch_id: UUID) -> None:
    with transaction(world.database, officer, world.clock) as tx:
        offers.accept(tx, dispatch_id)
        steps.arrive(tx, dispatch_id)
        steps.report_done(tx, dispatch_id, code="solved", note="", photo_ids=[])


def test_a_pin_moved_into_the_next_county_goes_there_with_the_case(world: World, clock: FixedClock) -> None:
    west, east = world.account("wanda", "operator", 0), world.account("eric", "operator", 1)
    incident_id = report(world, world.account("walter", "operator", 0))
    lon, lat = world.point_in(1)
    with transaction(world.database, west, clock) as tx:
        incidents.move_pin(tx, incident_id, lon=lon, lat=lat, reason="地址在邻区")
    with transaction(world.database, east, clock) as tx:
        assert get_case(tx, incident_id).row.incident.scope_path.startswith(world.county_paths[1])
    with transaction(world.database, west, clock) as tx:
        assert get_case(tx, incident_id).allowed == (), "who moved it still sees it, and handles it no more"
