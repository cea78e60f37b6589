"""Early warning: what rings, what stays silent, what it says of itself, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import text

from gridmap.clock import FixedClock
from gridmap.db.tables import Alarm, Task
from gridmap.domain.ids import new_id
from gridmap.domain.metric import LocalMetric
from gridmap.domain.risk_rules import risk_rules
from gridmap.errors import Forbidden, NotFound
from gridmap.services.alarms import acknowledge, list_alarms
from gridmap.services.risk import jobs
from gridmap.services.risk.early_warning.answering import list_rules, mute, to_task
from gridmap.services.risk.early_warning.counts import Usual
from gridmap.services.risk.early_warning.looking import Found, expected_between, surge
from gridmap.services.risk.early_warning.record import replay_clusters, replay_surges
from gridmap.services.risk.early_warning.watch import Watch
from gridmap.services.risk.store import Author
from gridmap.services.transaction import system_transaction, transaction
from tests.world import World

METRIC = LocalMetric("EPSG:4547")
RULES = risk_rules()
FIRES = RULES.warning("fires_together")
NOISE = RULES.warning("noise_tonight")
HOURS = (1 / 168,) * 168
USUAL = Usual(24.0, HOURS)


def happen(
    world: World, class_key: str, ages_days: list[float], *, county: int = 0, step: float = 0.001
) -> None:
    lon, lat = world.point_in(county)
    with system_transaction(world.database, world.clock) as tx:
        for n, age in enumerate(ages_days):
            tx.session.execute(
                text(
                    "insert into incident (id, number, class_key, severity, title, geom, location_method,"
                    " scope_path, occurred_from, reported_at, recorded_at, channel)"
                    " values (:id, :number, :class_key, 1, 'x',"
                    " st_setsrid(st_makepoint(:lon, :lat), 4326), 'given', cast(:path as ltree),"
                    " :at, :at, :at, 'public')"
                ),
                {
                    "id": new_id(), "number": f"{class_key}-{county}-{n}-{age}", "class_key": class_key,
                    "lon": lon + n % 3 * step, "lat": lat, "path": world.county_paths[county],
                    "at": tx.now - timedelta(days=age),
                },
            )  # fmt: skip


def turn(world: World) -> list[Found]:
    return Watch(world.database, world.clock, METRIC, RULES).turn()


def standing(world: World) -> list[Alarm]:
    with system_transaction(world.database, world.clock) as tx:
        return [one for one in list_alarms(tx) if one.kind == "warning"]


def test_three_fires_within_500_m_in_7_days_ring_once(world: World) -> None:
    happen(world, "S1.01", [0.2, 3.0])
    assert turn(world) == []
    happen(world, "S1.01", [6.5])
    (found,) = turn(world)
    assert found.count == 3
    (alarm,) = standing(world)
    assert alarm.params["rule"] == "fires_together"
    assert alarm.params["count"] == 3
    assert {"record_days", "record_alarms", "false_share"} <= set(alarm.params), "it says how far to trust it"
    assert alarm.scope_path.startswith(world.county_paths[0])
    turn(world)
    assert len(standing(world)) == 1


@pytest.mark.parametrize("case", ["far apart", "long ago", "another class"])
def test_what_is_no_cluster_stays_silent(world: World, case: str) -> None:
    happen(
        world,
        "S2.02" if case == "another class" else "S1.01",
        [0.1, 1.0, 9.0] if case == "long ago" else [0.1, 1.0, 2.0],
        step=0.006 if case == "far apart" else 0.001,
    )
    assert turn(world) == []
    assert standing(world) == []


def test_the_county_next_door_hears_nothing(world: World) -> None:
    happen(world, "S1.01", [0.1, 1.0, 2.0])
    turn(world)
    here, there = (world.account(f"lead.{n}", "shift_lead", n) for n in (0, 1))
    with transaction(world.database, here, world.clock) as tx:
        (alarm,) = list_alarms(tx)
        assert {line.area_id for line in list_rules(tx, RULES)} == {world.county_ids[0]}
    with transaction(world.database, there, world.clock) as tx:
        assert list_alarms(tx) == []
        with pytest.raises(NotFound):
            to_task(tx, alarm.id, "look")
        with pytest.raises(NotFound):
            mute(tx, RULES, "fires_together", world.county_ids[0], hours=1, reason="x")


def test_acknowledged_it_rings_anew_only_after_a_while_and_muted_not_at_all(
    world: World, clock: FixedClock
) -> None:
    lead = world.account("lead", "shift_lead", 0)
    happen(world, "S1.01", [0.1, 0.2, 0.3])
    turn(world)
    with transaction(world.database, lead, clock) as tx:
        acknowledge(tx, list_alarms(tx)[0].id)
    turn(world)
    assert standing(world) == []
    clock.at += timedelta(hours=13)
    with transaction(world.database, lead, clock) as tx:
        until = mute(tx, RULES, "fires_together", world.county_ids[0], hours=2, reason="festival")
    assert until == clock.now() + timedelta(hours=2)
    turn(world)
    assert standing(world) == []
    clock.at += timedelta(hours=3)
    turn(world)
    assert len(standing(world)) == 1


def test_a_surge_says_that_it_waits_for_a_run(world: World, clock: FixedClock) -> None:
    lead = world.account("lead", "shift_lead", 0)

    def states() -> dict[str, str]:
        with transaction(world.database, lead, clock) as tx:
            return {line.rule: line.state for line in list_rules(tx, RULES)}

    assert states() == {
        "fires_together": "not_started",
        "burglaries_together": "not_started",
        "noise_tonight": "waiting_for_run",
    }
    happen(world, "S5.02", [1.0 + n for n in range(60)])
    turn(world)
    assert states()["fires_together"] == "watching"
    assert states()["noise_tonight"] == "waiting_for_run"
    with system_transaction(world.database, clock) as tx:
        asked = jobs.ask(tx, "990101", [RULES.horizon("day")], Author(None, "t", "t"), checked=False)
    jobs.work(world.database, clock, METRIC, RULES, only=asked)
    turn(world)
    assert set(states().values()) == {"watching"}


def test_a_warning_becomes_a_task(world: World) -> None:
    lead = world.account("lead", "shift_lead", 0)
    happen(world, "S1.01", [0.1, 0.2, 0.3])
    turn(world)
    (alarm,) = standing(world)
    with transaction(world.database, lead, world.clock) as tx:
        task_id = to_task(tx, alarm.id, "检查电动车充电点")
        task = tx.session.get(Task, task_id)
        assert task is not None
        assert (task.kind, task.status, task.params["reason"]["rule"]) == (
            "inspection",
            "open",
            "fires_together",
        )
    assert standing(world) == []
    grid_worker = world.account("worker", "grid_worker", 0)
    with transaction(world.database, grid_worker, world.clock) as tx, pytest.raises((Forbidden, NotFound)):
        mute(tx, RULES, "fires_together", world.county_ids[0], hours=1, reason="x")


def test_the_record_counts_what_rang_in_vain() -> None:
    # Three at one spot, then nothing: in vain. Three at another, and a fourth a week later: not.
    day = np.array([100.0, 101.0, 102.0, 200.0, 201.0, 202.0, 209.0, 399.0])
    x_m = np.array([0.0, 10.0, 20.0, 9_000.0, 9_010.0, 9_020.0, 9_030.0, 90_000.0])
    record = replay_clusters(FIRES, x_m, np.zeros(8), day, 400.0)
    assert (record.alarms, record.false_alarms) == (2, 1)
    empty = replay_clusters(FIRES, np.zeros(0), np.zeros(0), np.zeros(0), 400.0)
    assert (empty.alarms, empty.false_alarms) == (0, 0)


def test_a_surge_is_against_what_is_expected_of_these_hours() -> None:
    evening = 1_000 + 21 / 24
    day = evening - np.linspace(0.001, 1.9 / 24, 12)
    # Two hours of 24 a day: two are expected, twelve came.
    (expected, found) = (
        expected_between(1_000 + 19 / 24, evening, USUAL),
        surge(NOISE, day, evening, USUAL),
    )
    assert expected == pytest.approx(2.0)
    assert found is not None
    assert (found.count, found.expected) == (12, pytest.approx(2.0))
    assert surge(NOISE, day, evening, Usual(24.0 * 5, HOURS)) is None, "twelve are less than twice ten"
    assert surge(NOISE, day[:5], evening, USUAL) is None, "five are too few to mean anything"
    assert surge(replace(NOISE, since_hour=22), day, evening, USUAL) is None, "not yet evening"


def test_the_evenings_of_the_past_make_the_record() -> None:
    begin = 1_010 + 19 / 24
    burst = begin + np.linspace(0.01, 0.08, 10)
    going_on = burst.tolist() + (begin + 0.1 + np.linspace(0.0, 0.35, 20)).tolist()
    vain = replay_surges(NOISE, np.r_[1_000.0, burst], 1_020.0, USUAL)
    right = replay_surges(NOISE, np.r_[1_000.0, going_on], 1_020.0, USUAL)
    assert (vain.alarms, vain.false_alarms) == (1, 1)
    assert (right.alarms, right.false_alarms) == (1, 0)
