"""Colours of the two themes. Colour means state on the live map, so the ground under it stays nearly grey: roads
are told apart by lightness and width, water and green by a hint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Theme = Literal["dark", "light"]


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Every colour the base map draws with."""

    ground: str
    residential: str
    work: str
    park: str
    wood: str
    grass: str
    field: str
    water: str
    shore: str
    water_text: str
    building: str
    building_edge: str
    wall: str
    casing: str
    main_casing: str
    bridge_casing: str
    motorway: str
    trunk: str
    primary: str
    secondary: str
    tertiary: str
    street: str
    lane: str
    path: str
    rail: str
    arrow: str
    road_text: str
    place_text: str
    minor_text: str
    green_text: str
    number_text: str
    point: str
    halo: str


PALETTES: dict[Theme, Palette] = {
    "dark": Palette(
        ground="#10171d",
        residential="#121a21",
        work="#131c24",
        park="#12231f",
        wood="#101f1b",
        grass="#12201e",
        field="#121b1c",
        water="#0a2032",
        shore="#16344b",
        water_text="#6b99bb",
        building="#1b2630",
        building_edge="#293742",
        wall="#33424e",
        casing="#0a0f14",
        main_casing="#080d11",
        bridge_casing="#65798a",
        motorway="#526474",
        trunk="#4b5c6b",
        primary="#455462",
        secondary="#3b4955",
        tertiary="#343f4a",
        street="#2b3640",
        lane="#242e37",
        path="#35434f",
        rail="#33404b",
        arrow="#6b7d8c",
        road_text="#94a6b5",
        place_text="#cbd7e1",
        minor_text="#8fa1b0",
        green_text="#7ba093",
        number_text="#8194a4",
        point="#7f93a4",
        halo="#0d1318",
    ),
    "light": Palette(
        ground="#eceff2",
        residential="#e6eaee",
        work="#dfe5ea",
        park="#d3e5d3",
        wood="#cbdfcc",
        grass="#dbe8d8",
        field="#e6ebde",
        water="#b5d2e8",
        shore="#9cc0dc",
        water_text="#2f648d",
        building="#d9dfe5",
        building_edge="#c2cbd3",
        wall="#a9b4be",
        casing="#c2cbd4",
        main_casing="#a7b3be",
        bridge_casing="#78899a",
        motorway="#ffffff",
        trunk="#ffffff",
        primary="#ffffff",
        secondary="#ffffff",
        tertiary="#ffffff",
        street="#fdfdfe",
        lane="#f6f8f9",
        path="#b3bec8",
        rail="#aab5bf",
        arrow="#8795a3",
        road_text="#43525f",
        place_text="#1d2b37",
        minor_text="#4d5e6d",
        green_text="#39684c",
        number_text="#5a6a78",
        point="#5d6f7f",
        halo="#f7f9fa",
    ),
}
