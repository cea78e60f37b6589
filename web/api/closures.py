"""Closed roads: drawn, listed, opened again."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import shapely
from apiflask import APIBlueprint
from pydantic import Field
from shapely.errors import ShapelyError

from gridmap.domain.closures import MAX_CORNERS
from gridmap.errors import Invalid
from gridmap.services import closures as services
from web import shapes_routing
from web.guards import requires, signed_in
from web.outputs import returns
from web.schemas import Body, Key, Lat, Lon, Moment, OptionalText, Query, Reason
from web.site import as_caller, local_metric

closures = APIBlueprint("closures", __name__, url_prefix="/api/closures", tag="closures")

Corner = tuple[Lon, Lat]
Corners = Annotated[list[Corner], Field(min_length=2, max_length=MAX_CORNERS)]
Rings = Annotated[list[Corners], Field(min_length=1, max_length=1)]


class DrawnLine(Body):
    """A GeoJSON line."""

    type: Literal["LineString"]
    coordinates: Corners


class DrawnArea(Body):
    """A GeoJSON polygon without holes."""

    type: Literal["Polygon"]
    coordinates: Rings


class CloseRoad(Body):
    geometry: DrawnLine | DrawnArea = Field(discriminator="type")
    reason: Key
    note: OptionalText | None = None
    modes: Annotated[list[Key], Field(max_length=10)] = Field(default_factory=list)
    starts_at: Moment | None = None
    ends_at: Moment | None = None


class OpenRoad(Body):
    reason: Reason | None = None


class ListQuery(Query):
    over: bool = False


@closures.get("")
@closures.input(ListQuery, location="query", arg_name="query")
@returns(shapes_routing.ClosureLine, many=True)
@signed_in
def list_closures(query: ListQuery) -> dict[str, Any]:
    """What is closed or will be; with `over` also what was, the newest first."""
    with as_caller() as tx:
        found = services.list_closures(tx, include_over=query.over)
        return {"items": [shapes_routing.closure(row, tx.now) for row in found]}


@closures.post("")
@closures.input(CloseRoad, arg_name="body")
@returns(shapes_routing.ClosureLine, status=201)
@requires("closure.edit")
def close_road(body: CloseRoad) -> tuple[shapes_routing.ClosureLine, int]:
    """Shut a drawn line or area; the next route and ranking know it."""
    command = services.CloseRoad(
        drawn=_shape(body.geometry),
        reason=body.reason,
        note=body.note,
        modes=body.modes,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
    )
    with as_caller() as tx:
        row = services.close_road(tx, command, local_metric())
        return shapes_routing.closure(row, tx.now), 201


@closures.post("/<uuid:closure_id>/end")
@closures.input(OpenRoad, arg_name="body")
@returns(shapes_routing.ClosureLine)
@requires("closure.edit")
def open_road(closure_id: UUID, body: OpenRoad) -> shapes_routing.ClosureLine:
    """Open it again before its time."""
    with as_caller() as tx:
        return shapes_routing.closure(services.open_road(tx, closure_id, reason=body.reason), tx.now)


def _shape(drawn: DrawnLine | DrawnArea) -> Any:
    try:
        if isinstance(drawn, DrawnLine):
            return shapely.LineString(drawn.coordinates)
        return shapely.Polygon(drawn.coordinates[0])
    except (ValueError, ShapelyError) as error:
        raise Invalid("closure_shape_invalid", kind=drawn.type) from error
