"""A small invented town as an OSM file, and the real extracts where this machine has them."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import osmium
import pytest

from gridmap.adapters.valhalla import Valhalla
from gridmap.adapters.valhalla_bin import valhalla_bin
from gridmap.adapters.valhalla_tiles import build_graph
from gridmap.domain.travel import LonLat
from gridmap.errors import Unavailable
from gridmap.settings import Settings

WEST, SOUTH = 114.30, 30.60
STEP_LON, STEP_LAT = 0.00104, 0.0009  # about 100 m
COLUMNS = ROWS = 20
RIVER_AFTER_COLUMN = 9
BRIDGE_ROWS = (3, 15)
ONE_WAY_ROW = 7


@dataclass
class OsmDraft:
    """Nodes, ways and relations with tags, written in the order an OSM file needs."""

    nodes: dict[int, tuple[float, float, dict[str, str]]] = field(default_factory=dict)
    ways: list[tuple[int, list[int], dict[str, str]]] = field(default_factory=list)
    relations: list[tuple[int, list[tuple[str, int, str]], dict[str, str]]] = field(default_factory=list)
    next_id: int = 1

    def node(self, lon: float, lat: float, **tags: str) -> int:
        self.next_id += 1
        self.nodes[self.next_id] = (lon, lat, _tags(tags))
        return self.next_id

    def way(self, refs: list[int], **tags: str) -> int:
        self.ways.append((len(self.ways) + 1, refs, _tags(tags)))
        return len(self.ways)

    def box(self, west: float, south: float, east: float, north: float, **tags: str) -> int:
        corners = [(west, south), (east, south), (east, north), (west, north)]
        refs = [self.node(lon, lat) for lon, lat in corners]
        return self.way([*refs, refs[0]], **tags)

    def relation(self, members: list[tuple[str, int, str]], **tags: str) -> None:
        self.relations.append((len(self.relations) + 1, members, _tags(tags)))

    def write(self, path: Path, *, backwards: bool = False) -> Path:
        path.unlink(missing_ok=True)
        header = osmium.io.Header()
        writer = osmium.SimpleWriter(str(path), header=header)
        order = sorted(self.nodes, reverse=backwards)
        for node_id in order:
            lon, lat, tags = self.nodes[node_id]
            writer.add_node(osmium.osm.mutable.Node(id=node_id, location=(lon, lat), tags=tags, version=1))
        for way_id, refs, tags in self.ways:
            writer.add_way(osmium.osm.mutable.Way(id=way_id, nodes=refs, tags=tags, version=1))
        for relation_id, members, tags in self.relations:
            writer.add_relation(
                osmium.osm.mutable.Relation(id=relation_id, members=members, tags=tags, version=1)
            )
        writer.close()
        return path


def _tags(tags: dict[str, str]) -> dict[str, str]:
    """Python names hold no colon: two underscores stand for one."""
    return {name.replace("__", ":"): value for name, value in tags.items()}


def at(column: float, row: float) -> LonLat:
    """The crossing of a column and a row of the town's streets."""
    return LonLat(WEST + column * STEP_LON, SOUTH + row * STEP_LAT)


def draw_town() -> OsmDraft:
    """20 by 20 crossings, a river with two bridges, a one-way street, a compound, an island."""
    town = OsmDraft()
    crossing = {
        (column, row): town.node(*at(column, row)) for row in range(ROWS) for column in range(COLUMNS)
    }
    for row in range(ROWS):
        tags = {"highway": "residential", "name": f"第{row}横路", "name:en": f"Row {row} Road"}
        if row == ONE_WAY_ROW:
            tags["oneway"] = "yes"
        if row in BRIDGE_ROWS:
            tags |= {"highway": "primary", "maxspeed": "60"}
        west = [crossing[column, row] for column in range(RIVER_AFTER_COLUMN + 1)]
        east = [crossing[column, row] for column in range(RIVER_AFTER_COLUMN + 1, COLUMNS)]
        town.way(west, **tags)
        if row in BRIDGE_ROWS:
            town.way([west[-1], east[0]], **tags, bridge="yes", layer="1")
        town.way(east, **tags)
    for column in range(COLUMNS):
        refs = [crossing[column, row] for row in range(ROWS)]
        name = "建设路" if column == 0 else f"第{column}纵路"
        town.way(refs[:10], highway="residential", name=name)
        town.way(refs[9:], highway="residential", name=name)
    _draw_compound(town, crossing)
    _draw_island(town)
    _draw_things(town)
    return town


def _draw_compound(town: OsmDraft, crossing: dict[tuple[int, int], int]) -> None:
    """Between columns 2-3 and rows 10-11: a lane whose north gate lets only people on foot through."""
    south_gate = town.node(*at(2.5, 10.05), barrier="gate", access="yes")
    north_gate = town.node(*at(2.5, 10.95), barrier="gate", access="no", foot="yes")
    inside = [town.node(*at(2.5, 10 + step / 10)) for step in (2, 4, 6, 8)]
    south_street = town.node(*at(2.5, 10))
    north_street = town.node(*at(2.5, 11))
    for way_id, refs, _ in town.ways:
        for row, middle in ((10, south_street), (11, north_street)):
            pair = [crossing[2, row], crossing[3, row]]
            for index in range(len(refs) - 1):
                if refs[index : index + 2] == pair:
                    town.ways[way_id - 1][1].insert(index + 1, middle)
                    break
    town.way(
        [south_street, south_gate, *inside, north_gate, north_street], highway="service", name="阳光花园内路"
    )
    town.box(*at(2.1, 10.1), *at(2.9, 10.9), landuse="residential", name="阳光花园", barrier="wall")


def _draw_island(town: OsmDraft) -> None:
    """Eight by eight crossings two kilometres east, with no road to the town."""
    grid = {(column, row): town.node(*at(40 + column, row)) for row in range(8) for column in range(8)}
    for index in range(8):
        town.way([grid[column, index] for column in range(8)], highway="residential", name="岛路")
        town.way([grid[index, row] for row in range(8)], highway="residential")


def _draw_things(town: OsmDraft) -> None:
    for number in range(1, 21):
        town.box(
            *at(0.1, 0.2 + number * 0.4),
            *at(0.3, 0.4 + number * 0.4),
            building="apartments",
            addr__street="建设路",
            addr__housenumber=str(number * 2),
            building__levels="6",
        )
    town.box(
        *at(5.2, 5.2),
        *at(5.8, 5.8),
        building="hospital",
        amenity="hospital",
        name="市第一医院",
        height="24 m",
    )
    town.node(*at(6.5, 6.5), amenity="police", name="河西派出所")
    town.node(*at(0.05, 18.0), addr__street="建设路", addr__housenumber="101号")
    town.node(*at(5, 10), place="suburb", name="河西街道", name__en="Hexi")
    town.box(*at(9.3, -1), *at(9.7, 21), natural="water", water="river", name="清江")
    outer = town.box(*at(12.1, 12.1), *at(12.9, 12.9))
    inner = town.box(*at(12.4, 12.4), *at(12.6, 12.6))
    town.relation(
        [("w", outer, "outer"), ("w", inner, "inner")],
        type="multipolygon",
        building="school",
        name="实验小学",
    )
    town.box(*at(14.1, 14.1), *at(15.9, 15.9), leisure="park", name="人民公园")


@pytest.fixture(scope="session")
def town_pbf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_town().write(tmp_path_factory.mktemp("town") / "town.osm.pbf")


@pytest.fixture(scope="session")
def liechtenstein_pbf(shared_data: Path) -> Path:
    return _real_extract(shared_data, "liechtenstein.osm.pbf")


@pytest.fixture(scope="session")
def shanghai_pbf(shared_data: Path) -> Path:
    return _real_extract(shared_data, "shanghai_huangpu.osm.pbf")


def _real_extract(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        pytest.skip(f"{name} is not on this machine")
    return path


@pytest.fixture
def site(settings: Settings, tmp_path: Path) -> Settings:
    """The throwaway deployment with files of its own."""
    return settings.model_copy(update={"data_dir": tmp_path / "data"})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


StartRouter = Callable[..., Valhalla]


@pytest.fixture(scope="session")
def start_router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartRouter]:
    """Builds a graph of the given files and runs the real service on it."""
    try:
        service = valhalla_bin("valhalla_service")
    except Unavailable:
        pytest.skip("the routing engine is not installed")
    running: list[subprocess.Popen[Any]] = []
    clients: list[Valhalla] = []

    def start(*files: Path) -> Valhalla:
        folder = tmp_path_factory.mktemp("r")
        port = free_port()
        build_graph(files, folder, socket_dir=folder, port=port)
        process = subprocess.Popen(
            [service, folder / "valhalla.json", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        running.append(process)
        client = Valhalla(f"http://127.0.0.1:{port}", routing_dir=folder)
        clients.append(client)
        _wait_for(client)
        return client

    yield start
    for client in clients:
        client.close()
    for process in running:
        process.kill()
        process.wait()


def _wait_for(client: Valhalla) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            client.graph_built_at()
            return
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.fixture(scope="session")
def town_router(start_router: StartRouter, town_pbf: Path) -> Valhalla:
    return start_router(town_pbf)


@pytest.fixture(scope="session")
def draw() -> Callable[[], OsmDraft]:
    """Draws the town anew, for tests that change it."""
    return draw_town
