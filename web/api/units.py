"""Units on duty and where they are."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from gridmap.services.queries import places
from web.guards import requires
from web.outputs import IsCut, returns
from web.schemas import Bbox, Keys, Query
from web.site import as_caller

units = APIBlueprint("units", __name__, url_prefix="/api/units", tag="units")


class UnitQuery(Query):
    bbox: Bbox | None = None
    status: Keys = ()


@units.get("")
@units.input(UnitQuery, location="query", arg_name="query")
@returns(places.UnitRow, many=True, more=IsCut)
@requires("unit.read")
def list_units(query: UnitQuery) -> dict[str, Any]:
    """Units in my sight, those on duty unless `status` says otherwise."""
    with as_caller() as tx:
        found = places.list_units(tx, statuses=query.status, bbox=query.bbox)
    return {"items": found, "is_cut": len(found) >= places.MAX_UNITS}
