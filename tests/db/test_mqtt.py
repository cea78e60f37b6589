"""OwnTracks through a real Mosquitto: the broker holds a message until it is durable here."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import func, select

from gridmap.adapters.mqtt import Inbox
from gridmap.clock import FixedClock
from gridmap.db.cluster import Urls
from gridmap.db.engine import Database
from gridmap.db.tables import Fix, FixBatch, UnitLatest
from gridmap.domain.metric import LocalMetric
from gridmap.errors import Unavailable
from gridmap.services.devices import NewKey, create_device
from gridmap.services.fix_intake import FixIntake
from gridmap.services.fix_placing import FixPlacer
from gridmap.services.mqtt_positions import CLIENT_ID, TOPIC, MqttPositions
from gridmap.services.transaction import system_transaction, transaction
from tests import payloads
from tests.world import World

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(
    MOSQUITTO is None, reason="no mosquitto on this machine: `make setup` brings it"
)

US = ("gridmap", "a-test-of-ours")


@dataclass(frozen=True)
class Broker:
    """A Mosquitto of this test alone, set up as docs/positions.md says."""

    port: int
    folder: Path

    def url(self) -> str:
        return f"mqtt://{US[0]}:{US[1]}@127.0.0.1:{self.port}"

    @contextmanager
    def phone(self, name: str, secret: str) -> Iterator[Client]:
        """Connected as the app of a device; leaves when it is done."""
        client = Client(CallbackAPIVersion.VERSION2, client_id=f"phone-{name}")
        client.username_pw_set(name, secret)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        until = time.monotonic() + 20
        while not client.is_connected():
            assert time.monotonic() < until, "the broker does not let the phone in"
            time.sleep(0.02)
        yield client
        client.disconnect()
        client.loop_stop()


@contextmanager
def broker(keys: list[NewKey]) -> Iterator[Broker]:
    assert MOSQUITTO is not None
    with tempfile.TemporaryDirectory(prefix="gmq-") as name, socket.socket() as probe:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "passwords").write_text("".join(f"{key.broker_line}\n" for key in keys))
        subprocess.run(
            ["mosquitto_passwd", "-b", str(folder / "passwords"), *US], check=True, capture_output=True
        )
        (folder / "passwords").chmod(0o644)
        (folder / "acl").write_text(f"user {US[0]}\ntopic read owntracks/#\n\npattern write owntracks/%u/#\n")
        (folder / "acl").chmod(0o644)
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
        (folder / "broker.conf").write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {folder}/passwords\n"
            f"acl_file {folder}/acl\npersistence false\nmax_queued_messages 0\n"
        )
        probe.close()
        with subprocess.Popen(
            [MOSQUITTO, "-c", str(folder / "broker.conf")], stderr=subprocess.DEVNULL
        ) as running:
            try:
                wait_open(port)
                yield Broker(port, folder)
            finally:
                running.terminate()


def wait_open(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the broker does not listen")


@dataclass(frozen=True)
class Setting:
    world: World
    unit_id: UUID
    key: NewKey
    stranger: NewKey


@pytest.fixture
def setting(world: World) -> Setting:
    _, unit_id = world.officer("paul", 0)
    _, other = world.officer("quinn", 0)
    keeper = world.account("keeper", "administrator", None)
    with transaction(world.database, keeper, world.clock) as tx:
        key = create_device(tx, label="phone", kind="owntracks", unit_id=unit_id)
        stranger = create_device(tx, label="phone", kind="owntracks", unit_id=other)
    return Setting(world, unit_id, key, stranger)


def inbox_of(here: Broker) -> Inbox:
    return Inbox(here.url(), TOPIC, CLIENT_ID)


def drain(bridge: MqttPositions, wanted: int) -> None:
    got, until = 0, time.monotonic() + 20
    while got < wanted:
        assert time.monotonic() < until, f"{got} of {wanted} messages"
        got += bridge.turn()


def test_from_the_phone_through_the_broker_to_the_map(setting: Setting, clock: FixedClock) -> None:
    world, key = setting.world, setting.key
    lon, lat = world.point_in(0, 3)
    clock.at += timedelta(minutes=10)
    tst = int(clock.at.timestamp())
    intake = FixIntake(world.database, clock, 1)
    with broker([key, setting.stranger]) as here, inbox_of(here) as inbox:
        assert inbox.wait_connected(20)
        bridge = MqttPositions(world.database, intake, inbox)
        with here.phone(key.name, key.secret) as phone:
            for kind, topic in (
                (payloads.OWNTRACKS_ANDROID, "phone"),
                (payloads.OWNTRACKS_TRANSITION, "phone/event"),
                ({"_type": "lwt"}, "phone"),
            ):
                tst -= 30
                body = payloads.owntracks(kind, lon, lat, tst)
                phone.publish(f"owntracks/{key.name}/{topic}", body, qos=1).wait_for_publish(20)
        with here.phone(setting.stranger.name, setting.stranger.secret) as phone:
            # The broker lets nobody speak under another's name, and shows whoever tries the door.
            body = payloads.owntracks(payloads.OWNTRACKS_IOS, 0, 0, tst)
            phone.publish(f"owntracks/{key.name}/phone", body, qos=1).wait_for_publish(20)
        with here.phone(setting.stranger.name, setting.stranger.secret) as phone:
            phone.publish(f"owntracks/{setting.stranger.name}/phone", b"", qos=1).wait_for_publish(20)
        drain(bridge, 4)
        assert bridge.turn(0.3) == 0
    assert FixPlacer(world.database, clock, LocalMetric("EPSG:4547")).turn() > 0
    with system_transaction(world.database, clock) as tx:
        found = tx.session.scalars(select(Fix).where(Fix.unit_id == setting.unit_id)).all()
        assert len(found) == 2
        assert tx.session.get_one(UnitLatest, setting.unit_id).area_id == world.grid_ids[0][3]


def test_what_could_not_be_written_comes_again(setting: Setting, clock: FixedClock) -> None:
    world, key = setting.world, setting.key
    nowhere = Database(Urls(app="postgresql+psycopg://x@/x?host=/nowhere", system="", owner=""))
    clock.at += timedelta(minutes=10)
    lon, lat = world.point_in(0)
    body = payloads.owntracks(payloads.OWNTRACKS_ANDROID, lon, lat, int(clock.at.timestamp()))
    with broker([key]) as here:
        with inbox_of(here) as inbox:
            assert inbox.wait_connected(20)
            with here.phone(key.name, key.secret) as phone:
                phone.publish(f"owntracks/{key.name}/phone", body, qos=1).wait_for_publish(20)
            with pytest.raises(Unavailable):
                drain(MqttPositions(world.database, FixIntake(nowhere, clock, 1), inbox), 1)
        # Nobody is connected: the broker keeps this one too.
        with here.phone(key.name, key.secret) as phone:
            later = payloads.owntracks(payloads.OWNTRACKS_ANDROID, lon, lat, int(clock.at.timestamp()) - 20)
            phone.publish(f"owntracks/{key.name}/phone", later, qos=1).wait_for_publish(20)
        with inbox_of(here) as inbox:
            bridge = MqttPositions(world.database, FixIntake(world.database, clock, 1), inbox)
            drain(bridge, 2)
            inbox.ask_again()
            assert inbox.wait_connected(20)
            assert bridge.turn(0.5) == 0, "what was acknowledged does not come again"
    with system_transaction(world.database, clock) as tx:
        assert tx.session.scalar(select(func.count()).select_from(FixBatch)) in (1, 2)
    FixPlacer(world.database, clock, LocalMetric("EPSG:4547")).turn()
    with system_transaction(world.database, clock) as tx:
        assert tx.session.scalar(select(func.count()).select_from(Fix)) == 2
