"""Bounds, closures, rings and tracks against the real engine on an invented town."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence

import numpy as np
import pytest
import shapely
from shapely.geometry import LineString

from gridmap.adapters.valhalla import TracePoint, Valhalla
from gridmap.domain.closures import Closure, Closures, blocked_shape
from gridmap.domain.metric import LocalMetric, buffer_m, distance_m
from gridmap.domain.travel import LonLat, Mode
from gridmap.services.road_store import current_bounds
from gridmap.services.routing import Candidate, rank_by_road, reached_within, snap_track, way_to
from tests.osm.test_valhalla import at

METRIC = LocalMetric("EPSG:4547")
BRIDGES = (3, 15)


def shut(*lines: LineString, modes: Sequence[Mode] = ()) -> Closures:
    return Closures(
        tuple(Closure(uuid.uuid4(), blocked_shape(line, METRIC), frozenset(modes)) for line in lines)
    )


def bridge(row: float) -> LineString:
    """A line drawn across the bridge, as somebody with a mouse would."""
    return LineString([at(9.5, row - 0.3), at(9.5, row + 0.3)])


def somewhere(chance: random.Random) -> LonLat:
    return at(chance.uniform(-0.5, 19.5), chance.uniform(-0.5, 19.5))


def brute_force(
    router: Valhalla, crowd: Sequence[Candidate[int]], target: LonLat, closed: Closures, k: int
) -> list[tuple[float, int]]:
    found: list[tuple[float, int]] = []
    for mode in Mode:
        own = [one for one in crowd if one.mode == mode]
        trips = router.matrix([one.place for one in own], target, mode, closed.by_mode[mode])
        found += [
            (trip.seconds, one.key) for one, trip in zip(own, trips, strict=True) if trip.seconds is not None
        ]
    return sorted(found)[:k]


@pytest.mark.parametrize("closed", [shut(), shut(bridge(3)), shut(*map(bridge, BRIDGES), modes=[Mode.CAR])])
def test_the_ranking_is_exact_and_no_trip_beats_its_bound(town_router: Valhalla, closed: Closures) -> None:
    chance = random.Random(11)
    modes = list(Mode)
    bounds = current_bounds(town_router.routing_dir)
    assert bounds is not None
    for _ in range(3):
        crowd = [Candidate(index, somewhere(chance), chance.choice(modes)) for index in range(150)]
        crowd += [Candidate(150 + index, at(40 + index, 3), Mode.FOOT) for index in range(3)]
        target = somewhere(chance)
        ranking = rank_by_road(town_router, crowd, target, k=5, closures=closed)
        found = [(arrival.trip.seconds, arrival.candidate.key) for arrival in ranking.fastest]
        assert found == brute_force(town_router, crowd, target, closed, 5)
        assert ranking.asked < len(crowd) / 2
        for mode in modes:
            own = [one.place for one in crowd if one.mode == mode]
            search = bounds.search(mode, target, closed.by_mode[mode])
            bound_s, _ = search.bounds_s(
                np.array([place.lon for place in own]), np.array([place.lat for place in own]), 1e6
            )
            trips = town_router.matrix(own, target, mode, closed.by_mode[mode])
            for bound, trip in zip(bound_s, trips, strict=True):
                assert trip.seconds is None or bound <= trip.seconds + 1


def test_a_closed_bridge_changes_the_ranking_at_once_and_opening_restores_it(town_router: Valhalla) -> None:
    target = at(11, 3)
    over_the_bridge = Candidate("over the bridge", at(8, 3), Mode.CAR)
    same_side = Candidate("same side", at(18, 8), Mode.CAR)
    crowd = [same_side, over_the_bridge]

    def first(closed: Closures) -> str:
        return rank_by_road(town_router, crowd, target, closures=closed).fastest[0].candidate.key

    assert first(shut()) == "over the bridge"
    assert first(shut(bridge(3))) == "same side"
    assert first(shut(bridge(3), modes=[Mode.FOOT])) == "over the bridge"
    assert first(shut()) == "over the bridge"
    way = way_to(town_router, over_the_bridge.place, target, Mode.CAR, shut(bridge(3)))
    assert way.method == "road"
    assert not way.geometry.intersects(buffer_m(*at(9.5, 3), 20))
    alone = rank_by_road(town_router, crowd, target, closures=shut(*map(bridge, BRIDGES)))
    assert [arrival.candidate.key for arrival in alone.fastest] == ["same side"]
    assert [(arrival.candidate.key, arrival.trip.state) for arrival in alone.without_trip] == [
        ("over the bridge", "unreachable")
    ]


def test_a_line_along_a_street_leaves_the_cross_streets_open(town_router: Valhalla) -> None:
    along = shut(LineString([at(4, 5), at(5, 5)]))
    open_way = way_to(town_router, at(4, 4.5), at(4, 5.5), Mode.CAR)
    past_its_end = way_to(town_router, at(4, 4.5), at(4, 5.5), Mode.CAR, along)
    assert past_its_end.distance_m == pytest.approx(open_way.distance_m, abs=2)
    through = way_to(town_router, at(3.5, 5), at(5.5, 5), Mode.CAR, along)
    assert through.distance_m > way_to(town_router, at(3.5, 5), at(5.5, 5), Mode.CAR).distance_m + 100


def test_walls_are_walked_around_to_the_gate(town_router: Valhalla) -> None:
    inside = at(2.5, 10.5)
    west_of_the_wall = at(2, 10.5)
    on_foot = way_to(town_router, west_of_the_wall, inside, Mode.FOOT)
    assert float(distance_m(*west_of_the_wall, *inside)) < 60
    assert on_foot.distance_m > 120, "the lane inside is reached through a gate only"
    gates = [buffer_m(*at(2.5, row), 6) for row in (10.05, 10.95)]
    assert any(on_foot.geometry.intersects(gate) for gate in gates)


def test_blue_lights_keep_off_footpaths_and_pass_private_gates(start_router, draw, tmp_path) -> None:
    town = draw()
    corners = {
        (column, row): next(
            ref for ref, (lon, lat, _) in town.nodes.items() if (lon, lat) == tuple(at(column, row))
        )
        for column, row in ((5, 8), (6, 9))
    }
    town.way([corners[5, 8], corners[6, 9]], highway="footway")
    gate = town.node(*at(7.5, 8.5), barrier="gate", access="private")
    town.way([corners[6, 9], gate, corners[5, 8]], highway="service", access="private")
    router: Valhalla = start_router(town.write(tmp_path / "paths.osm.pbf"))
    diagonal = LineString([at(5, 8), at(6, 9)])
    path = shapely.buffer(diagonal.interpolate(0.5, normalized=True), 0.0001)
    assert router.route(at(5, 8), at(6, 9), Mode.FOOT).geometry.intersects(path)
    for mode in (Mode.CAR, Mode.EMERGENCY_CAR):
        assert not router.route(at(5, 8), at(6, 9), mode).geometry.intersects(path)
    behind = at(7.4, 8.52)
    assert router.route(at(5, 9), behind, Mode.EMERGENCY_CAR).distance_m < 1500


def test_rings_hold_each_other_and_stop_at_what_is_closed(town_router: Valhalla) -> None:
    start = at(8, 3)
    one, three, five = reached_within(town_router, start, Mode.CAR, (1, 3, 5))
    assert one.method == "road"
    assert three.geometry.buffer(1e-4).covers(one.geometry)
    assert five.geometry.area > three.geometry.area > one.geometry.area
    east = shapely.Point(at(12, 3))
    assert one.geometry.buffer(1e-4).covers(east)
    [closed] = reached_within(town_router, start, Mode.CAR, (1,), shut(bridge(3)))
    assert not closed.geometry.covers(east)
    dead = Valhalla("http://127.0.0.1:9")
    [circle] = reached_within(dead, start, Mode.FOOT, (5,))
    assert (circle.method, circle.reason) == ("straight_line", "routing_unavailable")
    dead.close()


def test_a_noisy_track_lies_on_its_street(town_router: Valhalla) -> None:
    chance = random.Random(2)
    truth = [at(2 + step * 0.25, 6) for step in range(25)]
    noisy = [
        TracePoint(
            LonLat(place.lon + chance.gauss(0, 8e-5), place.lat + chance.gauss(0, 8e-5)), step * 8.0, 10.0
        )
        for step, place in enumerate(truth)
    ]
    track = snap_track(town_router, noisy, Mode.EBIKE)
    assert track.method == "road"
    street = LineString([at(0, 6), at(9, 6)])
    off = [street.distance(shapely.Point(place)) * 111_000 for place in track.places]
    assert np.median(off) < 1.5
    assert np.mean([away < 3 for away in off]) > 0.8
    lost = snap_track(
        town_router, [TracePoint(LonLat(9.5, 47.1), 0, 5), TracePoint(LonLat(9.6, 47.2), 60, 5)], Mode.FOOT
    )
    assert lost.method == "straight_line"
    assert len(lost.places) == 2
