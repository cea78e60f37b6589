"""The OSM extract is one connected city that the map builders read."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import osmium
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gridmap.adapters.tilemaker import build_basemap
from gridmap.adapters.valhalla_bin import valhalla_bin
from gridmap.adapters.valhalla_tiles import build_graph
from gridmap.demo.district.street_graph import load_street_graph
from gridmap.errors import Unavailable
from tests.unit.demo.conftest import District

FIRST_ID = 10**12
CAR = {"trunk", "primary", "secondary", "tertiary", "residential", "unclassified", "living_street", "service"}


@dataclass
class Extract:
    """What the tests ask of the file."""

    order: list[str] = field(default_factory=list)
    ids: dict[str, list[int]] = field(default_factory=lambda: {"n": [], "w": [], "r": []})
    highways: Counter[str] = field(default_factory=Counter)
    tags: Counter[str] = field(default_factory=Counter)
    edges: list[tuple[int, int]] = field(default_factory=list)
    gates: set[int] = field(default_factory=set)
    inner: set[int] = field(default_factory=set)


@pytest.fixture(scope="module")
def extract(district: District) -> Extract:
    found = Extract()
    for item in osmium.FileProcessor(district.folder / "district.osm.pbf"):
        kind = "n" if item.is_node() else "w" if item.is_way() else "r"
        if not found.order or found.order[-1] != kind:
            found.order.append(kind)
        found.ids[kind].append(item.id)
        for tag in item.tags:
            found.tags[f"{tag.k}={tag.v}"] += 1
            found.tags[tag.k] += 1
        if kind == "n" and item.tags.get("barrier") == "gate":
            found.gates.add(item.id)
        if kind == "w":
            _take_way(found, item)
    return found


def _take_way(found: Extract, way: osmium.osm.Way) -> None:
    highway = way.tags.get("highway")
    refs = [node.ref for node in way.nodes]
    if highway is None:
        return
    found.highways[highway] += 1
    if way.tags.get("access") == "private":
        found.inner.update(refs)
    if highway in CAR:
        pairs = list(pairwise(refs))
        found.edges += pairs
        if way.tags.get("oneway") != "yes":
            found.edges += [(b, a) for a, b in pairs]


def test_ids_ascend_from_ten_to_the_twelfth(extract: Extract) -> None:
    assert extract.order == ["n", "w", "r"]
    for ids in extract.ids.values():
        assert ids[0] == FIRST_ID
        assert ids == sorted(set(ids))


def test_it_has_what_a_city_has(extract: Extract) -> None:
    assert set(extract.highways) >= {
        "trunk",
        "primary",
        "secondary",
        "tertiary",
        "residential",
        "service",
        "footway",
    }
    assert extract.tags["bridge=yes"] >= 8
    assert extract.tags["oneway=yes"] >= 20
    assert extract.tags["barrier=wall"] >= 300
    assert extract.tags["natural=water"] >= 4
    assert extract.tags["building:flats"] >= 15_000
    assert extract.tags["addr:housenumber"] >= 25_000
    for amenity in ("school", "hospital", "marketplace"):
        assert extract.tags[f"amenity={amenity}"] >= 8


def test_gates_stand_on_the_inner_streets(extract: Extract) -> None:
    assert len(extract.gates) >= 400
    assert extract.gates <= extract.inner


def test_cars_reach_nearly_everything(extract: Extract) -> None:
    refs, index = np.unique(np.array(extract.edges), return_inverse=True)
    ends = index.reshape(-1, 2)
    matrix = coo_matrix((np.ones(len(ends)), ends.T), shape=(len(refs), len(refs)))
    _, label = connected_components(matrix, directed=True, connection="strong")
    assert np.bincount(label).max() / len(refs) > 0.95


def test_every_grid_has_a_street(district: District) -> None:
    graph = load_street_graph(district.folder)
    n = len(graph.lonlat)
    matrix = coo_matrix((np.ones(len(graph.start)), (graph.start, graph.end)), shape=(n, n))
    _, label = connected_components(matrix, directed=True, connection="strong")
    main = label == np.bincount(label).argmax()
    assert set(graph.member_grid[main[graph.member_node]]) == set(range(len(graph.grid_codes)))


@pytest.mark.skipif(shutil.which("tilemaker") is None, reason="tilemaker is not installed")
def test_tilemaker_reads_it(district: District, tmp_path: Path) -> None:
    tiles = build_basemap(district.folder / "district.osm.pbf", "demo", tmp_path, district.manifest.bounds)
    assert tiles.stat().st_size > 1_000_000


def test_valhalla_reads_it(district: District, tmp_path: Path) -> None:
    try:
        valhalla_bin("valhalla_build_tiles")
    except Unavailable:
        pytest.skip("the routing engine is not installed")
    extract = district.folder / "district.osm.pbf"
    version = build_graph([extract], tmp_path / "routing", socket_dir=tmp_path, port=18_000)
    assert list((tmp_path / "routing" / "graphs" / version).rglob("*.gph"))
