"""Cover over HTTP: seen by who sees the units there, and by nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from gridmap.adapters.valhalla import Valhalla
from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.domain.cover import CoverRules, Requirement
from gridmap.services.cover import CoverKeeper
from gridmap.services.transaction import system_transaction
from tests.web.conftest import Browse
from tests.world import World

RULE = Requirement(
    key="grid_worker",
    zh="网格员",
    en="Grid worker",
    level="township",
    kinds=("grid_worker",),
    capability=None,
    minutes=15,
    share=0.2,
    hours=(0, 24),
    areas=(),
    exempt=(),
    severity=3,
)


@pytest.fixture
def judged(database: Database, clock: FixedClock, world: World) -> World:
    """County 0 has a free worker and one to spare, county 1 nobody. The engine is not there: straight lines."""
    world.officer("okapi", 0, grid=0)
    world.officer("panda", 0, grid=0)
    with system_transaction(database, clock) as tx:
        tx.session.execute(
            text(
                "insert into building (id, households, geom) select gen_random_uuid(), 10,"
                " st_multi(st_makeenvelope(:w + n * 0.01 + 0.004, 28.204, :w + n * 0.01 + 0.006, 28.206, 4326))"
                " from generate_series(0, 7) n"
            ),
            {"w": 113.0},
        )
    CoverKeeper(
        database, clock, Valhalla("http://127.0.0.1:9", timeout_s=0.2), CoverRules((RULE,), (1, 3, 5), 0)
    ).turn()
    return world


def items(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["items"]
    return found


def test_each_desk_sees_its_own_county(judged: World, browse: Browse) -> None:
    here, there = browse("operator.0"), browse("operator.1")
    (covered,) = items(here.get("/api/cover"))
    assert (covered["gap"], covered["free_units"], covered["minutes"]) == (False, 2, 15)
    assert covered["kind"] == ["grid_worker"]
    (open_,) = items(there.get("/api/cover"))
    assert (open_["gap"], open_["free_units"]) == (True, 0)
    assert open_["move_up"]["why"] == "nobody_spare", "whoever is free belongs to another county"
    assert items(here.get("/api/cover?gaps=true")) == []
    judgement = here.get("/api/cover").get_json()["judgement"]
    assert (judgement["units"], judgement["rough_units"]) == (2, 2)
    (alarm,) = items(there.get("/api/alarms"))
    assert (alarm["kind"], alarm["severity"], alarm["params"]["minutes"]) == ("cover_gap", 3, 15)
    assert items(here.get("/api/alarms")) == []


def test_rings_are_for_who_sees_units_and_are_rough_while_the_engine_is_away(
    judged: World, browse: Browse
) -> None:
    desk = browse("operator.0")
    assert desk.get("/api/cover/rings").status_code == 422
    unit = items(desk.get("/api/units"))[0]["id"]
    assert desk.get(f"/api/cover/rings?unit={unit}&area={judged.county_ids[0]}").status_code == 422
    answer = desk.get(f"/api/cover/rings?unit={unit}")
    assert answer.status_code == 200
    drawn = [ring["properties"] for ring in answer.get_json()["features"]]
    assert [(ring["minutes"], ring["method"]) for ring in drawn] == [(m, "straight_line") for m in (1, 3, 5)]
    assert desk.get("/api/cover/rings?area=999999").status_code == 404
    assert browse("operator.1").get(f"/api/cover/rings?unit={unit}").status_code == 404
    assert browse("analyst.0").get("/api/cover").status_code == 403
