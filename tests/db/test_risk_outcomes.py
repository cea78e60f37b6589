"""What came, beside what was forecast: the same rows that the forecast is about, once the horizon is over."""

from __future__ import annotations

from datetime import date

from gridmap.clock import FixedClock
from gridmap.domain.risk_rules import risk_rules
from gridmap.services.risk import jobs, outcomes
from gridmap.services.risk.reading import get_run, get_surface, list_areas
from gridmap.services.transaction import system_transaction
from tests.db.test_risk_runs import AUTHOR, METRIC, plant, read
from tests.world import World

ORIGIN = date(2026, 4, 20)


def test_what_patrols_found_is_not_held_against_a_forecast_without_it(
    world: World, clock: FixedClock
) -> None:
    plant(world, 300)
    plant(world, 120, channel="patrol", seed=2)
    rules = risk_rules()
    with system_transaction(world.database, clock) as tx:
        asked = jobs.ask(tx, "990101", [rules.horizon("4weeks")], AUTHOR, origin_on=ORIGIN, checked=False)
    (made,) = jobs.work(world.database, clock, METRIC, rules, only=asked)
    assert outcomes.close_ended(world.database, clock, METRIC, rules) == [made]
    (told,) = read(
        world.database,
        "select count(*) filter (where channel <> 'patrol') as said, count(*) as whole from incident"
        " where occurred_from >= '2026-04-20 00:00+08' and occurred_from < '2026-05-18 00:00+08'",
    )
    assert told.whole > told.said > 0
    with system_transaction(world.database, clock) as tx:
        assert get_run(tx, made).outcome_at is not None
        surface = get_surface(tx, made, "theft")
        lines = list_areas(tx, made, "theft", "grid")
    assert surface.came == told.said
    assert sum(line.came or 0 for line in lines) == told.said
    assert surface.has_came_picture
