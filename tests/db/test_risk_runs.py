"""Risk runs on a real database: stored whole, split over workers with the same result, clear answers to thin data."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.domain.ids import new_id
from gridmap.domain.metric import LocalMetric
from gridmap.domain.risk_rules import check_classes, load_risk_rules, risk_rules
from gridmap.domain.vocab import vocabulary, vocabulary_dir
from gridmap.errors import Invalid, Misconfigured
from gridmap.services.risk import jobs
from gridmap.services.risk.ground import urban_or_rural
from gridmap.services.risk.store import Author
from gridmap.services.transaction import system_transaction
from tests.world import SIDE, SOUTH, WEST, World

METRIC = LocalMetric("EPSG:4547")
AUTHOR = Author(None, "test", "test")
TODAY = date(2026, 6, 1)


def plant(
    world: World, count: int, *, county: int = 0, class_key: str = "S2.02", seed: int = 1, days: int = 200,
    at: tuple[float, float] | None = None, channel: str = "public",
) -> None:  # fmt: skip
    """Incidents spread over the past of a county, thickest in its first grid; `at` puts all on one point."""
    rng = np.random.default_rng(seed)
    west = WEST + county * 4 * SIDE
    across = np.minimum(rng.exponential(0.25, count), 0.999) * 4 * SIDE
    rows = [
        {
            "id": new_id(),
            "number": f"{class_key}-{channel}-{county}-{seed}-{n}",
            "class_key": class_key,
            "channel": channel,
            "lon": at[0] if at else west + float(across[n]),
            "lat": at[1] if at else SOUTH + float(rng.uniform(0.02, 0.98)) * SIDE,
            "at": datetime(2026, 5, 31, tzinfo=UTC) - timedelta(days=float(rng.uniform(0, days))),
            "path": world.county_paths[county],
        }
        for n in range(count)
    ]
    with system_transaction(world.database, world.clock) as tx:
        tx.session.execute(
            text(
                "insert into incident (id, number, class_key, severity, title, geom, location_method, scope_path,"
                " occurred_from, reported_at, recorded_at, channel) values (:id, :number, :class_key, 3, 'x',"
                " st_setsrid(st_makepoint(:lon, :lat), 4326), 'given', cast(:path as ltree), :at, :at, :at, :channel)"
            ),
            rows,
        )


def run(world: World, code: str = "9901", horizon: str = "4weeks", **more: Any) -> list[Any]:
    rules = risk_rules()
    with system_transaction(world.database, world.clock) as tx:
        asked = jobs.ask(tx, code, [rules.horizon(horizon)], AUTHOR, origin_on=TODAY)
    made = jobs.work(world.database, world.clock, METRIC, rules, only=asked, **more)
    return made


def read(database: Database, statement: str, **values: Any) -> list[Any]:
    with system_transaction(database, FixedClock(datetime(2026, 6, 1, tzinfo=UTC))) as tx:
        return list(tx.session.execute(text(statement), values).all())


def test_a_run_is_kept_whole(world: World, database: Database) -> None:
    plant(world, 400)
    plant(world, 60, channel="patrol", seed=2)
    plant(world, 50, class_key="S2.05", seed=3)
    (run_id,) = run(world, "990101")
    (kept,) = read(database, "select * from risk_run")
    assert (kept.id, kept.horizon, kept.origin_on, kept.looks_back) == (run_id, "4weeks", TODAY, False)
    assert kept.scope_path == world.county_paths[0]
    assert kept.snapshot["rows"] == 460, "a barred class never goes in"
    assert kept.snapshot["left_out"]["barred_class"] == 50
    assert kept.snapshot["found_share"] == pytest.approx(60 / 460, abs=0.01)
    surfaces = {row.class_group: row for row in read(database, "select * from risk_surface")}
    assert set(surfaces) == {group.key for group in risk_rules().groups}
    theft = surfaces["theft"]
    assert theft.refused is None
    assert theft.png[:4] == b"\x89PNG"
    assert theft.figures["found_left_out"] == 60
    assert theft.low <= theft.expected <= theft.high
    # 400 in 200 days make 56 in four weeks.
    assert 40 < theft.expected < 72
    assert surfaces["fire"].refused == {"code": "risk_no_events", "params": {}}
    west, south, east, north = theft.bounds
    assert west <= WEST < east
    assert south <= SOUTH < north
    grids = read(
        database,
        "select * from risk_area where class_group = 'theft' and level = 'grid' order by rank",
    )
    assert grids[0].area_id == world.grid_ids[0][0]
    assert len(grids) == 4
    assert grids[0].risk_level in ("red", "orange", "yellow")
    assert {reason["code"] for reason in grids[0].reasons} >= {"density", "rank", "no_camera"}
    (ground,) = read(
        database,
        "select st_area(geom::geography) / 1e6 as km2 from area_version"
        f" where area_id = {grids[0].area_id} and upper_inf(valid)",
    )
    # Told per week, as the picture's legend is, though the run is of four.
    assert grids[0].per_km2_week == pytest.approx(grids[0].expected / ground.km2 / 4, rel=0.05)
    (whole,) = read(
        database,
        "select sum(expected) as n from risk_area where class_group = 'theft' and level = 'community'",
    )
    assert whole.n == pytest.approx(theft.expected, rel=0.02)


def test_two_workers_share_the_counties_and_give_what_one_gives(world: World, database: Database) -> None:
    plant(world, 250, county=0)
    plant(world, 250, county=1, seed=9)
    rules = risk_rules()
    columns = "class_group, area_id, expected, low, high, rank, rank_low, rank_high, risk_level, trend_q"
    alone = run(world)
    assert len(alone) == 2
    first = read(database, f"select {columns} from risk_area order by 1, 2")
    read_again = f"select {columns} from risk_area where run_id <> all(:old) order by 1, 2"
    with system_transaction(database, world.clock) as tx:
        asked = jobs.ask(tx, "99", [rules.horizon("4weeks")], AUTHOR, origin_on=TODAY)
    gate, made = threading.Barrier(2), []

    def one(name: str) -> None:
        gate.wait()
        made.append(jobs.work(database, world.clock, METRIC, rules, who=name, only=asked))

    threads = [threading.Thread(target=one, args=(name,)) for name in ("host-a:1", "host-b:2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(runs) for runs in made) == [1, 1], "each took one county"
    workers = read(database, "select claimed_by from risk_job where id = any(:ids)", ids=asked)
    assert {row.claimed_by for row in workers} == {"host-a:1", "host-b:2"}
    with system_transaction(database, world.clock) as tx:
        second = list(tx.session.execute(text(read_again), {"old": alone}).all())
    assert [tuple(row) for row in second] == [tuple(row) for row in first]


def test_a_job_is_asked_for_once_and_comes_back_from_a_silent_worker(world: World, clock: FixedClock) -> None:
    rules = risk_rules()
    week = [rules.horizon("week")]
    with system_transaction(world.database, clock) as tx:
        first = jobs.ask(tx, "990101", week, AUTHOR)
        assert jobs.ask(tx, "990101", week, AUTHOR) == first
    job = jobs.claim(world.database, clock, "a:1")
    assert job is not None
    assert jobs.claim(world.database, clock, "b:2") is None
    clock.at += jobs.SILENT_AFTER + timedelta(seconds=1)
    again = jobs.claim(world.database, clock, "b:2")
    assert again is not None
    assert (again.id, again.attempts) == (job.id, 2)


def test_what_a_dead_worker_had_written_goes(world: World, database: Database, clock: FixedClock) -> None:
    plant(world, 60)
    with system_transaction(database, clock) as tx:
        jobs.ask(tx, "990101", [risk_rules().horizon("week")], AUTHOR, checked=False)
    job = jobs.claim(database, clock, "dead:1")
    assert job is not None
    half = new_id()
    with system_transaction(database, clock) as tx:
        tx.session.execute(
            text(
                "insert into risk_run (id, area_id, scope_path, horizon, origin_on, horizon_days, seconds, author_name,"
                " purpose, params, snapshot) select :run, area_id, scope_path, horizon, origin_on, 7, 0, 'x', 'x',"
                " '{}', '{}' from risk_job"
            ),
            {"run": half},
        )
        tx.session.execute(text("update risk_job set run_id = :run"), {"run": half})
    clock.at += jobs.SILENT_AFTER + timedelta(seconds=1)
    (made,) = jobs.work(database, clock, METRIC, risk_rules())
    assert [row.id for row in read(database, "select id from risk_run")] == [made]


@pytest.mark.parametrize("case", ["none", "one", "one point"])
def test_thin_data_end_in_a_clear_answer(world: World, database: Database, case: str) -> None:
    if case == "one":
        plant(world, 1)
    elif case == "one point":
        plant(world, 300, at=world.point_in(0))
    run(world, "990101")
    (theft,) = read(database, "select * from risk_surface where class_group = 'theft'")
    lines = read(database, "select * from risk_area where class_group = 'theft'")
    if case == "none":
        assert theft.refused["code"] == "risk_no_events"
        assert lines == []
        return
    assert theft.refused is None
    assert np.isfinite([row.expected for row in lines]).all()
    if case == "one":
        assert theft.warnings[0]["code"] == "thin"
        assert theft.expected < 2
    else:
        assert "code" in theft.scores["refused"]


def test_dates_in_the_future_are_no_history(world: World, database: Database, clock: FixedClock) -> None:
    plant(world, 100)
    with system_transaction(database, clock) as tx:
        tx.session.execute(text("update incident set occurred_from = '2031-01-01' where number like '%-7'"))
    run(world, "990101")
    (kept,) = read(database, "select * from risk_run")
    assert kept.snapshot["left_out"]["in_the_future"] == 1
    assert kept.snapshot["rows"] == 99


def test_barred_classes_are_refused_whoever_asks(tmp_path: Any) -> None:
    words = vocabulary()
    barred = [key for key, row in words.classes.items() if row.parent and not row.risk_allowed]
    assert {"S2.05", "S2.08", "S5.05", "S4.02", "S3.01"} <= set(barred)
    for key in barred:
        with pytest.raises(Invalid) as refused:
            check_classes([key], words)
        assert refused.value.code == "risk_class_refused"
    assert not {key for group in risk_rules().groups for key in group.classes} & set(barred)
    told = (vocabulary_dir() / "risk.toml").read_text().replace('"S2.02", "S2.03"', '"S2.02", "S2.08"')
    (tmp_path / "risk.toml").write_text(told)
    with pytest.raises(Misconfigured) as broken:
        load_risk_rules(tmp_path / "risk.toml", words)
    assert "risk_class_refused" in broken.value.params["reason"]


def test_town_and_country_are_told_by_code() -> None:
    assert urban_or_rural(None, "990101001004") == "urban"
    assert urban_or_rural(None, "990101201203001") == "rural"
    assert urban_or_rural("220", "990101001004") == "rural"
    assert urban_or_rural(None, "990101001") is None
