"""Builds up every block after its use."""

from __future__ import annotations

import numpy as np
import shapely

from gridmap.demo.district.blocks import Block
from gridmap.demo.district.drawing import Drawing
from gridmap.demo.district.estates import STYLES, build_estate, build_village
from gridmap.demo.district.joints import Joiner
from gridmap.demo.district.linework import Mesh
from gridmap.demo.district.precincts import (
    build_frontage,
    build_park,
    build_scattered,
    build_school,
    build_site,
)
from gridmap.demo.district.terrain import Terrain

_LANDUSE = {
    "slabs": "residential", "towers": "residential", "village_in_city": "residential", "oldtown": "residential",
    "commercial": "retail", "office": "commercial", "industrial": "industrial", "building_site": "construction",
    "farmland": "farmland", "orchard": "orchard", "forest": "forest", "village": "farmland", "campus": "education",
}  # fmt: skip


def build_blocks(blocks: list[Block], mesh: Mesh, terrain: Terrain, rng: np.random.Generator) -> Drawing:
    """Houses, inner streets, walls, parks and land use of all blocks, plus river and lakes."""
    drawing = Drawing()
    joiner = Joiner(mesh)
    for block in blocks:
        _paint_landuse(block, drawing)
        _paint_bank(block, terrain, drawing)
        _build(block, drawing, joiner, rng)
    water = shapely.get_parts(shapely.intersection(terrain.river, terrain.outline))
    for part in water:
        drawing.way(
            shapely.get_coordinates(part.exterior),
            natural="water",
            water="river",
            name="澄江",
            name__en="Chengjiang River",
        )
    for i, lake in enumerate(shapely.get_parts(terrain.lakes)):
        name, name_en = (
            ("云梦湖", "Yunmeng Lake"),
            ("白鹭湖", "Bailu Lake"),
            ("青龙水库", "Qinglong Reservoir"),
        )[i % 3]
        drawing.way(
            shapely.get_coordinates(lake.exterior), natural="water", water="lake", name=name, name__en=name_en
        )
    axis = shapely.intersection(terrain.river_axis, terrain.outline)
    for part in shapely.get_parts(axis):
        drawing.way(shapely.get_coordinates(part), waterway="river", name="澄江", name__en="Chengjiang River")
    return drawing


def _paint_landuse(block: Block, drawing: Drawing) -> None:
    landuse = _LANDUSE.get(block.use)
    if not landuse:
        return
    area = block.polygon if block.settlement < 0 else block.parcel
    for part in shapely.get_parts(area):
        if part.geom_type == "Polygon" and part.area > 500:
            drawing.way(shapely.get_coordinates(part.exterior), landuse=landuse)


def _paint_bank(block: Block, terrain: Terrain, drawing: Drawing) -> None:
    """Green between the water and the levee road."""
    if block.use != "river":
        return
    for part in shapely.get_parts(block.polygon.buffer(-6).difference(terrain.river.buffer(3))):
        if part.geom_type == "Polygon" and part.area > 400 and not part.interiors:
            drawing.way(shapely.get_coordinates(part.exterior), landuse="grass")


def _build(block: Block, drawing: Drawing, joiner: Joiner, rng: np.random.Generator) -> None:
    use = block.use
    if use in ("river", "lake", "farmland", "orchard", "forest", "station"):
        return
    if block.parcel.is_empty or block.parcel.geom_type != "Polygon":
        return
    if use == "village":
        build_village(block, drawing, joiner, rng)
    elif use in STYLES:
        if not build_estate(block, drawing, joiner, rng):
            build_frontage(block, drawing, rng, levels=(2, 5), flats_per_level=2.0)
    elif use == "commercial":
        room = build_frontage(block, drawing, rng, "retail", (30, 70), 20.0, (3, 8))
        build_scattered(block, room, drawing, rng, "commercial", (44, 36), (8, 28), int(rng.integers(0, 4)))
    elif use == "office":
        build_site(block, drawing, joiner, rng, "office", (42, 30), (12, 36), 5)
    elif use in ("park", "green"):
        build_park(block, drawing, joiner, rng, "park" if use == "park" else "garden")
    elif use == "school":
        build_school(block, drawing, joiner, rng)
    elif use == "hospital":
        build_site(block, drawing, joiner, rng, "hospital", (70, 22), (5, 14), 4, "hospital")
    elif use == "market":
        build_site(block, drawing, joiner, rng, "retail", (64, 30), (1, 2), 4, "marketplace")
    elif use == "government":
        build_site(block, drawing, joiner, rng, "government", (58, 18), (5, 9), 3, "townhall")
    elif use == "building_site":
        build_site(block, drawing, joiner, rng, "construction", (36, 20), (1, 20), 3)
