"""What comes after a result: the photo that a seat promised over the radio, words of a phone that had no line."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from gridmap.clock import FixedClock
from gridmap.db.tables import Dispatch
from gridmap.domain.actor import Actor
from gridmap.errors import Conflict, Forbidden, GridmapError, Invalid, NotFound
from gridmap.services import patrol, plans, tasks
from gridmap.services.blobs import store_file
from gridmap.services.case_queries import get_case
from gridmap.services.dispatching import radio, steps, supplement
from gridmap.services.dispatching.supplement import add_to_result
from gridmap.services.incidents import verify_and_close
from gridmap.services.transaction import system_transaction, transaction
from tests.db.test_phone import PHOTO, go_there, offered
from tests.world import World

PHOTO_WANTED = "C1.01"


def done_by_radio(world: World, *, photo_follows: bool) -> tuple[Actor, Actor, UUID, UUID]:
    """A job whose result a seat told; the class asks for a photo. Crew, seat, incident and dispatch."""
    officer, unit_id = world.officer("paul", 0)
    operator = world.account("olivia", "operator", 0)
    incident_id, dispatch_id = offered(world, operator, unit_id, PHOTO_WANTED)
    go_there(world, officer, dispatch_id)
    said = radio.Said(step="done", code="solved", note="已清运", photo_follows=photo_follows)
    with transaction(world.database, operator, world.clock) as tx:
        radio.say_step(tx, dispatch_id, said)
    return officer, operator, incident_id, dispatch_id


def told(world: World, actor: Actor, incident_id: UUID) -> dict[str, dict[str, Any]]:
    with transaction(world.database, actor, world.clock) as tx:
        return {event.kind: event.params for event in get_case(tx, incident_id).events}


@pytest.mark.parametrize(("follows", "word"), [(True, "follows"), (False, "none")])
def test_a_result_by_radio_says_of_its_photo_that_it_follows_or_that_there_is_none(
    world: World, follows: bool, word: str
) -> None:
    officer, operator, incident_id, _dispatch = done_by_radio(world, photo_follows=follows)
    assert told(world, operator, incident_id)["done"]["photo"] == word
    with transaction(world.database, officer, world.clock) as tx:
        (job,) = patrol.get_state(tx).done_today
        assert job.dispatch.result is not None
        assert job.dispatch.result["photo"] == word


def test_the_crew_adds_the_photo_once_and_overwrites_nothing(world: World, clock: FixedClock) -> None:
    officer, operator, incident_id, dispatch_id = done_by_radio(world, photo_follows=True)
    with transaction(world.database, officer, clock) as tx:
        photo = store_file(tx, PHOTO, incident_id=incident_id).id
    for _again in range(2):
        with transaction(world.database, officer, clock) as tx:
            row = add_to_result(tx, dispatch_id, note="补拍", photo_ids=[photo])
        clock.at += timedelta(seconds=5)
    assert row.result is not None
    assert (row.result["code"], row.result["note"], row.result["photos"]) == (
        "solved",
        "已清运",
        [str(photo)],
    )
    assert "photo" not in row.result
    assert [line["note"] for line in row.result["added"]] == ["补拍"]
    assert told(world, operator, incident_id)["result_added"]["photos"] == 1
    with pytest.raises(Invalid, match="nothing_to_add"), transaction(world.database, officer, clock) as tx:
        add_to_result(tx, dispatch_id, note=" ", photo_ids=[])
    stranger, _unit = world.officer("pia", 0)
    with pytest.raises(NotFound), transaction(world.database, stranger, clock) as tx:
        add_to_result(tx, dispatch_id, note="x", photo_ids=[])
    lead = world.account("lena", "shift_lead", 0)
    with transaction(world.database, lead, clock) as tx:
        verify_and_close(tx, incident_id, outcome="solved", note="看过照片")
    with pytest.raises(Conflict, match="incident_closed"), transaction(world.database, officer, clock) as tx:
        add_to_result(tx, dispatch_id, note="太晚", photo_ids=[])


def test_what_a_phone_without_a_line_kept_is_not_taken_for_the_result_of_somebody_else(
    world: World, clock: FixedClock
) -> None:
    officer, _operator, _incident, dispatch_id = done_by_radio(world, photo_follows=False)
    with (
        pytest.raises(Conflict, match="reported_by_another"),
        transaction(world.database, officer, clock) as tx,
    ):
        steps.report_done(tx, dispatch_id, code="not_found", note="没有找到", photo_ids=[])


def test_a_step_ticked_on_scene_counts_though_the_result_was_told_meanwhile(
    world: World, clock: FixedClock
) -> None:
    with system_transaction(world.database, clock) as tx:
        plans.load_shipped(tx)
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    incident_id, dispatch_id = offered(world, operator, unit_id)
    with transaction(world.database, operator, clock) as tx:
        plans.start_plan(tx, incident_id, plan_key="fire")
    go_there(world, officer, dispatch_id)
    ticked_at = clock.at = clock.at + timedelta(minutes=1)
    clock.at += timedelta(minutes=1)
    with transaction(world.database, operator, clock) as tx:
        radio.say_step(tx, dispatch_id, radio.Said(step="done", code="solved"))
        first, second, *_ = tasks.list_steps(tx, incident_id)
    clock.at += timedelta(minutes=1)
    with transaction(world.database, officer, clock) as tx:
        assert tasks.finish_task(replace(tx, acted_at=ticked_at), first.id).finished_at == ticked_at
    with pytest.raises(Forbidden), transaction(world.database, officer, clock) as tx:
        tasks.finish_task(tx, second.id)


def test_a_photo_that_cannot_be_taken_is_asked_for_no_more(world: World) -> None:
    officer, operator, incident_id, dispatch_id = done_by_radio(world, photo_follows=True)
    with transaction(world.database, officer, world.clock) as tx:
        with pytest.raises(Invalid, match="reason_needed"):
            supplement.no_photo(tx, dispatch_id, reason=" ")
        supplement.no_photo(tx, dispatch_id, reason="现场已恢复")
        supplement.no_photo(tx, dispatch_id, reason="现场已恢复")
    with transaction(world.database, officer, world.clock) as tx:
        (job,) = patrol.get_state(tx).done_today
        result = job.dispatch.result or {}
    assert (result["photo"], result["photo_reason"], result["code"]) == ("impossible", "现场已恢复", "solved")
    event = told(world, operator, incident_id)["photo_impossible"]
    assert (event["call_sign"], event["reason"]) == ("PAUL", "现场已恢复")
    with transaction(world.database, operator, world.clock) as tx:
        kinds = [one.kind for one in get_case(tx, incident_id).events]
    assert kinds.count("photo_impossible") == 1, "a repeat adds nothing"
    with transaction(world.database, officer, world.clock) as tx:
        photo = store_file(tx, PHOTO, incident_id=incident_id).id
        dispatch = supplement.add_to_result(tx, dispatch_id, note="找到一张", photo_ids=[photo])
        assert dispatch.result is not None
        assert not {"photo", "photo_reason"} & set(dispatch.result), "one that comes after all counts"


def test_a_seat_says_it_for_a_crew_and_nobody_else_does(world: World) -> None:
    _officer, operator, _incident, dispatch_id = done_by_radio(world, photo_follows=True)
    other, _unit = world.officer("quinn", 0, grid=1)
    stranger = world.account("otto", "operator", 1)
    for actor in (other, stranger):
        with pytest.raises(GridmapError), transaction(world.database, actor, world.clock) as tx:
            supplement.no_photo(tx, dispatch_id, reason="x")
    with transaction(world.database, operator, world.clock) as tx:
        assert (supplement.no_photo(tx, dispatch_id, reason="天黑").result or {})["photo"] == "impossible"


def test_no_photo_is_refused_where_none_is_owed_and_once_the_case_is_closed(world: World) -> None:
    _officer, operator, incident_id, dispatch_id = done_by_radio(world, photo_follows=False)
    with (
        pytest.raises(Conflict, match="no_photo_owed"),
        transaction(world.database, operator, world.clock) as tx,
    ):
        supplement.no_photo(tx, dispatch_id, reason="x")
    with system_transaction(world.database, world.clock) as tx:
        dispatch = tx.session.get_one(Dispatch, dispatch_id)
        dispatch.result = {**(dispatch.result or {}), "photo": "follows"}
    with transaction(world.database, world.account("vera", "operator", 0), world.clock) as tx:
        verify_and_close(tx, incident_id, outcome="solved", note="x")
    with (
        pytest.raises(Conflict, match="incident_closed"),
        transaction(world.database, operator, world.clock) as tx,
    ):
        supplement.no_photo(tx, dispatch_id, reason="x")
