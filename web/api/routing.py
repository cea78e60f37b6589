"""Asking the roads: what is reached in some minutes, and whom to send when several incidents are open."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import BeforeValidator, Field

from gridmap.domain.travel import LonLat, Mode
from gridmap.services import assigning, closures
from gridmap.services.routing import reached_within
from web import shapes_routing
from web.guards import requires
from web.outputs import returns
from web.schemas import Lat, Lon, Query
from web.site import as_caller, site

routing = APIBlueprint("routing", __name__, url_prefix="/api", tag="routing")


def _parts(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


Minutes = Annotated[
    tuple[Annotated[float, Field(gt=0, le=120)], ...],
    BeforeValidator(_parts),
    Field(min_length=1, max_length=4),
]
Incidents = Annotated[
    tuple[UUID, ...],
    BeforeValidator(_parts),
    Field(min_length=1, max_length=assigning.MAX_INCIDENTS),
]


class IsochroneQuery(Query):
    """`reverse`: from where the place is reached, instead of what is reached from it."""

    lon: Lon
    lat: Lat
    mode: Mode
    minutes: Minutes = (1.0, 3.0, 5.0)
    reverse: bool = False


class JointQuery(Query):
    incidents: Incidents


@routing.get("/routing/isochrone")
@routing.input(IsochroneQuery, location="query", arg_name="query")
@returns(shapes_routing.IsochroneLine, many=True)
@requires("area.read")
def show_isochrone(query: IsochroneQuery) -> dict[str, Any]:
    """What is reached by road within each of the minutes, past what is closed now."""
    with as_caller() as tx:
        closed = closures.active(tx)
    place = LonLat(query.lon, query.lat)
    minutes = tuple(dict.fromkeys(query.minutes))
    found = reached_within(site().router, place, query.mode, minutes, closed, reverse=query.reverse)
    return {"items": [shapes_routing.isochrone(one) for one in found]}


@routing.get("/recommendations")
@routing.input(JointQuery, location="query", arg_name="query")
@returns(shapes_routing.JointLine)
@requires("case.dispatch")
def recommend_jointly(query: JointQuery) -> shapes_routing.JointLine:
    """Who should go where when all of these are open, and what that gains over one by one."""
    with as_caller() as tx:
        candidates = assigning.list_all_candidates(tx, query.incidents)
    return shapes_routing.joint(assigning.recommend_jointly(candidates, site().router))
