"""The base map's style: nothing from outside, only layers the tiles have, labels that can be read."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest

import gridmap.basemap
from gridmap.basemap.palette import PALETTES, Theme
from gridmap.basemap.style import BasemapExtract, Lang, style

REAL = BasemapExtract(name="city", version="ab12", attribution="© OpenStreetMap contributors", demo=False)
DEMO = BasemapExtract(name="demo", version="cd34", attribution="", demo=True)
TILES = json.loads((Path(gridmap.basemap.__file__).parent / "tiles.json").read_text(encoding="utf-8"))


def luminance(color: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", get_args(Theme))
@pytest.mark.parametrize("lang", get_args(Lang))
def test_every_layer_has_its_source_and_the_tiles_hold_it(theme: Theme, lang: Lang) -> None:
    made = style(theme, lang, "", [REAL, DEMO])
    assert made.keys().isdisjoint({"glyphs", "sprite"})
    ids = [layer["id"] for layer in made["layers"]]
    assert len(ids) == len(set(ids))
    for layer in made["layers"][1:]:
        assert layer["source"] in made["sources"]
        assert layer["source-layer"] in TILES["layers"]
    json.dumps(made)


def test_who_must_be_named_is_named() -> None:
    sources = style("dark", "zh", "", [REAL, DEMO])["sources"]
    assert sources["base-city"]["attribution"] == "© OpenStreetMap contributors"
    assert "虚构" in sources["base-demo"]["attribution"]
    assert "invented" in style("dark", "en", "", [DEMO])["sources"]["base-demo"]["attribution"]
    assert sources["base-city"]["url"] == "pmtiles:///basemap/city.pmtiles?v=ab12"


def test_without_extracts_it_is_plain_ground() -> None:
    made = style("light", "zh", "", [])
    assert made["sources"] == {}
    assert [layer["type"] for layer in made["layers"]] == ["background"]


def test_names_come_in_the_chosen_language() -> None:
    def asked(lang: Lang) -> set[Any]:
        layers = style("dark", lang, "", [REAL])["layers"]
        fields_of = (
            layer["layout"]["text-field"] for layer in layers if layer["id"].startswith("base-place")
        )
        return {field[1][1] for field in fields_of}

    assert asked("zh") == {"zh"}
    assert asked("en") == {"en"}


@pytest.mark.parametrize("theme", get_args(Theme))
def test_labels_can_be_read(theme: Theme) -> None:
    palette = PALETTES[theme]
    for field in fields(palette):
        if field.name.endswith("_text"):
            color = getattr(palette, field.name)
            assert contrast(color, palette.halo) >= 4.5, field.name
            assert contrast(color, palette.ground) >= 4.5, field.name
