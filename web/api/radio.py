"""A job under way: what a seat says for a unit by radio, does to the job, and what the officer asks for from it."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field

from gridmap.errors import Conflict
from gridmap.services import recommending
from gridmap.services.dispatching import help as helping
from gridmap.services.dispatching import radio as service
from gridmap.services.dispatching.rows import find_dispatch
from gridmap.services.routing import Way
from web import shapes_jobs
from web.guards import requires
from web.job_steps import do_step
from web.outputs import returns
from web.schemas import Body, Key, OptionalText, Reason, WithReason
from web.site import as_caller, site

radio = APIBlueprint("radio", __name__, url_prefix="/api/dispatches", tag="dispatches")


class RadioStep(Body):
    """`reason` for declining; `code`, `note` and whether a photo follows for the result."""

    step: Literal["accept", "decline", "depart", "arrive", "done"]
    reason: Key | None = None
    code: Key | None = None
    note: OptionalText = ""
    photo_follows: bool = False


class DivertTo(Body):
    """`assign`: the unit took it over the radio, so nothing has to be accepted on the phone.

    `reason` may be left out where a rule allows it (the reason `divert` of a recommended unit).
    """

    to_incident_id: UUID
    reason: Reason | None = None
    assign: bool = False
    override_reason: Reason | None = None
    expires_s: Annotated[int, Field(ge=10, le=3_600)] | None = None


class HelpCall(Body):
    note: Annotated[str, Field(max_length=500)] | None = None


class Blocked(Body):
    reason: Key
    note: Annotated[str, Field(max_length=500)] | None = None


@radio.post("/<uuid:dispatch_id>/radio")
@radio.input(RadioStep, arg_name="body")
@returns(shapes_jobs.DispatchLine)
@requires("case.dispatch")
def say_step(dispatch_id: UUID, body: RadioStep) -> shapes_jobs.DispatchLine:
    """Do a step for a unit that said so over the radio; row and timeline say that it came that way."""
    said = service.Said(
        step=body.step,
        reason=body.reason,
        code=body.code,
        note=body.note,
        photo_follows=body.photo_follows,
    )
    return do_step(lambda tx: service.say_step(tx, dispatch_id, said))


@radio.post("/<uuid:dispatch_id>/recall")
@radio.input(WithReason, arg_name="body")
@returns(shapes_jobs.DispatchLine)
@requires("case.dispatch")
def recall(dispatch_id: UUID, body: WithReason) -> shapes_jobs.DispatchLine:
    """Bring the unit back before it has arrived."""
    return do_step(lambda tx: service.recall(tx, dispatch_id, reason=body.reason))


@radio.post("/<uuid:dispatch_id>/release")
@radio.input(WithReason, arg_name="body")
@returns(shapes_jobs.DispatchLine)
@requires("case.dispatch")
def release(dispatch_id: UUID, body: WithReason) -> shapes_jobs.DispatchLine:
    """Let the unit go from the scene without a result of its own."""
    return do_step(lambda tx: service.release(tx, dispatch_id, reason=body.reason))


@radio.post("/<uuid:dispatch_id>/divert")
@radio.input(DivertTo, arg_name="body")
@returns(shapes_jobs.DispatchLine, status=201)
@requires("case.dispatch")
def divert(dispatch_id: UUID, body: DivertTo) -> tuple[shapes_jobs.DispatchLine, int]:
    """End this job and offer the unit another, both or neither; answers the new dispatch."""
    here = site()
    way = _find_way(dispatch_id, body.to_incident_id)
    command = service.Divert(
        to_incident_id=body.to_incident_id,
        reason=body.reason or "",
        assign=body.assign,
        override_reason=body.override_reason,
        expires_s=body.expires_s or here.settings.offer_expires_s,
        travel_s=way.seconds if way else None,
        distance_m=way.distance_m if way else None,
        travel_method=way.method if way else None,
    )
    return do_step(lambda tx: service.divert(tx, dispatch_id, command)), 201


@radio.post("/<uuid:dispatch_id>/need-help")
@radio.input(HelpCall, arg_name="body")
@returns(shapes_jobs.DispatchLine)
@requires("job.work", "case.dispatch")
def need_help(dispatch_id: UUID, body: HelpCall) -> shapes_jobs.DispatchLine:
    """More people are needed here."""
    return do_step(lambda tx: helping.ask_for_help(tx, dispatch_id, note=body.note))


@radio.post("/<uuid:dispatch_id>/cannot-enter")
@radio.input(Blocked, arg_name="body")
@returns(shapes_jobs.DispatchLine)
@requires("job.work", "case.dispatch")
def cannot_enter(dispatch_id: UUID, body: Blocked) -> shapes_jobs.DispatchLine:
    """There, and not getting in."""
    return do_step(lambda tx: helping.cannot_enter(tx, dispatch_id, reason=body.reason, note=body.note))


def _find_way(dispatch_id: UUID, incident_id: UUID) -> Way | None:
    """The way to the new place; a unit that nobody can place is diverted without an estimate."""
    try:
        with as_caller() as tx:
            trip = recommending.find_trip(tx, incident_id, find_dispatch(tx, dispatch_id).unit_id)
    except Conflict:
        return None
    return recommending.find_way(site().router, trip)
