"""The routing adapter against the real engine on an invented town and on a real country."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from gridmap.adapters.valhalla import Valhalla
from gridmap.adapters.valhalla_tiles import build_graph, current_version, write_service_config
from gridmap.domain.metric import buffer_m, distance_m
from gridmap.domain.travel import LonLat, Mode, Trip, optimistic_seconds
from gridmap.errors import NotFound, Unavailable
from gridmap.services.routing import Candidate, rank_by_road, way_to

WEST, SOUTH, STEP_LON, STEP_LAT = 114.30, 30.60, 0.00104, 0.0009


def at(column: float, row: float) -> LonLat:
    return LonLat(WEST + column * STEP_LON, SOUTH + row * STEP_LAT)


def one(router: Valhalla, start: LonLat, target: LonLat, mode: Mode) -> Trip:
    [trip] = router.matrix([start], target, mode)
    return trip


@pytest.mark.parametrize("mode", list(Mode))
def test_matrix_and_route_agree(town_router: Valhalla, mode: Mode) -> None:
    target = at(14.3, 12)
    starts = [at(1.2, 2), at(5, 5.4), at(18, 18.3), at(3.5, 15)]
    for start, trip in zip(starts, town_router.matrix(starts, target, mode), strict=True):
        route = town_router.route(start, target, mode)
        assert trip.seconds == pytest.approx(route.seconds, abs=2)
        assert trip.distance_m == pytest.approx(route.distance_m, abs=3)
        assert distance_m(*route.geometry.coords[0], *start) < 10
        assert distance_m(*route.geometry.coords[-1], *target) < 10


def test_the_river_is_crossed_on_a_bridge(town_router: Valhalla) -> None:
    trip = one(town_router, at(8, 9), at(11, 9), Mode.FOOT)
    assert trip.distance_m is not None
    assert trip.distance_m > 1300, "three blocks away in a straight line, but the bridges are six rows off"


def test_one_way_is_respected_but_not_by_blue_lights(town_router: Valhalla) -> None:
    along, against = (at(3.5, 7), at(6.5, 7)), (at(6.5, 7), at(3.5, 7))
    with_it = one(town_router, *along, Mode.CAR)
    against_it = one(town_router, *against, Mode.CAR)
    assert with_it.distance_m == pytest.approx(300, abs=10)
    assert against_it.distance_m is not None
    assert against_it.distance_m > 400
    blue_lights = one(town_router, *against, Mode.EMERGENCY_CAR)
    assert blue_lights.distance_m == pytest.approx(300, abs=10)
    on_foot = one(town_router, *against, Mode.FOOT)
    assert on_foot.distance_m == pytest.approx(300, abs=10)


def test_a_gate_for_people_on_foot_stops_a_car(town_router: Valhalla) -> None:
    outside_north, inside = at(2.5, 11.0), at(2.5, 10.7)
    on_foot = one(town_router, outside_north, inside, Mode.FOOT)
    by_car = one(town_router, outside_north, inside, Mode.CAR)
    assert on_foot.distance_m == pytest.approx(27, abs=10)
    assert by_car.distance_m is not None
    assert by_car.distance_m > 250, "round the block to the south gate"


def test_no_way_and_no_road_are_states_not_zeros(town_router: Valhalla) -> None:
    on_the_island, in_the_fields, far_away = at(43, 3), at(10, 30), LonLat(9.52, 47.14)
    starts = [at(3, 3), on_the_island, in_the_fields, far_away]
    trips = town_router.matrix(starts, at(5, 5), Mode.FOOT)
    assert [trip.state for trip in trips] == ["ok", "unreachable", "off_network", "off_network"]
    assert all(trip.seconds is None and trip.distance_m is None for trip in trips[1:])
    with pytest.raises(NotFound) as refused:
        town_router.route(on_the_island, at(5, 5), Mode.CAR)
    assert refused.value.code == "route_not_found"


def test_a_target_without_roads_is_reached_by_nobody(town_router: Valhalla) -> None:
    nowhere = LonLat(9.52, 47.14)
    assert town_router.snapped_m(nowhere, Mode.CAR) is None
    assert [trip.state for trip in town_router.matrix([at(3, 3), at(4, 4)], nowhere, Mode.CAR)] == [
        "unreachable",
        "unreachable",
    ]


def test_a_closed_bridge_sends_people_to_the_other(town_router: Valhalla) -> None:
    start, target = at(8, 3), at(11, 3)
    closed = buffer_m(*at(9.5, 3), 20)
    [open_trip] = town_router.matrix([start], target, Mode.CAR)
    [detour] = town_router.matrix([start], target, Mode.CAR, [closed])
    assert open_trip.distance_m is not None
    assert detour.distance_m is not None
    assert detour.distance_m > open_trip.distance_m + 2000


def test_a_dead_service_is_stated() -> None:
    dead = Valhalla("http://127.0.0.1:9")
    with pytest.raises(Unavailable) as failure:
        dead.matrix([at(3, 3)], at(5, 5), Mode.FOOT)
    assert failure.value.code == "routing_unavailable"
    ranking = rank_by_road(
        dead, [Candidate("a", at(3, 3), Mode.FOOT), Candidate("b", at(4, 4), Mode.FOOT)], at(5, 5)
    )
    assert (ranking.method, ranking.reason) == ("straight_line", "routing_unavailable")
    assert [arrival.candidate.key for arrival in ranking.fastest] == ["b", "a"]
    assert way_to(dead, at(3, 3), at(5, 5), Mode.FOOT).method == "straight_line"
    dead.close()


def brute_force(router: Valhalla, candidates: list[Candidate[int]], target: LonLat, k: int) -> list[float]:
    seconds: list[float] = []
    for mode in Mode:
        places = [candidate.place for candidate in candidates if candidate.mode == mode]
        seconds += [trip.seconds for trip in router.matrix(places, target, mode) if trip.seconds is not None]
    return sorted(seconds)[:k]


def test_ranking_equals_brute_force_on_the_town(town_router: Valhalla) -> None:
    chance = random.Random(7)
    modes = list(Mode)
    for _ in range(10):
        candidates = [
            Candidate(index, at(chance.uniform(0, 19), chance.uniform(0, 19)), chance.choice(modes))
            for index in range(150)
        ]
        target = at(chance.uniform(0, 19), chance.uniform(0, 19))
        ranking = rank_by_road(town_router, candidates, target, k=5)
        assert ranking.method == "road"
        found = [arrival.trip.seconds for arrival in ranking.fastest]
        assert found == brute_force(town_router, candidates, target, 5)


def test_liechtenstein_agrees_and_is_bounded(start_router, liechtenstein_pbf: Path) -> None:
    router: Valhalla = start_router(liechtenstein_pbf)
    chance = random.Random(3)

    def somewhere() -> LonLat:
        return LonLat(chance.uniform(9.49, 9.56), chance.uniform(47.06, 47.23))

    for mode in Mode:
        target = somewhere()
        starts = [somewhere() for _ in range(40)]
        slack_m = 300 + (router.snapped_m(target, mode) or 0)
        compared = equal = 0
        for start, trip in zip(starts, router.matrix(starts, target, mode), strict=True):
            if trip.seconds is None:
                continue
            route = router.route(start, target, mode)
            assert trip.seconds == pytest.approx(route.seconds, rel=0.05, abs=2)
            equal += abs(trip.seconds - route.seconds) <= 2
            straight_m = float(distance_m(*start, *target))
            assert optimistic_seconds(straight_m, mode, slack_m) <= trip.seconds
            compared += 1
        assert compared > 10
        # Against one-way streets the engine's two searches do not always agree.
        assert equal / compared >= (0.5 if mode == Mode.EMERGENCY_CAR else 0.95)
    candidates = [Candidate(index, somewhere(), chance.choice(list(Mode))) for index in range(300)]
    target = somewhere()
    ranking = rank_by_road(router, candidates, target, k=5)
    found = [arrival.trip.seconds for arrival in ranking.fastest]
    assert found == brute_force(router, candidates, target, 5)


def test_a_build_is_skipped_when_nothing_changed_and_keeps_the_old_on_failure(
    tmp_path: Path, town_pbf: Path
) -> None:
    version = build_graph([town_pbf], tmp_path, socket_dir=tmp_path, port=9)
    tiles = tmp_path / "graphs" / version
    written = tiles.stat().st_mtime_ns
    assert build_graph([town_pbf], tmp_path, socket_dir=tmp_path, port=9) == version
    assert tiles.stat().st_mtime_ns == written
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(town_pbf.read_bytes()[:500])
    with pytest.raises(Unavailable) as failure:
        build_graph([broken], tmp_path, socket_dir=tmp_path, port=9)
    assert failure.value.code == "routing_build_failed"
    assert current_version(tmp_path) == version
    assert write_service_config(tmp_path, socket_dir=tmp_path, port=10) == tmp_path / "valhalla.json"
    assert "127.0.0.1:10" in (tmp_path / "valhalla.json").read_text()
    assert subprocess.run(["test", "-d", tiles], check=False).returncode == 0
