"""Real PostGIS for every test that asks: one throwaway cluster a test process, one cloned database a test."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, sync_playwright
from psycopg import sql
from xdist.scheduler import LoadScopeScheduling

from gridmap.clock import FixedClock
from gridmap.db.cluster import embedded_urls, ensure_running, stop, superuser_conninfo
from gridmap.db.engine import Database
from gridmap.db.migrate import upgrade
from gridmap.db.roles import APP, OWNER, SYSTEM
from gridmap.settings import Settings, load_settings

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TEST_NOW = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)

SHARED_ROOMS = ("tests/browser/", "tests/unit/demo/")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
# Without the background-networking flags Chromium looks for hosts outside; the certificate is the site's own.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--ignore-certificate-errors",
]


class ByRoom(LoadScopeScheduling):
    """Deals out tests one by one; those that share a site or a district, a minute's work, go to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        return next((room for room in SHARED_ROOMS if nodeid.startswith(room)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByRoom:
    return ByRoom(config, log)


@pytest.fixture(scope="session")
def settings() -> Iterator[Settings]:
    """Settings of a throwaway deployment: its own folders, its own cluster, no fsync."""
    folder = Path(tempfile.mkdtemp(prefix="gmt-", dir="/tmp"))
    folder.chmod(0o755)
    made = load_settings(
        data_dir=folder / "data",
        runtime_dir=folder / "run",
        embedded_fast=True,
        port=0,
        valhalla_port=_free_port(),
    )
    ensure_running(made)
    try:
        upgrade_template(made)
        yield made
    finally:
        stop(made)
        shutil.rmtree(folder, ignore_errors=True)


def upgrade_template(made: Settings) -> None:
    """Migrate the cluster's own database once; tests clone it."""
    database = Database.from_settings(made)
    upgrade(database.owner)
    database.dispose()


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """An empty, migrated database of its own for one test."""
    with ClonedDatabase(settings, "gridmap") as made:
        yield made


class ClonedDatabase:
    """A database cloned from `template`, dropped at the end."""

    def __init__(self, settings: Settings, template: str) -> None:
        self.settings = settings
        self.template = template
        self.name = f"t_{uuid.uuid4().hex[:16]}"

    def __enter__(self) -> Database:
        self._admin(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                sql.Identifier(self.name), sql.Identifier(self.template), sql.Identifier(OWNER)
            ),
            *(
                sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(
                    sql.Identifier(self.name), sql.Identifier(role)
                )
                for role in (APP, SYSTEM, OWNER)
            ),
        )
        self.database = Database(embedded_urls(self.settings, self.name))
        return self.database

    def __exit__(self, *_exc: object) -> None:
        self.database.dispose()
        self._admin(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(self.name)))

    def _admin(self, *statements: sql.Composed) -> None:
        with psycopg.connect(superuser_conninfo(self.settings), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at noon of a working day in Shanghai until a test moves it."""
    return FixedClock(TEST_NOW)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("GRIDMAP_SHARED_DATA", SHARED_DATA))
    if not folder.is_dir():
        pytest.skip("the real data sets are not on this machine")
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real, headless Chromium, for one module: while Playwright runs, its process has no other event loop."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
