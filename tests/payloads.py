"""What the apps really send, shaped like their own recordings; times and places are put in by the tests.

OwnTracks: owntracks.org/booklet/tech/json. OsmAnd: traccar.org/osmand and what Traccar Client 9 posts.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

OWNTRACKS_ANDROID = {
    "_type": "location",
    "BSSID": "02:00:00:00:00:00",
    "SSID": "grid-office",
    "_id": "6f2b9d3a",
    "acc": 12,
    "alt": 44,
    "batt": 71,
    "bs": 1,
    "cog": 271,
    "conn": "m",
    "created_at": 1780286405,
    "m": 2,
    "t": "t",
    "tid": "d7",
    "vac": 3,
    "vel": 18,
}
OWNTRACKS_IOS = {
    "_type": "location",
    "acc": 4,
    "alt": 36,
    "batt": 55,
    "bs": 1,
    "conn": "w",
    "inregions": ["office"],
    "inrids": ["6da9cf"],
    "m": 1,
    "p": 101.128,
    "tid": "d7",
    "topic": "owntracks/d7/phone",
    "vac": 3,
    "vel": 0,
}
OWNTRACKS_TRANSITION = {
    "_type": "transition",
    "acc": 65.0,
    "desc": "office",
    "event": "leave",
    "rid": "6da9cf",
    "t": "c",
    "tid": "d7",
    "wtst": 1780200000,
}
# Nothing to place in these, and none of them may ever be refused.
OWNTRACKS_OTHERS: tuple[dict[str, Any], ...] = (
    {"_type": "lwt", "tst": 1780286405},
    {
        "_type": "waypoint",
        "desc": "office",
        "lat": 28.2,
        "lon": 113.0,
        "rad": 80,
        "tst": 1780200000,
        "rid": "6da9cf",
    },
    {
        "_type": "waypoints",
        "waypoints": [{"_type": "waypoint", "desc": "a", "lat": 1.0, "lon": 2.0, "tst": 1}],
    },
    {"_type": "cmd", "action": "reportLocation"},
    {"_type": "card", "name": "Paul", "tid": "d7"},
    {"_type": "configuration", "mode": 3},
    {"_type": "status", "android": {"hib": 0, "bo": 0, "loc": 0, "ps": 0, "wifi": 1}, "_id": "6f2b"},
    {
        "_type": "beacon",
        "desc": "gate",
        "uuid": "cca7b98e",
        "major": 1,
        "minor": 2,
        "tst": 1780286405,
        "acc": 1,
        "rssi": -60,
        "prox": 1,
    },
    {"_type": "steps", "tst": 1780286405, "steps": 412, "from": 1780200000, "to": 1780286400},
    {"_type": "request", "request": "tours"},
    {"_type": "something_of_next_year", "lat": 1, "lon": 2},
    {"_type": "encrypted", "data": "4nQ0GFVHtGyJMHG8R1xJ1Q=="},
)


def owntracks(kind: dict[str, Any], lon: float, lat: float, tst: int) -> bytes:
    return json.dumps({**kind, "lon": lon, "lat": lat, "tst": tst}).encode()


def osmand_query(key: str, lon: float, lat: float, timestamp: object, **more: object) -> str:
    """As OsmAnd, Traccar Client 8 and trackers write it."""
    values = {
        "id": key,
        "lat": lat,
        "lon": lon,
        "timestamp": timestamp,
        "speed": 9.719,
        "bearing": 271.5,
        "altitude": 44.2,
        "accuracy": 9.6,
        "batt": 71.0,
        **more,
    }
    return urlencode(values)


def traccar_json(key: str, lon: float, lat: float, timestamp: str, **more: object) -> dict[str, Any]:
    """As Traccar Client 9 posts it on Android."""
    location = {
        "timestamp": timestamp,
        "coords": {
            "latitude": lat,
            "longitude": lon,
            "accuracy": 3.8,
            "speed": 5.0,
            "speed_accuracy": 0.26,
            "heading": 63,
            "heading_accuracy": 0.28,
            "altitude": 35.7,
            "altitude_accuracy": 3.8,
        },
        "is_moving": True,
        "odometer": 812.4,
        "event": "motionchange",
        "uuid": "0e9a2473-a9a7-4c00-997b-fb97d2154e75",
        "activity": {"type": "on_bicycle", "confidence": 100},
        "battery": {"is_charging": False, "level": 0.71},
        "extras": {},
        "_": f"&id={key}&lat={lat}&lon={lon}&timestamp={timestamp}&",
        **more,
    }
    return {"location": location, "device_id": key}


# As iOS sends it from a simulator: -1 stands for everything that is not known.
TRACCAR_IOS_UNKNOWN = {
    "extras": {},
    "mock": True,
    "coords": {
        "speed_accuracy": -1,
        "speed": -1,
        "longitude": 113.0,
        "ellipsoidal_altitude": 0,
        "floor": None,
        "heading_accuracy": -1,
        "latitude": 28.2,
        "accuracy": 5,
        "altitude_accuracy": -1,
        "altitude": 0,
        "heading": -1,
    },
    "is_moving": False,
    "age": 188,
    "odometer": 0,
    "event": "motionchange",
    "battery": {"level": -1, "is_charging": False},
    "activity": {"type": "unknown", "confidence": 100},
    "timestamp": "2026-06-01T04:00:00.579Z",
}
