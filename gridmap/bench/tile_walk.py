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


@dataclass(frozen=True, order=True, slots=True)
class TileAddress:
    """A tile of the usual Web Mercator pyramid, y from the north."""

    z: int
    x: int
    y: int


def walk(centre: tuple[float, float]) -> list[TileAddress]:
    """Distinct tiles in the order they are first asked for; `centre` is lon, lat in degrees."""
    seen: dict[TileAddress, None] = {}
    for zoom in range(FIRST_ZOOM, LAST_ZOOM + 1):
        at_x, at_y = _position(centre, zoom)
        for pan_x, pan_y in _PANS:
            middle_x = at_x + pan_x * _SCREEN_TILES[0] * _PAN_SHARE
            middle_y = at_y + pan_y * _SCREEN_TILES[1] * _PAN_SHARE
            for tile in _screen(zoom, middle_x, middle_y):
                seen[tile] = None
    return list(seen)


def cover(bounds: tuple[float, float, float, float], zoom: int) -> list[TileAddress]:
    """Every tile of a zoom that meets a box (west, south, east, north), row by row."""
    west, south, east, north = bounds
    first_x, first_y = (math.floor(at) for at in _position((west, north), zoom))
    last_x, last_y = (math.floor(at) for at in _position((east, south), zoom))
    return [TileAddress(zoom, x, y) for y in range(first_y, last_y + 1) for x in range(first_x, last_x + 1)]


def _screen(zoom: int, middle_x: float, middle_y: float) -> Iterator[TileAddress]:
    half_x, half_y = _SCREEN_TILES[0] / 2, _SCREEN_TILES[1] / 2
    for y in range(math.floor(middle_y - half_y), math.floor(middle_y + half_y) + 1):
        for x in range(math.floor(middle_x - half_x), math.floor(middle_x + half_x) + 1):
            if 0 <= x < 2**zoom and 0 <= y < 2**zoom:
                yield TileAddress(zoom, x, y)


def _position(lon_lat: tuple[float, float], zoom: int) -> tuple[float, float]:
    lon, lat = lon_lat
    size = 2**zoom
    return (
        (lon + 180) / 360 * size,
        (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * size,
    )
