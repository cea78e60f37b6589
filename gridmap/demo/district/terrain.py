"""The ground: outline of the district, the river, the built-up areas and the hills. Metres, origin in the old town."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from gridmap.demo.district.linework import Floats, Geoms

_HILLS = (((-8_600.0, 8_400.0), 3_600), ((9_600.0, 8_200.0), 2_700), ((-3_500.0, -10_400.0), 2_400))
_LAKES = (((6_900.0, 1_900.0), 720), ((-7_400.0, -3_300.0), 560), ((-1_500.0, 6_700.0), 430))
RIVER_WIDTH_M = 210.0
LEVEE_OFFSET_M = 48.0
"""From the water's edge to the axis of the road on the levee."""


@dataclass(frozen=True)
class Settlement:
    """A built-up area with streets of its own. `kind` is city, town (镇) or township (乡)."""

    kind: str
    centre: tuple[float, float]
    outline: Any
    angle_rad: float
    spacing_m: float
    radius_m: float


@dataclass(frozen=True)
class Terrain:
    """Shapes in district metres. `levees` is the strip between the two levee roads, water included."""

    outline: Any
    river_axis: Any
    river: Any
    levees: Any
    settlements: tuple[Settlement, ...]
    hills: Geoms
    lakes: Geoms


def _blob(
    centre: tuple[float, float], radius_m: float, rng: np.random.Generator, roughness: float, n: int
) -> Any:
    """A closed wavy curve around `centre`; `roughness` is the relative size of its bays and noses."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    radius = np.ones(n)
    for wave in range(2, 9):
        radius += roughness / wave * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    xy = np.column_stack([np.cos(angle), np.sin(angle)]) * (radius_m * radius)[:, None] + np.array(centre)
    return shapely.Polygon(xy)


def _outline(rng: np.random.Generator) -> Any:
    """A border of a county: about 25 km across, following invented ridges, hence rough at every scale."""
    n = 1_080
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    squareness = 1 / (np.abs(np.cos(angle)) ** 4 + np.abs(np.sin(angle)) ** 4) ** 0.25
    radius = 12_000 * squareness
    for wave in range(2, 180):
        radius += 2_600 / wave**1.35 * rng.normal() * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    return shapely.Polygon(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])).buffer(0)


def _river_axis(rng: np.random.Generator) -> Any:
    """The middle of the river: slow meanders from the north-west to the south-east, past the old town."""
    s = np.arange(-19_000, 19_001, 160.0)
    phase = rng.uniform(-0.3, 0.3)
    across = 850 * np.sin(s / 2_900 + 0.7 + phase) + 380 * np.sin(s / 1_500 + 2.0) - 1_350
    turn = np.radians(-14)
    xy: Floats = np.column_stack(
        [s * np.cos(turn) - across * np.sin(turn), s * np.sin(turn) + across * np.cos(turn)]
    )
    return shapely.LineString(xy)


def _settlements(outline: Any, levees: Any, rng: np.random.Generator) -> tuple[Settlement, ...]:
    core = _blob((350.0, -250.0), 4_350, rng, 0.13, 240)
    found = [Settlement("city", (350.0, -250.0), core, np.radians(-9), 265.0, 5_600)]
    kinds = ["town", "township", "town", "township", "town"]
    base = rng.uniform(0, 2 * np.pi)
    for i, kind in enumerate(kinds):
        radius_m = 830.0 if kind == "town" else 480.0
        for attempt in range(200):
            angle = base + 2 * np.pi * (i + rng.uniform(-0.18, 0.18)) / len(kinds)
            distance = rng.uniform(8_000, 9_800)
            centre = (float(distance * np.cos(angle)), float(distance * np.sin(angle)))
            blob = _blob(centre, radius_m, rng, 0.2, 90)
            clear = blob.buffer(650)
            if (
                outline.covers(blob.buffer(1_300))
                and not clear.intersects(levees)
                and not clear.intersects(core)
            ):
                break
            if attempt == 199:
                raise RuntimeError("no room for a town")
        found.append(Settlement(kind, centre, blob, rng.uniform(-0.6, 0.6), 165.0, 1.5 * radius_m))
    return tuple(found)


def build_terrain(rng: np.random.Generator) -> Terrain:
    """All shapes that the streets must respect."""
    outline = _outline(rng)
    axis = _river_axis(rng).intersection(outline.buffer(600))
    axis = max(shapely.get_parts(axis), key=lambda part: part.length)
    river = axis.buffer(RIVER_WIDTH_M / 2, cap_style="flat", quad_segs=6)
    levees = axis.buffer(RIVER_WIDTH_M / 2 + LEVEE_OFFSET_M, cap_style="flat", quad_segs=6)
    settlements = _settlements(outline, levees, rng)
    built = shapely.union_all([s.outline for s in settlements])
    hills = np.array([_blob(centre, radius, rng, 0.25, 120) for centre, radius in _HILLS], dtype=object)
    lakes = np.array([_blob(centre, radius, rng, 0.3, 70) for centre, radius in _LAKES], dtype=object)
    keep = shapely.difference(lakes, built.buffer(150).union(levees.buffer(200)))
    return Terrain(outline, axis, river, levees, settlements, hills, keep)
