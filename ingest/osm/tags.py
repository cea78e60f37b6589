"""What a tagged thing is to us. Keys and values as in https://wiki.openstreetmap.org/wiki/Map_features."""

from __future__ import annotations

import re
from collections.abc import Mapping

Tags = Mapping[str, str]

# highway=* values that nobody can move along.
_NO_WAY = {
    "proposed",
    "construction",
    "razed",
    "abandoned",
    "platform",
    "rest_area",
    "services",
    "elevator",
    "raceway",
    "no",
}
_WATER_LANDUSE = {"reservoir", "basin", "salt_pond"}
_WATER_LINES = {"river", "canal", "stream", "drain", "ditch"}
_GREEN = {
    "leisure": {"park", "garden", "nature_reserve", "golf_course", "pitch", "playground", "dog_park"},
    "landuse": {
        "forest",
        "grass",
        "meadow",
        "orchard",
        "vineyard",
        "recreation_ground",
        "village_green",
        "cemetery",
        "allotments",
        "farmland",
        "greenfield",
        "flowerbed",
        "plant_nursery",
    },
    "natural": {"wood", "scrub", "grassland", "heath", "wetland"},
}
_NOT_BUILDINGS = {"no", "entrance", "proposed", "construction"}

# place=* with the weight in a search and the radius in metres that its label point stands for.
PLACES: dict[str, tuple[float, float]] = {
    "city": (10.0, 8000.0),
    "town": (8.0, 3000.0),
    "borough": (7.0, 3000.0),
    "suburb": (6.0, 2000.0),
    "quarter": (5.0, 1000.0),
    "village": (5.0, 800.0),
    "neighbourhood": (4.0, 400.0),
    "city_block": (3.0, 200.0),
    "hamlet": (3.0, 300.0),
    "square": (3.0, 100.0),
    "isolated_dwelling": (2.0, 100.0),
    "locality": (2.0, 500.0),
    "island": (4.0, 2000.0),
    "islet": (2.0, 200.0),
    "farm": (2.0, 200.0),
}
_LANDMARK_KEYS = (
    "amenity",
    "shop",
    "tourism",
    "office",
    "leisure",
    "historic",
    "railway",
    "public_transport",
    "aeroway",
    "man_made",
    "healthcare",
    "emergency",
    "craft",
    "sport",
)
# People give these as a place to meet more than others.
_WELL_KNOWN = {
    "hospital",
    "police",
    "fire_station",
    "townhall",
    "school",
    "university",
    "station",
    "marketplace",
}

_SPEED = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(mph|km/h|kmh|kph)?\s*$")
_LENGTH = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(m|米)?\s*$")
_NUMBER = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*$")


def road_kind(tags: Tags) -> str | None:
    """The highway value, None when it is no way to move along."""
    kind = tags.get("highway")
    return None if kind is None or kind in _NO_WAY else kind


def one_way(tags: Tags) -> int:
    """1 along the line, -1 against it, 0 both ways (for vehicles)."""
    value = tags.get("oneway", "")
    if value in ("-1", "reverse"):
        return -1
    if value in ("yes", "true", "1"):
        return 1
    if value in ("no", "false", "0"):
        return 0
    implied = tags.get("junction") in ("roundabout", "circular") or tags.get("highway") == "motorway"
    return 1 if implied else 0


def is_bridge(tags: Tags) -> bool:
    return tags.get("bridge", "no") != "no"


def max_speed_kmh(tags: Tags) -> float | None:
    """The limit in km/h, None where it is not a plain number ("CN:urban", "signals")."""
    found = _SPEED.match(tags.get("maxspeed", ""))
    if not found:
        return None
    value = float(found[1])
    return value * 1.609344 if found[2] == "mph" else value


def water_line_kind(tags: Tags) -> str | None:
    kind = tags.get("waterway")
    return kind if kind in _WATER_LINES else None


def ground(tags: Tags) -> tuple[str, str] | None:
    """(layer, kind) of an area of water or green."""
    if tags.get("natural") == "water":
        return "water", tags.get("water", "water")
    if tags.get("waterway") in ("riverbank", "dock"):
        return "water", tags["waterway"]
    if tags.get("landuse") in _WATER_LANDUSE:
        return "water", tags["landuse"]
    for key, values in _GREEN.items():
        if tags.get(key) in values:
            return "green", tags[key]
    return None


def building_kind(tags: Tags) -> str | None:
    kind = tags.get("building")
    return None if kind is None or kind in _NOT_BUILDINGS else kind


def levels(tags: Tags) -> float | None:
    return _positive(_NUMBER, tags.get("building:levels"))


def height_m(tags: Tags) -> float | None:
    return _positive(_LENGTH, tags.get("height"))


def households(tags: Tags) -> int | None:
    count = _positive(_NUMBER, tags.get("building:flats"))
    return None if count is None else int(count)


def _positive(form: re.Pattern[str], text: str | None) -> float | None:
    found = form.match(text or "")
    value = float(found[1]) if found else 0.0
    return value if 0 < value < 1e6 else None


def landmark_weight(tags: Tags) -> float | None:
    """How well known a named thing is likely to be; None when it is no landmark."""
    for key in _LANDMARK_KEYS:
        value = tags.get(key)
        if value and value != "no":
            return 3.0 if value in _WELL_KNOWN else 2.0
    return None


def clean(text: str | None) -> str | None:
    """A tag's text as it may be shown: one line, no control characters, at most 200 characters."""
    if text is None:
        return None
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    shown = " ".join(text.split())
    return shown[:200] or None
