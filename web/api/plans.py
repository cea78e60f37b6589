"""Response plans: the list, the one that fits a case with whom it would ask, starting and ending one."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field

from gridmap.services import plans as service
from gridmap.services.dispatching.plan_trial import read_trial, try_levels
from gridmap.services.dispatching.previewing import preview_asked, read_preview
from gridmap.services.queries.response import read_response
from web import shapes_plans
from web import shapes_response as shapes
from web.guards import requires, signed_in
from web.outputs import returns
from web.schemas import Body, Key, Reason
from web.site import as_caller, site

plans = APIBlueprint("plans", __name__, url_prefix="/api", tag="plans")
Json = dict[str, Any]


class StartPlan(Body):
    """Without a key the plan that fits best is started."""

    plan_key: Key | None = None


class EndPlan(Body):
    plan_key: Key
    reason: Reason


class ChangePlan(Body):
    """The whole plan in the form of data/vocab/plans.toml.

    `based_on` is the version it was written from, 0 for a new plan: refused when another is in use by now.
    """

    plan: Json
    based_on: Annotated[int, Field(ge=0)] | None = None


class TryPlan(Body):
    plan: Json
    incident_id: UUID


@plans.get("/plans")
@returns(shapes_plans.PlanLine, many=True)
@signed_in
def list_plans() -> Json:
    """Every plan in its newest version."""
    with as_caller() as tx:
        return {"items": [shapes_plans.plan(found) for found in service.current_plans(tx)]}


@plans.post("/plans/<key>")
@plans.input(ChangePlan, arg_name="body")
@returns(shapes_plans.PlanLine)
@requires("response.edit")
def change_plan(key: str, body: ChangePlan) -> shapes_plans.PlanLine:
    """The next version of a plan, or a new plan; what was started goes on by its own version."""
    with as_caller() as tx:
        return shapes_plans.plan(service.change_plan(tx, key, body.plan, based_on=body.based_on))


@plans.get("/plans/<key>/versions")
@returns(shapes_plans.PlanVersionLine, many=True)
@requires("response.edit")
def list_versions(key: str) -> Json:
    """Every version of a plan as it was written, the newest first."""
    with as_caller() as tx:
        return {"items": [shapes_plans.plan_version(row) for row in service.list_versions(tx, key)]}


@plans.post("/plans/<key>/check")
@plans.input(ChangePlan, arg_name="body")
@returns(shapes_plans.PlanLine)
@requires("response.edit")
def check_plan(key: str, body: ChangePlan) -> shapes_plans.PlanLine:
    """The plan as it would be gone by, or what is wrong with it; nothing is written."""
    return shapes_plans.plan_line(service.read_plan(key, body.plan), 0)


@plans.post("/plans/<key>/try")
@plans.input(TryPlan, arg_name="body")
@returns(shapes_plans.PlanTrialLine)
@requires("response.edit")
def try_plan(key: str, body: TryPlan) -> shapes_plans.PlanTrialLine:
    """What the plan would do for one case now, level by level if nobody said yes; nobody is asked."""
    plan = service.read_plan(key, body.plan)
    with as_caller() as tx:
        trial = read_trial(tx, plan, body.incident_id)
    return shapes_plans.plan_trial(trial, try_levels(trial, site().router))


@plans.get("/incidents/<uuid:incident_id>/plan")
@returns(shapes_plans.PlanPreview)
@requires("case.dispatch")
def show_plan(incident_id: UUID) -> shapes_plans.PlanPreview:
    """The plan that fits, what runs already, and whom its first level would ask now."""
    with as_caller() as tx:
        preview = read_preview(tx, incident_id)
        running = [shapes.run(row) for row in service.running_plans(tx, incident_id)]
    who = preview_asked(preview, site().router)
    return {
        "match": shapes_plans.plan(preview.plan) if preview.plan else None,
        "running": running,
        "who": [shapes.asked(one) for one in who],
        "wanted": preview.wanted,
    }


@plans.post("/incidents/<uuid:incident_id>/plan/start")
@plans.input(StartPlan, arg_name="body")
@returns(shapes.ResponseLine, status=201)
@requires("case.dispatch")
def start_plan(incident_id: UUID, body: StartPlan) -> tuple[shapes.ResponseLine, int]:
    """Start a plan: its first level is called out and its checklist laid down."""
    with as_caller() as tx:
        service.start_plan(tx, incident_id, plan_key=body.plan_key)
        return shapes.response(read_response(tx, incident_id)), 201


@plans.post("/incidents/<uuid:incident_id>/plan/end")
@plans.input(EndPlan, arg_name="body")
@returns(shapes.ResponseLine)
@requires("case.dispatch")
def end_plan(incident_id: UUID, body: EndPlan) -> shapes.ResponseLine:
    """End a running plan: its call-outs stop, its open steps are cancelled, with the reason."""
    with as_caller() as tx:
        service.end_plan(tx, incident_id, plan_key=body.plan_key, reason=body.reason)
        return shapes.response(read_response(tx, incident_id))
