"""The house's laws of structure hold in this checkout, and the check that says so can see a breach."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture_rules import find_breaches, read_modules

ROOT = Path(__file__).resolve().parents[1]


def test_the_checkout_obeys_the_import_law() -> None:
    assert [str(breach) for breach in find_breaches(ROOT)] == []


def test_the_check_reads_the_whole_house() -> None:
    modules = read_modules(ROOT)
    assert {"gridmap", "layers", "ingest", "web"} <= modules.keys()
    assert "gridmap.cli" in modules


@pytest.mark.parametrize(
    ("file", "source", "expected"),
    [
        ("gridmap/services/x.py", "import web.app\n", "gridmap may not import web.app"),
        ("layers/x.py", "from ingest import run\n", "layers may not import ingest"),
        ("web/x.py", "import ingest.run\n", "web may not import ingest.run"),
        ("ingest/x.py", "from web.auth import login\n", "ingest may not import web.auth"),
        ("gridmap/domain/x.py", "import pandas\n", "gridmap.domain may not use pandas"),
        (
            "gridmap/domain/x.py",
            "from gridmap.db import engine\n",
            "gridmap.domain may not import gridmap.db",
        ),
        ("gridmap/domain/x.py", "from ..db import y\n", "gridmap.domain may not import gridmap.db"),
        ("gridmap/db/x.py", "import gridmap.services\n", "gridmap.db may not import gridmap.services"),
        ("gridmap/adapters/x.py", "import gridmap.db\n", "gridmap.adapters may not import gridmap.db"),
        ("gridmap/risk/x.py", "import sqlalchemy\n", "gridmap.risk may not use sqlalchemy"),
        ("gridmap/bootstrap/x.py", "import click\n", "gridmap.bootstrap may not use click"),
        (
            "gridmap/bootstrap/x.py",
            "import gridmap.errors\n",
            "bootstrap may not import gridmap.errors",
        ),
        ("gridmap/cli.py", "import gridmap.db\n", "gridmap.cli may not import gridmap.db"),
        ("gridmap/novelty.py", "", "gridmap.novelty has no place in the law: see PARTS"),
        ("web/x.py", "def f():\n    import json\n", "import of json inside a function"),
        (
            "web/x.py",
            "if True:\n    def f():\n        from json import load\n",
            "import of json inside a function",
        ),
        ("web/utils.py", "", "utils.py says nothing about what is in it"),
        (
            "layers/catalog/cameras.py",
            "X = Layer(key='camera')\n",
            "nothing in this file has the key",
        ),
        ("ingest/sources/hotline.py", "", "nothing in this file has the key 'hotline'"),
        (
            "web/frontend/console/q/x.ts",
            'import { Map } from "maplibre-gl";\n',
            "import a map library",
        ),
        ("web/frontend/shared/x.vue", 'await import("maplibre-gl")\n', "import a map library"),
        (
            "web/frontend/console/x.ts",
            'import "maplibre-gl/gl.css";\n',
            "import a map library",
        ),
    ],
)
def test_a_planted_breach_is_seen(tmp_path: Path, file: str, source: str, expected: str) -> None:
    _plant(tmp_path, file, source)
    breaches = find_breaches(tmp_path)
    assert len(breaches) == 1
    assert expected in breaches[0].law
    assert breaches[0].file == file


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("web/x.py", "import layers.registry, gridmap.services.reports, flask\n"),
        ("gridmap/services/x.py", "from gridmap.adapters import valhalla\nimport gridmap.db.engine\n"),
        ("gridmap/domain/x.py", "import math, numpy, shapely.geometry\nfrom gridmap.errors import Invalid\n"),
        ("web/x.py", "def f():\n    import cv2  # optional: pictures are not installed everywhere\n"),
        ("layers/catalog/cameras.py", "LAYER = Layer(key='cameras')\n"),
        ("web/frontend/console/map/x.ts", 'import { Map } from "maplibre-gl";\n'),
        ("web/frontend/console/x.ts", 'import { bind } from "./map/old";\n'),
    ],
)
def test_what_is_allowed_passes(tmp_path: Path, file: str, source: str) -> None:
    _plant(tmp_path, file, source)
    assert find_breaches(tmp_path) == []


@pytest.mark.parametrize(
    ("source", "refused"),
    [
        ("from gridmap.risk.grid import Grid, Areas\n", ""),
        ("from gridmap.risk.grid import _cells\n", "gridmap.risk.grid._cells"),
        ("from gridmap.risk.level import fit_level\n", "gridmap.risk.level.fit_level"),
        ("from gridmap.risk import grid\n", "gridmap.risk.grid"),
        ("import gridmap.risk.grid\n", "gridmap.risk.grid"),
    ],
)
def test_an_engine_is_used_by_its_contract(tmp_path: Path, source: str, refused: str) -> None:
    contract = '"""The engine.\n\n    grid   Grid, Areas   where\n"""\n'
    for file, text in (("__init__", contract), ("grid", "class Grid: ...\n"), ("level", "")):
        _plant(tmp_path, f"gridmap/risk/{file}.py", text)
    _plant(tmp_path, "gridmap/services/x.py", source)
    found = [breach.law for breach in find_breaches(tmp_path)]
    assert found == ([f"{refused} is not in the contract of gridmap.risk"] if refused else [])


def test_a_cycle_is_seen_once_with_its_way(tmp_path: Path) -> None:
    _plant(tmp_path, "web/a.py", "from web import b\n")
    _plant(tmp_path, "web/b.py", "import web.c\n")
    _plant(tmp_path, "web/c.py", "from . import a\n")
    (breach,) = find_breaches(tmp_path)
    assert breach.law == "cycle: web.a -> web.b -> web.c -> web.a"


def _plant(root: Path, file: str, source: str) -> None:
    target = root / file
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(source)
