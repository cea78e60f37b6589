"""Geometry of rows: measured first, then read, checked in its own system, and moved to WGS84."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely

from gridmap.domain.crs import Crs, geometry_to_wgs84, to_wgs84
from ingest.base import Faults, Mask, Objects, objects, only
from ingest.ceilings import Ceilings

Shape = Literal["point", "line", "polygon", "none"]
_TYPES: dict[Shape, tuple[int, ...]] = {
    "point": (0, 4),
    "line": (1, 5),
    "polygon": (3, 6),
    "none": (),
}
_BYTES_PER_VERTEX = 16


@dataclass(frozen=True, slots=True)
class Bounds:
    """A box in WGS84 degrees where this deployment's things are expected."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, lon: Any, lat: Any) -> Mask:
        return np.asarray((lon >= self.west) & (lon <= self.east) & (lat >= self.south) & (lat <= self.north))


def points_from_columns(
    lon: Objects, lat: Objects, crs: Crs, bounds: Bounds | None, faults: Faults
) -> Objects:
    """Points in WGS84 from two columns of numbers (None = missing); None where there is no usable pair."""
    x = np.array([np.nan if value is None else value for value in lon], dtype=float)
    y = np.array([np.nan if value is None else value for value in lat], dtype=float)
    half = np.isnan(x) != np.isnan(y)
    faults.add(half, "lon,lat", "half_a_coordinate")
    usable = _check_numbers(x, y, ~np.isnan(x) & ~np.isnan(y), crs, faults)
    return _to_points(x, y, usable, crs, bounds, faults)


def geometries_from_wkb(
    wkb: Objects, shape: Shape, crs: Crs, bounds: Bounds | None, ceilings: Ceilings, faults: Faults
) -> Objects:
    """Geometries in WGS84 from packed ones; None where missing or faulty. Multi-points of one point become
    points."""
    sizes = np.array([0 if blob is None else len(blob) for blob in wkb], dtype=np.int64)
    # The packed size bounds the vertex count, so that a monster is refused before it is built.
    too_many = sizes > (ceilings.vertices + 16) * _BYTES_PER_VERTEX
    faults.add(too_many, "geometry", "vertices_too_many", sizes // _BYTES_PER_VERTEX)
    candidates = only(~too_many & (sizes > 0), wkb)
    found = shapely.from_wkb(candidates, on_invalid="ignore")
    unreadable = shapely.is_missing(found) & np.array([blob is not None for blob in candidates], dtype=bool)
    faults.add(unreadable, "geometry", "geometry_unreadable")
    return check_geometries(found, shape, crs, bounds, faults)


def geometries_from_wkt(
    texts: Objects, shape: Shape, crs: Crs, bounds: Bounds | None, ceilings: Ceilings, faults: Faults
) -> Objects:
    """The same from a text column; None where the cell is empty."""
    found = shapely.from_wkt(texts, on_invalid="ignore")
    unreadable = np.array([text is not None for text in texts], dtype=bool) & shapely.is_missing(found)
    faults.add(unreadable, "geometry", "geometry_unreadable")
    counts = shapely.get_num_coordinates(found)
    faults.add(counts > ceilings.vertices, "geometry", "vertices_too_many", counts)
    found = only(counts <= ceilings.vertices, found)
    return check_geometries(found, shape, crs, bounds, faults)


def check_geometries(
    found: Objects, shape: Shape, crs: Crs, bounds: Bounds | None, faults: Faults
) -> Objects:
    """Type, emptiness, finiteness, range and swap, then WGS84. Area validity is not judged here."""
    present = ~shapely.is_missing(found)
    empty = present & shapely.is_empty(found)
    faults.add(empty, "geometry", "geometry_empty")
    kinds = shapely.get_type_id(found)
    wrong = present & ~empty & ~np.isin(kinds, _TYPES[shape])
    names = objects(_type_name(kind) for kind in kinds)
    faults.add(wrong, "geometry", "geometry_type_wrong", names)
    usable = present & ~empty & ~wrong
    if shape == "point":
        several = usable & (shapely.get_num_geometries(found) > 1)
        faults.add(several, "geometry", "geometry_type_wrong", names)
        single = only(usable & ~several, shapely.get_geometry(found, 0))
        x, y = shapely.get_x(single), shapely.get_y(single)
        usable = _check_numbers(x, y, ~shapely.is_missing(single), crs, faults, "geometry")
        return _to_points(x, y, usable, crs, bounds, faults, "geometry")
    return _check_shapes(only(usable, found), crs, bounds, faults)


def _check_shapes(found: Objects, crs: Crs, bounds: Bounds | None, faults: Faults) -> Objects:
    present = ~shapely.is_missing(found)
    coordinates, owner = shapely.get_coordinates(found, return_index=True)
    finite = np.ones(len(found), dtype=bool)
    finite[owner[~np.isfinite(coordinates).all(axis=1)]] = False
    faults.add(present & ~finite, "geometry", "coordinates_not_finite")
    box = shapely.bounds(only(finite, found))
    x, y = (box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2
    low = _check_numbers(box[:, 0], box[:, 1], present & finite, crs, faults, "geometry")
    high = _check_numbers(box[:, 2], box[:, 3], low, crs, faults, "geometry")
    moved = geometry_to_wgs84(only(high, found), crs)
    lost = high & ~np.isfinite(shapely.bounds(moved)).all(axis=1)
    faults.add(lost, "geometry", "coordinates_outside_system")
    swapped = _swapped(x, y, high & ~lost, crs, bounds)
    faults.add(swapped, "geometry", "coordinates_look_swapped")
    return only(high & ~lost & ~swapped, moved)


def _check_numbers(
    x: Any, y: Any, where: Mask, crs: Crs, faults: Faults, field_name: str = "lon,lat"
) -> Mask:
    finite = np.isfinite(x) & np.isfinite(y)
    faults.add(where & ~finite, field_name, "coordinates_not_finite")
    usable = where & finite
    with np.errstate(invalid="ignore"):
        null_island = usable & (x == 0) & (y == 0)
        in_range = (np.abs(x) <= 180) & (np.abs(y) <= 90) if crs.is_degrees else np.ones_like(usable)
        turned = (np.abs(y) <= 180) & (np.abs(x) <= 90)
    faults.add(null_island, field_name, "coordinates_null_island")
    faults.add(usable & ~in_range & turned, field_name, "coordinates_look_swapped", x, y)
    faults.add(usable & ~in_range & ~turned, field_name, "coordinates_out_of_range", x, y)
    return np.asarray(usable & ~null_island & in_range)


def _to_points(
    x: Any, y: Any, usable: Mask, crs: Crs, bounds: Bounds | None, faults: Faults, field_name: str = "lon,lat"
) -> Objects:
    lon, lat = to_wgs84(np.where(usable, x, np.nan), np.where(usable, y, np.nan), crs)
    with np.errstate(invalid="ignore"):
        inside = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    faults.add(usable & ~inside, field_name, "coordinates_outside_system", x, y)
    swapped = _swapped(x, y, usable, crs, bounds)
    faults.add(swapped & (inside | ~usable), field_name, "coordinates_look_swapped", x, y)
    good = usable & inside & ~swapped
    points = np.full(len(lon), None, dtype=object)
    points[good] = shapely.points(lon[good], lat[good])
    return points


def _swapped(x: Any, y: Any, where: Mask, crs: Crs, bounds: Bounds | None) -> Mask:
    """Outside the deployment's bounds as given, inside when exchanged."""
    if bounds is None:
        return np.zeros(len(where), dtype=bool)
    safe_x, safe_y = np.where(where, x, 0.0), np.where(where, y, 0.0)
    as_given = bounds.holds(*to_wgs84(safe_x, safe_y, crs))
    if crs.is_degrees:
        possible = np.abs(safe_x) <= 90
        exchanged = bounds.holds(*to_wgs84(safe_y, np.where(possible, safe_x, 0.0), crs)) & possible
    else:
        exchanged = bounds.holds(*to_wgs84(safe_y, safe_x, crs))
    return np.asarray(where & ~as_given & exchanged)


def _type_name(kind: int) -> str:
    names = ("Point", "LineString", "LinearRing", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")
    return names[kind] if 0 <= kind < len(names) else "GeometryCollection"
