"""Names on the base map, in one language, the weightiest first where they compete for room."""

from __future__ import annotations

from typing import Any

from gridmap.basemap.palette import Palette

Layer = dict[str, Any]

# The page's own web font, then whatever the workstation has.
LABEL_FONT = ["Noto Sans SC Variable", "Noto Sans SC", "sans-serif"]

_NAMED_ROADS = (
    ("main", ("motorway", "trunk", "primary"), 12, 11.0, 15.0),
    ("middle", ("secondary", "tertiary"), 13, 10.5, 14.0),
    ("street", ("street",), 14.5, 10.0, 13.5),
    ("lane", ("lane", "path"), 16.5, 10.0, 12.5),
)
# Which kinds of place, from which zoom to which, and the text size at both.
_PLACES = (
    ("city", ("city",), 4, 14, 15.0, 24.0),
    ("town", ("town", "borough"), 8, 16, 12.0, 20.0),
    ("suburb", ("suburb", "village", "island"), 10, 17, 11.0, 17.0),
    ("quarter", ("quarter", "hamlet"), 13, 18, 11.0, 14.0),
    ("estate", ("neighbourhood", "square", "city_block"), 15, 20, 10.5, 13.0),
    ("lonely", ("isolated_dwelling", "locality", "farm", "islet"), 15, 20, 10.0, 12.0),
)


def label_layers(palette: Palette, lang: str) -> list[Layer]:
    """All label layers; the later a layer stands, the earlier it takes its room."""
    name = _name(lang)
    layers = [_numbers(palette), _arrows(palette), *_points(palette, name)]
    layers += [_road_names(palette, name, *row) for row in reversed(_NAMED_ROADS)]
    layers += [_water_names(palette, name), _park_names(palette, name)]
    layers += [_place_names(palette, name, *row) for row in reversed(_PLACES)]
    return layers


def _name(lang: str) -> list[Any]:
    return ["coalesce", ["get", "zh" if lang == "zh" else "en"], ["get", "name"]]


def _text(palette: Palette, color: str, halo_px: float = 1.4) -> dict[str, Any]:
    return {
        "text-color": color,
        "text-halo-color": palette.halo,
        "text-halo-width": halo_px,
        "text-halo-blur": 0.4,
    }


def _road_names(
    palette: Palette,
    name: list[Any],
    key: str,
    classes: tuple[str, ...],
    zoom: float,
    small: float,
    large: float,
) -> Layer:
    return {
        "id": f"road-name-{key}",
        "type": "symbol",
        "source-layer": "roads",
        "minzoom": zoom,
        "filter": ["all", ["in", ["get", "class"], ["literal", list(classes)]], ["has", "name"]],
        "layout": {
            "symbol-placement": "line",
            "symbol-spacing": 380,
            "text-field": name,
            "text-font": LABEL_FONT,
            "text-size": ["interpolate", ["linear"], ["zoom"], zoom, small, 18, large],
            "text-letter-spacing": 0.06,
            "text-max-angle": 35,
            "text-padding": 12,
        },
        "paint": _text(palette, palette.road_text),
    }


def _place_names(
    palette: Palette,
    name: list[Any],
    key: str,
    kinds: tuple[str, ...],
    first: int,
    last: int,
    small: float,
    large: float,
) -> Layer:
    prominent = key in ("city", "town", "suburb")
    return {
        "id": f"place-{key}",
        "type": "symbol",
        "source-layer": "places",
        "minzoom": first,
        "maxzoom": last,
        "filter": ["in", ["get", "class"], ["literal", list(kinds)]],
        "layout": {
            "text-field": name,
            "text-font": LABEL_FONT,
            "text-size": ["interpolate", ["linear"], ["zoom"], first, small, 16, large],
            "text-letter-spacing": 0.12 if prominent else 0.04,
            "text-max-width": 7,
            "text-padding": 8,
            "symbol-sort-key": ["get", "rank"],
        },
        "paint": _text(palette, palette.place_text if prominent else palette.minor_text, 1.8),
    }


def _water_names(palette: Palette, name: list[Any]) -> Layer:
    return {
        "id": "water-name",
        "type": "symbol",
        "source-layer": "places",
        "minzoom": 12,
        "filter": ["==", ["get", "class"], "water"],
        "layout": {
            "text-field": name,
            "text-font": LABEL_FONT,
            "text-size": ["interpolate", ["linear"], ["zoom"], 12, 11, 17, 15],
            "text-letter-spacing": 0.2,
            "text-max-width": 6,
        },
        "paint": _text(palette, palette.water_text, 1.0),
    }


def _park_names(palette: Palette, name: list[Any]) -> Layer:
    return {
        "id": "park-name",
        "type": "symbol",
        "source-layer": "places",
        "minzoom": 13.5,
        "filter": ["==", ["get", "class"], "park"],
        "layout": {
            "text-field": name,
            "text-font": LABEL_FONT,
            "text-size": ["interpolate", ["linear"], ["zoom"], 13, 10.5, 17, 13],
            "text-max-width": 7,
        },
        "paint": _text(palette, palette.green_text, 1.2),
    }


# Found by everybody, so shown first; shops and houses wait until there is room.
_IS_HOUSE: list[Any] = ["==", ["get", "class"], "building"]
_KNOWN = ["hospital", "police", "fire_station", "townhall", "school", "station", "market", "culture"]


def _points(palette: Palette, name: list[Any]) -> list[Layer]:
    """A dot and a name below it; a named house needs no dot."""
    known: list[Any] = ["in", ["get", "class"], ["literal", _KNOWN]]
    other: list[Any] = ["!", known]
    no_house: list[Any] = ["all", other, ["!", _IS_HOUSE]]
    return [
        _dots(palette, "points-other", 17, no_house),
        _point_names(palette, name, "point-name-other", 17, other),
        _dots(palette, "points-known", 14, known),
        _point_names(palette, name, "point-name-known", 14.5, known),
    ]


def _dots(palette: Palette, key: str, zoom: float, which: list[Any]) -> Layer:
    return {
        "id": key,
        "type": "circle",
        "source-layer": "points",
        "minzoom": zoom,
        "filter": which,
        "paint": {
            "circle-radius": ["interpolate", ["linear"], ["zoom"], 14, 1.6, 18, 3.2],
            "circle-color": palette.point,
            "circle-stroke-color": palette.halo,
            "circle-stroke-width": 1,
        },
    }


def _point_names(palette: Palette, name: list[Any], key: str, zoom: float, which: list[Any]) -> Layer:
    return {
        "id": key,
        "type": "symbol",
        "source-layer": "points",
        "minzoom": zoom,
        "filter": which,
        "layout": {
            "text-field": name,
            "text-font": LABEL_FONT,
            "text-size": ["interpolate", ["linear"], ["zoom"], 14, 10.5, 18, 12.5],
            "text-anchor": ["case", _IS_HOUSE, "center", "top"],
            "text-offset": ["case", _IS_HOUSE, ["literal", [0, 0]], ["literal", [0, 0.45]]],
            "text-max-width": 8,
            "text-padding": 6,
        },
        "paint": _text(palette, palette.minor_text, 1.3),
    }


def _numbers(palette: Palette) -> Layer:
    return {
        "id": "numbers",
        "type": "symbol",
        "source-layer": "numbers",
        "minzoom": 17,
        "layout": {
            "text-field": ["get", "number"],
            "text-font": LABEL_FONT,
            "text-size": ["interpolate", ["linear"], ["zoom"], 17, 9.5, 19, 12],
            "text-padding": 4,
        },
        "paint": _text(palette, palette.number_text, 1.0),
    }


def _arrows(palette: Palette) -> Layer:
    """Which way a one-way street goes."""
    return {
        "id": "arrows",
        "type": "symbol",
        "source-layer": "roads",
        "minzoom": 16,
        "filter": ["has", "oneway"],
        "layout": {
            "symbol-placement": "line",
            "symbol-spacing": 140,
            "text-field": ["case", ["==", ["get", "oneway"], -1], "←", "→"],
            "text-font": LABEL_FONT,
            "text-size": 12,
            "text-keep-upright": False,
            "text-padding": 20,
        },
        "paint": {"text-color": palette.arrow},
    }
