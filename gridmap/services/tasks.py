"""The checklist of a started plan: each step is a task, done by whom and when, overdue with an alarm."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select

from gridmap.db.tables import Dispatch, Incident, PlanRun, Task
from gridmap.domain.ids import new_id
from gridmap.domain.lifecycle import active_statuses, is_active, next_status
from gridmap.domain.response import Step
from gridmap.domain.told_later import within
from gridmap.domain.work_clock import WorkClock, work_calendar
from gridmap.errors import Forbidden, NotFound
from gridmap.services.alarms import raise_about, resolve_alarms
from gridmap.services.incidents import lock_incident, touch
from gridmap.services.timers import clear_timer, set_timer
from gridmap.services.transaction import Tx

PLAN_STEP = "plan_step"
TASK_DUE = "task.due"
TASK_WAITS = "task.waits"


def step_due(tx: Tx, step: Step) -> datetime | None:
    """When a step is due if its plan starts now; None where it has no clock."""
    if step.due_min is None:
        return None
    clock = WorkClock.start(timedelta(minutes=step.due_min), tx.now)
    return clock.due_at(work_calendar(step.calendar, tx.zone))


def step_task(tx: Tx, incident: Incident, run: PlanRun, step: Step) -> Task:
    """One step of the checklist as a task of the incident's area."""
    due_at = step_due(tx, step)
    task = Task(
        id=new_id(),
        kind=PLAN_STEP,
        subject_kind="incident",
        subject_id=incident.id,
        area_id=incident.area_id,
        scope_path=incident.scope_path,
        status="open",
        due_at=due_at,
        clock_limit_s=None if step.due_min is None else step.due_min * 60,
        clock_calendar=None if step.due_min is None else step.calendar,
        clock_since=None if step.due_min is None else tx.now,
        created_at=tx.now,
        params={
            "plan_key": run.plan_key,
            "plan_version": run.plan_version,
            "step": step.key,
            "name": {"zh": step.zh, "en": step.en},
            "drill": incident.drill,
        },
        history=[],
    )
    tx.session.add(task)
    tx.session.flush()
    if due_at is not None:
        set_timer(tx, TASK_DUE, task.id, due_at)
    return task


def list_steps(tx: Tx, incident_id: UUID) -> list[Task]:
    """The steps of an incident's plans, in the order of the checklist."""
    return list(
        tx.session.scalars(
            select(Task)
            .where(Task.subject_kind == "incident", Task.subject_id == incident_id)
            .order_by(Task.created_at, Task.id)
        )
    )


def finish_task(tx: Tx, task_id: UUID, *, note: str | None = None) -> Task:
    """Done, by this person, now or when they ticked it without a line.

    Raises NotFound, Forbidden, Conflict when it is over already.
    """
    return _end(tx, task_id, "finish", note)


def cancel_task(tx: Tx, task_id: UUID, *, reason: str | None) -> Task:
    """Not to be done, and why."""
    return _end(tx, task_id, "cancel", reason)


def cancel_steps(tx: Tx, incident_id: UUID, plan_key: str, *, reason: str) -> int:
    """Cancel what is still open of one plan's checklist, under the incident's lock. Returns how many."""
    waiting = [
        task
        for task in list_steps(tx, incident_id)
        if is_active("task", task.status) and task.params.get("plan_key") == plan_key
    ]
    for task in waiting:
        _write_end(tx, task, "cancel", reason)
    return len(waiting)


def task_overdue(tx: Tx, task_id: UUID) -> None:
    """A step is still open at its time: an alarm at the incident's seat."""
    task = tx.session.get(Task, task_id)
    if task is None or task.status != "open" or task.subject_id is None:
        return
    incident = tx.session.get(Incident, task.subject_id)
    if incident is None or incident.status == "closed":
        return
    raise_about(
        tx,
        incident,
        "plan_step_overdue",
        severity=max(2, incident.severity),
        subject_kind="task",
        subject_id=task.id,
        name=task.params.get("name"),
    )


def lock_task(tx: Tx, incident_id: UUID, task_id: UUID) -> tuple[Incident, Task]:
    """The incident's row first, then the task's, as it is by then."""
    incident = lock_incident(tx, incident_id)
    task = tx.session.scalars(
        select(Task).where(Task.id == task_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    return incident, task


def _end(tx: Tx, task_id: UUID, verb: str, words: str | None) -> Task:
    task = tx.session.get(Task, task_id)
    if task is None or task.subject_id is None:
        raise NotFound("task_not_found")
    is_own = task.assignee_account_id is not None and task.assignee_account_id == tx.actor.account_id
    if not is_own and not (verb == "finish" and _is_on_the_job(tx, task.subject_id)):
        tx.actor.require("case.handle")
        if not tx.actor.writes_in(task.scope_path):
            raise Forbidden("out_of_write_scope")
    incident, task = lock_task(tx, task.subject_id, task_id)
    _write_end(tx, task, verb, words)
    kind = "task_finished" if verb == "finish" else "task_cancelled"
    touch(
        tx,
        incident,
        kind,
        occurred_at=task.finished_at,
        task_id=str(task.id),
        step=task.params.get("step"),
        name=task.params.get("name"),
        plan_key=task.params.get("plan_key"),
        reason=words,
    )
    return task


def _is_on_the_job(tx: Tx, incident_id: UUID) -> bool:
    """Who is on the way or there may tick a step that they did; calling one off is a seat's.

    So may who was there when they ticked it without a line, though a result was told for them meanwhile.
    """
    if not tx.actor.unit_ids:
        return False
    job = select(Dispatch.id).where(
        Dispatch.incident_id == incident_id,
        Dispatch.unit_id.in_(tx.actor.unit_ids),
        or_(
            Dispatch.status.in_(active_statuses("dispatch") - {"offered"}),
            and_(Dispatch.status == "done", Dispatch.ended_at >= within(tx.now, tx.acted_at)),
        ),
    )
    return tx.session.scalar(job.limit(1)) is not None


def _write_end(tx: Tx, task: Task, verb: str, words: str | None) -> None:
    task.status = next_status("task", task.status, verb, reason=words)
    task.finished_at, task.finished_by = within(tx.now, tx.acted_at, task.created_at), tx.actor.account_id
    line: dict[str, Any] = {"at": task.finished_at.isoformat(), "by": tx.actor.display_name, "verb": verb}
    if words:
        line["words"] = words
    task.history = [*task.history, line]
    task.pause_ends_at = None
    for timer in (TASK_DUE, TASK_WAITS):
        clear_timer(tx, timer, task.id)
    resolve_alarms(tx, "plan_step_waits", "task", task.id)
