"""The recorded pan-and-zoom: which tiles an operator's screen asks for on the way from the whole city to a street."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

FIRST_ZOOM, LAST_ZOOM = 8, 17
# A 1920 by 1080 screen of 512-pixel tiles, map moved by two thirds of a screen a pan.
_SCREEN_TILES = (1920 / 512, 1080 / 512)
_PANS = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (-1.0, 1.0), (-1.0, 0.0))
_PAN_SHARE = 2 / 3

# West, south, east, north in degrees.
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, order=True, slots=True)
class TileAddress:
    """A tile of the usual Web Mercator pyramid, y from the north."""

    z: int
    x: int
    y: int


def walk(centre: tuple[float, float], bounds: Bounds) -> list[TileAddress]:
    """Distinct tiles in the order they are first asked for: towards `centre` (lon, lat), within `bounds`.

    The screen stays inside the bounds where it fits, and tiles beside them are left out: an answer of nothing is quick
    on any server.
    """
    seen: dict[TileAddress, None] = {}
    for zoom in range(FIRST_ZOOM, LAST_ZOOM + 1):
        first, last = _corners(bounds, zoom)
        at_x, at_y = _position(centre, zoom)
        for pan_x, pan_y in _PANS:
            middle_x = _within(
                at_x + pan_x * _SCREEN_TILES[0] * _PAN_SHARE, first[0], last[0], _SCREEN_TILES[0]
            )
            middle_y = _within(
                at_y + pan_y * _SCREEN_TILES[1] * _PAN_SHARE, first[1], last[1], _SCREEN_TILES[1]
            )
            for tile in _screen(zoom, middle_x, middle_y):
                if (
                    first[0] < tile.x + 1
                    and tile.x <= last[0]
                    and first[1] < tile.y + 1
                    and tile.y <= last[1]
                ):
                    seen[tile] = None
    return list(seen)


def cover(bounds: Bounds, zoom: int) -> list[TileAddress]:
    """Every tile of a zoom that meets a box, row by row."""
    first, last = _corners(bounds, zoom)
    (first_x, first_y), (last_x, last_y) = map(math.floor, first), map(math.floor, last)
    return [TileAddress(zoom, x, y) for y in range(first_y, last_y + 1) for x in range(first_x, last_x + 1)]


def _screen(zoom: int, middle_x: float, middle_y: float) -> Iterator[TileAddress]:
    half_x, half_y = _SCREEN_TILES[0] / 2, _SCREEN_TILES[1] / 2
    for y in range(math.floor(middle_y - half_y), math.floor(middle_y + half_y) + 1):
        for x in range(math.floor(middle_x - half_x), math.floor(middle_x + half_x) + 1):
            if 0 <= x < 2**zoom and 0 <= y < 2**zoom:
                yield TileAddress(zoom, x, y)


def _within(middle: float, first: float, last: float, width: float) -> float:
    """`middle` moved so that a screen of `width` around it lies between first and last, or has their middle."""
    if last - first <= width:
        return (first + last) / 2
    return min(max(middle, first + width / 2), last - width / 2)


def _corners(bounds: Bounds, zoom: int) -> tuple[tuple[float, float], tuple[float, float]]:
    west, south, east, north = bounds
    return _position((west, north), zoom), _position((east, south), zoom)


def _position(lon_lat: tuple[float, float], zoom: int) -> tuple[float, float]:
    lon, lat = lon_lat
    size = 2**zoom
    return (
        (lon + 180) / 360 * size,
        (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * size,
    )
