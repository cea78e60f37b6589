"""Positions from our phone page and from gateways."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from gridmap.positions.decoders.phone import PhoneBatch
from gridmap.services.positions import receive_batch
from web import schemas as _strict  # noqa: F401  the reader of bodies is registered there
from web.guards import actor, briefly_remembered, requires
from web.outputs import returns
from web.shapes_devices import TakenLine
from web.site import site

positions = APIBlueprint("positions", __name__, url_prefix="/api/positions", tag="positions")


@positions.post("")
@positions.input(PhoneBatch, arg_name="body")
@returns(TakenLine)
@briefly_remembered
@requires("job.work", "position.gateway")
def receive(body: PhoneBatch) -> dict[str, Any]:
    """Take fixes of units on duty; those of units off duty are refused and not kept. Durable when answered."""
    taken = receive_batch(site().intake, actor(), body)
    return {
        "accepted": taken.accepted,
        "refused": [{"index": index, "code": code} for index, code in taken.refused],
    }
