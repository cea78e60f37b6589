"""Response plans: versions, starting one, levels one after the other, steps as tasks; and hand-overs."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from gridmap.db.tables import Notice, PlanRun, PlanVersion, Task, Timer
from gridmap.domain.plan_check import check_plan, shipped_plans
from gridmap.domain.response import plan_from
from gridmap.errors import Conflict, Forbidden, Invalid
from gridmap.services import hand_overs, incidents, plans, tasks
from gridmap.services.dispatching import steps
from gridmap.services.tasks import TASK_DUE
from gridmap.services.transaction import system_transaction, transaction
from tests.callouts import Centre
from tests.world import World


@pytest.fixture
def centre(world: World) -> Centre:
    """A centre with the shipped plans."""
    made = Centre(world)
    with system_transaction(world.database, world.clock) as tx:
        assert plans.load_shipped(tx) == len(shipped_plans())
    return made


PLAN = {
    "key": "noise",
    "name": {"zh": "噪音处置", "en": "Noise"},
    "classes": ["S5.02"],
    "severities": [1, 2, 3],
    "auto": [1],
    "tell": ["township"],
    "level": [
        {
            "mode": "next_in_line",
            "need": [{"unit_kind": "grid_worker", "count": 2}],
            "fence": "grid",
            "offer_s": 30,
            "level_s": 120,
        },
        {"mode": "broadcast", "fence": "neighbours", "offer_s": 60, "level_s": 100},
    ],
    "step": [
        {"key": "call_back", "name": {"zh": "回访", "en": "Call back"}, "due_min": 10},
        {"key": "note", "name": {"zh": "登记", "en": "Note it"}},
    ],
}


def use_plan(centre: Centre, **changes: object) -> None:
    with system_transaction(centre.world.database, centre.clock) as tx:
        body = {**PLAN, **changes}
        plans._add(tx, body, 1, "site")


def start(centre: Centre, incident: object, plan_key: str | None = None) -> PlanRun:
    with transaction(centre.world.database, centre.operator, centre.clock) as tx:
        return plans.start_plan(tx, incident, plan_key=plan_key)  # type: ignore[arg-type]


def test_every_shipped_plan_can_be_gone_by_and_is_loaded_once(centre: Centre) -> None:
    with system_transaction(centre.world.database, centre.clock) as tx:
        assert plans.load_shipped(tx) == 0
        versions = tx.session.scalars(select(PlanVersion)).all()
        assert {row.key for row in versions} == {row["key"] for row in shipped_plans()}
        assert all(plan_from(row.body).levels for row in versions)


def test_a_step_on_working_hours_is_due_when_they_have_passed(centre: Centre) -> None:
    """Monday noon: what may take ten working minutes is due ten minutes after the break, and a timer waits for it."""
    centre.clock.at = datetime(2026, 6, 1, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    step = {"key": "call_back", "name": {"zh": "回访", "en": "Call back"}, "due_min": 10}
    use_plan(centre, step=[{**step, "calendar": "work_hours"}], auto=[])
    incident = centre.report()
    start(centre, incident)
    with system_transaction(centre.world.database, centre.clock) as tx:
        (task,) = tx.session.scalars(select(Task).where(Task.subject_id == incident))
        assert task.due_at == centre.clock.at + timedelta(hours=2, minutes=10)
        timer = tx.session.scalars(
            select(Timer).where(Timer.kind == TASK_DUE, Timer.subject_id == task.id)
        ).one()
        assert timer.due_at == task.due_at
    with pytest.raises(Invalid, match=r"step\.0\.calendar"):
        check_plan({**PLAN, "step": [{**step, "calendar": "never"}]})


def test_a_severe_case_starts_its_plan_by_itself_and_escalates_to_an_alarm(centre: Centre) -> None:
    use_plan(centre)
    for name, grid in (("own", 0), ("next_door", 1)):
        centre.officer(name, grid)
    incident = centre.report(severity=1)
    centre.work()
    assert centre.offered(incident) == ["own"], "the first level asks in the grid only"
    centre.accept("own", incident)
    centre.wait(120)
    first, second = centre.callouts(incident)
    assert (first.status, first.unmet[0]["count"]) == ("unmet", 1)
    assert (second.level, second.mode, second.need[0]["count"]) == (2, "broadcast", 1)
    assert centre.offered(incident) == ["next_door"]
    assert centre.alarms("callout_unmet") == []
    centre.wait(101)
    assert centre.callouts(incident)[1].status == "unmet"
    (alarm,) = centre.alarms("callout_unmet")
    assert alarm.params["left"][0]["count"] == 1
    events = centre.events(incident)
    for kind in ("plan_started", "callout_opened", "callout_escalated", "callout_unmet"):
        assert kind in events
    with system_transaction(centre.world.database, centre.clock) as tx:
        (notice,) = tx.session.scalars(select(Notice))
        assert notice.reason == "plan"
        assert "text" not in notice.body


def test_who_leaves_a_level_that_is_over_is_replaced_by_the_next_one(centre: Centre) -> None:
    use_plan(centre)
    centre.officer("own", 0)
    incident = centre.report(severity=1)
    centre.work()
    centre.accept("own", incident)
    centre.wait(120)
    centre.officer("helper", 1)
    centre.wait(16)
    centre.accept("helper", incident)
    centre.work()
    assert [row.status for row in centre.callouts(incident)] == ["unmet", "met"]
    centre.officer("third", 0)
    with transaction(centre.world.database, centre.operator, centre.clock) as tx:
        steps.cancel(tx, centre.job_of("own", incident).id, reason="改派")
    centre.work()
    assert [row.status for row in centre.callouts(incident)] == ["unmet", "open"]
    assert centre.offered(incident) == ["third"]


def test_a_started_plan_keeps_its_version_and_another_class_stops_nothing(centre: Centre) -> None:
    use_plan(centre)
    lead = centre.world.account("leo", "shift_lead", 0)
    incident = centre.report(severity=2)
    centre.work()
    assert centre.callouts(incident) == [], "only what the plan says starts by itself"
    assert start(centre, incident).plan_version == 1
    with pytest.raises(Conflict, match="plan_already_started"):
        start(centre, incident)
    with pytest.raises(Forbidden), transaction(centre.world.database, centre.operator, centre.clock) as tx:
        plans.change_plan(tx, "noise", {**PLAN, "auto": []})
    with transaction(centre.world.database, lead, centre.clock) as tx:
        assert plans.change_plan(tx, "noise", {**PLAN, "auto": []}).version == 2
        with pytest.raises(Invalid, match=r"level\.0\.need\.0"):
            plans.change_plan(
                tx, "noise", {**PLAN, "level": [{"mode": "next_in_line", "need": [{"capability": "x"}]}]}
            )
    with transaction(centre.world.database, centre.operator, centre.clock) as tx:
        incidents.reclassify(tx, incident, class_key="S2.01", severity=1, reason="打起来了")
    centre.work()
    with system_transaction(centre.world.database, centre.clock) as tx:
        (run,) = plans.running_plans(tx, incident)
        assert (run.plan_key, run.plan_version) == ("noise", 1)
    assert centre.events(incident).count("plan_suggested") == 1
    with transaction(centre.world.database, centre.operator, centre.clock) as tx:
        plans.end_plan(tx, incident, plan_key="noise", reason="按治安警情处置")
    centre.work()
    assert [row.status for row in centre.callouts(incident)] == ["unmet", "stopped"]
    assert start(centre, incident).plan_key == "violence"


def test_steps_are_done_by_somebody_at_some_time_and_overdue_ones_alarm(centre: Centre) -> None:
    use_plan(centre)
    incident = centre.report(severity=2)
    start(centre, incident)
    with transaction(centre.world.database, centre.operator, centre.clock) as tx:
        first, second = tasks.list_steps(tx, incident)
        assert first.due_at == centre.clock.at + timedelta(minutes=10)
        tasks.finish_task(tx, second.id, note="已登记")
    with (
        pytest.raises(Conflict, match="not_allowed_in_status"),
        transaction(centre.world.database, centre.operator, centre.clock) as tx,
    ):
        tasks.finish_task(tx, second.id)
    stranger = centre.world.account("otto", "operator", 1)
    with (
        pytest.raises(Exception, match="task_not_found"),
        transaction(centre.world.database, stranger, centre.clock) as tx,
    ):
        tasks.finish_task(tx, first.id)
    centre.wait(601)
    (alarm,) = centre.alarms("plan_step_overdue")
    assert alarm.params["name"]["en"] == "Call back"
    with transaction(centre.world.database, centre.operator, centre.clock) as tx:
        done = tasks.list_steps(tx, incident)[1]
    assert (done.status, done.finished_by) == ("done", centre.operator.account_id)
    assert done.history[0]["by"] == "Olivia"


def test_a_hand_over_that_nobody_acknowledges_is_an_alarm_and_closes_nothing(centre: Centre) -> None:
    incident = centre.report()
    operator = centre.operator
    with transaction(centre.world.database, operator, centre.clock) as tx:
        handed = hand_overs.hand_over(tx, incident, agency="110", note="疑似斗殴").id
    with (
        pytest.raises(Conflict, match="already_handed_over"),
        transaction(centre.world.database, operator, centre.clock) as tx,
    ):
        hand_overs.hand_over(tx, incident, agency="110")
    centre.wait(179)
    assert centre.alarms("hand_over_unheard") == []
    centre.wait(2)
    assert centre.alarms("hand_over_unheard")[0].params["agency"] == "110"
    with (
        pytest.raises(Conflict, match="hand_over_not_acknowledged"),
        transaction(centre.world.database, operator, centre.clock) as tx,
    ):
        incidents.verify_and_close(tx, incident, outcome="handed_over", note="x")
    with transaction(centre.world.database, operator, centre.clock) as tx:
        with pytest.raises(Invalid, match="their_number_needed"):
            hand_overs.acknowledge(tx, handed, their_number=" ")
        hand_overs.acknowledge(tx, handed, their_number="J3205-0042")
    with transaction(centre.world.database, operator, centre.clock) as tx:
        hand_overs.take_back(tx, handed, reason="不属于治安")
    with transaction(centre.world.database, operator, centre.clock) as tx:
        again = hand_overs.hand_over(tx, incident, agency="110").id
        hand_overs.acknowledge(tx, again, their_number="J3205-0043")
    with transaction(centre.world.database, operator, centre.clock) as tx:
        incidents.verify_and_close(tx, incident, outcome="handed_over", note="110 已接收")
    assert centre.incident(incident).outcome == "handed_over"
