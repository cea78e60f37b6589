"""On the demo district's own streets: a walled compound is entered by its gate, and the five best are the five best."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import osmium
import pytest
import shapely

from gridmap.adapters.valhalla import Valhalla
from gridmap.demo.district.generate import generate
from gridmap.demo.district.scale import SMALL
from gridmap.domain.metric import buffer_m
from gridmap.domain.travel import LonLat, Mode
from gridmap.services.road_store import current_bounds
from gridmap.services.routing import Candidate, rank_by_road

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("walls")
    generate(folder, 7, SMALL)
    return folder / "district.osm.pbf"


def walled(extract: Path) -> list[tuple[shapely.Polygon, list[LonLat]]]:
    """Each walled compound's outline and the gates in its wall."""
    gates: set[int] = set()
    for node in osmium.FileProcessor(str(extract), osmium.osm.NODE):
        if node.tags.get("barrier") == "gate":
            gates.add(node.id)
    found = []
    for way in osmium.FileProcessor(str(extract), osmium.osm.NODE | osmium.osm.WAY).with_locations():
        if isinstance(way, osmium.osm.Way) and way.tags.get("barrier") == "wall":
            corners = [(node.location.lon, node.location.lat) for node in way.nodes]
            own = [
                LonLat(*corner) for node, corner in zip(way.nodes, corners, strict=True) if node.ref in gates
            ]
            found.append((shapely.Polygon(corners), own))
    return found


def test_a_compound_is_entered_by_its_gate(start_router, district: Path) -> None:
    router: Valhalla = start_router(district)
    entered = 0
    for outline, gates in walled(district)[:60]:
        inside = outline.representative_point()
        start, target = LonLat(gates[0].lon, gates[0].lat - 0.004), LonLat(inside.x, inside.y)
        line = router.route(start, target, Mode.FOOT).geometry
        came_from, came_to = shapely.Point(line.coords[0]), shapely.Point(line.coords[-1])
        if came_from.within(outline) or not came_to.within(outline.buffer(-2e-5)):
            continue
        crossed = shapely.intersection(line, outline.exterior)
        doors = shapely.union_all([buffer_m(*gate, 3) for gate in gates])
        assert doors.covers(crossed), "through the wall"
        entered += 1
    assert entered > 20


def test_our_five_are_the_five_of_all(start_router, district: Path) -> None:
    router: Valhalla = start_router(district)
    bounds = current_bounds(router.routing_dir)
    assert bounds is not None
    chance = random.Random(4)
    everywhere = [gate for _, gates in walled(district) for gate in gates]

    def somewhere() -> LonLat:
        lon, lat = chance.choice(everywhere)
        return LonLat(lon + chance.gauss(0, 0.001), lat + chance.gauss(0, 0.001))

    crowd = [Candidate(index, somewhere(), list(Mode)[index % 4]) for index in range(400)]
    for _ in range(3):
        target = somewhere()
        true_s = np.full(len(crowd), np.inf)
        for mode in Mode:
            own = [one for one in crowd if one.mode == mode]
            trips = router.matrix([one.place for one in own], target, mode)
            for one, trip in zip(own, trips, strict=True):
                true_s[one.key] = np.inf if trip.seconds is None else trip.seconds
        ranking = rank_by_road(router, crowd, target)
        assert [one.trip.seconds for one in ranking.fastest] == np.sort(true_s)[:5].tolist()
