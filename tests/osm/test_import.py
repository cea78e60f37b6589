"""Importing an extract: what lands in the tables, what a second import changes, what a broken file does not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import osmium
import pytest
from click.testing import CliRunner
from pmtiles.reader import MmapSource, Reader
from sqlalchemy import text

from gridmap.adapters.valhalla_tiles import current_version
from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.errors import Conflict, Invalid
from gridmap.settings import Settings
from ingest.cli import import_
from ingest.osm.pbf import inspect_extract
from ingest.osm.run import OsmOutcome, extract_name, import_extract

Load = Callable[..., OsmOutcome]


def silent(phase: str, done: int, total: int | None) -> None:
    del phase, done, total


@pytest.fixture
def load(database: Database, site: Settings, clock: FixedClock) -> Load:
    def run(path: Path, name: str = "town", **more: Any) -> OsmOutcome:
        return import_extract(path, name, database, site, clock, silent, **more)

    return run


def rows(database: Database, query: str, **values: Any) -> list[Any]:
    with database.system.connect() as connection:
        return list(connection.execute(text(query), values).all())


def one(database: Database, query: str, **values: Any) -> Any:
    [row] = rows(database, query, **values)
    return row[0]


def independent_counts(path: Path) -> dict[str, int]:
    """The same figures by another way: no areas, only tags and closed ways."""
    found: Counter[str] = Counter()
    for item in osmium.FileProcessor(str(path)):
        if item.is_way() and "highway" in item.tags:
            found["road"] += 1
        building = item.tags.get("building", "no") != "no"
        if building and item.is_way() and item.is_closed():
            found["building"] += 1
        if building and item.is_relation() and item.tags.get("type") == "multipolygon":
            found["building"] += 1
    return dict(found)


def test_the_town_lands_in_the_tables(load: Load, database: Database, site: Settings, town_pbf: Path) -> None:
    outcome = load(town_pbf)
    expected = independent_counts(town_pbf)
    assert outcome.rows["road"] == expected["road"] == one(database, "select count(*) from road")
    assert outcome.rows["building"] == expected["building"] == one(database, "select count(*) from building")
    assert outcome.skipped == {}
    assert rows(database, "select layer, kind, name from ground order by 1, 2") == [
        ("green", "park", "人民公园"),
        ("water", "river", "清江"),
    ]
    [bridge] = rows(database, "select distinct kind, maxspeed_kmh from road where bridge")
    assert tuple(bridge) == ("primary", 60.0)
    assert one(database, "select count(*) from road where oneway") == 2
    [house] = rows(
        database, "select street, house_number, levels, kind from building where house_number = '8'"
    )
    assert tuple(house) == ("建设路", "8", 6.0, "apartments")
    assert one(database, "select height_m from building where name = '市第一医院'") == 24.0
    assert (
        one(database, "select ST_NumInteriorRings(ST_GeometryN(geom, 1)) from building where kind = 'school'")
        == 1
    )
    assert one(database, "select distinct source from building") == "osm:town"
    assert one(database, "select count(*) from outbox where topic = 'layer_changed'") == 1
    [extract] = rows(database, "select demo, attribution from osm_extract where name = 'town'")
    assert tuple(extract) == (False, "© OpenStreetMap contributors")
    assert current_version(site.routing_dir) == outcome.routing_version


def test_a_street_is_one_entry_with_its_point_on_it(load: Load, database: Database, town_pbf: Path) -> None:
    load(town_pbf)
    [street] = rows(
        database,
        "select name, name_norm, radius_m,"
        " (select min(ST_Distance(r.geom::geography, g.geom::geography)) from road r where r.name = g.name) as off_m"
        " from gazetteer g where kind = 'street' and name = '建设路'",
    )
    assert street.name_norm == "建设路 jianshelu jsl"
    assert street.radius_m == pytest.approx(950, rel=0.05)
    assert street.off_m < 0.01
    [row] = rows(database, "select name_en from gazetteer where kind = 'street' and name = '第3横路'")
    assert row.name_en == "Row 3 Road"
    kinds = dict(rows(database, "select kind, count(*) from gazetteer group by kind"))
    assert kinds["address"] == 21
    assert kinds["place"] == 1
    assert kinds["landmark"] == 5, "hospital, police, park, river, estate"
    assert kinds["building"] == 1


def test_importing_again_replaces_only_that_extract(
    load: Load, database: Database, tmp_path: Path, town_pbf: Path, draw: Callable[[], Any]
) -> None:
    load(town_pbf)
    before = dict(rows(database, "select ref, id from building"))
    other = draw()
    other.ways = [way for way in other.ways if way[2].get("name") != "第2横路"]
    for _, _, tags in other.ways:
        if tags.get("name") == "市第一医院":
            tags["name"] = "市中心医院"
    load(other.write(tmp_path / "other.osm.pbf"), "second")
    both = one(database, "select count(*) from road")
    outcome = load(other.write(tmp_path / "again.osm.pbf"))
    assert one(database, "select count(*) from road where extract = 'town'") == outcome.rows["road"]
    assert one(database, "select count(*) from road where name = '第2横路'") == 0
    assert one(database, "select count(*) from road") == both - 2
    assert dict(rows(database, "select ref, id from building where source = 'osm:town'")) == before, (
        "ids are kept"
    )
    assert one(database, "select count(*) from gazetteer where name = '市第一医院'") == 0
    assert one(database, "select count(*) from gazetteer where name = '市中心医院'") == 2
    assert one(database, "select count(*) from building where withdrawn_at is not null") == 0


def test_the_base_map_holds_the_town(load: Load, site: Settings, town_pbf: Path) -> None:
    outcome = load(town_pbf)
    file = site.basemap_dir / "town.pmtiles"
    with file.open("rb") as handle:
        reader = Reader(MmapSource(handle))
        header = reader.header()
        assert header["max_zoom"] == 16
        described = json.loads(reader.metadata()["json"])
        names = {layer["id"] for layer in described["vector_layers"]}
    assert {"roads", "buildings", "water", "green", "places", "numbers"} <= names
    assert file.stat().st_size == outcome.basemap_bytes
    assert [path.name for path in site.basemap_dir.iterdir()] == ["town.pmtiles"], "no leftovers"


def test_broken_files_change_nothing(
    load: Load, database: Database, site: Settings, tmp_path: Path, town_pbf: Path, draw: Callable[[], Any]
) -> None:
    load(town_pbf)
    good = one(database, "select count(*) from road")
    whole = town_pbf.read_bytes()
    cases = {
        "osm_not_pbf": b"<osm version='0.6'></osm>" * 40,
        "osm_truncated": whole[: len(whole) * 2 // 3],
        "osm_unreadable": whole[:600] + bytes(200) + whole[800:],
    }
    for code, content in cases.items():
        path = tmp_path / f"{code}.osm.pbf"
        path.write_bytes(content)
        with pytest.raises(Invalid) as refused:
            load(path)
        assert refused.value.code == code
    empty = tmp_path / "empty.osm.pbf"
    osmium.SimpleWriter(str(empty)).close()
    unsorted = draw().write(tmp_path / "unsorted.osm.pbf", backwards=True)
    for code, path in (
        ("osm_extract_empty", empty),
        ("osm_unsorted", unsorted),
        ("file_not_found", tmp_path / "none.osm.pbf"),
    ):
        with pytest.raises(Invalid) as refused:
            load(path)
        assert refused.value.code == code
    assert one(database, "select count(*) from road") == good
    assert one(database, "select count(*) from outbox where topic = 'layer_changed'") == 1
    assert [path.name for path in site.basemap_dir.iterdir()] == ["town.pmtiles"]


def test_two_imports_at_once_do_not_mix(load: Load, database: Database, town_pbf: Path) -> None:
    with database.system.connect() as holder:
        holder.execute(text("select pg_advisory_lock(:key)"), {"key": 0x6F736D})
        with pytest.raises(Conflict) as refused:
            load(town_pbf)
        assert refused.value.code == "import_running"
        holder.execute(text("select pg_advisory_unlock_all()"))
    load(town_pbf)


def test_a_map_without_roads_has_no_graph(
    load: Load, site: Settings, database: Database, tmp_path: Path, draw: Callable[[], Any]
) -> None:
    village = draw()
    village.ways = [way for way in village.ways if "highway" not in way[2]]
    outcome = load(village.write(tmp_path / "village.osm.pbf"))
    assert outcome.routing_version is None
    assert current_version(site.routing_dir) is None
    assert one(database, "select count(*) from building") > 0


def test_extract_names() -> None:
    assert extract_name(Path("Liechtenstein.osm.pbf"), None) == "liechtenstein"
    for name in ("", "../up", "Ä", "a" * 41, "a b"):
        with pytest.raises(Invalid):
            extract_name(Path("x.osm.pbf"), name)


def test_the_command_line_refuses_in_one_line(
    database: Database, site: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(b"not a map")
    monkeypatch.setattr("ingest.osm.cli.load_settings", lambda: site)
    result = CliRunner().invoke(import_, ["osm", str(broken), "--json"])
    assert isinstance(result.exception, Invalid)
    assert result.exception.code == "osm_not_pbf"


@pytest.mark.parametrize("fixture", ["liechtenstein_pbf", "shanghai_pbf"])
def test_real_extracts(fixture: str, request: pytest.FixtureRequest, load: Load, database: Database) -> None:
    path: Path = request.getfixturevalue(fixture)
    outcome = load(path, "real")
    expected = independent_counts(path)
    no_way = outcome.skipped.get("road", 0) + one_of_no_way(path)
    assert outcome.rows["road"] == expected["road"] - no_way
    assert outcome.rows["building"] + outcome.skipped.get("building", 0) == pytest.approx(
        expected.get("building", 0), abs=12
    ), "a few outlines of a real map cannot be assembled"
    assert not outcome.demo
    assert one(database, "select count(*) from gazetteer where kind = 'street'") == outcome.streets
    assert one(database, "select bool_and(ST_IsValid(geom)) from road")
    assert inspect_extract(path, silent).sha256 == one(database, "select file_sha256 from osm_extract")


def one_of_no_way(path: Path) -> int:
    """Roads that are planned, being built or platforms."""
    left_out = {
        "proposed",
        "construction",
        "platform",
        "rest_area",
        "services",
        "elevator",
        "raceway",
        "no",
        "razed",
        "abandoned",
    }
    return sum(
        1
        for item in osmium.FileProcessor(str(path))
        if item.is_way() and item.tags.get("highway") in left_out
    )
