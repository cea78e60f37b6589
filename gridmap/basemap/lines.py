"""Roads, rails and walls: casings first, then fills from narrow to wide, bridges above everything they cross."""

from __future__ import annotations

from typing import Any

from gridmap.basemap.palette import Palette

Layer = dict[str, Any]

# Zoom -> width in pixels at the classes below; between zooms it grows exponentially, as streets do on the ground.
_CLASSES = ("lane", "street", "tertiary", "secondary", "primary", "trunk", "motorway")
_WIDTHS: dict[str, dict[int, float]] = {
    "motorway": {6: 0.6, 10: 1.6, 13: 3.0, 16: 11.0, 20: 56.0},
    "trunk": {7: 0.5, 10: 1.4, 13: 2.9, 16: 10.5, 20: 54.0},
    "primary": {8: 0.5, 10: 1.1, 13: 2.7, 16: 10.0, 20: 50.0},
    "secondary": {9: 0.5, 11: 1.0, 13: 2.5, 16: 9.5, 20: 46.0},
    "tertiary": {10: 0.5, 12: 1.2, 14: 2.8, 16: 8.0, 20: 40.0},
    "street": {11: 0.3, 13: 1.0, 14: 1.8, 16: 6.0, 20: 34.0},
    "lane": {13: 0.4, 15: 1.5, 16: 3.2, 20: 20.0},
}
_FIRST_ZOOM = {
    "motorway": 6,
    "trunk": 7,
    "primary": 8,
    "secondary": 9,
    "tertiary": 11,
    "street": 12,
    "lane": 13,
}
_MAIN = {"motorway", "trunk", "primary", "secondary"}
_GROWTH = 1.5
# Ramps and service lanes of a class are drawn at this share of its width.
_MINOR_SHARE = 0.6

_IS_BRIDGE = ["==", ["get", "bridge"], True]
_IS_TUNNEL = ["==", ["get", "tunnel"], True]
_ROUND = {"line-cap": "round", "line-join": "round"}
_BUTT = {"line-cap": "butt", "line-join": "round"}


def line_layers(palette: Palette) -> list[Layer]:
    """All line layers in drawing order."""
    on_ground: list[Any] = ["all", ["!", _IS_BRIDGE], ["!", _IS_TUNNEL]]
    layers = [_walls(palette)]
    layers += [_fill(palette, name, "tunnel", _IS_TUNNEL, opacity=0.45) for name in _CLASSES]
    layers.append(_paths(palette))
    layers += [_casing(palette, name, "road", on_ground) for name in _CLASSES]
    layers += [_fill(palette, name, "road", on_ground) for name in _CLASSES]
    layers.append(_rails(palette))
    layers += [_casing(palette, name, "bridge", _IS_BRIDGE) for name in _CLASSES]
    layers += [_fill(palette, name, "bridge", _IS_BRIDGE) for name in _CLASSES]
    layers.append(_gates(palette))
    return layers


def _width(name: str, extra_px: float = 0.0) -> list[Any]:
    stops: list[Any] = []
    for zoom, width in _WIDTHS[name].items():
        minor = round(width * _MINOR_SHARE + extra_px, 2)
        stops += [zoom, ["case", ["==", ["get", "minor"], True], minor, width + extra_px]]
    return ["interpolate", ["exponential", _GROWTH], ["zoom"], *stops]


def _fill(palette: Palette, name: str, part: str, which: list[Any], opacity: float = 1.0) -> Layer:
    return {
        "id": f"{part}-{name}",
        "type": "line",
        "source-layer": "roads",
        "minzoom": _FIRST_ZOOM[name],
        "filter": ["all", ["==", ["get", "class"], name], which],
        "layout": _ROUND,
        "paint": {
            "line-color": getattr(palette, name),
            "line-width": _width(name),
            "line-opacity": opacity,
        },
    }


def _casing(palette: Palette, name: str, part: str, which: list[Any]) -> Layer:
    color = palette.main_casing if name in _MAIN else palette.casing
    bridge = part == "bridge"
    return {
        "id": f"{part}-casing-{name}",
        "type": "line",
        "source-layer": "roads",
        "minzoom": max(_FIRST_ZOOM[name], 11 if name in _MAIN else 13),
        "filter": ["all", ["==", ["get", "class"], name], which],
        "layout": _BUTT if bridge else _ROUND,
        "paint": {
            "line-color": palette.bridge_casing if bridge else color,
            "line-width": _width(name, extra_px=2.4 if bridge else 1.6),
        },
    }


def _paths(palette: Palette) -> Layer:
    return {
        "id": "paths",
        "type": "line",
        "source-layer": "roads",
        "minzoom": 15,
        "filter": ["==", ["get", "class"], "path"],
        "layout": _BUTT,
        "paint": {
            "line-color": palette.path,
            "line-width": ["interpolate", ["exponential", _GROWTH], ["zoom"], 15, 0.8, 17, 1.4, 20, 5],
            "line-dasharray": [3, 1.6],
        },
    }


def _rails(palette: Palette) -> Layer:
    return {
        "id": "rails",
        "type": "line",
        "source-layer": "roads",
        "minzoom": 11,
        "filter": ["all", ["==", ["get", "class"], "rail"], ["!", _IS_TUNNEL]],
        "paint": {
            "line-color": palette.rail,
            "line-width": ["interpolate", ["linear"], ["zoom"], 11, 0.8, 16, 2.4],
            "line-dasharray": [4, 2],
        },
    }


def _walls(palette: Palette) -> Layer:
    return {
        "id": "walls",
        "type": "line",
        "source-layer": "walls",
        "minzoom": 15,
        "paint": {
            "line-color": palette.wall,
            "line-width": ["interpolate", ["linear"], ["zoom"], 15, 0.6, 18, 1.8],
        },
    }


def _gates(palette: Palette) -> Layer:
    return {
        "id": "gates",
        "type": "circle",
        "source-layer": "gates",
        "minzoom": 16,
        "paint": {
            "circle-radius": ["interpolate", ["linear"], ["zoom"], 16, 2, 19, 5],
            "circle-color": palette.ground,
            "circle-stroke-color": palette.point,
            "circle-stroke-width": 1.2,
        },
    }
