"""The same five cameras through every format, encoding and coordinate system end in the same rows."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest

from gridmap.domain.crs import from_wgs84
from gridmap.domain.metric import distance_m
from gridmap.errors import Invalid
from tests.ingest.conftest import Importer

LON = np.array([113.625, 113.626, 113.627, 113.628, 113.629])
LAT = np.array([34.746, 34.747, 34.748, 34.749, 34.750])
NAMES = ["东门", "西门 “引号”", "南门's", "北门\U0001f600", "广场,逗号"]


def frame(system: str = "WGS84") -> gpd.GeoDataFrame:
    x, y = from_wgs84(LON, LAT, system)
    table = pd.DataFrame({"ref": ["1", "2", "3", "4", "5"], "name": NAMES})
    epsg = system if system.startswith("EPSG") else "EPSG:4326"
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(x, y), crs=epsg)


def as_csv(path: Path, system: str = "WGS84", encoding: str = "utf-8", delimiter: str = ",") -> Path:
    x, y = from_wgs84(LON, LAT, system)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["ref", "名称", "经度", "纬度"])
    names = [name.replace("\U0001f600", "笑") for name in NAMES] if encoding == "gbk" else NAMES
    writer.writerows(zip("12345", names, map(repr, x.tolist()), map(repr, y.tolist()), strict=True))
    path.write_bytes(out.getvalue().encode(encoding))
    return path


def as_xlsx(path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["ref", "name", "lon", "lat"])
    for ref, name, lon, lat in zip([1, 2, 3, 4, 5], NAMES, LON.tolist(), LAT.tolist(), strict=True):
        sheet.append([ref, name, lon, lat])
    book.save(path)
    return path


def as_zip(folder: Path, system: str, encoding: str, *, keep_cpg: bool) -> Path:
    table = frame(system)
    if encoding == "GBK":
        table["name"] = table["name"].str.replace("\U0001f600", "笑")
    inside = folder / "shp"
    inside.mkdir()
    table.to_file(inside / "探头.shp", encoding=encoding)
    target = folder / "a.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in inside.iterdir():
            if keep_cpg or part.suffix != ".cpg":
                archive.write(part, f"数据/{part.name}")
    return target


def check(importer: Importer, *, smile: str = "\U0001f600") -> None:
    rows = importer.query("select ref, name, st_x(geom) as lon, st_y(geom) as lat from camera order by ref")
    assert [row.name for row in rows] == [name.replace("\U0001f600", smile) for name in NAMES]
    found = np.array([(row.lon, row.lat) for row in rows])
    assert distance_m(found[:, 0], found[:, 1], LON, LAT).max() < 1e-3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk", "gb18030"])
def test_csv_in_every_encoding(importer: Importer, tmp_path: Path, encoding: str) -> None:
    importer.rows("cameras", as_csv(tmp_path / "a.csv", encoding=encoding), crs="WGS84")
    check(importer, smile="笑" if encoding == "gbk" else "\U0001f600")


@pytest.mark.parametrize("system", ["CGCS2000", "GCJ-02", "BD-09", "EPSG:4547", "EPSG:4526"])
def test_csv_in_every_system(importer: Importer, tmp_path: Path, system: str) -> None:
    outcome = importer.rows("cameras", as_csv(tmp_path / "a.csv", system, delimiter=";"), crs=system)
    assert (outcome.crs, outcome.quarantined) == (system, 0)
    check(importer)


Maker = Callable[[Path], Path]


@pytest.mark.parametrize(
    ("make", "crs", "smile"),
    [
        (lambda folder: as_xlsx(folder / "a.xlsx"), "WGS84", "\U0001f600"),
        (lambda folder: as_zip(folder, "EPSG:4547", "UTF-8", keep_cpg=True), None, "\U0001f600"),
        (lambda folder: as_zip(folder, "EPSG:4490", "GBK", keep_cpg=False), None, "笑"),
        (lambda folder: as_zip(folder, "EPSG:4326", "UTF-8", keep_cpg=False), None, "\U0001f600"),
    ],
)
def test_workbooks_and_shapefiles(
    importer: Importer, tmp_path: Path, make: Maker, crs: str | None, smile: str
) -> None:
    importer.rows("cameras", make(tmp_path), crs=crs)
    check(importer, smile=smile)


def test_geojson_and_geopackage(importer: Importer, tmp_path: Path) -> None:
    frame().to_file(tmp_path / "a.geojson", driver="GeoJSON")
    importer.rows("cameras", tmp_path / "a.geojson")
    check(importer)
    frame("EPSG:4549").to_file(tmp_path / "a.gpkg", layer="cameras", driver="GPKG")
    frame().to_file(tmp_path / "a.gpkg", layer="other", driver="GPKG")
    with pytest.raises(Invalid) as caught:
        importer.rows("cameras", tmp_path / "a.gpkg")
    assert (caught.value.code, caught.value.params["known"]) == ("layer_ambiguous", ["cameras", "other"])
    # Two projections agree to a fraction of a millimetre, which is a change; the names stay.
    importer.rows("cameras", tmp_path / "a.gpkg", layer="cameras")
    check(importer)


def test_a_gcj02_file_that_claims_to_be_wgs84(importer: Importer, tmp_path: Path) -> None:
    frame("GCJ-02").to_file(tmp_path / "a.geojson", driver="GeoJSON")
    importer.rows("cameras", tmp_path / "a.geojson", crs="GCJ-02")
    check(importer)


def test_quarantined_rows_can_be_mended_and_imported_again(importer: Importer, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ref,name,lon,lat\n1,甲,114,34\n2,乙,114,134\n", encoding="utf-8")
    outcome = importer.rows("cameras", path, crs="WGS84")
    assert outcome.quarantine_file is not None
    held = Path(outcome.quarantine_file)
    assert held.stat().st_mode & 0o777 == 0o600
    mended = tmp_path / "mended.csv"
    mended.write_bytes(held.read_bytes().replace(b",134,", b",34,"))
    assert importer.rows("cameras", mended, crs="WGS84", partial=True).added == 1


def test_every_other_noun(importer: Importer, tmp_path: Path) -> None:
    def table(name: str, body: str) -> Path:
        path = tmp_path / name
        path.write_text(body, encoding="utf-8")
        return path

    square = '"POLYGON((114 34,114.01 34,114.01 34.01,114 34.01,114 34))"'
    importer.areas(table("g.csv", f"code,name,wkt\n330101001001001,一格,{square}\n"), crs="WGS84")
    units = table(
        "u.csv", "ref,呼号,kind,mode,capabilities,area\nu1,巡一,patrol,ebike,急救;调解,330101001001001\n"
    )
    assert importer.rows("units", units).added == 1
    people = table("p.csv", "ref,姓名,岗位,area\np1,张三,网格员,330101001001001\np2,李四,,9999\n")
    outcome = importer.rows("people", people)
    assert (outcome.added, dict(outcome.reasons)) == (1, {"area:area_unknown": 1})
    home = importer.value("select path::text from area_version")
    assert importer.query("select capabilities, scope_path::text from unit") == [
        (["first_aid", "mediation"], home)
    ]
    assert importer.query("select name, scope_path::text from person") == [("张三", home)]

    small = '"POLYGON((114.001 34.001,114.002 34.001,114.002 34.002,114.001 34.001))"'
    buildings = table("b.csv", f"ref,name,street,house_number,户数,wkt\nb1,一号楼,建设路,128号,60,{small}\n")
    assert importer.rows("buildings", buildings, crs="WGS84").added == 1
    places = table("x.csv", "ref,name,kind,lon,lat\nx1,人民公园,park,114.003,34.003\n")
    assert importer.rows("places", places, crs="WGS84").added == 1
    names = importer.query("select kind, name, house_number from gazetteer order by kind")
    assert names == [
        ("address", "建设路128号", "128"),
        ("building", "一号楼", None),
        ("landmark", "人民公园", None),
    ]
    routes = table("r.csv", 'ref,name,wkt\nr1,一线,"LINESTRING(114.001 34.001,114.005 34.005)"\n')
    assert importer.rows("routes", routes, crs="WGS84").added == 1
    parts = table("c.csv", "ref,name,kind,lon,lat,厂家\nc1,井盖,0101,114.004,34.004,某厂\n")
    assert importer.rows("components", parts, crs="WGS84", keep=("厂家",)).ignored_columns == ()
    props = importer.query(
        "select layer, props, scope_path::text from feature where layer <> 'places' order by layer"
    )
    assert props == [("components", {"kind": "0101", "厂家": "某厂"}, home), ("routes", {}, home)]
    assert importer.value("select count(*) from audit where verb = 'import.run'") == 7

    lines = table(
        "i.csv", "ref,class,channel,text,address,occurred\ni1,S1.01,public,有人,建设路128号,2026-05-01\n"
    )
    outcome = importer.rows("incidents", lines)
    assert (outcome.geocoded, outcome.to_locate) == (1, 0)
    row = importer.query("select location_method, location_radius_m, scope_path::text from incident")[0]
    assert (row[0], row[2]) == ("house_number", home)
    assert row[1] > 0
