"""Public cameras in a box, and one of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field

from gridmap.services.queries import places
from web.encoding import fields_of
from web.guards import requires
from web.outputs import IsCut, returns
from web.schemas import Bbox, Keys, Query
from web.site import as_caller

cameras = APIBlueprint("cameras", __name__, url_prefix="/api/cameras", tag="cameras")


class CameraQuery(Query):
    bbox: Bbox
    status: Keys = ()
    limit: int = Field(200, ge=1, le=places.MAX_CAMERAS)


@cameras.get("")
@cameras.input(CameraQuery, location="query", arg_name="query")
@returns(places.CameraRow, many=True, more=IsCut)
@requires("camera.read")
def list_cameras(query: CameraQuery) -> dict[str, Any]:
    """The cameras in a box, by name; `is_cut` when there are more."""
    with as_caller() as tx:
        found = places.list_cameras(tx, bbox=query.bbox, statuses=query.status, limit=query.limit)
    return {"items": found.items, "is_cut": found.is_cut}


@cameras.get("/<uuid:camera_id>")
@returns(places.CameraRow)
@requires("camera.read")
def show_camera(camera_id: UUID) -> dict[str, Any]:
    """One camera."""
    with as_caller() as tx:
        return fields_of(places.get_camera(tx, camera_id))
