"""What a screen on the wall shows."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from gridmap.services.wall import Wall, read_wall
from web.encoding import fields_of
from web.guards import requires
from web.outputs import returns
from web.site import as_caller

wall = APIBlueprint("wall", __name__, url_prefix="/api/wall", tag="incidents")


@wall.get("")
@returns(Wall)
@requires("case.wall", "case.read")
def show_wall() -> dict[str, Any]:
    """Counts and rough places of open work: no number, name, contact or exact place."""
    with as_caller() as tx:
        return fields_of(read_wall(tx))
