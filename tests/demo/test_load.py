"""What the demo remembers between starts, and that it keeps away from a site's own data."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from gridmap.adapters.processes import current_account
from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.demo.accounts import DemoLogIns, OfficerLogIn, StaffLogIn, read_log_ins, write_log_ins
from gridmap.demo.load import DemoFolder, Loader, Progress, Stopped, is_loaded
from gridmap.errors import Conflict, Misconfigured
from gridmap.settings import Settings

CLOCK = FixedClock(datetime(2026, 6, 1, tzinfo=UTC))
LOG_INS = DemoLogIns(
    staff=[
        StaffLogIn("operator", "pw-o", "operator", "坐席"),
        StaffLogIn("lead", "pw-l", "shift_lead", "值班长"),
    ],
    officers=[
        OfficerLogIn("p-gw1", "u1", "GW1", "网格001", "grid_worker", "day"),
        OfficerLogIn("p-pt1", "u2", "PT1", "巡001", "patrol", "early"),
    ],
    officer_password="pw-p",
    tokens={"positions": "gm_x"},
)


@pytest.fixture
def demo_settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, demo=True)


def load(settings: Settings, database: Database, seed: int | None = None) -> DemoLogIns:
    stop = threading.Event()
    loader = Loader(settings, current_account(), database, CLOCK, stop, say=lambda _: None)
    return loader.ensure_loaded(seed, None)


def hold_an_area(database: Database) -> None:
    with database.system.begin() as connection:
        connection.execute(text("INSERT INTO area (level, scheme, code) VALUES ('grid', 'gb', 'x')"))


def pretend_loaded(settings: Settings) -> DemoFolder:
    folder = DemoFolder.of(settings)
    folder.path.mkdir(parents=True)
    write_log_ins(LOG_INS, folder.log_ins)
    Progress(folder.progress, 7, "small", ["areas areas.gpkg"], True).write()
    return folder


def test_log_ins_are_for_their_owner_only_and_come_back_whole(demo_settings: Settings) -> None:
    folder = pretend_loaded(demo_settings)
    assert folder.log_ins.stat().st_mode & 0o777 == 0o600
    assert read_log_ins(folder.log_ins) == LOG_INS


def test_walk_takes_a_patrol_and_two_different_people_of_the_centre() -> None:
    walk = LOG_INS.for_walk()
    assert walk.patrol == ("p-pt1", "pw-p")
    assert walk.operator[0] != walk.shift_lead[0]
    with pytest.raises(Misconfigured):
        DemoLogIns(LOG_INS.staff, [], "x", {}).for_walk()


def test_loaded_district_is_not_loaded_again(demo_settings: Settings, database: Database) -> None:
    pretend_loaded(demo_settings)
    hold_an_area(database)
    assert is_loaded(demo_settings)
    assert load(demo_settings, database) == LOG_INS


def test_another_district_is_not_laid_over_the_loaded_one(
    demo_settings: Settings, database: Database
) -> None:
    pretend_loaded(demo_settings)
    hold_an_area(database)
    with pytest.raises(Conflict) as refused:
        load(demo_settings, database, seed=8)
    assert refused.value.code == "demo_is_another"


def test_data_of_a_site_is_never_mixed_with_a_demo(demo_settings: Settings, database: Database) -> None:
    hold_an_area(database)
    with pytest.raises(Conflict) as refused:
        load(demo_settings, database)
    assert refused.value.code == "database_holds_other_data"
    assert not DemoFolder.of(demo_settings).progress.exists()


def test_progress_survives_a_broken_off_load(demo_settings: Settings) -> None:
    folder = pretend_loaded(demo_settings)
    progress = Progress(folder.progress, 7, "small")
    progress.write()
    progress.add("areas areas.gpkg")
    assert not is_loaded(demo_settings)
    again = Progress.read(folder.progress)
    assert again is not None
    assert again.done == ["areas areas.gpkg"]


def test_load_ends_at_once_when_the_demo_is_to_end(demo_settings: Settings, database: Database) -> None:
    stop = threading.Event()
    stop.set()
    loader = Loader(demo_settings, current_account(), database, CLOCK, stop, say=lambda _: None)
    with pytest.raises(Stopped):
        loader.ensure_loaded(None, "small")
    progress = Progress.read(DemoFolder.of(demo_settings).progress)
    assert progress is not None
    assert (progress.scale, progress.done, progress.complete) == ("small", [], False)
