"""Closures over HTTP: drawn by who may, seen by whom, and over when they are over."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from gridmap.clock import FixedClock
from gridmap.domain.travel import LonLat, Mode
from gridmap.services import closures
from gridmap.services.timers import fire_due
from gridmap.services.transaction import system_transaction, transaction
from gridmap.worker import TIMER_HANDLERS
from tests.web.conftest import Browse
from tests.world import SIDE, SOUTH, WEST, World


def line(*corners: tuple[float, float]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": corners}


def across(world: World, county: int, *, until_county: int | None = None) -> dict[str, Any]:
    start, end = (
        world.point_in(county, 0),
        world.point_in(county if until_county is None else until_county, 2),
    )
    return line(start, end)


def shut_modes(world: World, clock: FixedClock) -> set[Mode]:
    with system_transaction(world.database, clock) as tx:
        return {mode for mode, shapes in closures.active(tx).by_mode.items() if shapes}


def test_an_operator_shuts_a_road_and_opens_it(browse: Browse, world: World, clock: FixedClock) -> None:
    desk = browse("operator.0")
    made = desk.post(
        "/api/closures", {"geometry": across(world, 0), "reason": "works", "note": "水管", "modes": ["car"]}
    )
    assert made.status_code == 201, made.text
    assert made.get_json()["state"] == "closed"
    assert shut_modes(world, clock) == {Mode.CAR}
    [listed] = desk.get("/api/closures").get_json()["items"]
    assert listed["geometry"]["type"] == "LineString", "as it was drawn, not the strip"
    ended = desk.post(f"/api/closures/{listed['id']}/end", {"reason": "修好"})
    assert ended.get_json()["state"] == "over"
    assert shut_modes(world, clock) == set()
    assert desk.get("/api/closures").get_json()["items"] == []
    assert len(desk.get("/api/closures?over=true").get_json()["items"]) == 1
    again = desk.post(f"/api/closures/{listed['id']}/end", {})
    assert (again.status_code, again.get_json()["code"]) == (409, "closure_over")


def test_who_may_not(browse: Browse, world: World) -> None:
    body = {"geometry": across(world, 0), "reason": "works"}
    assert browse("analyst.0").post("/api/closures", body).status_code == 403
    foreign = browse("operator.1").post("/api/closures", body)
    assert (foreign.status_code, foreign.get_json()["code"]) == (403, "out_of_write_scope")
    both = browse("operator.0").post("/api/closures", {**body, "geometry": across(world, 0, until_county=1)})
    assert both.get_json()["code"] == "out_of_write_scope", "the road lies in two counties"


def test_a_neighbour_reads_nothing_and_is_stopped_all_the_same(
    browse: Browse, world: World, clock: FixedClock
) -> None:
    browse("operator.0").post("/api/closures", {"geometry": across(world, 0), "reason": "cordon"})
    neighbour = browse("operator.1")
    assert neighbour.get("/api/closures").get_json()["items"] == []
    actor = world.account("nora", "operator", 1)
    with transaction(world.database, actor, clock) as tx:
        [item] = closures.active(tx).items
    assert item.stops(Mode.FOOT)


def test_a_planned_one_counts_when_its_time_comes(browse: Browse, world: World, clock: FixedClock) -> None:
    desk = browse("operator.0")
    starts, ends = clock.at + timedelta(hours=1), clock.at + timedelta(hours=2)
    made = desk.post(
        "/api/closures",
        {
            "geometry": across(world, 0),
            "reason": "event",
            "starts_at": starts.isoformat(),
            "ends_at": ends.isoformat(),
        },
    )
    assert made.get_json()["state"] == "planned"
    assert shut_modes(world, clock) == set()
    clock.at = starts
    assert shut_modes(world, clock) == set(Mode), "from the very second, whether or not the worker has run"
    assert fire_due(world.database, clock, TIMER_HANDLERS) == 1
    clock.at = ends
    assert shut_modes(world, clock) == set()
    assert fire_due(world.database, clock, TIMER_HANDLERS) == 1
    assert fire_due(world.database, clock, TIMER_HANDLERS) == 0
    assert desk.get("/api/closures").get_json()["items"] == []


def test_what_is_no_road_is_refused(browse: Browse, world: World, clock: FixedClock) -> None:
    desk = browse("operator.0")
    lon, lat = world.point_in(0)
    cases = [
        (line((lon, lat), (lon, lat)), {}, "closure_shape_invalid"),
        (line((lon, lat), (lon + 3, lat)), {}, "closure_too_large"),
        (
            {"type": "Polygon", "coordinates": [[(0, 0), (1, 1), (0, 1), (1, 0), (0, 0)]]},
            {},
            "closure_shape_invalid",
        ),
        (across(world, 0), {"reason": "because"}, "closure_reason_unknown"),
        (across(world, 0), {"ends_at": clock.at.isoformat()}, "closure_times_invalid"),
        (across(world, 0), {"modes": ["boat"]}, "mode_unknown"),
    ]
    for geometry, more, code in cases:
        answer = desk.post("/api/closures", {"geometry": geometry, "reason": "works", **more})
        assert (answer.status_code, answer.get_json()["code"]) == (422, code), (geometry, answer.text)


def test_its_tile_shows_it_inside_the_scope_only(browse: Browse, world: World) -> None:
    browse("operator.0").post("/api/closures", {"geometry": across(world, 0), "reason": "works"})
    sizes = {}
    for login in ("operator.0", "operator.1"):
        seat = browse(login)
        [layer] = [row for row in seat.get("/api/layers").get_json()["items"] if row["key"] == "closures"]
        at = LonLat(WEST + 2 * SIDE, SOUTH + SIDE / 2)
        x, y = tile_of(at, 12)
        address = layer["url"].format(z=12, x=x, y=y)
        sizes[login] = len(seat.get(address).data)
    assert sizes["operator.0"] > 50
    assert sizes["operator.1"] == 0


def tile_of(place: LonLat, zoom: int) -> tuple[int, int]:
    size = 2**zoom
    y = (1 - math.asinh(math.tan(math.radians(place.lat))) / math.pi) / 2 * size
    return int((place.lon + 180) / 360 * size), int(y)
