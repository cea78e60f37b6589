"""The files of the district: sums, encodings, systems, codes."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from openpyxl import load_workbook

from gridmap.demo.district.generate import generate
from gridmap.demo.district.manifest import load_manifest
from gridmap.demo.district.scale import SMALL
from gridmap.domain.crs import to_wgs84
from gridmap.domain.vocab import vocabulary
from tests.unit.demo.conftest import SEED, UNTIL, District


def _rows(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as handle:
        return list(csv.DictReader(handle))


def test_the_manifest_names_every_file_and_its_sum(district: District) -> None:
    manifest = load_manifest(district.folder)
    assert manifest == district.manifest
    named = {f.name for f in manifest.files} | {"manifest.json"}
    assert named == {path.name for path in district.folder.iterdir()}
    for file in manifest.files:
        assert hashlib.sha256((district.folder / file.name).read_bytes()).hexdigest() == file.sha256
    nouns = [words[0] for words in manifest.imports]
    assert nouns[:2] == ["areas", "osm"]
    assert nouns[-1] == "incidents"


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(district: District, tmp_path: Path) -> None:
    assert generate(tmp_path, SEED, SMALL, until=UNTIL) == district.manifest


def test_cameras_are_gbk_and_shifted_and_have_device_codes(district: District) -> None:
    rows = _rows(district.folder / "cameras.csv", "gbk")
    assert len(rows) == SMALL.cameras
    codes = [row["国标编码"] for row in rows]
    assert len(set(codes)) == len(codes)
    assert all(len(code) == 20 and code.isdigit() for code in codes)
    assert {code[:6] for code in codes} == {"990101"}
    assert {code[8:10] for code in codes} == {"00"}
    assert {code[10:13] for code in codes} <= {"131", "132"}
    lon = np.array([float(row["经度"]) for row in rows])
    lat = np.array([float(row["纬度"]) for row in rows])
    true_lon, true_lat = to_wgs84(lon, lat, "GCJ-02")
    west, south, east, north = district.manifest.bounds
    assert ((true_lon > west) & (true_lon < east) & (true_lat > south) & (true_lat < north)).all()
    assert np.hypot(lon - true_lon, lat - true_lat).min() > 1e-3
    assert set(Counter(row["状态"] for row in rows)) == {"在线", "离线", "故障"}


def test_staff_and_units(district: District) -> None:
    book = load_workbook(district.folder / "units.xlsx", read_only=True)
    rows = list(book.worksheets[0].iter_rows(min_row=2, values_only=True))
    book.close()
    workers = [row for row in rows if row[2] == "grid_worker"]
    patrols = [row for row in rows if row[2] != "grid_worker"]
    assert 610 <= len(workers) <= 630
    assert len(patrols) == SMALL.patrol_units
    assert Counter(row[6] for row in patrols) == dict.fromkeys(
        ("early", "late", "night"), SMALL.patrol_units // 3
    )
    assert len({row[7] for row in workers}) == SMALL.grids - SMALL.vacant_grids
    assert len({row[1] for row in rows}) == len(rows)
    known = vocabulary().lists
    for row in rows:
        assert row[2] in known["unit_kind"]
        assert row[3] in known["mode"]
        assert all(word in known["capability"] for word in (row[4] or "").split(",") if word)
    crews = _rows(district.folder / "crews.csv")
    people = {row["编号"] for row in _rows(district.folder / "people.csv")}
    assert {row["unit_ref"] for row in crews} == {row[0] for row in rows}
    assert {row["person_ref"] for row in crews} <= people


@pytest.mark.parametrize(("name", "crs"), [("components.csv", "EPSG:4547"), ("places.csv", "BD-09")])
def test_points_in_other_systems_lie_in_the_district(district: District, name: str, crs: str) -> None:
    rows = _rows(district.folder / name)
    x, y = ("横坐标", "纵坐标") if crs.startswith("EPSG") else ("经度", "纬度")
    lon, lat = to_wgs84([float(r[x]) for r in rows], [float(r[y]) for r in rows], crs)
    west, south, east, north = district.manifest.bounds
    assert len(rows) > 1_000
    assert ((np.asarray(lon) > west) & (np.asarray(lon) < east)).all()
    assert ((np.asarray(lat) > south) & (np.asarray(lat) < north)).all()
