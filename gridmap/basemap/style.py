"""The base map's drawing rules as a MapLibre style (https://maplibre.org/maplibre-style-spec/).

There is no glyphs and no sprite entry on purpose: MapLibre then draws every label from the page's own fonts, so a
site without the internet needs no font server, and Chinese is sharp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gridmap.basemap.labels import label_layers
from gridmap.basemap.lines import line_layers
from gridmap.basemap.palette import PALETTES, Palette, Theme

Lang = Literal["zh", "en"]
Layer = dict[str, Any]

_DEMO_MARK = {
    "zh": "演示数据：虚构地区，并非真实地点",
    "en": "Demo data: an invented place, not a real one",
}


@dataclass(frozen=True, kw_only=True)
class BasemapExtract:
    """One PMTiles file of the base map.

    Attributes:
        name: the extract's key, which is the file's name without its ending.
        version: changes with the file, so that no browser mixes two.
        attribution: who must be named; empty for invented data.
    """

    name: str
    version: str
    attribution: str
    demo: bool


def style(theme: Theme, lang: Lang, base_url: str, extracts: Sequence[BasemapExtract]) -> dict[str, Any]:
    """The style of the base map made of `extracts`; without any it is plain ground.

    Args:
        base_url: where /basemap/<name>.pmtiles is served; "" for the page's own host.
    """
    palette = PALETTES[theme]
    drawn = [*_areas(palette), *line_layers(palette), *label_layers(palette, lang)]
    return {
        "version": 8,
        "name": f"gridmap {theme}",
        "sources": {_source(extract): _as_source(extract, lang, base_url) for extract in extracts},
        # Extracts side by side: all of them draw a layer before any draws the next.
        "layers": [_background(palette)]
        + [_of_extract(layer, extract) for layer in drawn for extract in extracts],
    }


def _source(extract: BasemapExtract) -> str:
    return f"base-{extract.name}"


def _as_source(extract: BasemapExtract, lang: Lang, base_url: str) -> dict[str, Any]:
    return {
        "type": "vector",
        "url": f"pmtiles://{base_url}/basemap/{extract.name}.pmtiles?v={extract.version}",
        "attribution": _DEMO_MARK[lang] if extract.demo else extract.attribution,
    }


def _of_extract(layer: Layer, extract: BasemapExtract) -> Layer:
    return {**layer, "id": f"base-{layer['id']}-{extract.name}", "source": _source(extract)}


def _background(palette: Palette) -> Layer:
    return {"id": "ground", "type": "background", "paint": {"background-color": palette.ground}}


def _areas(palette: Palette) -> list[Layer]:
    return [
        {
            "id": "ground",
            "type": "fill",
            "source-layer": "ground",
            "paint": {
                "fill-color": ["match", ["get", "class"], "work", palette.work, palette.residential],
                "fill-antialias": False,
            },
        },
        {
            "id": "green",
            "type": "fill",
            "source-layer": "green",
            "paint": {
                "fill-color": [
                    "match",
                    ["get", "class"],
                    "park",
                    palette.park,
                    "wood",
                    palette.wood,
                    "field",
                    palette.field,
                    palette.grass,
                ]
            },
        },
        {
            "id": "streams",
            "type": "line",
            "source-layer": "streams",
            "layout": {"line-cap": "round", "line-join": "round"},
            "paint": {
                "line-color": palette.water,
                "line-width": [
                    "interpolate",
                    ["exponential", 1.4],
                    ["zoom"],
                    9,
                    ["match", ["get", "class"], "river", 1.2, 0.4],
                    17,
                    ["match", ["get", "class"], "river", 10, "canal", 8, 3],
                ],
            },
        },
        {
            "id": "water",
            "type": "fill",
            "source-layer": "water",
            "paint": {"fill-color": palette.water, "fill-outline-color": palette.shore},
        },
        {
            "id": "buildings",
            "type": "fill",
            "source-layer": "buildings",
            "minzoom": 13,
            "paint": {
                "fill-color": palette.building,
                "fill-outline-color": palette.building_edge,
                "fill-opacity": ["interpolate", ["linear"], ["zoom"], 13, 0.45, 15, 1],
            },
        },
    ]
