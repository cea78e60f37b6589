"""The whole district in memory, from seed to streets, houses and areas."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from gridmap.demo.district.access import open_grids
from gridmap.demo.district.addresses import give_addresses, name_places
from gridmap.demo.district.areas import COUNTY, Division, divide
from gridmap.demo.district.blocks import Block, plan_blocks
from gridmap.demo.district.build import build_blocks
from gridmap.demo.district.drawing import Building, Drawing
from gridmap.demo.district.fabric import Fabric, weave
from gridmap.demo.district.frame import to_units
from gridmap.demo.district.linework import Floats, LineClass, Mesh
from gridmap.demo.district.names import Name, NameBook
from gridmap.demo.district.network import draw_network
from gridmap.demo.district.osm import OsmFile
from gridmap.demo.district.roads import RoadWay, chain_roads, name_streets, road_tags
from gridmap.demo.district.scale import Scale
from gridmap.demo.district.terrain import Terrain, build_terrain


@dataclass(frozen=True)
class Place:
    """A named public place. `kind` is an OSM amenity or `key=value`; `xy` district metres."""

    kind: str
    name: Name
    xy: tuple[float, float]
    block: int


@dataclass(frozen=True)
class City:
    """Everything the writers of files need. Geometry in district metres, areas in WGS84 degrees."""

    terrain: Terrain
    mesh: Mesh
    blocks: list[Block]
    drawing: Drawing
    fabric: Fabric
    division: Division
    street_names: list[Name]
    roads: list[RoadWay]
    places: list[Place]
    villages: Floats
    village_names: list[Name]


def build_city(seed: int, scale: Scale) -> City:
    """The district of a seed. Same seed and scale, same district."""
    streams = np.random.SeedSequence([seed, 1]).spawn(6)
    rngs = [np.random.default_rng(s) for s in streams]
    terrain = build_terrain(rngs[0])
    mesh, register, villages = draw_network(terrain, rngs[1])
    blocks = plan_blocks(mesh, terrain, villages, rngs[2])
    drawing = build_blocks(blocks, mesh, terrain, rngs[3])
    book = NameBook(rngs[4])
    street_names = name_streets(register, terrain, book)
    village_names = [book.with_suffix(*_VILLAGE_WORDS[i % len(_VILLAGE_WORDS)]) for i in range(len(villages))]
    fabric = weave(mesh, blocks, drawing)
    division = divide(fabric, blocks, terrain, book, scale.communities, scale.grids)
    open_grids(mesh, fabric, division)
    give_addresses(mesh, drawing, book)
    places = [Place(*row) for row in name_places(blocks, drawing, book, rngs[5])]
    roads = chain_roads(mesh, fabric, register)
    return City(
        terrain, mesh, blocks, drawing, fabric, division, street_names, roads, places, villages, village_names
    )


_VILLAGE_WORDS = (
    ("湾", "Wan"),
    ("冲", "Chong"),
    ("屋场", "Wuchang"),
    ("坪", "Ping"),
    ("咀", "Zui"),
    ("塘边", "Tangbian"),
)


def _building_tags(building: Building, names: list[Name]) -> dict[str, str]:
    tags = {"building": building.kind, "building:levels": str(building.levels)}
    if building.flats:
        tags["building:flats"] = str(building.flats)
    if building.street >= 0:
        tags |= {"addr:street": names[building.street].zh, "addr:housenumber": building.number}
    if building.name:
        tags |= {"name": building.name, "name:en": building.name_en}
    return tags


def _place_tags(kind: str, name: Name) -> dict[str, str]:
    key, _, value = kind.partition("=")
    if not value:
        key, value = ("leisure", kind) if kind in ("park", "garden") else ("amenity", kind)
    return {key: value, "name": name.zh, "name:zh": name.zh, "name:en": name.en}


def write_osm(city: City, path: Path) -> dict[str, int]:
    """Write the district as an OSM extract; returns counts of nodes, ways and relations."""
    out = OsmFile()
    for number, road in enumerate(city.roads):
        name = city.street_names[road.street] if road.street >= 0 else None
        out.way(road.units, road_tags(road, name, number))
    out.ways_in_metres([(way.xy, way.tags) for way in city.drawing.ways])
    buildings = [(b.ring, _building_tags(b, city.street_names)) for b in city.drawing.buildings]
    out.ways_in_metres([(xy, tags) for xy, tags in buildings])
    for xy, tags in city.drawing.points:
        out.point(xy, tags)
    for place in city.places:
        out.point(place.xy, _place_tags(place.kind, place.name))
    for compound in city.drawing.compounds:
        block = city.blocks[compound.block]
        centre = block.parcel.point_on_surface()
        out.point(
            (centre.x, centre.y),
            {"place": "neighbourhood", "name": compound.name, "name:en": compound.name_en},
        )
    for xy, name in zip(city.villages, city.village_names, strict=True):
        out.point((float(xy[0]), float(xy[1])), {"place": "hamlet", "name": name.zh, "name:en": name.en})
    _write_seats(city, out)
    _write_crossings(city, out)
    _write_border(city, out)
    return out.write(path)


def _write_seats(city: City, out: OsmFile) -> None:
    """Place names of county, townships and communities at a point inside each."""
    kinds = {"county": "city", "township": "suburb", "community": "quarter"}
    for level, place in kinds.items():
        for area in city.division.level(level):
            point = shapely.point_on_surface(area.geometry)
            unit = (round(point.x * 10**7), round(point.y * 10**7))
            kind = {"镇": "town", "乡": "village", "村委会": "village"}.get(area.kind, place)
            out.nodes.append(
                (unit, {"place": kind, "name": area.name, "name:en": area.name_en, "ref": area.code})
            )


def _write_crossings(city: City, out: OsmFile) -> None:
    """Traffic lights where two streets of secondary rank or higher meet."""
    mesh = city.mesh
    main = mesh.classes >= LineClass.SECONDARY
    ends = np.concatenate([mesh.start[main], mesh.end[main]])
    degree = np.bincount(ends, minlength=len(mesh.nodes))
    for unit in to_units(mesh.nodes[degree >= 4]).tolist():
        out.nodes.append(((unit[0], unit[1]), {"highway": "traffic_signals"}))


def _write_border(city: City, out: OsmFile) -> None:
    """Administrative border of the county."""
    county = city.division.level("county")[0].geometry
    members = []
    for polygon in shapely.get_parts(county):
        ring = np.rint(shapely.get_coordinates(polygon.exterior) * 10**7).astype(np.int64)
        for start in range(0, len(ring) - 1, 1_500):
            members.append((out.way(ring[start : start + 1_501], {}), "outer"))
    tags = {
        "type": "boundary",
        "boundary": "administrative",
        "admin_level": "6",
        "name": COUNTY[1],
        "name:en": COUNTY[2],
    }
    out.relations.append((members, tags))
