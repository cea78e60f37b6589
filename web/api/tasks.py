"""The steps of a plan's checklist."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint

from gridmap.services.task_pauses import pause_task, resume_task
from gridmap.services.tasks import cancel_task, finish_task
from web import shapes_response as shapes
from web.guards import requires, signed_in
from web.outputs import returns
from web.schemas import Body, Empty, Key, Reason, WithReason
from web.site import as_caller

tasks = APIBlueprint("tasks", __name__, url_prefix="/api/tasks", tag="tasks")


class Finish(Body):
    note: Reason | None = None


class Pause(Body):
    """`reason` is a row of the list pause_reasons; some need words too."""

    reason: Key
    note: Reason | None = None


@tasks.post("/<uuid:task_id>/finish")
@tasks.input(Finish, arg_name="body")
@returns(shapes.TaskLine)
@signed_in
def finish(task_id: UUID, body: Finish) -> shapes.TaskLine:
    """Done, by me, now."""
    with as_caller() as tx:
        return shapes.task(finish_task(tx, task_id, note=body.note))


@tasks.post("/<uuid:task_id>/cancel")
@tasks.input(WithReason, arg_name="body")
@returns(shapes.TaskLine)
@signed_in
def cancel(task_id: UUID, body: WithReason) -> shapes.TaskLine:
    """Not to be done, and why."""
    with as_caller() as tx:
        return shapes.task(cancel_task(tx, task_id, reason=body.reason))


@tasks.post("/<uuid:task_id>/pause")
@tasks.input(Pause, arg_name="body")
@returns(shapes.TaskLine)
@requires("case.handle")
def pause(task_id: UUID, body: Pause) -> shapes.TaskLine:
    """It waits for somebody outside: its clock stands until somebody takes it up again, or it waits too long."""
    with as_caller() as tx:
        return shapes.task(pause_task(tx, task_id, reason=body.reason, words=body.note))


@tasks.post("/<uuid:task_id>/resume")
@tasks.input(Empty, arg_name="body")
@returns(shapes.TaskLine)
@requires("case.handle")
def resume(task_id: UUID, body: Empty) -> shapes.TaskLine:
    """The clock counts on from where it stood."""
    with as_caller() as tx:
        return shapes.task(resume_task(tx, task_id))
