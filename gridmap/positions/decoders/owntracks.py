"""OwnTracks JSON, the same over HTTP and MQTT (owntracks.org/booklet/tech/json).

One object a message, told apart by `_type`. Speed is km/h and time epoch seconds there; what is absent is zero or
unknown. Only places are read: steps, beacons, waypoints, cards and status say nothing that dispatch needs, so they are
named and dropped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from gridmap.errors import Invalid
from gridmap.positions.decoders.fields import MAX_SPEED_MPS, accuracy, coordinate, moment, optional
from gridmap.positions.fixes import Reading

KMH_PER_MPS = 3.6
# Every type of the protocol's page; all are answered with success, or the app stops sending (owntracks/ios#663).
KNOWN_TYPES = frozenset(
    {
        "beacon",
        "card",
        "cmd",
        "configuration",
        "encrypted",
        "location",
        "lwt",
        "request",
        "status",
        "steps",
        "transition",
        "waypoint",
        "waypoints",
    }
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `reading` is there for a location or a transition whose coordinates could be read.

    `fault` names why it could not, or why nothing was read of a type that might hold a place ("encrypted").
    `topic` is the MQTT topic as the app repeats it, `trigger` the letter that says why it reports ("p" ping, "u" user).
    """

    type: str
    reading: Reading | None = None
    fault: str | None = None
    topic: str | None = None
    trigger: str | None = None
    event: str | None = None


def decode(payload: bytes) -> Message | None:
    """The message of a payload; None for an empty one, which the app sends when a friend is removed.

    Raises Invalid("payload_malformed") for what is not an OwnTracks message at all.
    """
    if not payload.strip():
        return None
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        raise Invalid("payload_malformed", field="body") from None
    kind = body.get("_type") if isinstance(body, dict) else None
    if not isinstance(kind, str):
        raise Invalid("payload_malformed", field="_type")
    if kind == "encrypted":
        return Message(kind, fault="encrypted")
    if kind not in ("location", "transition"):
        return Message(kind if kind in KNOWN_TYPES else "unknown")
    return _placed(kind, body)


def _placed(kind: str, body: dict[str, Any]) -> Message:
    try:
        reading = Reading(
            lon=coordinate(body.get("lon"), "lon"),
            lat=coordinate(body.get("lat"), "lat"),
            fixed_at=moment(body.get("tst"), "tst"),
            accuracy_m=accuracy(body.get("acc"), "acc"),
            speed_mps=_mps(optional(body.get("vel"), "vel", most=MAX_SPEED_MPS * KMH_PER_MPS)),
            heading_deg=optional(body.get("cog"), "cog", most=360),
            battery_pct=optional(body.get("batt"), "batt", most=100),
        )
    except Invalid:
        return Message(kind, fault="malformed")
    return Message(
        kind,
        reading,
        topic=_text(body.get("topic")),
        trigger=_text(body.get("t")),
        event=_text(body.get("event")),
    )


def _mps(kmh: float | None) -> float | None:
    return None if kmh is None else kmh / KMH_PER_MPS


def _text(value: object) -> str | None:
    return value[:200] if isinstance(value, str) and value else None
