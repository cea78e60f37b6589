"""The bench's own arithmetic: a bench that miscounts would prove anything."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
import shapely

from gridmap.bench.feed import Heard, Truth, _disorder, _overtaken, _report
from gridmap.bench.lattice import LEVELS, Lattice, build_lattice
from gridmap.bench.listeners import Listeners, _Stream
from gridmap.bench.points import PointSource
from gridmap.bench.tile_walk import FIRST_ZOOM, LAST_ZOOM, cover, walk

CITY = (113.0, 30.0, 113.5, 30.4)


@pytest.fixture(scope="module")
def lattice() -> Lattice:
    return build_lattice(0.05, np.random.default_rng(1))


def test_the_grids_are_an_exact_coverage_and_each_level_their_union(lattice: Lattice) -> None:
    grids = [area.geometry for area in lattice.grids]
    assert len(grids) == lattice.columns * lattice.rows
    assert shapely.is_valid(grids).all()
    assert shapely.coverage_is_valid(grids)
    province = lattice.areas[0].geometry
    assert shapely.get_num_interior_rings(province) == 0
    for level in LEVELS:
        total = sum(area.geometry.area for area in lattice.areas if area.level == level)
        assert total == pytest.approx(province.area, rel=1e-9)


def test_a_path_names_every_area_above(lattice: Lattice) -> None:
    by_id = {area.area_id: area for area in lattice.areas}
    for area in lattice.grids[:: len(lattice.grids) // 20]:
        levels = [by_id[int(label)].level for label in area.path.split(".")]
        assert levels == list(LEVELS)
        assert by_id[area.parent_id or 0].geometry.buffer(1e-9).covers(area.geometry)


def test_points_lie_in_the_grid_they_say(lattice: Lattice) -> None:
    source = PointSource(lattice, 0.001)
    by_path = {area.path: area.geometry for area in lattice.grids}
    for lines, columns in ((source.camera_lines(), (7, 9)), (source.incident_lines(), (9, 12))):
        rows = [line.split("\t") for block in lines for line in block.splitlines()]
        shapes = shapely.from_wkb([row[columns[0]] for row in rows])
        assert all(by_path[row[columns[1]]].covers(shape) for row, shape in zip(rows, shapes, strict=True))


def test_the_walk_asks_for_each_tile_once_and_reaches_every_zoom() -> None:
    tiles = walk((113.5, 30.2), CITY)
    assert len(set(tiles)) == len(tiles)
    assert {tile.z for tile in tiles} == set(range(FIRST_ZOOM, LAST_ZOOM + 1))


def test_the_walk_stays_inside_the_city() -> None:
    tiles = set(walk((113.5, 30.2), CITY))
    for zoom in range(FIRST_ZOOM, 14):
        assert {tile for tile in tiles if tile.z == zoom} <= set(cover(CITY, zoom))
    assert len(tiles) > 150


def test_a_zoom_s_cover_has_no_hole() -> None:
    tiles = cover(CITY, 12)
    columns, rows = {tile.x for tile in tiles}, {tile.y for tile in tiles}
    assert len(tiles) == len(columns) * len(rows)
    assert max(columns) - min(columns) + 1 == len(columns)


TRUTH = Truth(np.array([10, 11, 12]), np.array([1.0, 3.0, 2.0]), np.array([0, 1, 0]))


def heard(*frames: tuple[int, int, float]) -> Heard:
    stream, row, at = zip(*frames, strict=True)
    return Heard(np.array(stream, dtype=np.int32), np.array(row), np.array(at), 0, 0)


def test_a_feed_that_tells_everything_loses_nothing() -> None:
    report = _report(heard((0, 10, 1.1), (0, 12, 2.2), (0, 11, 3.3), (0, 10, 4.0)), TRUTH, 1)
    assert (report["events"], report["lost"], report["out_of_order"]) == (3, 0, 0)
    assert report["commit_to_client_ms"]["max"] == pytest.approx(300)


def test_what_a_stream_did_not_hear_is_lost() -> None:
    report = _report(heard((0, 10, 1.1), (1, 10, 1.1), (1, 11, 3.1), (1, 12, 2.1)), TRUTH, 2)
    assert report["lost"] == 2


def test_one_incident_s_notices_in_the_wrong_order_are_seen() -> None:
    assert _disorder(np.array([0, 0]), np.array([2.0, 1.0])) == 1
    assert _disorder(np.array([0, 1]), np.array([2.0, 1.0])) == 0
    report = _report(heard((0, 12, 2.1), (0, 10, 2.2), (0, 11, 3.1)), TRUTH, 1)
    assert report["out_of_order"] == 1


def test_a_later_row_that_was_committed_first_is_counted() -> None:
    assert _overtaken(TRUTH) == 1


WIRE = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"d\r\nretry: 2000\n\n\r\n"
    b'4f\r\nid: a1-7-3\nevent: incident\ndata: {"text":"id: a1-9-9\\nevent: incident"}\n\n'
    b"event: units\ndata: {}\n\n\r\n"
    b"20\r\nevent: resync\ndata: {}\n\nid: a1-8-4\nevent: alarm\ndata: {}\n\nid: a1-9-0\nevent: beat\ndata: {}\n\n\r\n"
)


@pytest.mark.parametrize("size", [1, 2, 7, 50, len(WIRE)])
def test_a_listener_hears_each_frame_once_however_the_bytes_are_cut(size: int) -> None:
    async def hear() -> tuple[Listeners, _Stream]:
        listeners = Listeners(0)
        stream = _Stream(listeners, 4, "")
        for start in range(0, len(WIRE), size):
            stream.data_received(WIRE[start : start + size])
        assert listeners.open == 1
        stream.connection_lost(None)
        return listeners, stream

    listeners, stream = asyncio.run(hear())
    assert list(zip(listeners.stream, listeners.xid, listeners.id, strict=True)) == [(4, 7, 3), (4, 8, 4)]
    assert (listeners.resyncs, listeners.open, stream.last_id) == (1, 0, "a1-9-0")
