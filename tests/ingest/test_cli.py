"""The command line as a person uses it: figures on stdout, a refusal on one line, exit status 0, 1 or 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from gridmap.domain.vocab import vocabulary
from gridmap.errors import Invalid
from ingest.cli import import_
from ingest.nouns.registry import NOUNS
from ingest.source import list_sources
from ingest.value_maps import read_value_map
from tests.ingest.conftest import Importer


def gridmap(importer: Importer, *arguments: str) -> subprocess.CompletedProcess[str]:
    urls = importer.database.urls
    environment = {
        **os.environ,
        "GRIDMAP_DATABASE_URL_APP": urls.app,
        "GRIDMAP_DATABASE_URL_SYSTEM": urls.system,
        "GRIDMAP_DATABASE_URL_OWNER": urls.owner,
        "GRIDMAP_DATA_DIR": str(importer.settings.data_dir),
    }
    command = [sys.executable, "-m", "gridmap", "import", *arguments]
    root = Path(__file__).parents[2]
    return subprocess.run(
        command, env=environment, cwd=root, capture_output=True, text=True, timeout=400, check=False
    )


def test_an_import_prints_its_figures_and_a_refusal_its_reason(importer: Importer, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "nr,kind,when,x,y\n1,入室,2026-05-01 10:12,114,34\n2,偷车,2026-05-02 11:13,,\n", encoding="utf-8"
    )
    words = tmp_path / "words.csv"
    words.write_text("value,key\n入室,S1.01\n", encoding="utf-8")
    common = [
        "incidents", str(path), "--source", "s", "--crs", "WGS84", "--tz", "Asia/Shanghai", "--map", "nr=ref",
        "--map", "kind=class", "--map", "when=occurred", "--default", "channel=public", "--map-values",
        f"class={words}",
    ]  # fmt: skip
    refused = gridmap(importer, *common)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "values_unmapped" in refused.stderr
    assert "偷车" in refused.stderr
    assert importer.value("select count(*) from incident") == 0

    done = gridmap(importer, *common, "--unmapped", "quarantine", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["read"], figures["added"], figures["quarantined"]) == (2, 1, 1)
    again = gridmap(importer, *common, "--unmapped", "quarantine")
    assert "unchanged          1" in again.stdout
    assert gridmap(importer, "incidents", str(path)).returncode == 2


def test_every_noun_has_its_verb() -> None:
    shown = CliRunner().invoke(import_, ["--help"]).output
    assert all(noun in shown for noun in (*NOUNS, "areas", "osm"))


def test_value_maps_from_csv_and_toml(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("v,k\n甲,S1.01\n", encoding="gbk")
    (tmp_path / "a.toml").write_text('"甲" = "S1.01"\n', encoding="utf-8")
    assert read_value_map(tmp_path / "a.csv") == read_value_map(tmp_path / "a.toml") == {"甲": "S1.01"}
    (tmp_path / "b.toml").write_text("x = [", encoding="utf-8")
    with pytest.raises(Invalid) as caught:
        read_value_map(tmp_path / "b.toml")
    assert caught.value.code == "value_map_broken"


def test_a_source_of_its_own_file_needs_nothing_else(importer: Importer, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("t,lon,lat,type\n2012-03-01,-122.6,45.5,burglary\n", encoding="utf-8")
    assert gridmap(importer, "incidents", str(path), "--source", "portland_nij").returncode == 0
    assert importer.query("select class_key, status, st_x(geom) from incident") == [
        ("S2.03", "closed", -122.6)
    ]


def test_every_source_is_named_like_its_file_and_speaks_our_words() -> None:
    words = vocabulary()
    for source in list_sources().values():
        assert source.noun == "areas" or source.noun in NOUNS
        assert source.attribution
        for key in source.value_maps.get("class", {}).values():
            words.event_class(key)


def test_a_database_that_was_never_set_up_is_told_plainly(importer: Importer, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ref,lon,lat\n1,114,34\n", encoding="utf-8")
    with importer.database.owner.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '0000'"))
    refused = gridmap(importer, "cameras", str(path), "--source", "s", "--crs", "WGS84")
    assert refused.returncode == 1
    assert "database_not_migrated" in refused.stderr
