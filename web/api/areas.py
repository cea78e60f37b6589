"""The tree of areas, with what the caller may count in each."""

from __future__ import annotations

from typing import Any, Literal

from apiflask import APIBlueprint

from gridmap.services.areas import AreaRow, get_area, list_children
from web.encoding import fields_of
from web.guards import requires
from web.outputs import returns
from web.schemas import AreaId, Key, Query
from web.site import as_caller

areas = APIBlueprint("areas", __name__, url_prefix="/api/areas", tag="areas")


class AreaQuery(Query):
    parent: AreaId | Literal["root"] = "root"
    tree: Key = "admin"


@areas.get("")
@areas.input(AreaQuery, location="query", arg_name="query")
@returns(AreaRow, many=True)
@requires("area.read")
def list_areas(query: AreaQuery) -> dict[str, Any]:
    """The areas right under `parent`, by code."""
    with as_caller() as tx:
        parent_id = query.parent if isinstance(query.parent, int) else None
        return {"items": list_children(tx, parent_id, query.tree)}


@areas.get("/<int:area_id>")
@requires("area.read")
def show_area(area_id: int) -> dict[str, Any]:
    """One area with its outline and its parents."""
    with as_caller() as tx:
        row, geometry, parents = get_area(tx, min(area_id, 2**31 - 1))
    return {**fields_of(row), "parents": parents, "geometry": geometry}
