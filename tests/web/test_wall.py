"""A screen on the wall tells how many and roughly where, and nothing that leads to a case, a person or a door."""

from __future__ import annotations

import json

import pytest

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.domain.vocab import vocabulary
from gridmap.services.reports import TakeReport, take_report
from gridmap.services.transaction import transaction
from gridmap.services.vault import Vault
from tests.web.conftest import Browse
from tests.world import World


@pytest.fixture
def busy(world: World, database: Database, clock: FixedClock) -> World:
    """In county 0 two open cases, a restricted one and a drill; in county 1 one case. A unit in each."""
    restricted = next(key for key, row in vocabulary().classes.items() if row.restricted and row.parent)
    for county, kinds in ((0, ("S1.01", "S5.02", restricted, "drill")), (1, ("S5.02",))):
        world.officer(f"unit.{county}", county)
        taker = world.account(f"taker.{county}", "shift_lead", county)
        for grid, kind in enumerate(kinds):
            lon, lat = world.point_in(county, grid)
            with transaction(database, taker, clock) as tx:
                report = TakeReport(
                    channel="operator",
                    class_key="S1.01" if kind == "drill" else kind,
                    text="secret words",
                    address="Door 7",
                    lon=lon + 0.0003,
                    lat=lat + 0.0003,
                    drill=kind == "drill",
                )
                take_report(tx, report, Vault(b"k" * 48))
    world.account("wall.0", "wall", 0)
    return world


def test_the_wall_counts_its_own_area_and_no_restricted_case_or_drill(busy: World, browse: Browse) -> None:
    found = browse("wall.0").get("/api/wall").get_json()
    assert sum(row["n"] for row in found["counts"]) == 2
    assert len(found["points"]) == 2
    assert found["units"] == {"free": 1}
    assert (found["reported"], found["closed"]) == (2, 0)
    assert sum(row["n"] for row in found["areas"]) == 2


def test_the_wall_names_nothing(busy: World, browse: Browse) -> None:
    answer = browse("wall.0").get("/api/wall").get_json()
    told = json.dumps(answer, ensure_ascii=False)
    assert "secret words" not in told
    assert "Door 7" not in told
    for point in answer["points"]:
        assert set(point) == {"class_key", "severity", "status", "reported_at", "lon", "lat"}
        # On the lattice, so that two cases 60 m apart fall onto one place.
        assert round(point["lon"] * 1000) % 2 == 1
        assert round(point["lat"] * 1000) % 2 == 1


def test_the_wall_opens_neither_cases_nor_alarms(busy: World, browse: Browse) -> None:
    wall = browse("wall.0")
    assert wall.get("/api/incidents").get_json()["items"] == []
    assert wall.get("/api/alarms").status_code == 403
    assert "incidents" not in {layer["key"] for layer in wall.get("/api/layers").get_json()["items"]}


def test_an_operator_may_show_the_wall_too_and_others_not(busy: World, browse: Browse) -> None:
    assert sum(row["n"] for row in browse("operator.1").get("/api/wall").get_json()["counts"]) == 1
    assert browse("administrator").get("/api/wall").status_code == 403
