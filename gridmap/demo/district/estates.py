"""Rows of houses with their inner streets: walled estates (小区), works and dense villages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from gridmap.demo.district.blocks import Block
from gridmap.demo.district.drawing import Building, Compound, Division, Drawing
from gridmap.demo.district.joints import Joiner
from gridmap.demo.district.linework import Floats


@dataclass(frozen=True)
class RowStyle:
    """How rows are laid: metres; `flats_per_level` 0 = nobody lives there; `lane_every` rows there is a lane."""

    building: str
    length_m: float
    depth_m: float
    gap_m: float
    pitch_m: float
    levels: tuple[int, int]
    flats_per_level: float
    lane_every: int
    walled: bool
    lane: str
    vacancy: float = 0.04


STYLES: dict[str, RowStyle] = {
    "slabs": RowStyle("apartments", 54, 12.5, 11, 33, (6, 7), 5.0, 1, True, "service", 0.10),
    "towers": RowStyle("apartments", 33, 17, 27, 64, (11, 26), 4.0, 1, True, "service", 0.12),
    "village_in_city": RowStyle("residential", 12, 12, 2.6, 15.2, (3, 6), 0.8, 2, False, "residential", 0.10),
    "oldtown": RowStyle("residential", 16, 11, 2.5, 17.0, (2, 3), 1.0, 2, False, "residential", 0.16),
    "industrial": RowStyle("industrial", 74, 40, 16, 60, (1, 3), 0.0, 1, True, "service", 0.12),
    "campus": RowStyle("university", 62, 17, 30, 58, (5, 6), 0.0, 1, True, "service", 0.25),
}


def _rows(parcel: Any, spine_x: float, style: RowStyle, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Boxes (n, 4: west, south, east, north) that fit the local parcel, and the y of the lanes between the rows."""
    west, south, east, north = parcel.bounds
    lane_room = 7.0 if style.lane_every == 1 else 5.0
    group = style.lane_every * style.pitch_m
    first = south + rng.uniform(4, 10)
    ys, lanes = [], [first]
    base = first
    while base + group < north:
        ys += [base + lane_room + k * (group - lane_room) / style.lane_every for k in range(style.lane_every)]
        base += group
        lanes.append(base)
    if not ys:
        return np.empty((0, 4)), np.empty(0)
    step = style.length_m + style.gap_m
    right = np.arange(spine_x + 5.5, east, step)
    left = np.arange(spine_x - 5.5 - style.length_m, west - style.length_m, -step)
    xs = np.concatenate([left, right])
    x, y = np.meshgrid(xs, np.array(ys))
    shift = rng.normal(0, min(1.2, style.gap_m / 6), x.shape)
    low = np.column_stack([(x + shift).ravel(), y.ravel()])
    boxes = np.column_stack([low, low + np.array([style.length_m, style.depth_m])])
    boxes[:, 0::2] += np.where(boxes[:, :1] > spine_x, np.maximum(0, spine_x + 4.5 - boxes[:, :1]), 0)
    boxes[:, 0::2] -= np.where(boxes[:, :1] < spine_x, np.maximum(0, boxes[:, 2:3] - (spine_x - 4.5)), 0)
    fits = shapely.covers(parcel, shapely.box(*boxes.T)) & (rng.random(len(boxes)) > style.vacancy)
    return boxes[fits], np.array(lanes)


def _span(parcel: Any, line: Any, through: tuple[float, float]) -> tuple[float, float, float, float] | None:
    """Ends of that part of `parcel & line` which holds the point; None when there is none."""
    for part in shapely.get_parts(shapely.intersection(parcel, line)):
        if part.geom_type == "LineString" and part.distance(shapely.Point(through)) < 0.01:
            (x0, y0), (x1, y1) = part.coords[0], part.coords[-1]
            return x0, y0, x1, y1
    return None


def _spine(parcel: Any, rng: np.random.Generator) -> tuple[float, float, float] | None:
    """x, south y and north y of the inner main street of a local parcel; None when the parcel is too thin."""
    west, south, east, north = parcel.bounds
    if east - west < 45 or north - south < 40:
        return None
    for share in (rng.uniform(0.4, 0.6), 0.5, 0.35, 0.65):
        x = west + share * (east - west)
        cut = shapely.intersection(parcel, shapely.LineString([(x, south - 1), (x, north + 1)]))
        parts = [p for p in shapely.get_parts(cut) if p.geom_type == "LineString"]
        if parts:
            best = max(parts, key=lambda p: p.length)
            ys = sorted(c[1] for c in best.coords)
            if ys[-1] - ys[0] > 0.6 * (north - south):
                return float(x), ys[0], ys[-1]
    return None


def build_estate(block: Block, drawing: Drawing, joiner: Joiner, rng: np.random.Generator) -> bool:
    """Fill the parcel with rows after `STYLES[block.use]`; False when it has no room for any."""
    style = STYLES[block.use]
    parcel = block.to_local(block.parcel)
    spine = _spine(parcel, rng) if not parcel.is_empty else None
    if spine is None:
        return False
    x, south, north = spine
    boxes, lanes = _rows(parcel.buffer(-3.5 if style.walled else -0.5), x, style, rng)
    if len(boxes) < 2:
        return False
    compound = -1
    gates = _draw_spine(block, drawing, joiner, style, (x, south, north), lanes, parcel)
    if not gates:
        return False
    if style.walled:
        compound = len(drawing.compounds)
        drawing.compounds.append(Compound(compound, block.number, block.use, gates))
        _draw_wall(block, parcel, gates, drawing)
    crossing = block.to_world(np.array([x, lanes[len(lanes) // 2]]))
    drawing.divisions.append(
        Division(block.number, (float(crossing[0]), float(crossing[1])), block.angle_rad)
    )
    _draw_houses(block, boxes, style, compound, drawing, rng)
    return True


def _draw_spine(
    block: Block,
    drawing: Drawing,
    joiner: Joiner,
    style: RowStyle,
    spine: tuple[float, float, float],
    lanes: Floats,
    parcel: Any,
) -> list[tuple[float, float]]:
    """Inner main street from street to street with side lanes and a loop; returns the gates (world, on the wall)."""
    x, south, north = spine
    gates: list[tuple[float, float]] = []
    before: list[Floats] = []
    after: list[Floats] = []
    for y, direction, target in ((south, -1.0, before), (north, 1.0, after)):
        gate = block.to_world(np.array([x, y]))
        ahead = block.to_world(np.array([x, y + direction * 120.0]))
        street = joiner.join(block.number, gate, ahead, drawing)
        if street is not None:
            gates.append((float(gate[0]), float(gate[1])))
            target += [street, gate] if direction < 0 else [gate, street]
    if not gates:
        return []
    room = parcel.buffer(-6)
    spans = []
    for y in lanes:
        span = (
            _span(room, shapely.LineString([(-2_000, y), (2_000, y)]), (x, y))
            if south + 3 < y < north - 3
            else None
        )
        if span is not None:
            spans.append((min(span[0], span[2]), max(span[0], span[2]), float(y)))
    middle = [block.to_world(np.array([x, y])) for _, _, y in spans]
    access = {"access": "private", "foot": "yes"} if style.walled else {}
    tags = {"highway": style.lane} | access
    drawing.way([*before, *middle, *after], **tags)
    minor = {"highway": "service" if style.lane == "service" else "living_street"} | access
    for west, east, y in spans:
        drawing.way(block.to_world(np.array([[west, y], [x, y], [east, y]])), **minor)
    if len(spans) >= 2 and style.walled:
        for side in (0, 1):
            drawing.way(block.to_world(np.array([[s[side], s[2]] for s in spans])), **minor)
    return gates


def _draw_wall(block: Block, parcel: Any, gates: list[tuple[float, float]], drawing: Drawing) -> None:
    """The wall as a closed way that has the gates among its vertices, so that a router sees them."""
    ring = shapely.LineString(block.to_world(shapely.get_coordinates(parcel.exterior)))
    extra = [(ring.project(shapely.Point(g)), g) for g in gates]
    vertices = [(ring.project(shapely.Point(c)), c) for c in ring.coords[1:-1]]
    ordered = [c for _, c in sorted(vertices + extra)]
    start = ring.coords[0]
    drawing.way([start, *ordered, start], barrier="wall")
    for gate in gates:
        drawing.point(gate, barrier="gate", access="private", foot="yes")


def _draw_houses(
    block: Block, boxes: Floats, style: RowStyle, compound: int, drawing: Drawing, rng: np.random.Generator
) -> None:
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3, 0, 1]].reshape(-1, 5, 2)
    rings = block.to_world(corners)
    low, high = style.levels
    common = int(rng.integers(low, high + 1))
    for ring in rings:
        levels = common if style.walled and rng.random() < 0.75 else int(rng.integers(low, high + 1))
        flats = round(style.flats_per_level * levels) if style.flats_per_level else 0
        drawing.buildings.append(Building(ring, style.building, levels, flats, block.number, compound))


def build_village(block: Block, drawing: Drawing, joiner: Joiner, rng: np.random.Generator) -> bool:
    """A natural village: loose rows of farm houses along lanes, somewhere inside a large field block."""
    site = block.parcel.buffer(-25)
    if site.is_empty:
        return False
    centre = site.point_on_surface()
    around = centre.buffer(float(rng.uniform(65, 130))).intersection(site)
    patch = Block(block.number, block.polygon, around, "village", -1, float(rng.uniform(-0.35, 0.35)))
    style = RowStyle("house", 13, 10, 5.5, 21, (1, 3), 0.5, 2, False, "residential", 0.28)
    local = patch.to_local(around)
    local = max(shapely.get_parts(local), key=lambda p: p.area)
    spine = _spine(local, rng)
    if spine is None:
        return False
    boxes, lanes = _rows(local, spine[0], style, rng)
    if len(boxes) < 4:
        return False
    x, south, north = spine
    start = patch.to_world(np.array([x, (south + north) / 2]))
    street = joiner.join_nearest(block.number, start, drawing)
    if street is None:
        return False
    # The approach meets the inner street at the point of the spine that lies nearest to the road.
    ends = patch.to_world(np.array([[x, south], [x, north]]))
    spans = [
        _span(local, shapely.LineString([(-2_000, y), (2_000, y)]), (x, y)) if south < y < north else None
        for y in lanes
    ]
    middle = [patch.to_world(np.array([x, y])) for y, s in zip(lanes, spans, strict=True) if s]
    spine_line = [ends[0], *middle, ends[1]]
    if np.hypot(*(ends[0] - street)) < np.hypot(*(ends[1] - street)):
        spine_line = [street, *spine_line]
    else:
        spine_line = [*spine_line, street]
    drawing.way(spine_line, highway="unclassified")
    for y, span in zip(lanes, spans, strict=True):
        if span:
            drawing.way(
                patch.to_world(np.array([[span[0], y], [x, y], [span[2], y]])), highway="living_street"
            )
    clear = shapely.LineString(spine_line).buffer(4.0)
    first = len(drawing.buildings)
    _draw_houses(patch, boxes, style, -1, drawing, rng)
    kept = [b for b in drawing.buildings[first:] if not clear.intersects(shapely.Polygon(b.ring))]
    for house in kept:
        house.flats = 1
    drawing.buildings[first:] = kept
    return True
