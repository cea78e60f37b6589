"""Thin, odd and broken data: every product ends in a file or in a code, never in a crash or in what is no number."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from gridmap.clock import FixedClock
from gridmap.db.cluster import embedded_urls
from gridmap.db.engine import Database
from gridmap.domain.risk_rules import risk_rules
from gridmap.errors import GridmapError, Invalid, NotFound
from gridmap.services.risk import jobs
from gridmap.services.transaction import system_transaction
from gridmap.settings import Settings
from layers.folium_assets import PLACES
from layers.risk.group import risk
from layers.risk.products import ENDINGS, write
from tests.db.test_risk_runs import AUTHOR, METRIC, plant, read
from tests.world import World

Verb = Callable[..., Any]
HAVE_TYPE = any((place / "leaflet").is_dir() for place in PLACES)


def run_now(world: World) -> UUID:
    rules = risk_rules()
    with system_transaction(world.database, world.clock) as tx:
        asked = jobs.ask(tx, "990101", [rules.horizon("4weeks")], AUTHOR)
    (made,) = jobs.work(world.database, world.clock, METRIC, rules, only=asked)
    return made


def change(world: World, statement: str, **values: Any) -> None:
    with system_transaction(world.database, world.clock) as tx:
        tx.session.execute(text(statement), values)


def a_file(world: World, run_id: UUID, ending: str) -> bytes:
    with system_transaction(world.database, world.clock) as tx:
        return write(tx, run_id, "theft", ending, "zh", purpose="x", days=1, author="me")[0]


def no_number(word: str) -> Any:
    raise AssertionError(f"{word} is no number")


@pytest.fixture
def verb(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Verb:
    """`gridmap risk ...` on the test's database; raises what the verb raised."""
    name = read(database, "select current_database() as name")[0].name
    urls = embedded_urls(settings, name)
    for role, url in (("APP", urls.app), ("SYSTEM", urls.system), ("OWNER", urls.owner)):
        monkeypatch.setenv(f"GRIDMAP_DATABASE_URL_{role}", url)
    monkeypatch.setenv("GRIDMAP_LOCAL_CRS", "EPSG:4547")

    def call(*words: str) -> Any:
        done = CliRunner().invoke(risk, list(words))
        if isinstance(done.exception, GridmapError):
            raise done.exception
        return done

    return call


@pytest.mark.parametrize("case", ["none", "one", "one point", "one point of four classes", "far and ahead"])
def test_every_file_of_odd_data_is_a_file_or_a_code(world: World, case: str) -> None:
    at = world.point_in(0)
    if case == "one":
        plant(world, 1)
    elif case == "one point":
        plant(world, 300, at=at)
    elif case == "one point of four classes":
        for number, key in enumerate(("S2.02", "S1.01", "S2.10", "C1.01")):
            plant(world, 60, at=at, class_key=key, seed=number)
    elif case == "far and ahead":
        plant(world, 120)
        change(world, "update incident set occurred_from = '2090-01-01' where number like '%-7'")
        change(
            world,
            "update incident set geom = st_setsrid(st_makepoint(-70, -33), 4326) where number like '%-8'",
        )
        change(world, "update incident set geom = null, location_method = 'none' where number like '%-9'")
    run_id = run_now(world)
    for ending in ENDINGS:
        if not HAVE_TYPE and ending in ("html", "png", "pdf"):
            continue
        if case == "none":
            with pytest.raises(Invalid, match="risk_no_events"):
                a_file(world, run_id, ending)
            continue
        content = a_file(world, run_id, ending)
        if ending == "geojson":
            rows = json.loads(content, parse_constant=no_number)["features"]
            assert len(rows) == 2
        elif ending == "xlsx":
            cells = [
                cell
                for sheet in openpyxl.load_workbook(io.BytesIO(content)).worksheets
                for row in sheet.iter_rows(values_only=True)
                for cell in row
            ]
            assert not {"nan", "NaN", "inf", "#NUM!"} & {str(cell) for cell in cells}
    for row in read(world.database, "select figures::text as figures, coalesce(scores::text, '{}') as scores"
                                    " from risk_surface where class_group = 'theft'"):  # fmt: skip
        json.loads(row.figures, parse_constant=no_number)
        json.loads(row.scores, parse_constant=no_number)


def test_an_area_without_history_has_a_figure_and_says_so(world: World, database: Database) -> None:
    plant(world, 200, at=world.point_in(0))
    plant(world, 40, at=world.point_in(0, 1), seed=3)
    run_now(world)
    lines = read(
        database,
        "select * from risk_area where class_group = 'theft' and area_id = :id",
        id=world.grid_ids[0][3],
    )
    (line,) = lines
    assert line.known == 0
    assert 0 <= line.expected < 1
    assert line.low == 0
    assert "no_history" in {reason["code"] for reason in line.reasons}
    assert (line.trend_real, line.top_hours, line.found_share) == (False, [], 0)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("run", "--area", "nowhere", "--no-check"), "area_unknown"),
        (("run", "--area", "990101", "--as-of", "2091-01-01"), "risk_origin"),
        (("run", "--area", "990101", "--as-of", "1969-01-01"), "risk_origin"),
        (("map", "--out", "{out}/x.html", "--purpose", "x"), "risk_run_not_found"),
        (("map", "--out", "{out}/x.geojson", "--purpose", "x", "--area", "nowhere"), "risk_run_not_found"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_verb_that_cannot_says_why(
    world: World, verb: Verb, tmp_path: Any, words: tuple[str, ...], code: str
) -> None:
    with pytest.raises((Invalid, NotFound)) as refused:
        verb(*(word.replace("{out}", str(tmp_path)) for word in words))
    assert refused.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_a_map_of_a_class_never_seen_or_a_format_nobody_knows(
    world: World, verb: Verb, clock: FixedClock, tmp_path: Any
) -> None:
    plant(world, 100)
    run_now(world)
    clock.at += timedelta(days=1)
    for words, code in (
        (("--out", f"{tmp_path}/x.geojson", "--group", "street"), "risk_no_events"),
        (("--out", f"{tmp_path}/x.docx", "--group", "theft"), "export_format_unknown"),
        (("--out", f"{tmp_path}/x.geojson", "--group", "theft", "--purpose", "  "), "risk_purpose_missing"),
    ):
        purpose = () if "--purpose" in words else ("--purpose", "x")
        with pytest.raises((Invalid, NotFound)) as refused:
            verb("map", *words, *purpose)
        assert refused.value.code == code
    assert (
        verb("map", "--out", f"{tmp_path}/x.geojson", "--group", "nonsense", "--purpose", "x").exit_code == 2
    )
    assert list(tmp_path.iterdir()) == []
    assert verb("map", "--out", f"{tmp_path}/x.geojson", "--group", "theft", "--purpose", "x").exit_code == 0
    content = json.loads((tmp_path / "x.geojson").read_text(), parse_constant=no_number)
    assert content["gridmap"]["purpose"] == "x"
