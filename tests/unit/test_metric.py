"""Metres: the ellipsoid, the local plane, and the refusal of Web Mercator."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, box

from gridmap.domain.metric import LocalMetric, area_m2, buffer_m, distance_m, length_m
from gridmap.errors import Misconfigured


def test_one_degree_of_latitude_at_the_equator() -> None:
    assert distance_m(0, 0, 0, 1) == pytest.approx(110_574.389, abs=0.01)


@given(lon=st.floats(73, 135), lat=st.floats(3, 53), radius_m=st.floats(1, 5000))
def test_buffer_corners_lie_on_the_circle(lon: float, lat: float, radius_m: float) -> None:
    circle = buffer_m(lon, lat, radius_m)
    ring = np.asarray(circle.exterior.coords)
    assert np.allclose(distance_m(lon, lat, ring[:, 0], ring[:, 1]), radius_m, atol=1e-5)
    assert circle.contains(Point(lon, lat))
    assert circle.exterior.is_ccw


@given(lon=st.floats(112.6, 115.4), lat=st.floats(20, 50))
def test_plane_goes_there_and_back(lon: float, lat: float) -> None:
    metric = LocalMetric("EPSG:4547")
    assert distance_m(*metric.inverse(*metric.forward(lon, lat)), lon, lat) < 1e-6


def test_plane_metres_are_metres_near_the_meridian() -> None:
    metric = LocalMetric(4547)
    line = LineString([(113.99, 34.7), (114.01, 34.7)])
    assert metric.to_plane(line).length == pytest.approx(length_m(line), rel=1e-5)
    assert metric.to_degrees(metric.to_plane(line)).equals_exact(line, 1e-9)


def test_area_ignores_ring_order() -> None:
    square = box(114.0, 34.0, 114.01, 34.01)
    assert area_m2(square) == pytest.approx(LocalMetric(4547).to_plane(square).area, rel=1e-4)
    assert area_m2(square.reverse()) == pytest.approx(area_m2(square))


@pytest.mark.parametrize("system", ["EPSG:3857", "EPSG:4326"])
def test_systems_without_true_metres_are_refused(system: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        LocalMetric(system)
    assert caught.value.code == "local_crs_not_metric"
