"""The phone of a patrol officer or grid worker."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field

from gridmap.db.tables import Dispatch, Task
from gridmap.services import patrol as service
from gridmap.services.case_queries import get_case_row
from gridmap.services.dispatching.offers import mark_seen
from gridmap.services.notices import list_notices
from gridmap.services.patrol import Job, PatrolState, Places
from gridmap.services.transaction import Tx
from web import shapes, shapes_jobs, shapes_response, shapes_watch
from web.guards import requires
from web.schemas import Body, Reason
from web.site import as_caller

patrol = APIBlueprint("patrol", __name__, url_prefix="/api/patrol", tag="patrol")
Json = dict[str, Any]


class DutyAction(Body):
    """`reason` is needed for a start that the roster does not know."""

    action: Literal["start", "stop", "break", "resume"]
    reason: Reason | None = None


class Seen(Body):
    dispatch_ids: Annotated[list[UUID], Field(max_length=100)]


@patrol.get("/state")
@requires("job.work")
def state() -> Json:
    """Everything the phone shows. Offers read here count as delivered."""
    with as_caller() as tx:
        return _state(tx, service.get_state(tx))


@patrol.post("/duty")
@patrol.input(DutyAction, arg_name="body")
@requires("job.work")
def duty(body: DutyAction) -> Json:
    """Go on duty, off duty, on a break, or back from it."""
    with as_caller() as tx:
        service.set_duty(tx, body.action, reason=body.reason)
        tx.session.flush()
        return _state(tx, service.get_state(tx))


@patrol.post("/seen")
@patrol.input(Seen, arg_name="body")
@requires("job.work")
def seen(body: Seen) -> Json:
    """The offers that the phone shows now."""
    with as_caller() as tx:
        return {"counted": mark_seen(tx, body.dispatch_ids)}


def _state(tx: Tx, found: PatrolState) -> Json:
    unit, span = found.unit, found.duty
    return {
        "server_now": tx.now,
        "unit": {
            "id": unit.id,
            "call_sign": unit.call_sign,
            "kind": unit.kind,
            "mode": unit.mode,
            "status": unit.status,
        },
        "duty": {
            "on": span is not None,
            "on_break": unit.status == "break",
            "since": span.started_at if span else None,
            "ends_at": span.ends_at if span else None,
            "outside_reason": span.outside_reason if span else None,
            "roster": shapes_watch.roster(found.roster) if found.roster else None,
            "next_roster": shapes_watch.roster(found.next_roster) if found.next_roster else None,
        },
        "offers": [_offer(row, found.places.get(row.id)) for row in found.offers],
        "jobs": [_job(tx, job) for job in found.jobs],
        "done_today": [_job(tx, job) for job in found.done_today],
        "ended_today": [_ended(row) for row in found.ended_today],
        "reports_today": found.reports_today,
        "last_fix_at": found.latest.fixed_at if found.latest else None,
        "question": shapes_watch.question(found.question) if found.question else None,
        "notices": [shapes_response.notice(row) for row in list_notices(tx)],
        "sos": shapes_watch.sos_call(tx, found.sos) if found.sos else None,
    }


def _offer(row: Dispatch, places: Places | None) -> Json:
    callout = None
    if places is not None:
        callout = {
            "id": row.callout_id,
            "mode": places.mode,
            "wanted": places.wanted,
            "places_left": places.left,
        }
    return {**shapes_jobs.offer(row), "callout": callout}


def _ended(row: Dispatch) -> Json:
    """No more than the offer told: who was called off may not read the case any longer."""
    return {
        "id": row.id,
        "status": row.status,
        "class_key": row.offer["class_key"],
        "severity": row.offer["severity"],
        "area_name": row.offer["area_name"],
        "ended_at": row.ended_at,
        "end_reason": row.end_reason,
    }


def _task(row: Task) -> Json:
    return {"id": row.id, "name": row.params.get("name"), "status": row.status, "due_at": row.due_at}


def _job(tx: Tx, job: Job) -> Json:
    return {
        **shapes_jobs.dispatch_in(tx, job.dispatch),
        "tasks": [_task(row) for row in job.steps],
        "incident": {**shapes.summary(get_case_row(tx, job.incident.id)), "text": "\n\n".join(job.texts)},
    }
