"""Where the demo district lies, and the one rounding that every written coordinate goes through."""

from __future__ import annotations

import numpy as np
import pyproj
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LOCAL_CRS = "EPSG:4547"
"""CGCS2000 3-degree Gauss-Krueger, central meridian 114 E: metres, easting first when `always_xy`."""

ORIGIN_LON, ORIGIN_LAT = 113.42, 28.36
"""A rural spot of inner China; the invented district stands on it at true scale."""

OSM_UNITS_PER_DEGREE = 10**7
"""OSM stores coordinates as multiples of 1e-7 degree; these are also multiples of 1e-9, as the area law asks."""

_TO_LOCAL = pyproj.Transformer.from_crs("EPSG:4326", LOCAL_CRS, always_xy=True)
_TO_WGS84 = pyproj.Transformer.from_crs(LOCAL_CRS, "EPSG:4326", always_xy=True)
_ORIGIN_E, _ORIGIN_N = _TO_LOCAL.transform(ORIGIN_LON, ORIGIN_LAT)


def to_units(xy_m: Floats) -> NDArray[np.int64]:
    """Integer OSM units (lon, lat; 1e-7 degree; shape (n, 2)) of district metres (east, north of the origin)."""
    xy_m = np.asarray(xy_m, dtype=np.float64).reshape(-1, 2)
    lon, lat = _TO_WGS84.transform(xy_m[:, 0] + _ORIGIN_E, xy_m[:, 1] + _ORIGIN_N)
    units: NDArray[np.int64] = np.rint(np.column_stack([lon, lat]) * OSM_UNITS_PER_DEGREE).astype(np.int64)
    return units


def units_to_lonlat(units: NDArray[np.int64]) -> Floats:
    """Degrees (lon, lat; WGS84; shape (n, 2)); each value is the double nearest to a multiple of 1e-7."""
    return units / OSM_UNITS_PER_DEGREE


def to_lonlat(xy_m: Floats) -> Floats:
    """Rounded WGS84 degrees (lon, lat; shape (n, 2)) of district metres."""
    return units_to_lonlat(to_units(xy_m))


def to_metres(lonlat: Floats) -> Floats:
    """District metres (east, north of the origin; shape (n, 2)) of WGS84 degrees."""
    lonlat = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
    east, north = _TO_LOCAL.transform(lonlat[:, 0], lonlat[:, 1])
    return np.column_stack([east - _ORIGIN_E, north - _ORIGIN_N])
