"""Coordinate systems against the vendors' and the national check points, and as exact round trips."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon

from gridmap.domain.crs import BD09, GCJ02, Crs, from_wgs84, geometry_to_wgs84, parse_crs, snap_1e9, to_wgs84
from gridmap.domain.metric import distance_m
from gridmap.errors import Invalid

FORMULA_POINTS = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ((123.0, 45.0), (123.00607541914162, 45.00197815751666)),
]
VENDOR_POINTS = [
    ((120.5811071, 31.3011601), (120.5852941, 31.298983), (120.5917094, 31.3052382)),
    ((113.6192856, 34.7478004), (113.6253334, 34.7466173), (113.6317519, 34.7528605)),
    ((112.933373, 28.2317248), (112.938817, 28.2282132), (112.9452895, 28.2344052)),
    ((112.447775, 34.6206943), (112.4540462, 34.6196861), (112.4604695, 34.6259364)),
    ((113.2354538, 35.2164016), (113.2418262, 35.2158971), (113.2483741, 35.2217573)),
    ((113.8466127, 34.037173), (113.8525065, 34.0356293), (113.8589792, 34.0416699)),
]
GAUSS_KRUEGER_POINTS = [
    ("EPSG:4549", (120.6172, 31.3113), (558753.403, 3465653.282)),
    ("EPSG:4528", (120.6172, 31.3113), (40558753.403, 3465653.282)),
    ("EPSG:4547", (113.6254, 34.7466), (465698.278, 3846545.057)),
    ("EPSG:4548", (116.3975, 39.9087), (448481.575, 4419565.435)),
    ("EPSG:4548", (117.0, 40.0), (500000.000, 4429529.030)),
]
inland = st.tuples(st.floats(73.0, 136.5), st.floats(2.0, 55.0))


@pytest.mark.parametrize(("wgs84", "gcj02"), FORMULA_POINTS)
def test_gcj02_formula_to_a_billionth_of_a_degree(
    wgs84: tuple[float, float], gcj02: tuple[float, float]
) -> None:
    assert np.allclose(from_wgs84(*wgs84, "GCJ-02"), gcj02, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("wgs84", "gcj02", "bd09"), VENDOR_POINTS)
def test_vendors_own_converters_within_a_metre(
    wgs84: tuple[float, float], gcj02: tuple[float, float], bd09: tuple[float, float]
) -> None:
    assert distance_m(*to_wgs84(*gcj02, "gcj02"), *wgs84) < 1.0
    assert distance_m(*to_wgs84(*bd09, "BD-09"), *wgs84) < 1.0


@pytest.mark.parametrize(("system", "degrees", "metres"), GAUSS_KRUEGER_POINTS)
def test_gauss_krueger_zones_east_first(
    system: str, degrees: tuple[float, float], metres: tuple[float, float]
) -> None:
    assert np.allclose(from_wgs84(*degrees, system), metres, rtol=0, atol=6e-4)
    assert distance_m(*to_wgs84(*metres, system), *degrees) < 1e-3


@pytest.mark.parametrize("system", [GCJ02, BD09])
@given(point=inland)
def test_offsets_go_back_to_under_a_micrometre(system: Crs, point: tuple[float, float]) -> None:
    there = from_wgs84(*point, system)
    assert distance_m(*to_wgs84(*there, system), *point) < 1e-6


@pytest.mark.parametrize("system", [GCJ02, BD09])
@given(point=st.tuples(st.floats(-179.0, 70.0), st.floats(-89.0, 89.0)))
def test_offsets_leave_other_countries_alone(system: Crs, point: tuple[float, float]) -> None:
    assert tuple(map(float, to_wgs84(*point, system))) == point
    assert tuple(map(float, from_wgs84(*point, system))) == point


@given(point=st.tuples(st.floats(112.5, 115.5), st.floats(18.0, 50.0)))
def test_projected_round_trip_under_a_micrometre(point: tuple[float, float]) -> None:
    assert distance_m(*to_wgs84(*from_wgs84(*point, "EPSG:4547"), "EPSG:4547"), *point) < 1e-6


def test_arrays_keep_their_shape_and_nan_stays_nan() -> None:
    lon, lat = np.array([113.6, np.nan, np.inf]), np.array([34.7, 34.7, 34.7])
    moved_lon, moved_lat = to_wgs84(lon, lat, GCJ02)
    assert moved_lon.shape == moved_lat.shape == (3,)
    assert np.isfinite(moved_lon[0])
    assert np.isnan(moved_lon[1])
    assert np.isinf(moved_lon[2])


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("WGS84", "WGS84"),
        ("wgs 84", "WGS84"),
        ("EPSG:4326", "WGS84"),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "WGS84"),
        ("CGCS2000", "CGCS2000"),
        ("urn:ogc:def:crs:EPSG::4490", "CGCS2000"),
        ("GCJ-02", "GCJ-02"),
        ("gcj02", "GCJ-02"),
        ("BD-09", "BD-09"),
        ("epsg:4547", "EPSG:4547"),
        ("EPSG:4491", "EPSG:4491"),
        ("EPSG:4554", "EPSG:4554"),
        ("EPSG:32650", "EPSG:32650"),
    ],
)
def test_names_that_are_understood(text: str, key: str) -> None:
    assert parse_crs(text).key == key


@pytest.mark.parametrize("text", ["", "Mars2000", "EPSG:9", "EPSG:999999", "BD09MC", "4547"])
def test_unknown_systems_are_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_crs(text)
    assert caught.value.code == "crs_unknown"


@pytest.mark.parametrize("text", ["EPSG:4214", "EPSG:4610", "EPSG:2435", "EPSG:2382"])
def test_legacy_datums_are_refused_with_the_reason(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_crs(text)
    assert caught.value.code == "crs_refused"
    assert caught.value.params["reason"].endswith("needs_local_parameters")


def test_geometries_move_vertex_by_vertex() -> None:
    (lon, lat), (gcj_lon, gcj_lat) = FORMULA_POINTS[0]
    moved = geometry_to_wgs84(Point(gcj_lon, gcj_lat, 12.0), GCJ02)
    assert not moved.has_z
    assert distance_m(moved.x, moved.y, lon, lat) < 1e-6


@given(shift=st.floats(-1e-4, 1e-4))
def test_snapping_is_idempotent_and_keeps_every_vertex(shift: float) -> None:
    ring = Polygon([(113 + shift, 34), (113.1, 34), (113.1, 34.1 + shift), (113, 34.1)])
    once = snap_1e9(ring)
    assert snap_1e9(once).wkb == once.wkb
    assert len(once.exterior.coords) == len(ring.exterior.coords)
    assert np.abs(np.asarray(once.exterior.coords) - np.asarray(ring.exterior.coords)).max() <= 0.51e-9
