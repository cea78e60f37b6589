"""Inspections asked for from the risk list or an early warning: tasks of an area, done by whoever works there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from gridmap.db.tables import Task
from gridmap.domain.actor import is_below
from gridmap.domain.ids import new_id
from gridmap.domain.lifecycle import next_status
from gridmap.errors import Forbidden, NotFound
from gridmap.services.auditing import audit
from gridmap.services.risk.parts import get_told_run
from gridmap.services.transaction import Tx

INSPECTION = "inspection"
_AREA = text(
    "select v.path::text as path, v.name from area_version v"
    " where v.area_id = :id and v.valid @> cast(:now as timestamptz)"
)


@dataclass(frozen=True, slots=True)
class InspectionLine:
    """One inspection: where, what to look at, why, and what became of it."""

    id: UUID
    area_id: int | None
    area_name: str | None
    status: str
    note: str
    reason: dict[str, Any]
    created_at: datetime
    asked_by: str
    finished_at: datetime | None
    result: str | None
    mine: bool
    """Asked for by the reader, who may take it back."""


def ask_in_area(tx: Tx, area_id: int, note: str, reason: dict[str, Any]) -> UUID:
    """Ask for an inspection. `reason` says what gave rise to it, as {kind, ...}; its place is the area, never a person.

    Raises NotFound("area_unknown") for an area out of sight; Forbidden for an actor without risk.run or case.handle.
    """
    if not (tx.actor.can("risk.run") or tx.actor.can("case.handle")):
        raise Forbidden(verb="risk.run")
    row = tx.session.execute(_AREA, {"id": area_id, "now": tx.now}).one_or_none()
    if row is None or not any(is_below(row.path, root) for root in tx.actor.case_paths):
        raise NotFound("area_unknown", area_id=area_id)
    task_id = new_id()
    tx.session.add(
        Task(
            id=task_id,
            kind=INSPECTION,
            area_id=area_id,
            scope_path=row.path,
            status="open",
            created_at=tx.now,
            params={
                "note": note,
                "area": row.name,
                "asked_by": tx.actor.display_name,
                "asked_by_id": str(tx.actor.account_id),
                "reason": reason,
            },
            history=[{"at": tx.now.isoformat(), "by": tx.actor.display_name, "verb": "ask"}],
        )
    )
    tx.session.flush()
    audit(tx, "task.ask", "task", task_id, kind=INSPECTION, area_id=area_id)
    return task_id


def ask_from_run(tx: Tx, run_id: UUID, group: str, area_id: int, note: str) -> UUID:
    """As `ask_in_area`, for a line of a run's list. Raises NotFound("risk_run_not_found") too."""
    run = get_told_run(tx, run_id)
    return ask_in_area(
        tx, area_id, note, {"kind": "risk_list", "run": str(run.id), "group": group, "horizon": run.horizon}
    )


def list_inspections(tx: Tx, *, open_only: bool = True, limit: int = 200) -> list[InspectionLine]:
    """Inspections in sight, the newest first."""
    statement = (
        select(Task).where(Task.kind == INSPECTION).order_by(Task.created_at.desc(), Task.id).limit(limit)
    )
    if open_only:
        statement = statement.where(Task.status == "open")
    return [_line(tx, task) for task in tx.session.scalars(statement)]


def finish(tx: Tx, task_id: UUID, result: str) -> InspectionLine:
    """Say what was found. Raises NotFound, Conflict when it is over; Forbidden outside one's own scope."""
    task = _locked(tx, task_id)
    if not tx.actor.writes_in(task.scope_path):
        raise Forbidden("out_of_write_scope")
    return _end(tx, task, "finish", result)


def cancel(tx: Tx, task_id: UUID, reason: str) -> InspectionLine:
    """Not to be done, and why: by who asked, or who handles cases there. Raises as `finish` does."""
    task = _locked(tx, task_id)
    if not (_is_mine(tx, task) or tx.actor.writes_in(task.scope_path)):
        raise Forbidden("out_of_write_scope")
    return _end(tx, task, "cancel", reason)


def _locked(tx: Tx, task_id: UUID) -> Task:
    task = tx.session.scalars(
        select(Task).where(Task.id == task_id, Task.kind == INSPECTION).with_for_update()
    ).one_or_none()
    if task is None:
        raise NotFound("task_not_found")
    return task


def _end(tx: Tx, task: Task, verb: str, words: str) -> InspectionLine:
    task.status = next_status("task", task.status, verb, reason=words)
    task.finished_at, task.finished_by = tx.now, tx.actor.account_id
    line = {"at": tx.now.isoformat(), "by": tx.actor.display_name, "verb": verb, "words": words}
    task.history = [*task.history, line]
    audit(tx, f"task.{verb}", "task", task.id, reason=words if verb == "cancel" else None)
    return _line(tx, task)


def _is_mine(tx: Tx, task: Task) -> bool:
    return tx.actor.account_id is not None and task.params.get("asked_by_id") == str(tx.actor.account_id)


def _line(tx: Tx, task: Task) -> InspectionLine:
    params = task.params
    return InspectionLine(
        id=task.id,
        area_id=task.area_id,
        area_name=params.get("area"),
        status=task.status,
        note=str(params.get("note", "")),
        reason=params.get("reason", {}),
        created_at=task.created_at,
        asked_by=str(params.get("asked_by", "")),
        finished_at=task.finished_at,
        result=next((line["words"] for line in reversed(task.history) if line.get("words")), None),
        mine=_is_mine(tx, task),
    )
