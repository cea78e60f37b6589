"""Real payloads of each protocol, sent over HTTP as the apps send them, end where the unit is."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from gridmap.clock import FixedClock
from gridmap.db.tables import Fix, UnitLatest
from gridmap.services.devices import NewKey, create_device
from gridmap.services.fix_placing import FixPlacer
from gridmap.services.transaction import Tx, system_transaction, transaction
from tests.world import World


@pytest.fixture
def unit_id(world: World) -> UUID:
    return world.officer("paul", 0)[1]


def new_device(world: World, unit_id: UUID, kind: Any, crs: str = "WGS84") -> NewKey:
    administrator = world.account("keeper", "administrator", None)
    with transaction(world.database, administrator, world.clock) as tx:
        return create_device(tx, label=f"{kind} 1", kind=kind, unit_id=unit_id, crs=crs)


def basic(key: NewKey) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{key.name}:{key.secret}".encode()).decode()}


def place_all(world: World) -> None:
    placer = FixPlacer(world.database, world.clock)
    while placer.turn():
        pass


def fixes(tx: Tx, unit_id: UUID) -> list[Any]:
    return list(tx.session.scalars(select(Fix).where(Fix.unit_id == unit_id).order_by(Fix.fixed_at)))


def test_owntracks_moves_the_unit(
    anonymous: FlaskClient, world: World, unit_id: UUID, clock: FixedClock
) -> None:
    key = new_device(world, unit_id, "owntracks")
    lon, lat = world.point_in(0, 1)
    clock.at += timedelta(minutes=10)
    tst = int(clock.at.timestamp())
    answer = anonymous.post(
        "/api/trackers/owntracks",
        json={
            "_type": "location",
            "tid": "PA",
            "lat": lat,
            "lon": lon,
            "tst": tst,
            "acc": 12,
            "vel": 18,
            "batt": 71,
        },
        headers=basic(key),
    )
    assert (answer.status_code, answer.get_json()) == (200, [])
    place_all(world)
    with system_transaction(world.database, clock) as tx:
        (fix,) = fixes(tx, unit_id)
        assert fix.speed_mps == pytest.approx(5.0)
        assert (fix.device_id, fix.accuracy_m, fix.battery_pct) == (key.device_id, 12, 71)
        latest = tx.session.get_one(UnitLatest, unit_id)
        assert latest.fixed_at == clock.at
        assert latest.area_id == world.grid_ids[0][1]
