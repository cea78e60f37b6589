"""The live feed."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, request

from web.guards import actor, signed_in
from web.site import site

live = APIBlueprint("live", __name__, url_prefix="/api", tag="live")


@live.get("/live")
@live.doc(responses={200: "Events incident, dispatch, alarm, unit, units, layer_changed, resync, beat"})
@signed_in
def stream() -> Response:
    """Server-sent events of what changes within my scope; resumed by Last-Event-ID ("epoch-xid-id")."""
    if request.method == "HEAD":
        return Response(mimetype="text/event-stream")
    frames = site().live.attach(actor(), request.headers.get("Last-Event-ID"))
    response = Response(frames, mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store, no-transform"
    # nginx would hold events back to fill its buffer.
    response.headers["X-Accel-Buffering"] = "no"
    return response
