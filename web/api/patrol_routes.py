"""Patrol routes: covered or not, by day."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from shapely.geometry import mapping
from typing_extensions import TypedDict

from gridmap.domain.patrol_legs import REACH_M
from gridmap.services import patrol_routes as service
from web.guards import requires
from web.outputs import returns
from web.schemas import Body, Empty, Query
from web.site import as_caller, local_metric

patrol_routes = APIBlueprint("patrol_routes", __name__, url_prefix="/api/patrol-routes", tag="patrol routes")
Json = dict[str, Any]


class RouteQuery(Query):
    """Without days: today."""

    since: date | None = Field(None, alias="from")
    until: date | None = Field(None, alias="to")


class LegQuery(Query):
    day: date | None = None


class DrawRoute(Body):
    """`geometry` is a GeoJSON LineString; `window` the hours that count, as 08:00-20:00."""

    name: Annotated[str, Field(min_length=1, max_length=service.MAX_NAME)]
    geometry: Json
    window: Annotated[str, Field(pattern=r"^\d\d:\d\d-\d\d:\d\d$")] | None = None
    reach_m: Annotated[float, Field(ge=5, le=200)] = REACH_M


class RouteLine(TypedDict):
    """A route and its days; `share` is how much of it somebody on duty came by, never who or how often."""

    id: UUID
    name: str | None
    window: str | None
    reach_m: float
    drawn: bool
    geometry: Json
    days: list[service.DayCover]


class LegCollection(TypedDict):
    """GeoJSON of the legs, each with `covered`."""

    type: str
    features: list[Json]


@patrol_routes.get("")
@patrol_routes.input(RouteQuery, location="query", arg_name="query")
@returns(RouteLine, many=True)
@requires("unit.read", "route.edit", "job.work")
def list_routes(query: RouteQuery) -> Json:
    """Routes in my sight with the share that was covered on each day."""
    with as_caller() as tx:
        today = tx.now.astimezone(tx.zone).date()
        since = query.since or query.until or today
        rows = service.list_routes(tx, local_metric(), since=since, until=query.until or max(since, today))
        return {"items": [_line(row) for row in rows]}


@patrol_routes.get("/<uuid:route_id>/legs")
@patrol_routes.input(LegQuery, location="query", arg_name="query")
@returns(LegCollection)
@requires("unit.read", "route.edit", "job.work")
def show_legs(route_id: UUID, query: LegQuery) -> LegCollection:
    """The legs of one route and which of them were covered on a day."""
    with as_caller() as tx:
        day = query.day or tx.now.astimezone(tx.zone).date()
        found = service.get_legs(tx, local_metric(), route_id, day)
    features = [
        {
            "type": "Feature",
            "geometry": mapping(leg),
            "properties": {"number": number, "covered": number in found.covered},
        }
        for number, leg in enumerate(found.legs)
    ]
    return {"type": "FeatureCollection", "features": features}


@patrol_routes.post("")
@patrol_routes.input(DrawRoute, arg_name="body")
@returns(RouteLine, status=201)
@requires("route.edit")
def draw_route(body: DrawRoute) -> tuple[RouteLine, int]:
    """Draw a route."""
    with as_caller() as tx:
        made = service.draw(
            tx, name=body.name, geometry=body.geometry, window=body.window, reach_m=body.reach_m
        )
        today = tx.now.astimezone(tx.zone).date()
        rows = service.list_routes(tx, local_metric(), since=today, until=today)
        return _line(next(row for row in rows if row.id == made.id)), 201


@patrol_routes.post("/<uuid:route_id>/withdraw")
@patrol_routes.input(Empty, arg_name="body")
@requires("route.edit")
def withdraw_route(route_id: UUID, body: Empty) -> Json:
    """A drawn route is walked no more."""
    with as_caller() as tx:
        service.withdraw(tx, route_id)
    return {}


def _line(row: service.RouteRow) -> RouteLine:
    return {
        "id": row.id,
        "name": row.name,
        "window": row.window,
        "reach_m": row.reach_m,
        "drawn": row.drawn,
        "geometry": mapping(row.line),
        "days": list(row.days),
    }
