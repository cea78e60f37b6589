"""Real payloads of each protocol, sent over HTTP as the apps send them, end where the unit is."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from geoalchemy2.shape import to_shape
from sqlalchemy import func, select, text

from gridmap.clock import FixedClock
from gridmap.db.tables import DeviceState, Fix, FixBatch, UnitLatest
from gridmap.domain.crs import from_wgs84
from gridmap.domain.metric import LocalMetric, distance_m
from gridmap.services.accounts import create_token
from gridmap.services.devices import NewKey, create_device, list_devices, revoke_device, rotate_key
from gridmap.services.fix_placing import FixPlacer
from gridmap.services.patrol import set_duty
from gridmap.services.transaction import Tx, system_transaction, transaction
from tests import payloads
from tests.web.conftest import Browse
from tests.world import World
from web.device_door import WRONG_MOST, DeviceDoor

ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture
def unit_id(world: World) -> UUID:
    return world.officer("paul", 0)[1]


def new_device(world: World, unit_id: UUID, kind: Any, crs: str = "WGS84") -> NewKey:
    administrator = world.account("keeper", "administrator", None)
    with transaction(world.database, administrator, world.clock) as tx:
        return create_device(tx, label=f"{kind} 1", kind=kind, unit_id=unit_id, crs=crs)


def basic(key: NewKey) -> dict[str, str]:
    return {"Authorization": basic_of(key.name, key.secret)}


def basic_of(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def place_all(world: World) -> None:
    placer = FixPlacer(world.database, world.clock, LocalMetric("EPSG:4547"))
    while placer.turn():
        pass


def fixes(tx: Tx, unit_id: UUID) -> list[Any]:
    return list(tx.session.scalars(select(Fix).where(Fix.unit_id == unit_id).order_by(Fix.fixed_at)))


def refusals(world: World, device_id: UUID) -> dict[str, int]:
    administrator = world.actor(world.account("looker", "administrator", None).account_id or UUID(int=0))
    with transaction(world.database, administrator, world.clock) as tx:
        (line,) = [line for line in list_devices(tx) if line.id == device_id]
    return {found.reason: found.count for found in line.refusals}


def test_owntracks_moves_the_unit(
    anonymous: FlaskClient, world: World, unit_id: UUID, clock: FixedClock
) -> None:
    key = new_device(world, unit_id, "owntracks")
    lon, lat = world.point_in(0, 1)
    clock.at += timedelta(minutes=10)
    body = payloads.owntracks(payloads.OWNTRACKS_ANDROID, lon, lat, int(clock.at.timestamp()))
    answer = anonymous.post("/api/trackers/owntracks", data=body, headers=basic(key))
    assert (answer.status_code, answer.get_json()) == (200, [])
    place_all(world)
    with system_transaction(world.database, clock) as tx:
        (fix,) = fixes(tx, unit_id)
        assert fix.speed_mps == pytest.approx(5.0)
        assert (fix.device_id, fix.accuracy_m, fix.battery_pct) == (key.device_id, 12, 71)
        latest = tx.session.get_one(UnitLatest, unit_id)
        assert latest.fixed_at == clock.at
        assert latest.area_id == world.grid_ids[0][1]


def test_owntracks_is_never_told_no(
    anonymous: FlaskClient, world: World, unit_id: UUID, clock: FixedClock
) -> None:
    key = new_device(world, unit_id, "owntracks")
    bodies = [json.dumps(kind).encode() for kind in payloads.OWNTRACKS_OTHERS]
    tst = int(clock.at.timestamp())
    bodies += [b"", b"not json", payloads.owntracks(payloads.OWNTRACKS_IOS, 0, 0, tst)]
    bodies += [payloads.owntracks(payloads.OWNTRACKS_IOS, 113.0, 98.0, tst)]
    for body in bodies:
        answer = anonymous.post("/api/trackers/owntracks", data=body, headers=basic(key))
        assert (answer.status_code, answer.get_json()) == (200, []), body
    place_all(world)
    with system_transaction(world.database, clock) as tx:
        assert fixes(tx, unit_id) == []
    assert refusals(world, key.device_id) == {
        "encrypted": 1,
        "malformed": 1,
        "null_island": 1,
        "out_of_range": 1,
    }


def test_osmand_in_its_three_forms(
    anonymous: FlaskClient, world: World, unit_id: UUID, clock: FixedClock
) -> None:
    key = new_device(world, unit_id, "osmand")
    lon, lat = world.point_in(0, 2)
    door = "/api/trackers/osmand"
    start = clock.at + timedelta(minutes=10)
    clock.at = start + timedelta(minutes=1)

    def tick(seconds: int) -> datetime:
        return start + timedelta(seconds=seconds)

    query = payloads.osmand_query(key.secret, lon, lat, int(tick(0).timestamp()))
    form = payloads.osmand_query(key.secret, lon, lat, tick(10).isoformat())
    as_json = payloads.traccar_json(key.secret, lon, lat, tick(20).isoformat())
    answers = [
        anonymous.get(f"{door}?{query}"),
        anonymous.post(door, data=form, content_type="application/x-www-form-urlencoded"),
        anonymous.post(f"{door}?{payloads.osmand_query(key.secret, lon, lat, int(tick(15).timestamp()))}"),
        anonymous.post(door, json=as_json),
        anonymous.get(f"{door}?{query}"),
    ]
    assert [(answer.status_code, answer.data) for answer in answers] == [(200, b"")] * 5
    place_all(world)
    with system_transaction(world.database, clock) as tx:
        found = fixes(tx, unit_id)
        assert [fix.fixed_at for fix in found] == [tick(0), tick(10), tick(15), tick(20)]
        assert all(fix.speed_mps == pytest.approx(5.0, abs=1e-3) for fix in found), "knots here, m/s there"
        assert tx.session.get_one(UnitLatest, unit_id).fixed_at == tick(20)
    assert refusals(world, key.device_id) == {"duplicate": 1}


def test_a_device_in_another_coordinate_system(
    anonymous: FlaskClient, world: World, unit_id: UUID, clock: FixedClock
) -> None:
    key = new_device(world, unit_id, "osmand", crs="GCJ-02")
    lon, lat = world.point_in(0, 2)
    shifted = [float(value) for value in from_wgs84(lon, lat, "GCJ-02")]
    sent = payloads.osmand_query(key.secret, *shifted, int(clock.at.timestamp()))
    anonymous.get(f"/api/trackers/osmand?{sent}")
    place_all(world)
    with system_transaction(world.database, clock) as tx:
        found = to_shape(fixes(tx, unit_id)[0].geom)
    assert float(distance_m(found.x, found.y, lon, lat)) < 0.5


def test_off_duty_and_on_break_nothing_is_kept_or_counted(
    anonymous: FlaskClient, world: World, clock: FixedClock
) -> None:
    officer, unit_id = world.officer("quinn", 0)
    key = new_device(world, unit_id, "owntracks")
    lon, lat = world.point_in(0)

    def send(at: datetime) -> None:
        body = payloads.owntracks(payloads.OWNTRACKS_IOS, lon, lat, int(at.timestamp()))
        assert anonymous.post("/api/trackers/owntracks", data=body, headers=basic(key)).status_code == 200

    clock.at += timedelta(minutes=1)
    worked = clock.at
    send(worked)
    place_all(world)
    clock.at += timedelta(minutes=1)
    with transaction(world.database, officer, clock) as tx:
        set_duty(tx, "stop")
    with system_transaction(world.database, clock) as tx:
        assert tx.session.get(UnitLatest, unit_id) is None
        assert tx.session.scalar(select(func.count()).select_from(DeviceState)) == 0, "the filters forget too"
    clock.at += timedelta(minutes=5)
    send(clock.at)
    with system_transaction(world.database, clock) as tx:
        assert tx.session.scalar(select(func.count()).select_from(FixBatch)) == 0
    send(worked + timedelta(seconds=30))
    place_all(world)
    with system_transaction(world.database, clock) as tx:
        assert [fix.fixed_at for fix in fixes(tx, unit_id)] == [worked, worked + timedelta(seconds=30)]
        assert tx.session.get(UnitLatest, unit_id) is None, "a late fix does not show where one is off duty"
        assert tx.session.scalar(select(func.count()).select_from(DeviceState)) == 0
    assert refusals(world, key.device_id) == {}


def test_a_key_is_rotated_without_a_gap_and_revoked(
    anonymous: FlaskClient, world: World, unit_id: UUID, clock: FixedClock
) -> None:
    first = new_device(world, unit_id, "owntracks")
    keeper = world.account("rotator", "administrator", None)
    with transaction(world.database, keeper, clock) as tx:
        second = rotate_key(tx, first.device_id, timedelta(hours=1))
    wrong_name = replace(first, name=second.name)

    def status(key: NewKey) -> int:
        # Each look past the door's memory, as another process or a minute later would.
        anonymous.application.extensions["gridmap_device_door"] = DeviceDoor()
        return anonymous.post("/api/trackers/owntracks", data=b"", headers=basic(key)).status_code

    assert [status(key) for key in (first, second, wrong_name)] == [200, 200, 401]
    clock.at += timedelta(hours=2)
    assert [status(key) for key in (first, second)] == [401, 200]
    with transaction(world.database, keeper, clock) as tx:
        revoke_device(tx, first.device_id)
    assert [status(key) for key in (first, second)] == [401, 401]
    with system_transaction(world.database, clock) as tx:
        kept = tx.session.execute(text("select name, encode(secret_hash, 'hex') from device_key")).all()
    assert {row.name for row in kept} == {first.name, second.name}
    assert all(first.secret not in str(row) and second.secret not in str(row) for row in kept)


def test_guessing_and_flooding_are_slowed(anonymous: FlaskClient, world: World, unit_id: UUID) -> None:
    key = new_device(world, unit_id, "osmand")
    answers = [anonymous.get(f"/api/trackers/osmand?id=gmd_{n}").status_code for n in range(WRONG_MOST + 2)]
    assert answers == [400] * WRONG_MOST + [429] * 2
    assert (
        anonymous.get(f"/api/trackers/osmand?id={key.secret}", environ_overrides=ELSEWHERE).status_code == 200
    )
    door = anonymous.application.extensions["gridmap_device_door"]
    next(iter(door._buckets.values())).left = -1_000
    flooded = anonymous.get(f"/api/trackers/osmand?id={key.secret}", environ_overrides=ELSEWHERE)
    assert (flooded.status_code, flooded.headers["Retry-After"]) == (429, "5")


def test_an_administrator_keeps_the_devices(browse: Browse, world: World, unit_id: UUID) -> None:
    desk = browse("administrator")
    units = desk.get("/api/devices/units").get_json()["items"]
    assert [unit["id"] for unit in units] == [str(unit_id)]
    made = desk.post(
        "/api/devices", {"label": "Car 3", "kind": "osmand", "unit_id": str(unit_id), "crs": "bd09"}
    )
    assert made.status_code == 201
    found = made.get_json()
    assert found["settings"]["text"].startswith("http://localhost/api/trackers/osmand?id=gmd_")
    device = f"/api/devices/{found['device_id']}"
    assert desk.patch(device, {"crs": "CGCS2000", "priority": 10}).status_code == 200
    assert desk.patch(device, {"crs": "Beijing54"}).get_json()["code"] == "crs_unknown"
    assert desk.post(f"{device}/rotate", {"overlap_h": 1}).get_json()["secret"] != found["secret"]
    (line,) = desk.get("/api/devices").get_json()["items"]
    assert (line["crs"], line["priority"], len(line["keys"]), line["call_sign"]) == (
        "CGCS2000",
        10,
        2,
        "PAUL",
    )
    assert found["secret"] not in desk.get("/api/devices").text
    assert desk.post(f"{device}/bind", {"unit_id": None}).status_code == 200
    assert desk.post(f"{device}/bind", {"unit_id": str(UUID(int=7))}).status_code == 422
    assert desk.post(f"{device}/revoke").status_code == 200
    assert desk.get("/api/devices").get_json()["items"] == []
    for other in ("operator.0", "shift_lead.0"):
        assert browse(other).get("/api/devices").status_code == 403


def test_a_crew_binds_an_app_to_its_own_unit_alone(
    browse: Browse, anonymous: FlaskClient, world: World, unit_id: UUID
) -> None:
    world.officer("quinn", 0)
    phone, other = browse("paul"), browse("quinn")
    made = phone.post("/api/patrol/devices", {"app": "owntracks"})
    assert made.status_code == 201
    found = made.get_json()
    coded = unquote(found["settings"]["text"].removeprefix("owntracks:///config?inline="))
    configuration = json.loads(base64.b64decode(coded))
    assert configuration["_type"] == "configuration"
    assert configuration["mode"] == 3
    headers = {"Authorization": basic_of(configuration["username"], configuration["password"])}
    path = configuration["url"].removeprefix("http://localhost")
    assert anonymous.post(path, data=b"", headers=headers).status_code == 200
    assert [line["kind"] for line in phone.get("/api/patrol/devices").get_json()["items"]] == ["owntracks"]
    assert other.get("/api/patrol/devices").get_json()["items"] == []
    revoke = f"/api/patrol/devices/{found['device_id']}/revoke"
    assert other.post(revoke).status_code == 404
    assert phone.post(revoke).status_code == 200


def test_a_gateway_speaks_for_its_own_area_only(
    anonymous: FlaskClient, world: World, clock: FixedClock
) -> None:
    _, west = world.officer("wes", 0)
    _, east = world.officer("eve", 1)
    keeper = world.account("keeper", "administrator", None)
    with transaction(world.database, keeper, clock) as tx:
        token = create_token(tx, name="gateway", role="position_gateway", area_id=world.county_ids[0])
    clock.at += timedelta(seconds=30)
    lon, lat = world.point_in(0)
    place = {"lon": lon, "lat": lat, "fixed_at": clock.at.isoformat()}
    sent = {"fixes": [{**place, "unit_id": str(unit)} for unit in (west, east)]}
    answer = anonymous.post("/api/positions", json=sent, headers={"Authorization": f"Bearer {token.secret}"})
    assert answer.get_json() == {"accepted": 1, "refused": [{"index": 1, "code": "unit_is_not_yours"}]}
    place_all(world)
    with system_transaction(world.database, clock) as tx:
        assert len(fixes(tx, west)) == 1
        assert fixes(tx, east) == []
