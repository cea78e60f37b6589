"""The doors that phone apps and trackers already know: OwnTracks over HTTP, and the OsmAnd protocol of Traccar Client.

Every answer comes after the durable write. Whatever a known device sends is answered with success, kept or not: these
apps hold their whole queue back behind one message that was refused.
"""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, request

from gridmap.errors import GridmapError, Invalid
from gridmap.positions.decoders import osmand, owntracks
from gridmap.services.positions import Sent, receive_many
from web.device_door import device_of_basic, find_device_of_key
from web.errors import problem
from web.guards import by_device
from web.site import site

trackers = APIBlueprint("trackers", __name__, url_prefix="/api/trackers", tag="trackers")
_JSON = "application/json"


@trackers.post("/owntracks")
@by_device
def from_owntracks() -> Response:
    """OwnTracks in HTTP mode, log-in by HTTP Basic with the name and secret of the device's key.

    Answers [] for every message; nothing is pushed to the phone.
    """
    device = device_of_basic()
    try:
        message = owntracks.decode(request.get_data())
    except Invalid:
        message = owntracks.Message("unknown", fault="malformed")
    if message is not None and (message.reading or message.fault):
        readings = (message.reading,) if message.reading else ()
        receive_many(site().intake, [Sent(device, readings, (message.fault,) if message.fault else ())])
    return Response("[]", content_type=_JSON)


@trackers.route("/osmand", methods=["GET", "POST"])
@by_device
def from_osmand() -> Response:
    """The OsmAnd protocol: query, form or JSON; `id` (`device_id` in JSON) is the secret of the device's key.

    400 without an id or with an unknown one in a query or form, 404 for an unknown one in JSON, as these apps expect.
    """
    is_json = request.method == "POST" and request.mimetype == _JSON
    try:
        if is_json:
            message = osmand.decode_json(request.get_data())
        else:
            message = osmand.decode_parameters(request.values.items(), site().clock.now())
    except GridmapError as error:
        return problem(400, error.code, error.params)
    device = find_device_of_key(message.device_key)
    if device is None:
        return problem(404 if is_json else 400, "device_unknown")
    if message.readings or message.faults:
        receive_many(site().intake, [Sent(device, message.readings, message.faults)])
    return Response("", content_type="text/plain")
