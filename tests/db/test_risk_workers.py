"""A province over several worker processes: the same result as one, and nothing lost when a worker is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gridmap.adapters.processes import wait_until
from gridmap.clock import FixedClock
from gridmap.db.cluster import embedded_urls
from gridmap.db.engine import Database
from gridmap.domain.risk_rules import risk_rules
from gridmap.services.risk import jobs
from gridmap.services.transaction import system_transaction
from gridmap.settings import Settings
from tests.db.test_risk_runs import AUTHOR, METRIC, TODAY, plant, read
from tests.world import World

pytestmark = pytest.mark.slow  # processes that give way to all others

Start = Callable[[], "subprocess.Popen[bytes]"]
FIGURES = (
    "select r.horizon, l.class_group, l.area_id, l.expected, l.low, l.high, l.rank, l.rank_low, l.rank_high,"
    " l.risk_level, l.trend_q, l.weighted, l.patrol from risk_area l join risk_run r on r.id = l.run_id"
    " where r.made_at is not null and r.id {} any(:old) order by 1, 2, 3"
)


@pytest.fixture
def start(database: Database, settings: Settings) -> Start:
    """Start `gridmap risk work` as a process of its own on the test's database."""
    name = read(database, "select current_database() as name")[0].name
    urls = embedded_urls(settings, name)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GRIDMAP_")}
    env = kept | {
        "GRIDMAP_DATABASE_URL_APP": urls.app,
        "GRIDMAP_DATABASE_URL_SYSTEM": urls.system,
        "GRIDMAP_DATABASE_URL_OWNER": urls.owner,
        "GRIDMAP_LOCAL_CRS": "EPSG:4547",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    return lambda: subprocess.Popen([sys.executable, "-m", "gridmap", "risk", "work"], env=env)


def ask(world: World, code: str, *horizons: str) -> list[Any]:
    rules = risk_rules()
    with system_transaction(world.database, world.clock) as tx:
        chosen = [rules.horizon(key) for key in horizons]
        return jobs.ask(tx, code, chosen, AUTHOR, origin_on=TODAY, checked=False)


def test_two_processes_share_a_province_and_give_what_one_gives(
    world: World, database: Database, start: Start
) -> None:
    plant(world, 250, county=0)
    plant(world, 250, county=1, seed=9)
    horizons = ("week", "4weeks")
    alone = jobs.work(
        database, world.clock, METRIC, risk_rules(), only=ask(world, "99", *horizons), who="alone:1"
    )
    asked = ask(world, "99", *horizons)
    assert len(asked) == 4
    workers = [start(), start()]
    assert [worker.wait(timeout=300) for worker in workers] == [0, 0]
    done = read(database, "select status, claimed_by from risk_job where id = any(:ids)", ids=asked)
    assert {row.status for row in done} == {"done"}
    assert {int(row.claimed_by.split(":")[1]) for row in done} == {worker.pid for worker in workers}
    first = read(database, FIGURES.format("="), old=alone)
    second = read(database, FIGURES.format("<>").replace("<> any", "<> all"), old=alone)
    assert len(first) > 20
    assert [tuple(row) for row in second] == [tuple(row) for row in first]


def test_what_a_killed_worker_had_taken_is_made_by_the_next(
    world: World, database: Database, start: Start
) -> None:
    plant(world, 400)
    (asked,) = ask(world, "990101", "4weeks")
    worker = start()
    taken = "select status = 'running' as taken from risk_job where id = :id"
    assert wait_until(lambda: bool(read(database, taken, id=asked)[0].taken), timeout_s=60)
    os.kill(worker.pid, signal.SIGKILL)
    assert worker.wait(timeout=10) == -signal.SIGKILL
    assert read(database, "select id from risk_run where made_at is not null") == []
    soon = FixedClock(datetime.now(UTC) + timedelta(seconds=5))
    assert jobs.claim(database, soon, "next:2") is None, "a short silence is no death"
    later = FixedClock(datetime.now(UTC) + jobs.SILENT_AFTER + timedelta(seconds=5))
    (made,) = jobs.work(database, later, METRIC, risk_rules(), who="next:2")
    (job,) = read(database, "select status, claimed_by, attempts, run_id from risk_job")
    assert (job.status, job.claimed_by, job.attempts, job.run_id) == ("done", "next:2", 2, made)
    assert len(read(database, "select id from risk_run")) == 1, "nothing half made is left"
