"""The one door to metres. Never measure in degrees or in Web Mercator (areas come out 1.7 times too big).

Distances, buffers and areas of single things are ellipsoidal and need no projection. Whole maps that must be
flat (grids of a district, surfaces, sight lines) go through the deployment's local system, where a metre is
one to 3e-4.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Geod, Transformer
from shapely.geometry import Polygon

from gridmap.errors import Misconfigured

Metres = NDArray[np.float64]

_GEOD = Geod(ellps="WGS84")
# IUGG mean radius R1.
_MEAN_RADIUS_M = 6_371_008.8


class LocalMetric:
    """Metres of one deployment.

    Args:
        epsg: a projected system in metres over the CGCS2000 or WGS84 datum, as "EPSG:4547" or 4547.

    Raises:
        Misconfigured: "local_crs_not_metric" when the system is not projected in metres.
    """

    def __init__(self, epsg: int | str) -> None:
        crs = CRS.from_user_input(epsg)
        metric = crs.is_projected and all(axis.unit_name == "metre" for axis in crs.axis_info)
        if not metric or crs.to_epsg() == 3857:
            raise Misconfigured("local_crs_not_metric", local_crs=str(epsg))
        self.epsg = crs.to_epsg()
        self._transformer = Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)

    def forward(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Metres, Metres]:
        """WGS84 degrees to (east, north) in metres of the local system; shapes are kept."""
        x, y = self._transformer.transform(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
        return np.asarray(x), np.asarray(y)

    def inverse(self, x_m: ArrayLike, y_m: ArrayLike) -> tuple[Metres, Metres]:
        """(east, north) in metres back to WGS84 degrees (lon, lat); shapes are kept."""
        lon, lat = self._transformer.transform(
            np.asarray(x_m, dtype=float), np.asarray(y_m, dtype=float), direction="INVERSE"
        )
        return np.asarray(lon), np.asarray(lat)

    def to_plane(self, geometry: Any) -> Any:
        """One WGS84 geometry, or an array of them, in metres of the local system."""
        return shapely.transform(geometry, self.forward, interleaved=False)

    def to_degrees(self, geometry: Any) -> Any:
        """One geometry in local metres, or an array of them, as WGS84 degrees."""
        return shapely.transform(geometry, self.inverse, interleaved=False)


def distance_m(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> Metres:
    """Geodesic distance in metres on the WGS84 ellipsoid between points in degrees, element by element."""
    first_lon, first_lat, second_lon, second_lat = np.broadcast_arrays(
        *(np.asarray(value, dtype=float) for value in (lon1, lat1, lon2, lat2))
    )
    _, _, metres = _GEOD.inv(first_lon, first_lat, second_lon, second_lat)
    return np.asarray(metres)


def near_distance_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Metres between two WGS84 points on the mean sphere (haversine): within 0.6 % of the ellipsoid, 20 times as quick.

    For thresholds on single pairs by the thousand; a distance that is told or stored comes from `distance_m`.
    """
    first, second = math.radians(lat1), math.radians(lat2)
    across = math.sin(math.radians(lon2 - lon1) / 2)
    along = math.sin((second - first) / 2)
    share = along * along + math.cos(first) * math.cos(second) * across * across
    return 2 * _MEAN_RADIUS_M * math.asin(min(1.0, math.sqrt(share)))


def buffer_m(lon: float, lat: float, radius_m: float, *, corners: int = 64) -> Polygon:
    """The geodesic circle of `radius_m` around a WGS84 point as a polygon in degrees, its corners on the
    circle."""
    # Bearings run down, so that the ring is counter-clockwise as GeoJSON wants it.
    bearings = np.linspace(360.0, 0.0, corners, endpoint=False)
    ring_lon, ring_lat, _ = _GEOD.fwd(
        np.full(corners, lon), np.full(corners, lat), bearings, np.full(corners, radius_m)
    )
    return Polygon(np.column_stack([ring_lon, ring_lat]))


def area_m2(geometry: Any) -> float:
    """Geodesic area in square metres of a WGS84 (multi)polygon; holes subtract, ring order is ignored."""
    area, _ = _GEOD.geometry_area_perimeter(shapely.orient_polygons(geometry, exterior_cw=False))
    return abs(float(area))


def length_m(geometry: Any) -> float:
    """Geodesic length in metres of a WGS84 line or multiline."""
    return float(_GEOD.geometry_length(geometry))
