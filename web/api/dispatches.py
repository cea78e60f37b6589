"""What a unit answers to a job, step by step, and a seat's calling it off."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field

from gridmap.services.dispatching import offers, steps
from gridmap.services.dispatching.supplement import add_to_result, no_photo
from web import shapes_jobs
from web.guards import requires
from web.job_steps import do_step
from web.outputs import returns
from web.schemas import Body, Empty, Key, OptionalText, WithReason

dispatches = APIBlueprint("dispatches", __name__, url_prefix="/api/dispatches", tag="dispatches")


class Decline(Body):
    reason: Key


class Supplement(Body):
    note: OptionalText = ""
    photo_ids: Annotated[list[UUID], Field(max_length=20)] = Field(default_factory=list)
    voice_id: UUID | None = None


class Done(Supplement):
    code: Key


@dispatches.post("/<uuid:dispatch_id>/accept")
@dispatches.input(Empty, arg_name="body")
@returns(shapes_jobs.DispatchLine)
@requires("job.work")
def accept(dispatch_id: UUID, body: Empty) -> shapes_jobs.DispatchLine:
    """Take the job; from here address and text are seen."""
    return do_step(lambda tx: offers.accept(tx, dispatch_id))


@dispatches.post("/<uuid:dispatch_id>/decline")
@dispatches.input(Decline, arg_name="body")
@returns(shapes_jobs.DispatchLine)
@requires("job.work")
def decline(dispatch_id: UUID, body: Decline) -> shapes_jobs.DispatchLine:
    """Say no, with a reason from the list."""
    return do_step(lambda tx: offers.decline(tx, dispatch_id, reason=body.reason))


@dispatches.post("/<uuid:dispatch_id>/depart")
@dispatches.input(Empty, arg_name="body")
@returns(shapes_jobs.DispatchLine)
@requires("job.work")
def depart(dispatch_id: UUID, body: Empty) -> shapes_jobs.DispatchLine:
    """On the way."""
    return do_step(lambda tx: steps.depart(tx, dispatch_id))


@dispatches.post("/<uuid:dispatch_id>/arrive")
@dispatches.input(Empty, arg_name="body")
@returns(shapes_jobs.DispatchLine)
@requires("job.work")
def arrive(dispatch_id: UUID, body: Empty) -> shapes_jobs.DispatchLine:
    """On scene."""
    return do_step(lambda tx: steps.arrive(tx, dispatch_id))


@dispatches.post("/<uuid:dispatch_id>/arrive-undo")
@dispatches.input(Empty, arg_name="body")
@returns(shapes_jobs.DispatchLine)
@requires("job.work")
def undo_arrival(dispatch_id: UUID, body: Empty) -> shapes_jobs.DispatchLine:
    """Not there yet after all."""
    return do_step(lambda tx: steps.undo_arrival(tx, dispatch_id))


@dispatches.post("/<uuid:dispatch_id>/done")
@dispatches.input(Done, arg_name="body")
@returns(shapes_jobs.DispatchLine)
@requires("job.work")
def done(dispatch_id: UUID, body: Done) -> shapes_jobs.DispatchLine:
    """Report the result; a photo where the class asks for one."""
    return do_step(
        lambda tx: steps.report_done(
            tx,
            dispatch_id,
            code=body.code,
            note=body.note,
            photo_ids=body.photo_ids,
            voice_id=body.voice_id,
        )
    )


@dispatches.post("/<uuid:dispatch_id>/supplement")
@dispatches.input(Supplement, arg_name="body")
@returns(shapes_jobs.DispatchLine)
@requires("job.work")
def supplement(dispatch_id: UUID, body: Supplement) -> shapes_jobs.DispatchLine:
    """Words, photos or a voice beside the result that stands, until the case is closed."""
    return do_step(
        lambda tx: add_to_result(
            tx, dispatch_id, note=body.note, photo_ids=body.photo_ids, voice_id=body.voice_id
        )
    )


@dispatches.post("/<uuid:dispatch_id>/no-photo")
@dispatches.input(WithReason, arg_name="body")
@returns(shapes_jobs.DispatchLine)
@requires("job.work", "case.dispatch")
def say_no_photo(dispatch_id: UUID, body: WithReason) -> shapes_jobs.DispatchLine:
    """The photo that was promised with a result by radio cannot be taken; nobody is asked for it any more."""
    return do_step(lambda tx: no_photo(tx, dispatch_id, reason=body.reason))


@dispatches.post("/<uuid:dispatch_id>/cancel")
@dispatches.input(WithReason, arg_name="body")
@returns(shapes_jobs.DispatchLine)
@requires("case.dispatch")
def cancel(dispatch_id: UUID, body: WithReason) -> shapes_jobs.DispatchLine:
    """Call it off."""
    return do_step(lambda tx: steps.cancel(tx, dispatch_id, reason=body.reason))
