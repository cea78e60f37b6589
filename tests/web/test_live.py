"""The feed: nothing hidden, nothing told to the wrong ear, resumed where it broke off."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Thread
from typing import Any

import psycopg
import pytest
from apiflask import APIFlask
from sqlalchemy import text

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.domain.actor import Actor
from gridmap.domain.vocab import vocabulary
from gridmap.services.reports import Taken, TakeReport, take_report
from gridmap.services.transaction import transaction
from gridmap.services.vault import Vault
from gridmap.settings import Settings
from tests.web.conftest import Browse
from tests.world import World
from web.app import create_app
from web.live import LiveHub, Pace
from web.live_stream import LiveStream
from web.site import EXTENSION, Site

FAST = Pace(poll_s=0.02, callers_s=0.1, heartbeat_s=0.3)


@dataclass(frozen=True)
class Told:
    """One event as a browser would see it."""

    event: str
    data: dict[str, Any]
    event_id: str | None


class Ear:
    """Reads a stream in a thread of its own and keeps what it heard."""

    def __init__(self, stream: LiveStream) -> None:
        self.stream = stream
        self.heard: Queue[Told] = Queue()
        self.last_id: str | None = None
        self.is_over = False
        self._thread = Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        for chunk in self.stream:
            for told in parse(chunk.decode()):
                self.heard.put(told)
        self.is_over = True

    def next(self, event: str, timeout_s: float = 5.0) -> Told:
        """The next event of that name; others are passed over."""
        deadline = time.monotonic() + timeout_s
        while True:
            told = self.heard.get(timeout=max(0.01, deadline - time.monotonic()))
            self.last_id = told.event_id or self.last_id
            if told.event == event:
                return told

    def all_within(self, seconds: float) -> list[Told]:
        """Everything but signs of life that is heard within that time."""
        deadline = time.monotonic() + seconds
        found: list[Told] = []
        while (left := deadline - time.monotonic()) > 0:
            try:
                told = self.heard.get(timeout=left)
            except Empty:
                break
            self.last_id = told.event_id or self.last_id
            if told.event != "beat":
                found.append(told)
        return found

    def close(self) -> None:
        self.stream.end(resync=False)
        self._thread.join(timeout=5)
        self.stream.close()


def parse(chunk: str) -> Iterator[Told]:
    for block in chunk.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            yield Told(fields["event"], json.loads(fields["data"]), fields.get("id"))


@pytest.fixture
def hub(database: Database, clock: FixedClock) -> Iterator[LiveHub]:
    made = LiveHub(database, clock, FAST)
    yield made
    made.close()


@pytest.fixture
def listen(hub: LiveHub) -> Iterator[Callable[..., Ear]]:
    ears: list[Ear] = []

    def start(actor: Actor, last_event_id: str | None = None, of: LiveHub = hub) -> Ear:
        ears.append(Ear(of.attach(actor, last_event_id)))
        return ears[-1]

    yield start
    for ear in ears:
        ear.close()


def report(world: World, actor: Actor, county: int, class_key: str = "S1.01") -> Taken:
    lon, lat = world.point_in(county)
    with transaction(world.database, actor, world.clock) as tx:
        return take_report(
            tx,
            TakeReport(channel="operator", class_key=class_key, text="smoke", lon=lon, lat=lat),
            Vault(b"k" * 48),
        )


def test_a_report_is_heard_in_its_county_and_nowhere_else(world: World, listen: Callable[..., Ear]) -> None:
    actors = [world.account(f"desk.{number}", "operator", number) for number in (0, 1)]
    ears = [listen(actor) for actor in actors]
    made = report(world, actors[0], 0)
    told = ears[0].next("incident")
    assert told.data["id"] == str(made.incident_id)
    assert told.data["kind"] == "reported"
    assert told.event_id is not None
    assert ears[1].all_within(0.5) == []


def insert_outbox(connection: psycopg.Connection[Any], mark: str) -> None:
    connection.execute(
        "insert into gridmap.outbox (topic, body, path) values ('layer_changed', %s::jsonb, ''::ltree)",
        (json.dumps({"layer": mark, "version": 1}),),
    )


@contextmanager
def writer(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """A raw connection with an open transaction."""
    engine = database.system.raw_connection()
    try:
        driver = engine.driver_connection
        assert isinstance(driver, psycopg.Connection)
        yield driver
    finally:
        engine.close()


def test_a_commit_that_comes_late_is_never_passed_by(
    world: World, database: Database, listen: Callable[..., Ear]
) -> None:
    ear = listen(world.account("desk", "operator", 0))
    ear.next("beat")
    with writer(database) as slow, writer(database) as quick:
        insert_outbox(slow, "slow")
        insert_outbox(quick, "quick")
        quick.commit()
        assert ear.all_within(0.4) == [], "nothing passes the one that is still open"
        slow.commit()
    heard = [told.data["layer"] for told in (ear.next("layer_changed"), ear.next("layer_changed"))]
    assert heard == ["slow", "quick"]


def test_many_writers_out_of_order_lose_nothing(
    world: World, database: Database, listen: Callable[..., Ear]
) -> None:
    ear = listen(world.account("desk", "operator", 0))
    ear.next("beat")

    def write(name: int) -> None:
        with writer(database) as connection:
            for number in range(25):
                insert_outbox(connection, f"{name}.{number}")
                time.sleep(0.001 * (name % 3))
                connection.commit()

    threads = [Thread(target=write, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    heard = [ear.next("layer_changed") for _ in range(150)]
    assert len({told.data["layer"] for told in heard}) == 150
    ids = [tuple(map(int, (told.event_id or "").split("-")[1:])) for told in heard]
    assert ids == sorted(ids)


def test_a_broken_line_resumes_where_it_was(
    world: World, database: Database, listen: Callable[..., Ear]
) -> None:
    actor = world.account("desk", "operator", 0)
    ear = listen(actor)
    with writer(database) as connection:
        insert_outbox(connection, "first")
        connection.commit()
        seen = ear.next("layer_changed")
        ear.close()
        for name in ("second", "third"):
            insert_outbox(connection, name)
            connection.commit()
    again = listen(actor, seen.event_id)
    heard = [told.data["layer"] for told in again.all_within(0.6) if told.event == "layer_changed"]
    assert heard == ["second", "third"]


def test_a_restarted_process_goes_on_from_the_last_event(
    world: World, database: Database, clock: FixedClock, listen: Callable[..., Ear]
) -> None:
    actor = world.account("desk", "operator", 0)
    ear = listen(actor)
    with writer(database) as connection:
        insert_outbox(connection, "before")
        connection.commit()
        seen = ear.next("layer_changed")
        ear.close()
        insert_outbox(connection, "while it was down")
        connection.commit()
    restarted = LiveHub(database, clock, FAST)
    try:
        heard = listen(actor, seen.event_id, restarted).all_within(0.6)
        assert [told.data.get("layer") for told in heard] == ["while it was down"]
    finally:
        restarted.close()


def test_an_old_place_is_read_from_the_database(
    world: World, database: Database, clock: FixedClock, listen: Callable[..., Ear]
) -> None:
    """Older than the reader's memory, still in the table."""
    actor = world.account("desk", "operator", 0)
    ear = listen(actor)
    with writer(database) as connection:
        insert_outbox(connection, "seen")
        connection.commit()
        seen = ear.next("layer_changed")
        ear.close()
        insert_outbox(connection, "missed")
        connection.execute("update gridmap.outbox set at = at - interval '10 minutes'")
        connection.commit()
    restarted = LiveHub(database, clock, FAST)
    try:
        heard = listen(actor, seen.event_id, restarted).all_within(0.6)
        assert "missed" in [told.data.get("layer") for told in heard]
    finally:
        restarted.close()


def test_another_history_means_load_everything_anew(world: World, listen: Callable[..., Ear]) -> None:
    actor = world.account("desk", "operator", 0)
    assert listen(actor, "0123456789ab-5-5").next("resync").data == {}
    assert listen(actor, "nonsense").next("resync").data == {}


def test_what_moves_out_of_sight_is_gone(
    world: World, database: Database, listen: Callable[..., Ear]
) -> None:
    ears = [listen(world.account(f"desk.{number}", "operator", number)) for number in (0, 1)]
    for ear in ears:
        ear.next("beat")
    with database.system.begin() as connection:
        connection.execute(
            text(
                "insert into outbox (topic, body, path, old_path)"
                " values ('incident', cast(:body as jsonb), cast(:new as ltree), cast(:old as ltree))"
            ),
            {
                "body": json.dumps({"id": "x", "number": "7", "kind": "moved"}),
                "new": world.county_paths[1],
                "old": world.county_paths[0],
            },
        )
    assert ears[0].next("incident").data == {"id": "x", "gone": True}
    assert ears[1].next("incident").data["number"] == "7"


def test_a_restricted_case_is_heard_by_who_may_read_it(world: World, listen: Callable[..., Ear]) -> None:
    desk = world.account("desk", "operator", 0)
    lead = world.account("lead", "shift_lead", 0)
    taker = world.account("taker", "operator", 0)
    ears = {name: listen(actor) for name, actor in (("desk", desk), ("lead", lead), ("taker", taker))}
    made = report(world, taker, 0, class_key=restricted_class())
    for name in ("lead", "taker"):
        assert ears[name].next("incident").data["id"] == str(made.incident_id), name
    assert ears["desk"].all_within(0.5) == []


def restricted_class() -> str:
    found = [key for key, row in vocabulary().classes.items() if row.restricted and row.parent]
    return found[0]


def test_units_are_seen_by_who_may_see_them(
    world: World, database: Database, listen: Callable[..., Ear]
) -> None:
    ears = [listen(world.account(f"desk.{number}", "operator", number)) for number in (0, 1)]
    for ear in ears:
        ear.next("beat")
    _, unit_id = world.officer("wang", 0)
    with database.system.begin() as connection:
        connection.execute(text("update unit_latest set updated_at = updated_at + interval '1 second'"))
    items = ears[0].next("units").data["items"]
    assert items[0][0] == str(unit_id)
    assert items[0][3] == "free"
    assert not [told for told in ears[1].all_within(1.3) if told.event == "units"]


def test_a_revoked_session_loses_its_stream(
    app: APIFlask, browse: Browse, database: Database, clock: FixedClock
) -> None:
    here: Site = app.extensions[EXTENSION]
    object.__setattr__(here.live, "_pace", FAST)
    browser = browse("operator.0")
    answer = browser.client.get("/api/live", buffered=False)
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"].startswith("no-store")
    stream = answer.response
    chunks = iter(stream)
    assert b"retry:" in next(chunks)
    assert here.live.stream_count == 1
    assert browser.client.post("/api/logout", headers=browser.headers).status_code == 204
    deadline = time.monotonic() + 5
    for _ in chunks:
        assert time.monotonic() < deadline, "the stream outlived its session"
    answer.close()
    assert here.live.stream_count == 0


def test_a_slow_listener_is_cut_off_and_told_so(world: World, hub: LiveHub) -> None:
    stream = hub.attach(world.account("desk", "operator", 0), None)
    next(stream)
    for _ in range(2_500):
        stream.put(b"event: x\ndata: {}\n\n")
    rest = b"".join(stream)
    assert b"event: resync" in rest
    assert rest.count(b"event: x") < 2_001
    assert hub.stream_count == 0


def test_a_listener_that_left_before_the_first_word_is_forgotten(world: World, hub: LiveHub) -> None:
    stream = hub.attach(world.account("desk", "operator", 0), None)
    assert hub.stream_count == 1
    stream.close()
    assert hub.stream_count == 0


def test_two_processes_tell_the_same(
    settings: Settings, database: Database, clock: FixedClock, world: World
) -> None:
    """A line that breaks may come back to another process: ids mean the same there."""
    hubs = [create_app(settings, database, clock).extensions[EXTENSION].live for _ in range(2)]
    actor = world.account("desk", "operator", 0)
    try:
        first = Ear(hubs[0].attach(actor, None))
        with writer(database) as connection:
            insert_outbox(connection, "one")
            connection.commit()
            told = first.next("layer_changed")
            first.close()
            insert_outbox(connection, "two")
            connection.commit()
        second = Ear(hubs[1].attach(actor, told.event_id))
        assert second.next("layer_changed").data["layer"] == "two"
        second.close()
    finally:
        for hub in hubs:
            hub.close()


def test_a_notice_that_cannot_be_told_does_not_silence_the_rest(
    world: World, database: Database, listen: Callable[..., Ear], caplog: pytest.LogCaptureFixture
) -> None:
    actor = world.account("desk", "operator", 0)
    ear = listen(actor)
    ear.next("beat")
    with writer(database) as connection:
        connection.execute(
            "insert into gridmap.outbox (topic, body, path) values ('layer_changed', '7'::jsonb, ''::ltree)"
        )
        connection.commit()
    before = ear.last_id
    assert ear.next("resync").data == {}
    with writer(database) as connection:
        insert_outbox(connection, "after")
        connection.commit()
    assert ear.next("layer_changed").data["layer"] == "after"
    again = listen(actor, before)
    assert [told.event for told in (again.next("resync"), again.next("layer_changed"))] == [
        "resync",
        "layer_changed",
    ]
    assert "cannot be told" in caplog.text


def test_asking_only_for_the_head_opens_no_stream(app: APIFlask, browse: Browse) -> None:
    browser = browse("operator.0")
    assert browser.client.head("/api/live").status_code == 200
    assert app.extensions[EXTENSION].live.stream_count == 0


def test_the_reader_comes_back_after_the_database_was_away(
    world: World, database: Database, listen: Callable[..., Ear], caplog: pytest.LogCaptureFixture
) -> None:
    ear = listen(world.account("desk", "operator", 0))
    ear.next("beat")
    with database.app.connect() as connection:
        ended = connection.scalar(
            text(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity"
                " where datname = current_database() and usename = current_user and pid <> pg_backend_pid()"
            )
        )
    assert ended
    with writer(database) as connection_of_writer:
        insert_outbox(connection_of_writer, "meanwhile")
        connection_of_writer.commit()
    assert ear.next("layer_changed", timeout_s=15).data["layer"] == "meanwhile"
    assert "lost the database" in caplog.text
