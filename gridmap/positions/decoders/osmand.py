"""The OsmAnd protocol, spoken by Traccar Client and many trackers (traccar.org/osmand), in its three forms.

Query string and form body: one fix a request, speed in knots. JSON (Traccar Client 9 and later): speed in metres a
second, battery as a share of one, and -1 for "unknown".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gridmap.errors import Invalid
from gridmap.positions.decoders.fields import MAX_SPEED_MPS, accuracy, coordinate, moment, optional
from gridmap.positions.fixes import Reading

MPS_PER_KNOT = 1852 / 3600
_LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Message:
    """One request. `device_key` is what the sender calls itself; with us it is the device's secret.

    `faults` names each place that could not be read; a message without any place (cells, wifi, a heartbeat) has none.
    `alarm` is the sender's own word, such as "sos".
    """

    device_key: str
    readings: tuple[Reading, ...] = ()
    faults: tuple[str, ...] = ()
    alarm: str | None = None


def decode_parameters(pairs: Iterable[tuple[str, str]], received_at: datetime) -> Message:
    """Query string or form body. Raises Invalid("device_id_missing").

    Without a timestamp the fix is of the moment it was received.
    """
    given = dict(pairs)
    key = _key(given.get("id") or given.get("deviceid"))
    alarm = given.get("alarm")
    try:
        reading = _from_parameters(given, received_at)
    except Invalid:
        return Message(key, faults=("malformed",), alarm=alarm)
    if reading is None:
        return Message(key, alarm=alarm)
    if given.get("valid", "true").lower() not in ("true", "1"):
        return Message(key, faults=("not_valid",), alarm=alarm)
    return Message(key, (reading,), alarm=alarm)


def decode_json(payload: bytes) -> Message:
    """The JSON form; `location` is one place or a list of them.

    Raises Invalid("payload_malformed") for what is no JSON object, Invalid("device_id_missing").
    """
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        raise Invalid("payload_malformed", field="body") from None
    if not isinstance(body, dict):
        raise Invalid("payload_malformed", field="body")
    key = _key(body.get("device_id"))
    given = body.get("location")
    places = given if isinstance(given, list) else [given]
    readings: list[Reading] = []
    faults: list[str] = []
    alarm = None
    for place in places:
        if not isinstance(place, dict):
            faults += ["malformed"] if place is not None else []
            continue
        alarm = alarm or _alarm(place)
        try:
            found = _from_json(place)
        except Invalid:
            faults.append("malformed")
            continue
        readings += [found] if found is not None else []
    return Message(key, tuple(readings), tuple(faults), alarm)


def _key(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_KEY:
        raise Invalid("device_id_missing")
    return value


def _from_parameters(given: dict[str, str], received_at: datetime) -> Reading | None:
    lon, lat = given.get("lon"), given.get("lat")
    if given.get("location"):
        # This one is written latitude first.
        lat, _, lon = given["location"].partition(",")
    if lon is None or lat is None:
        return None
    speed_knots = optional(given.get("speed"), "speed", most=MAX_SPEED_MPS / MPS_PER_KNOT)
    return Reading(
        lon=coordinate(lon, "lon"),
        lat=coordinate(lat, "lat"),
        fixed_at=moment(given["timestamp"], "timestamp") if given.get("timestamp") else received_at,
        accuracy_m=accuracy(given.get("accuracy"), "accuracy"),
        speed_mps=None if speed_knots is None else speed_knots * MPS_PER_KNOT,
        heading_deg=optional(given.get("bearing") or given.get("heading"), "bearing", most=360),
        battery_pct=optional(given.get("batt"), "batt", most=100),
    )


def _from_json(place: dict[str, Any]) -> Reading | None:
    coords = place.get("coords")
    if coords is None:
        return None
    if not isinstance(coords, dict):
        raise Invalid("payload_malformed", field="coords")
    battery = place.get("battery")
    level = optional(battery.get("level"), "level", most=1) if isinstance(battery, dict) else None
    return Reading(
        lon=coordinate(coords.get("longitude"), "longitude"),
        lat=coordinate(coords.get("latitude"), "latitude"),
        fixed_at=moment(place.get("timestamp"), "timestamp"),
        accuracy_m=accuracy(coords.get("accuracy"), "accuracy"),
        speed_mps=optional(coords.get("speed"), "speed", most=MAX_SPEED_MPS),
        heading_deg=optional(coords.get("heading"), "heading", most=360),
        battery_pct=None if level is None else level * 100,
    )


def _alarm(place: dict[str, Any]) -> str | None:
    extras = place.get("extras")
    for holder in (place, extras if isinstance(extras, dict) else {}):
        if isinstance(holder.get("alarm"), str):
            return str(holder["alarm"])[:64]
    return None
