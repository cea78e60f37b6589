"""The areas are an exact coverage with proper codes."""

from __future__ import annotations

import geopandas
import numpy as np
import osmium
import pytest
import shapely

from tests.unit.demo.conftest import District

COUNTS = {"province": 1, "city": 1, "county": 1, "township": 12, "community": 60, "grid": 600}


@pytest.fixture(scope="module")
def areas(district: District) -> geopandas.GeoDataFrame:
    return geopandas.read_file(district.folder / "areas.gpkg")


def test_six_levels_with_their_counts(areas: geopandas.GeoDataFrame) -> None:
    assert areas.level.value_counts().to_dict() == COUNTS
    assert areas.crs.to_epsg() == 4490


def test_grids_are_a_coverage_on_the_lattice(areas: geopandas.GeoDataFrame) -> None:
    grids = areas[areas.level == "grid"].geometry.values
    assert shapely.coverage_is_valid(np.asarray(grids))
    assert shapely.is_valid(np.asarray(grids)).all()
    xy = shapely.get_coordinates(np.asarray(grids))
    assert np.array_equal(np.round(xy * 1e9) / 1e9, xy)


def test_every_parent_is_the_union_of_its_children(areas: geopandas.GeoDataFrame) -> None:
    children = areas.dropna(subset=["parent"]).groupby("parent")
    assert set(children.groups) == set(areas[areas.level != "grid"].code)
    shape = areas.set_index("code").geometry
    for code, rows in children:
        parts = np.asarray(rows.geometry.values)
        assert shapely.coverage_is_valid(parts)
        union = shapely.coverage_union_all(parts)
        assert shapely.equals(union, shape[code]), code


def test_codes_follow_the_statistical_scheme(areas: geopandas.GeoDataFrame) -> None:
    assert areas.code.is_unique
    assert areas.code.str.startswith("99").all()  # Province codes end at 82; 99 is nobody's.
    higher = areas[areas.level != "grid"]
    assert higher.code.str.fullmatch(r"\d{12}").all()
    ranges = {"街道": (1, 99), "镇": (100, 199), "乡": (200, 399)}
    for row in areas[areas.level == "township"].itertuples():
        low, high = ranges[row.kind]
        assert low <= int(row.code[6:9]) <= high
        assert row.code.endswith("000")
    for row in areas[areas.level == "community"].itertuples():
        low, high = (1, 199) if row.kind == "社区居委会" else (200, 399)
        assert low <= int(row.code[9:12]) <= high
    grids = areas[areas.level == "grid"]
    assert grids.code.str.fullmatch(r"\d{15}").all()
    assert (grids.code.str[:12] == grids.parent).all()
    serials = grids.groupby("parent").code.apply(lambda codes: sorted(int(code[12:]) for code in codes))
    assert all(serial == list(range(1, len(serial) + 1)) for serial in serials)


def test_it_says_that_it_is_a_demo(areas: geopandas.GeoDataFrame) -> None:
    assert areas[areas.level.isin(["province", "city", "county"])].name.str.contains("演示").all()


def test_no_border_runs_through_a_house(areas: geopandas.GeoDataFrame, district: District) -> None:
    houses = []
    reader = osmium.FileProcessor(district.folder / "district.osm.pbf").with_locations()
    for way in reader.with_filter(osmium.filter.KeyFilter("building")):
        if way.is_way():
            houses.append(shapely.Polygon([(node.lon, node.lat) for node in way.nodes]))
    borders = shapely.boundary(np.asarray(areas[areas.level == "grid"].geometry.values))
    hit, _ = shapely.STRtree(houses).query(borders, predicate="intersects")
    assert 25_000 <= len(houses) <= 45_000
    assert len(hit) == 0
