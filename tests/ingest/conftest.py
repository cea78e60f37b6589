"""Helpers of the import tests: files are written by the test, the database is real."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.services.geocoding import geocode
from gridmap.settings import Settings
from ingest.areas import AreaRequest, import_areas
from ingest.base import Outcome
from ingest.request import AddressPlace, ImportRequest, silent
from ingest.run import run_import


class Importer:
    """Runs imports into one database and looks at what came of them."""

    def __init__(self, database: Database, settings: Settings, clock: FixedClock) -> None:
        self.database = database
        self.settings = settings
        self.clock = clock

    def rows(self, noun: str, path: Path, **given: Any) -> Outcome:
        request = ImportRequest(noun=noun, path=path, **{"source": "test", **given})
        return run_import(request, self.database, self.settings, self.clock, self._geocode, silent)

    def areas(self, path: Path, **given: Any) -> Outcome:
        request = AreaRequest(path=path, **{"source": "test", **given})
        return import_areas(request, self.database, self.settings, self.clock, silent)

    def query(self, statement: str, **params: Any) -> list[Any]:
        with self.database.system.connect() as connection:
            return list(connection.execute(text(statement), params).all())

    def value(self, statement: str, **params: Any) -> Any:
        return self.query(statement, **params)[0][0]

    def execute(self, statement: str, **params: Any) -> None:
        with self.database.system.begin() as connection:
            connection.execute(text(statement), params)

    def _geocode(self, address: str) -> AddressPlace | None:
        with Session(self.database.system) as session:
            found = geocode(session, address)
        return None if found is None else AddressPlace(found.lon, found.lat, found.method, found.radius_m)


@pytest.fixture
def importer(database: Database, settings: Settings, clock: FixedClock) -> Importer:
    return Importer(database, settings, clock)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a text file: write("a.csv", "ref,name\\n...", encoding="gbk")."""

    def make(name: str, body: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(body.encode(encoding))
        return path

    return make
