"""A step that waits for somebody outside: its clock stands, for a reason, and never longer than that reason allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gridmap.db.tables import Incident, Task
from gridmap.domain.lifecycle import next_status
from gridmap.domain.vocab import vocabulary
from gridmap.domain.work_clock import WorkClock, work_calendar
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.services.alarms import raise_about, resolve_alarms
from gridmap.services.auditing import audit
from gridmap.services.incidents import touch
from gridmap.services.tasks import TASK_DUE, TASK_WAITS, lock_task
from gridmap.services.timers import clear_timer, set_timer
from gridmap.services.transaction import Tx

WAITS = "plan_step_waits"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One stretch of time in which a step waited; `until` is None while it does."""

    reason: str
    words: str | None
    since: datetime
    until: datetime | None


def pause_task(tx: Tx, task_id: UUID, *, reason: str, words: str | None = None) -> Task:
    """Let the clock of a step stand from now on. A seat's verb; `reason` is a row of the list `pause_reason`.

    Raises NotFound, Forbidden, Invalid("pause_reason_unknown"), ("reason_needed"), Conflict("step_has_no_clock"),
    ("step_is_late"), ("incident_closed").
    """
    term = vocabulary().term("pause_reason", reason)
    words = (words or "").strip() or None
    if term.extra.get("words") and words is None:
        raise Invalid("reason_needed", verb="pause")
    incident, task = _seat_locks(tx, task_id)
    if incident.status == "closed":
        raise Conflict("incident_closed", number=incident.number)
    status = next_status("task", task.status, "pause")
    clock = _clock(task)
    if clock is None or task.clock_calendar is None:
        raise Conflict("step_has_no_clock")
    counted = clock.counted_by(work_calendar(task.clock_calendar, tx.zone), tx.now)
    if counted >= clock.limit:
        # Standing still now would hide that it is late.
        raise Conflict("step_is_late")
    task.status, task.due_at = status, None
    task.clock_counted_s, task.clock_since = int(counted.total_seconds()), None
    task.pause_ends_at = _longest(tx, reason)
    _note(tx, task, "pause", pause=reason, words=words, until=task.pause_ends_at.isoformat())
    clear_timer(tx, TASK_DUE, task.id)
    set_timer(tx, TASK_WAITS, task.id, task.pause_ends_at)
    audit(tx, "task.pause", "task", task.id, reason=words, pause=reason)
    _tell(tx, incident, task, "task_paused", pause=reason, reason=words, until=task.pause_ends_at.isoformat())
    return task


def resume_task(tx: Tx, task_id: UUID) -> Task:
    """Count on from where it stood. Raises NotFound, Forbidden, Conflict("not_allowed_in_status")."""
    incident, task = _seat_locks(tx, task_id)
    task.status = next_status("task", task.status, "resume")
    task.clock_since, task.pause_ends_at = tx.now, None
    clock = _clock(task)
    if clock is not None and task.clock_calendar is not None:
        task.due_at = clock.due_at(work_calendar(task.clock_calendar, tx.zone))
    _note(tx, task, "resume")
    clear_timer(tx, TASK_WAITS, task.id)
    if task.due_at is not None:
        set_timer(tx, TASK_DUE, task.id, task.due_at)
    resolve_alarms(tx, WAITS, "task", task.id)
    audit(tx, "task.resume", "task", task.id)
    _tell(tx, incident, task, "task_resumed", waited_s=round(_waited(waits_of(task)[-1]).total_seconds()))
    return task


def waited_too_long(tx: Tx, task_id: UUID) -> None:
    """Still waiting at the longest time of its reason: an alarm, and another each time that it passes again."""
    task = tx.session.get(Task, task_id)
    if task is None or task.status != "paused" or task.subject_id is None:
        return
    incident = tx.session.get(Incident, task.subject_id)
    if incident is None or incident.status == "closed":
        return
    raise_about(
        tx,
        incident,
        WAITS,
        severity=max(2, incident.severity),
        subject_kind="task",
        subject_id=task.id,
        name=task.params.get("name"),
    )
    set_timer(tx, TASK_WAITS, task.id, _longest(tx, waits_of(task)[-1].reason))


def waits_of(task: Task) -> tuple[Waiting, ...]:
    """Every stretch in which the step waited, in order; ended by taking it up, finishing or cancelling it."""
    found: list[Waiting] = []
    for line in task.history:
        at = datetime.fromisoformat(line["at"])
        if line["verb"] == "pause":
            found.append(Waiting(line["pause"], line.get("words"), at, None))
        elif found and found[-1].until is None:
            found[-1] = Waiting(found[-1].reason, found[-1].words, found[-1].since, max(at, found[-1].since))
    return tuple(found)


def _waited(stretch: Waiting) -> timedelta:
    return timedelta() if stretch.until is None else stretch.until - stretch.since


def _clock(task: Task) -> WorkClock | None:
    if task.clock_limit_s is None:
        return None
    return WorkClock(
        limit=timedelta(seconds=task.clock_limit_s),
        running_since=task.clock_since,
        counted=timedelta(seconds=task.clock_counted_s),
    )


def _longest(tx: Tx, reason: str) -> datetime:
    row = vocabulary().term("pause_reason", reason).extra
    calendar = work_calendar(row["calendar"], tx.zone)
    return calendar.due_after(tx.now, timedelta(minutes=row["most_min"]))


def _seat_locks(tx: Tx, task_id: UUID) -> tuple[Incident, Task]:
    task = tx.session.get(Task, task_id)
    if task is None or task.subject_kind != "incident" or task.subject_id is None:
        raise NotFound("task_not_found")
    tx.actor.require("case.handle")
    if not tx.actor.writes_in(task.scope_path):
        raise Forbidden("out_of_write_scope")
    return lock_task(tx, task.subject_id, task_id)


def _note(tx: Tx, task: Task, verb: str, **more: str | None) -> None:
    line = {"at": tx.now.isoformat(), "by": tx.actor.display_name, "verb": verb}
    task.history = [*task.history, {**line, **{name: value for name, value in more.items() if value}}]


def _tell(tx: Tx, incident: Incident, task: Task, kind: str, **more: Any) -> None:
    touch(
        tx,
        incident,
        kind,
        task_id=str(task.id),
        step=task.params.get("step"),
        name=task.params.get("name"),
        plan_key=task.params.get("plan_key"),
        **more,
    )
