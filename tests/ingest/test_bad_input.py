"""Bad files: a clear refusal or a quarantined row with every reason; nothing lost, nothing half-written."""

from __future__ import annotations

import csv
import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gridmap.errors import GridmapError, Invalid, TooLarge
from ingest.ceilings import Ceilings
from tests.ingest.conftest import Importer

Write = Callable[..., Path]
EMPTY_TABLES = (
    "select (select count(*) from camera) + (select count(*) from incident) + (select count(*) from feature)"
    " + (select count(*) from import_batch) + (select count(*) from outbox)"
)


def refused(importer: Importer, path: Path, noun: str = "cameras", **given: Any) -> GridmapError:
    """The error of an import that must change nothing."""
    with pytest.raises(GridmapError) as caught:
        importer.rows(noun, path, **{"crs": "WGS84", **given})
    assert importer.value(EMPTY_TABLES) == 0
    return caught.value


def quarantined(path: str | None) -> list[dict[str, str]]:
    assert path is not None
    with Path(path).open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def geojson(*features: tuple[dict[str, Any], str]) -> str:
    parts = [
        f'{{"type": "Feature", "properties": {json.dumps(properties)}, "geometry": {geometry}}}'
        for properties, geometry in features
    ]
    return '{"type": "FeatureCollection", "features": [' + ",".join(parts) + "]}"


def test_not_a_file(importer: Importer, tmp_path: Path) -> None:
    assert refused(importer, tmp_path / "none.csv").code == "file_missing"
    assert refused(importer, tmp_path).code == "not_a_file"


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("a.csv", b"", "file_empty"),
        ("a.csv", b"\x00\x01\x02binary", "not_text"),
        ("a.csv", b"ref,name\n1,\xff\xfe\xff\xff\n", "encoding_unknown"),
        ("a.csv", b"a,a\n1,2\n", "header_repeated"),
        ("a.csv", b"ref,name\n1,x\n", "no_coordinates"),
        ("a.pdf", b"%PDF-1.7", "file_type_unknown"),
        ("a.geojson", b'{"a": 1}', "file_unreadable"),
        ("a.geojson", b'{"type":"FeatureCollection","features":[{"type":"Fea', "file_unreadable"),
        ("a.gpkg", b"SQLite format 3\x00 and then nothing", "file_unreadable"),
        ("a.zip", b"PK\x03\x04 broken", "zip_broken"),
        ("a.csv.gz", b"\x1f\x8b\x08\x00broken", "gzip_broken"),
    ],
)
def test_files_that_are_not_what_they_claim(
    importer: Importer, tmp_path: Path, name: str, body: bytes, code: str
) -> None:
    path = tmp_path / name
    path.write_bytes(body)
    assert refused(importer, path).code == code


@pytest.mark.parametrize(
    ("crs", "code"), [("Mars2000", "crs_unknown"), ("EPSG:4610", "crs_refused"), (None, "crs_missing")]
)
def test_coordinate_systems_that_cannot_be_believed(
    importer: Importer, write: Write, crs: str | None, code: str
) -> None:
    path = write("a.csv", "ref,lon,lat\n1,114,34\n")
    assert refused(importer, path, crs=crs).code == code


def test_a_file_that_names_another_system_than_was_said(importer: Importer, write: Write) -> None:
    path = write("a.geojson", geojson(({"ref": "1"}, '{"type": "Point", "coordinates": [114, 34]}')))
    assert refused(importer, path, crs="EPSG:4547").code == "crs_conflict"


def test_every_reason_of_a_row_is_told_and_good_rows_pass(importer: Importer, write: Write) -> None:
    path = write(
        "cameras.csv",
        "ref,code,name,status,heading_deg,lon,lat\n"
        "1,,good,online,10,114.0,34.0\n"
        f"2,123,{'长' * 10_000},online,400,114.0,34.0\n"
        "3,,nan,online,nan,NaN,34.0\n"
        "4,,swapped,online,,34.0,114.0\n"
        '5,,O\'Brien \U0001f600 ""x"",offline,,114.1,34.1\n'
        "6,,far,online,,1140,34\n"
        "7,,null island,online,,0,0\n"
        "8,,half,online,,114,\n"
        "9,,no place,online,,,\n"
        "10,,ragged,online,,114,34,more,and more\n"
        "1,,other content,online,10,114.0,34.0\n"
        "1,,good,online,10,114.0,34.0\n",
    )
    outcome = importer.rows("cameras", path, crs="WGS84")
    assert (outcome.read, outcome.added, outcome.quarantined, outcome.repeated) == (12, 2, 9, 1)
    reasons = {
        row["ref"] + "/" + row["_row"]: row["_reasons"] for row in quarantined(outcome.quarantine_file)
    }
    assert set(reasons["2/3"].split("; ")) == {
        "code: not_20_digits (123)",
        "name: too_long (10000)",
        "heading_deg: out_of_range (400)",
    }
    assert "lon: not_finite" in reasons["3/4"]
    assert "heading_deg: not_finite" in reasons["3/4"]
    assert "coordinates_look_swapped" in reasons["4/5"]
    assert "coordinates_out_of_range" in reasons["6/7"]
    assert "coordinates_null_island" in reasons["7/8"]
    assert "half_a_coordinate" in reasons["8/9"]
    assert "geometry: missing" in reasons["9/10"]
    assert "columns_too_many" in reasons["10/11"]
    assert "repeated_with_other_content" in reasons["1/12"]
    names = {row.name for row in importer.query("select name from camera")}
    assert names == {"good", 'O\'Brien \U0001f600 ""x""'}


def test_a_file_without_one_good_row_changes_nothing(importer: Importer, write: Write) -> None:
    error = refused(importer, write("a.csv", "ref,lon,lat\n1,34,114\n2,34.5,114\n"))
    assert error.code == "no_row_passed"
    assert list(error.params["reasons"]) == ["lon,lat:coordinates_look_swapped"]
    assert len(quarantined(error.params["quarantine_file"])) == 2


def test_swapped_coordinates_inside_the_range_are_seen_by_the_deployments_bounds(
    importer: Importer, write: Write
) -> None:
    square = '{"type": "Polygon", "coordinates": [[[80,40],[81,40],[81,41],[80,41],[80,40]]]}'
    importer.areas(write("g.geojson", geojson(({"code": "g"}, square))), level="grid", crs="WGS84")
    outcome = importer.rows("cameras", write("a.csv", "ref,lon,lat\n1,80.5,40.5\n2,40.5,80.5\n"), crs="WGS84")
    assert (outcome.added, dict(outcome.reasons)) == (1, {"lon,lat:coordinates_look_swapped": 1})


@pytest.mark.parametrize(
    "geometry",
    [
        "null",
        '{"type": "Point", "coordinates": [NaN, 34]}',
        '{"type": "LineString", "coordinates": [[114, 34], [114.1, 34]]}',
        '{"type": "Point", "coordinates": []}',
    ],
)
def test_geometry_of_a_wrong_kind(importer: Importer, write: Write, geometry: str) -> None:
    good = ({"ref": "1", "name": "好"}, '{"type": "Point", "coordinates": [114, 34]}')
    path = write("a.geojson", geojson(good, ({"ref": "2", "name": "坏"}, geometry)))
    outcome = importer.rows("cameras", path)
    assert (outcome.added, outcome.quarantined) == (1, 1)
    assert outcome.quarantine_file is not None
    held = json.loads(Path(outcome.quarantine_file).read_text(encoding="utf-8"))
    assert held["features"][0]["properties"]["ref"] == "2"
    assert "geometry" in held["features"][0]["properties"]["_reasons"]


def test_a_polygon_of_a_million_vertices_is_not_built(importer: Importer, write: Write) -> None:
    ring = [[114 + i * 1e-7, 34.0] for i in range(1_000_000)] + [[114.05, 35.0], [114.0, 34.0]]
    monster = json.dumps({"type": "Polygon", "coordinates": [ring]})
    small = '{"type": "Polygon", "coordinates": [[[114,34],[114.1,34],[114.1,34.1],[114,34]]]}'
    path = write("b.geojson", geojson(({"ref": "1"}, monster), ({"ref": "2"}, small)))
    outcome = importer.rows("buildings", path)
    assert (outcome.added, dict(outcome.reasons)) == (1, {"geometry:vertices_too_many": 1})


def test_zip_bombs_and_paths_that_climb_out(importer: Importer, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", b"\x00" * 50_000_000)
    assert refused(importer, bomb).code == "zip_bomb"
    climbing = tmp_path / "climb.zip"
    with zipfile.ZipFile(climbing, "w") as archive:
        archive.writestr("../../etc/a.shp", b"x")
    assert refused(importer, climbing).code == "zip_path_unsafe"
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(b"ref,lon,lat\n" + b"1,114,34\n" * 4_000_000))
    assert refused(importer, packed).code == "zip_bomb"


def test_ceilings_on_size_and_rows(importer: Importer, write: Write) -> None:
    path = write("a.csv", "ref,lon,lat\n" + "".join(f"{i},114,34\n" for i in range(50)))
    with pytest.raises(TooLarge) as caught:
        importer.rows("cameras", path, crs="WGS84", ceilings=Ceilings(rows=20))
    assert caught.value.code == "rows_too_many"
    with pytest.raises(TooLarge) as caught:
        importer.rows("cameras", path, crs="WGS84", ceilings=Ceilings(file_bytes=100))
    assert caught.value.code == "file_too_large"
    assert importer.value(EMPTY_TABLES) == 0


def test_an_open_quote_swallows_no_rows_in_silence(importer: Importer, write: Write) -> None:
    body = 'ref,name,lon,lat\n1,"open,114,34\n' + "2,x,114,34\n" * 20_000
    assert refused(importer, write("a.csv", body)).code == "csv_broken"


def test_values_that_mean_nothing_here_are_listed(importer: Importer, write: Write) -> None:
    path = write(
        "a.csv",
        "ref,class,channel,occurred\n1,S1.01,public,2026-05-01\n2,外星人,public,2026-05-01\n3,外星人,public,2026-05-01\n",
    )
    error = refused(importer, path, noun="incidents", crs=None)
    assert (error.code, error.params["values"]) == ("values_unmapped", {"class": {"外星人": 2}})
    outcome = importer.rows("incidents", path, unmapped="quarantine")
    assert (outcome.added, outcome.quarantined) == (1, 2)


def test_secrets_in_kept_columns_are_refused(importer: Importer, write: Write) -> None:
    path = write("a.csv", "ref,lon,lat,url\n1,114,34,rtsp://admin:hunter2@10.0.0.1/1\n2,114,34,none\n")
    outcome = importer.rows("cameras", path, crs="WGS84", keep=("url",))
    assert (outcome.added, dict(outcome.reasons)) == (1, {"url:secret_in_cell": 1})


def test_wrong_mappings(importer: Importer, write: Write) -> None:
    path = write("a.csv", "nr,x,y\n1,114,34\n")
    assert refused(importer, path, mapping={"none": "ref"}).code == "map_unknown_column"
    assert refused(importer, path, mapping={"nr": "nothing"}).code == "map_unknown_field"
    assert refused(importer, path, mapping={"x": "lon", "nr": "lon"}).code == "field_mapped_twice"
    with pytest.raises(Invalid) as caught:
        importer.rows("units", path)
    assert caught.value.code == "field_missing"


def test_a_workbook_that_is_none(importer: Importer, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["ref", "lon", "lat"])
    book.active.append(["1", 114, 34])
    path = tmp_path / "a.xlsx"
    book.save(path)
    assert refused(importer, path, layer="Sheet9").code == "layer_unknown"
    path.write_bytes(path.read_bytes()[:-400])
    assert refused(importer, path).code in ("zip_broken", "xlsx_broken")
