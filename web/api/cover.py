"""Cover: which areas have nobody free in time, who could move up, and the rings of minutes around a unit or an area."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from shapely.geometry import mapping
from typing_extensions import TypedDict

from gridmap.domain.travel import Mode
from gridmap.errors import Invalid
from gridmap.services import cover_reading
from gridmap.services.cover_reading import CoverLine, Judgement
from web.guards import requires
from web.outputs import returns
from web.schemas import AreaId, Query
from web.site import as_caller, site

cover = APIBlueprint("cover", __name__, url_prefix="/api/cover", tag="cover")


class CoverQuery(Query):
    gaps: bool = False


class RingQuery(Query):
    """Around a unit, or around an area for whoever comes by `mode`."""

    unit: UUID | None = None
    area: AreaId | None = None
    mode: Mode = Mode.CAR


class Judged(TypedDict):
    """`judgement` is null until the worker has judged for the first time."""

    judgement: Judgement | None


class Ring(TypedDict):
    """A GeoJSON feature; its properties are `minutes`, `mode`, `direction` (out or in), `method` and `why`.

    `method` is "straight_line" only while the roads cannot be asked; `why` says why not.
    """

    type: Literal["Feature"]
    geometry: dict[str, Any]
    properties: dict[str, Any]


class Rings(TypedDict):
    """GeoJSON, the smallest ring first."""

    type: Literal["FeatureCollection"]
    features: list[Ring]


@cover.get("")
@cover.input(CoverQuery, location="query", arg_name="query")
@returns(CoverLine, many=True, more=Judged)
@requires("unit.read")
def list_cover(query: CoverQuery) -> dict[str, Any]:
    """Cover of the areas in my sight, gaps first; with `gaps` those only."""
    with as_caller() as tx:
        found = cover_reading.list_cover(tx, gaps_only=query.gaps)
        return {"items": found, "judgement": cover_reading.find_judgement(tx)}


@cover.get("/rings")
@cover.input(RingQuery, location="query", arg_name="query")
@returns(Rings)
@requires("unit.read")
def show_rings(query: RingQuery) -> Rings:
    """What a unit reaches within 1, 3 and 5 minutes by road, or from where an area is reached."""
    if (query.unit is None) == (query.area is None):
        raise Invalid("invalid_fields", fields={"unit": "one_of", "area": "one_of"})
    with as_caller() as tx:
        if query.unit is not None:
            centre = cover_reading.centre_of_unit(tx, query.unit)
        else:
            centre = cover_reading.centre_of_area(tx, query.area or 0, query.mode)
    found = cover_reading.rings(site().router, centre)
    direction = "in" if centre.inward else "out"
    features: list[Ring] = [
        {
            "type": "Feature",
            "geometry": mapping(ring.geometry),
            "properties": {
                "minutes": ring.minutes,
                "mode": centre.mode.value,
                "direction": direction,
                "method": ring.method,
                "why": ring.reason,
            },
        }
        for ring in found
    ]
    return {"type": "FeatureCollection", "features": features}
