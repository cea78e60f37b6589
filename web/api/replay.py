"""An incident played again, and the report after it. Each look at the trails is written down with its reason."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, make_response
from shapely.geometry import mapping
from typing_extensions import TypedDict

from gridmap.domain.metric import LocalMetric
from gridmap.services import replay as service
from gridmap.services.after_action import get_after_action
from web import shapes, shapes_jobs
from web.after_action import render_after_action
from web.guards import requires
from web.outputs import returns
from web.schemas import Query, Reason
from web.site import as_caller, site

replay = APIBlueprint("replay", __name__, url_prefix="/api/incidents", tag="incidents")


class ReplayQuery(Query):
    """Why somebody's trail is looked at: it is written down."""

    reason: Reason


class ReportQuery(ReplayQuery):
    lang: Literal["zh", "en"] = "zh"


class ReplayLeg(TypedDict):
    """The way of one unit on this job."""

    dispatch: shapes_jobs.DispatchLine
    mode: str
    points: list[service.LegPoint]


class ReplayShape(TypedDict):
    """A fence of the call-out or a closure, GeoJSON, and when it held."""

    id: UUID
    kind: str
    label: str
    geometry: dict[str, Any]
    since: datetime
    until: datetime | None


class ReplayLine(TypedDict):
    incident: shapes.IncidentSummary
    since: datetime
    until: datetime
    events: list[shapes.TimelineEvent]
    legs: list[ReplayLeg]
    shapes: list[ReplayShape]


@replay.get("/<uuid:incident_id>/replay")
@replay.input(ReplayQuery, location="query", arg_name="query")
@returns(ReplayLine)
@requires("case.verify")
def show_replay(incident_id: UUID, query: ReplayQuery) -> ReplayLine:
    """Timeline, ways of the assigned units, fences and closures of the time."""
    with as_caller() as tx:
        found = service.get_replay(tx, incident_id, reason=query.reason)
        return {
            "incident": shapes.summary(found.row),
            "since": found.since,
            "until": found.until,
            "events": [shapes.timeline_event(row) for row in found.events],
            "legs": [
                {
                    "dispatch": shapes_jobs.dispatch(leg.dispatch, leg.call_sign),
                    "mode": leg.mode,
                    "points": list(leg.points),
                }
                for leg in found.legs
            ],
            "shapes": [
                {
                    "id": shape.id,
                    "kind": shape.kind,
                    "label": shape.label,
                    "geometry": mapping(shape.geometry),
                    "since": shape.since,
                    "until": shape.until,
                }
                for shape in found.shapes
            ],
        }


@replay.get("/<uuid:incident_id>/after-action")
@replay.input(ReportQuery, location="query", arg_name="query")
@requires("case.verify")
def after_action(incident_id: UUID, query: ReportQuery) -> Response:
    """One HTML file that needs nothing else."""
    here = site()
    with as_caller() as tx:
        found = get_after_action(tx, incident_id, reason=query.reason)
        page = render_after_action(found, query.lang, tx.zone, LocalMetric(here.settings.local_crs))
    answer = make_response(page)
    answer.mimetype = "text/html"
    name = f"after-action-{found.incident.number}.html"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
