"""A step that waits for somebody outside: its clock stands and counts on, and it is never forgotten."""

from __future__ import annotations

import importlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from gridmap.db.tables import IncidentEvent, Task
from gridmap.errors import Conflict, Forbidden, GridmapError, Invalid, NotFound
from gridmap.services import alarms, incidents, plans, shifts, task_pauses, tasks
from gridmap.services.transaction import system_transaction, transaction
from tests.callouts import Centre
from tests.db.test_plans import start, use_plan
from tests.world import World

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY_9 = datetime(2026, 6, 1, 9, 0, tzinfo=SHANGHAI)
REPAIR = {
    "key": "repair",
    "name": {"zh": "修复护栏", "en": "Mend the rail"},
    "due_min": 120,
    "calendar": "work_hours",
}
NOTE = {"key": "note", "name": {"zh": "登记", "en": "Note it"}}


@pytest.fixture
def centre(world: World) -> Centre:
    made = Centre(world)
    made.clock.at = MONDAY_9
    use_plan(made, auto=[], step=[REPAIR, NOTE])
    return made


@pytest.fixture
def case(centre: Centre) -> UUID:
    """A case whose plan runs since Monday nine o'clock: two working hours for the repair, till eleven."""
    incident = centre.report()
    start(centre, incident)
    return incident


def steps(centre: Centre, case: UUID) -> list[Task]:
    with system_transaction(centre.world.database, centre.clock) as tx:
        return tasks.list_steps(tx, case)


def pause(centre: Centre, task: Task, reason: str = "handed_over", words: str | None = None) -> Task:
    with transaction(centre.world.database, centre.operator, centre.clock) as tx:
        return task_pauses.pause_task(tx, task.id, reason=reason, words=words)


def resume(centre: Centre, task: Task) -> Task:
    with transaction(centre.world.database, centre.operator, centre.clock) as tx:
        return task_pauses.resume_task(tx, task.id)


def test_the_time_in_which_a_step_waits_does_not_count(centre: Centre, case: UUID) -> None:
    repair = steps(centre, case)[0]
    assert repair.due_at == MONDAY_9 + timedelta(hours=2)
    centre.clock.at = MONDAY_9 + timedelta(minutes=30)
    held = pause(centre, repair, words="已转市政")
    assert (held.status, held.due_at, held.clock_counted_s) == ("paused", None, 30 * 60)
    centre.clock.at = datetime(2026, 6, 1, 17, 0, tzinfo=SHANGHAI)
    centre.work()
    assert centre.alarms("plan_step_overdue") == [], "the old time is over and nobody is late"
    going = resume(centre, repair)
    # Half an hour is left of Monday, and one of the ninety minutes from half past eight on Tuesday.
    assert going.due_at == datetime(2026, 6, 2, 9, 30, tzinfo=SHANGHAI)
    centre.clock.at = datetime(2026, 6, 2, 9, 31, tzinfo=SHANGHAI)
    centre.work()
    assert len(centre.alarms("plan_step_overdue")) == 1
    (stretch,) = task_pauses.waits_of(steps(centre, case)[0])
    assert (stretch.reason, stretch.words) == ("handed_over", "已转市政")
    assert stretch.until is not None
    assert stretch.until - stretch.since == timedelta(hours=7, minutes=30)
    with system_transaction(centre.world.database, centre.clock) as tx:
        told: dict[str, Any] = {
            row.kind: row.params
            for row in tx.session.scalars(select(IncidentEvent).where(IncidentEvent.incident_id == case))
        }
    assert told["task_paused"]["pause"] == "handed_over"
    assert told["task_resumed"]["waited_s"] == 7.5 * 3600


def test_waiting_longer_than_the_reason_allows_is_an_alarm_again_and_again(
    centre: Centre, case: UUID
) -> None:
    held = pause(centre, steps(centre, case)[0])
    # Eight working hours from Monday nine: six and a half are Monday's.
    assert held.pause_ends_at == datetime(2026, 6, 2, 10, 0, tzinfo=SHANGHAI)
    centre.clock.at = held.pause_ends_at - timedelta(seconds=1)
    centre.work()
    assert centre.alarms("plan_step_waits") == []
    centre.wait(2)
    (first,) = centre.alarms("plan_step_waits")
    assert first.params["name"]["en"] == "Mend the rail"
    with transaction(centre.world.database, centre.operator, centre.clock) as tx:
        alarms.acknowledge(tx, first.id)
    centre.clock.at = datetime(2026, 6, 3, 12, 0, tzinfo=SHANGHAI)
    centre.work()
    (second,) = centre.alarms("plan_step_waits")
    assert second.id != first.id, "taken note of and forgotten, it rings again"
    resume(centre, held)
    assert centre.alarms("plan_step_waits") == [], "what gave the alarm is over"


def test_who_may_pause_what_and_when(centre: Centre, case: UUID) -> None:
    repair, note = steps(centre, case)
    with pytest.raises(Conflict, match="step_has_no_clock"):
        pause(centre, note)
    with pytest.raises(Invalid, match="pause_reason_unknown"):
        pause(centre, repair, reason="tea")
    with pytest.raises(Invalid, match="reason_needed"):
        pause(centre, repair, reason="other")
    analyst = centre.world.account("ana", "analyst", 0)
    stranger = centre.world.account("otto", "operator", 1)
    for actor, refusal in ((analyst, Forbidden), (stranger, NotFound)):
        with pytest.raises(refusal), transaction(centre.world.database, actor, centre.clock) as tx:
            task_pauses.pause_task(tx, repair.id, reason="party")
    with pytest.raises(Conflict, match="not_allowed_in_status"):
        resume(centre, repair)
    pause(centre, repair, reason="other", words="等专家")
    with pytest.raises(Conflict, match="not_allowed_in_status"):
        pause(centre, repair)
    resume(centre, repair)
    centre.clock.at = MONDAY_9 + timedelta(hours=2)
    with pytest.raises(Conflict, match="step_is_late"):
        pause(centre, repair)


def test_a_waiting_step_is_handed_over_finished_and_cancelled_like_an_open_one(
    centre: Centre, case: UUID
) -> None:
    repair = pause(centre, steps(centre, case)[0])
    with transaction(centre.world.database, centre.operator, centre.clock) as tx:
        assert str(repair.id) in {item.id for item in shifts.list_open(tx) if item.kind == "task"}
    centre.wait(3 * 86_400)
    assert len(centre.alarms("plan_step_waits")) == 1
    with transaction(centre.world.database, centre.operator, centre.clock) as tx:
        assert tasks.finish_task(tx, repair.id).status == "done"
    assert centre.alarms("plan_step_waits") == []
    centre.wait(5 * 86_400)
    assert centre.alarms("plan_step_waits") == [], "its timer is gone with it"
    assert task_pauses.waits_of(steps(centre, case)[0])[0].until is not None


def test_an_ended_plan_takes_its_waiting_steps_along(centre: Centre, case: UUID) -> None:
    pause(centre, steps(centre, case)[0])
    with transaction(centre.world.database, centre.operator, centre.clock) as tx:
        plans.end_plan(tx, case, plan_key="noise", reason="误报")
    assert {task.status for task in steps(centre, case)} == {"cancelled"}


def test_nothing_waits_on_a_closed_case(centre: Centre, case: UUID) -> None:
    repair = steps(centre, case)[0]
    with transaction(centre.world.database, centre.operator, centre.clock) as tx:
        incidents.verify_and_close(tx, case, outcome="solved", note="x")
    with pytest.raises(GridmapError, match="incident_closed"):
        pause(centre, repair)


def test_steps_that_were_open_before_get_the_clock_of_their_plan(centre: Centre, case: UUID) -> None:
    migration = importlib.import_module("gridmap.db.migrations.versions.0006_steps_that_wait")
    with centre.world.database.owner.begin() as connection:
        connection.execute(
            text("update task set clock_limit_s = null, clock_calendar = null, clock_since = null")
        )
        connection.execute(text(migration._CLOCKS))
    repair, note = steps(centre, case)
    assert (repair.clock_limit_s, repair.clock_calendar) == (7200, "work_hours")
    assert repair.clock_since == repair.created_at
    assert note.clock_limit_s is None
