"""Blocks that are not rows of houses: shops along the street, offices, schools, hospitals, parks, fields, water."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from gridmap.demo.district.blocks import Block
from gridmap.demo.district.drawing import Building, Drawing
from gridmap.demo.district.joints import Joiner
from gridmap.demo.district.linework import Floats


def _ring(polygon: Any) -> Floats:
    return np.asarray(shapely.get_coordinates(polygon.exterior))


def build_frontage(
    block: Block,
    drawing: Drawing,
    rng: np.random.Generator,
    kind: str = "commercial",
    length_m: tuple[float, float] = (28, 60),
    depth_m: float = 15.0,
    levels: tuple[int, int] = (2, 6),
    flats_per_level: float = 0.0,
    share: float = 1.0,
) -> Any:
    """Houses shoulder to shoulder along the sides of the parcel; returns what is left inside (maybe empty)."""
    parcel = shapely.simplify(block.parcel, 2.0)
    if parcel.is_empty or parcel.area < 900:
        return parcel
    corners = shapely.get_coordinates(shapely.orient_polygons(parcel).exterior)
    shapely.prepare(parcel)
    for a, b in pairwise(corners):
        side = float(np.hypot(*(b - a)))
        if side < 2 * depth_m + 24 or rng.random() > share:
            continue
        along = (b - a) / side
        inward = np.array([-along[1], along[0]])
        at = depth_m + 4.0
        while at + length_m[0] < side - depth_m - 4.0:
            length = min(float(rng.uniform(*length_m)), side - depth_m - 4.0 - at)
            p = a + along * at + inward * 0.5
            ring = np.array(
                [p, p + along * length, p + along * length + inward * depth_m, p + inward * depth_m, p]
            )
            at += length + float(rng.choice([0.6, 0.6, 5.0]))
            if not shapely.covers(parcel, shapely.Polygon(ring)):
                continue
            high = int(rng.integers(levels[0], levels[1] + 1))
            flats = round(flats_per_level * max(high - 1, 0))
            drawing.buildings.append(Building(ring, kind, high, flats, block.number))
    return parcel.buffer(-(depth_m + 8.0))


def build_scattered(
    block: Block,
    room: Any,
    drawing: Drawing,
    rng: np.random.Generator,
    kind: str,
    size_m: tuple[float, float],
    levels: tuple[int, int],
    count: int,
    amenity: str = "",
    spacing_m: float = 14.0,
) -> list[Building]:
    """Up to `count` free-standing houses (length, depth) in `room`, parallel to the rows of the block."""
    local = block.to_local(room)
    if local.is_empty:
        return []
    west, south, east, north = local.bounds
    length, depth = size_m
    xs = np.arange(west + 1, east - length, length + spacing_m)
    ys = np.arange(south + 1, north - depth, depth + spacing_m)
    if not len(xs) or not len(ys):
        return []
    x, y = (grid.ravel() for grid in np.meshgrid(xs, ys))
    fits = np.flatnonzero(shapely.covers(local, shapely.box(x, y, x + length, y + depth)))
    if not len(fits):
        return []
    chosen = np.sort(rng.choice(fits, min(count, len(fits)), replace=False))
    made: list[Building] = []
    for k in chosen:
        corners = np.array([[0, 0], [length, 0], [length, depth], [0, depth], [0, 0]]) + np.array(
            [x[k], y[k]]
        )
        high = int(rng.integers(levels[0], levels[1] + 1))
        made.append(Building(block.to_world(corners), kind, high, 0, block.number, amenity=amenity))
    drawing.buildings += made
    return made


def build_park(
    block: Block, drawing: Drawing, joiner: Joiner, rng: np.random.Generator, leisure: str = "park"
) -> None:
    """Lawn with crossing paths that reach the streets, and a pond when there is room."""
    parcel = block.parcel if not block.parcel.is_empty else block.polygon.buffer(-4)
    if parcel.is_empty or parcel.geom_type != "Polygon":
        return
    drawing.way(_ring(parcel), leisure=leisure)
    centre = parcel.point_on_surface()
    heart = np.array([centre.x, centre.y])
    for angle in block.angle_rad + np.array([0, np.pi / 2, np.pi, 3 * np.pi / 2]) + rng.normal(0, 0.2, 4):
        ahead = heart + 700 * np.array([np.cos(angle), np.sin(angle)])
        street = joiner.join(block.number, heart, ahead, drawing)
        if street is not None:
            drawing.way([heart, (heart + street) / 2 + rng.normal(0, 6, 2), street], highway="footway")
    if parcel.area > 25_000:
        radius = float(np.sqrt(parcel.area) * 0.17)
        pond = shapely.Point(heart + np.array([radius * 1.3, radius * 1.1])).buffer(radius, quad_segs=5)
        pond = pond.intersection(parcel.buffer(-8))
        if pond.geom_type == "Polygon" and not pond.is_empty:
            drawing.way(_ring(pond), natural="water", water="pond")


def build_school(block: Block, drawing: Drawing, joiner: Joiner, rng: np.random.Generator) -> None:
    """Teaching houses, a running track, a wall and a gate."""
    parcel = block.parcel
    drawing.way(_ring(parcel), amenity="school")
    local = block.to_local(parcel.buffer(-8))
    _, south, east, _ = local.bounds if not local.is_empty else (0, 0, 0, 0)
    room = parcel.buffer(-10)
    track = shapely.box(east - 118, south + 6, east - 8, south + 80)
    if not local.is_empty and local.covers(track):
        rounded = shapely.box(east - 96, south + 31, east - 30, south + 55).buffer(22, quad_segs=6)
        drawing.way(block.to_world(_ring(rounded)), leisure="track", sport="running")
        room = room.difference(shapely.Polygon(block.to_world(_ring(track.buffer(6)))))
    build_scattered(block, room, drawing, rng, "school", (52, 13), (3, 5), 4, "school")
    centre = parcel.point_on_surface()
    street = joiner.join_nearest(block.number, np.array([centre.x, centre.y]), drawing)
    if street is not None:
        drawing.way([street, (centre.x, centre.y)], highway="service", access="private", foot="yes")


def build_site(
    block: Block,
    drawing: Drawing,
    joiner: Joiner,
    rng: np.random.Generator,
    kind: str,
    size_m: tuple[float, float],
    levels: tuple[int, int],
    count: int,
    amenity: str = "",
) -> None:
    """A few large houses on a plot with one drive from the street (hospital, offices, market, government)."""
    if block.parcel.is_empty:
        return
    made = build_scattered(
        block, block.parcel.buffer(-4), drawing, rng, kind, size_m, levels, count, amenity, 24.0
    )
    if amenity and block.parcel.geom_type == "Polygon":
        drawing.way(
            _ring(block.parcel), landuse="commercial" if amenity == "marketplace" else "institutional"
        )
    centre = block.parcel.point_on_surface()
    street = joiner.join_nearest(block.number, np.array([centre.x, centre.y]), drawing)
    if street is not None and made:
        drawing.way([street, (centre.x, centre.y)], highway="service")
