"""From written addresses to places of an imported map, and the search box over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import osmium
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.domain.metric import distance_m
from gridmap.services.geocoding import geocode, search_places
from gridmap.services.transaction import system_transaction
from ingest.osm.features import Reader
from ingest.osm.pbf import inspect_extract
from ingest.osm.stage import TABLES, Stage
from ingest.osm.streets import add_streets

WEST, SOUTH, STEP_LON, STEP_LAT = 114.30, 30.60, 0.00104, 0.0009


def tables_only(database: Database, path: Path, name: str) -> None:
    """The import without its maps, which these tests do not need."""

    def silent(phase: str, done: int, total: int | None) -> None:
        del phase, done, total

    with database.system.connect() as connection:
        stage = Stage(connection)
        reader = Reader(stage)
        reader.read(path, inspect_extract(path, silent).objects, silent)
        stage.finish()
        add_streets(stage, reader.street_names)
        stage.flush()
        for table in TABLES:
            stage.switch(table, name)


@pytest.fixture
def town(database: Database, town_pbf: Path) -> Iterator[Session]:
    tables_only(database, town_pbf, "town")
    with Session(database.system) as session:
        yield session


def off_m(found: Any, column: float, row: float) -> float:
    return float(distance_m(found.lon, found.lat, WEST + column * STEP_LON, SOUTH + row * STEP_LAT))


@pytest.mark.parametrize(
    "written",
    [
        "建设路16号",
        "建设路１６号",
        "建设路 16 号 附近",
        "河西街道建设路16号2单元301室",
        "云河市江北区建设路十六号",
        "江北建设路16号",
    ],
)
def test_a_house_number_is_found_however_it_is_written(town: Session, written: str) -> None:
    found = geocode(town, written)
    assert found is not None
    assert (found.method, found.matched) == ("house_number", "建设路16号")
    assert off_m(found, 0.2, 3.5) < 15
    assert found.radius_m < 20


def test_a_building_at_a_known_number(town: Session) -> None:
    found = geocode(town, "建设路16号3栋")
    assert found is not None
    assert (found.method, found.matched) == ("house_number", "建设路16号")
    assert found.radius_m >= 60


def test_an_unknown_number_is_beside_its_neighbour_and_says_street(town: Session) -> None:
    found = geocode(town, "建设路44号")
    assert found is not None
    assert found.method == "street"
    assert off_m(found, 0.2, 8.3) < 20, "beside number 40"
    assert found.radius_m > 60


def test_a_number_far_out_of_range_is_only_the_street(town: Session) -> None:
    found = geocode(town, "建设路3000号")
    assert found is not None
    assert (found.method, found.matched) == ("street", "建设路")
    assert found.radius_m > 900


def test_names_of_houses_and_landmarks(town: Session) -> None:
    for written, method, matched in (
        ("市第一医院", "landmark", "市第一医院"),
        ("河西街道市第一医院门口", "landmark", "市第一医院"),
        ("人民公园东门", "landmark", "人民公园"),
        ("实验小学", "building", "实验小学"),
    ):
        found = geocode(town, written)
        assert found is not None, written
        assert (found.method, found.matched) == (method, matched)


def test_a_crossing_is_where_the_streets_meet(town: Session) -> None:
    for written in ("第3横路与第5纵路交叉口", "第3横路和第5纵路路口", "第3横路/第5纵路"):
        found = geocode(town, written)
        assert found is not None, written
        assert off_m(found, 5, 3) < 1
        assert found.radius_m == 40


def test_the_middle_of_an_area_is_never_an_answer(town: Session) -> None:
    assert geocode(town, "河西街道") is None
    assert geocode(town, "云河市") is None
    for nothing in ("", "  ", "？", "火星大道5号", "x" * 5000, "'; drop table gazetteer; --", "😀"):
        assert geocode(town, nothing) is None


def test_one_street_in_two_towns_needs_a_hint(
    town: Session, database: Database, tmp_path: Path, draw: Any
) -> None:
    moved = draw()
    moved.nodes = {key: (lon + 0.3, lat, tags) for key, (lon, lat, tags) in moved.nodes.items()}
    for key, (lon, lat, tags) in moved.nodes.items():
        if tags.get("name") == "河西街道":
            moved.nodes[key] = (lon, lat, {**tags, "name": "河东街道"})
    tables_only(database, moved.write(tmp_path / "east.osm.pbf"), "east")
    assert geocode(town, "建设路16号") is None, "two towns have it"
    here = geocode(town, "建设路16号", near=(114.31, 30.61))
    there = geocode(town, "河东街道建设路16号")
    assert here is not None
    assert there is not None
    assert there.lon - here.lon == pytest.approx(0.3, abs=1e-6)


def test_the_search_box(town: Session) -> None:
    assert search_places(town, "建设")[0].name == "建设路"
    assert search_places(town, "jianshe")[0].name == "建设路"
    assert search_places(town, "jsl")[0].name == "建设路"
    assert search_places(town, "建设路16")[0].name == "建设路16号"
    assert search_places(town, "hexi")[0].name in ("河西街道", "河西派出所")
    assert search_places(town, "Row 3")[0].name == "第3横路"
    assert "阳光花园" in {hit.name for hit in search_places(town, "阳光花圆")}, "one sign wrong"
    assert search_places(town, "") == []
    assert search_places(town, "%") == []
    assert len(search_places(town, "路", limit=5)) == 5
    near = search_places(town, "纵路", near=(WEST + 19 * STEP_LON, SOUTH), limit=3)
    assert near[0].name == "第19纵路"


def test_nobody_reads_it_unknown(database: Database, town: Session) -> None:
    with Session(database.app) as session:
        assert search_places(session, "建设") == []
        assert geocode(session, "建设路16号") is None
        session.execute(text("select set_config('gridmap.actor', 'somebody', true)"))
        assert search_places(session, "建设")[0].name == "建设路"


def test_real_house_numbers(database: Database, clock: FixedClock, liechtenstein_pbf: Path) -> None:
    tables_only(database, liechtenstein_pbf, "real")
    wanted: list[tuple[str, str, str, float, float]] = []
    for item in osmium.FileProcessor(str(liechtenstein_pbf)).with_filter(
        osmium.filter.KeyFilter("addr:housenumber")
    ):
        if item.is_node() and "addr:street" in item.tags:
            tags = dict(item.tags)
            wanted.append(
                (tags["addr:street"], tags["addr:housenumber"], tags.get("addr:city", ""), item.lon, item.lat)
            )
    assert len(wanted) > 50
    right = 0
    with system_transaction(database, clock) as tx:
        for street, number, _city, lon, lat in wanted[:300]:
            found = geocode(tx.session, f"{street} {number}", near=(lon, lat))
            if found is not None and found.method == "house_number":
                right += float(distance_m(found.lon, found.lat, lon, lat)) < 60
    assert right / len(wanted[:300]) > 0.95
