"""The live feed of one process: one reader, any number of streams, no database session per stream.

The reader polls the outbox in an order that hides no late commit, and hands each row to the streams that may hear it.
A stream resumes from the memory of the last minute, else from the database, else it is told to load everything anew.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.domain.actor import Actor, is_below
from gridmap.errors import TooMany, Unavailable
from web.encoding import utc_text
from web.live_audience import Notice, Position, Reach, chunk_for, frame
from web.live_source import (
    UnitMove,
    read_after,
    read_callers,
    read_epoch,
    read_mark,
    read_oldest_xid,
    read_start,
    read_units,
)
from web.live_stream import HEARTBEAT_S, CatchUp, LiveStream

log = logging.getLogger("gridmap.live")

CHANNEL = "gridmap_outbox"
STREAMS_MOST = 20_000
STREAMS_PER_CALLER = 20
_BATCH = 500
_MEMORY_S = 60
_MEMORY_MOST = 5_000
_CATCH_UP_MOST = 5_000
# A page asks for its lists and opens its stream at the same time: what lies between is told again.
_FRESH_S = 10.0
_UNITS_EVERY_S = 1.0
# A position may commit this much later than its time says.
_UNITS_OVERLAP = timedelta(seconds=3)
_IDLE_S = 30.0
_RETRY_S = 1.0
_READY_S = 8.0


BEGINNING = Position(0, 0)


@dataclass(frozen=True)
class Pace:
    """How often the reader looks; tests look more often."""

    poll_s: float = 0.2
    callers_s: float = 10.0
    heartbeat_s: float = HEARTBEAT_S


class LiveHub:
    """Hands the feed to this process's streams. The reader starts with the first stream and rests without any."""

    def __init__(self, database: Database, clock: Clock, pace: Pace | None = None) -> None:
        self._database = database
        self._clock = clock
        self._pace = pace or Pace()
        self._lock = Lock()
        self._by_reach: dict[Reach, set[LiveStream]] = {}
        self._memory: deque[Notice] = deque()
        self._memory_from = BEGINNING
        self._position = BEGINNING
        self._epoch = ""
        self._ready = Event()
        self._wanted = Event()
        self._stopping = Event()
        self._thread: Thread | None = None
        self._skips_past = False
        self._units_since: datetime | None = None
        self._units_told: dict[UUID, datetime] = {}

    def attach(self, actor: Actor, last_event_id: str | None) -> LiveStream:
        """A stream for `actor` that goes on behind `last_event_id` ("epoch-xid-id").

        Raises TooMany("too_many_streams"), Unavailable("live_not_ready").
        """
        self._check_room(actor)
        digest = self._reach_digest(actor)
        self._start()
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline:
            self._wanted.set()
            if not self._ready.wait(0.2):
                continue
            with self._lock:
                if self._ready.is_set():
                    stream = self._add(actor, last_event_id)
                    stream.reach_digest = digest
                    return stream
        raise Unavailable("live_not_ready")

    def close(self) -> None:
        """End every stream and the reader."""
        self._stopping.set()
        self._wanted.set()
        for stream in self._streams():
            stream.end(resync=False)
        if self._thread is not None:
            self._thread.join(timeout=10)

    @property
    def stream_count(self) -> int:
        with self._lock:
            return sum(map(len, self._by_reach.values()))

    # Streams

    def _check_room(self, actor: Actor) -> None:
        streams = self._streams()
        own = sum(1 for stream in streams if stream.caller_id == (actor.session_id or actor.token_id))
        if len(streams) >= STREAMS_MOST or own >= STREAMS_PER_CALLER:
            raise TooMany("too_many_streams", retry_after_s=30)

    def _reach_digest(self, actor: Actor) -> str | None:
        caller = actor.session_id or actor.token_id
        if caller is None:
            return None
        with self._engine.connect() as connection:
            found = read_callers(
                connection, *_caller_lists([(actor.session_id, actor.token_id)]), self._clock.now()
            )
        return found.get(caller)

    def _add(self, actor: Actor, last_event_id: str | None) -> LiveStream:
        """Runs under the lock: from here on the stream misses nothing behind `base`."""
        base = self._position
        past = self._past_of(last_event_id, base)
        stream = LiveStream(
            actor,
            epoch=self._epoch,
            base=base,
            floor=past.floor,
            position=lambda: self._position,
            catch_up=lambda: self._catch_up(past, base),
            detach=self._detach,
            heartbeat_s=self._pace.heartbeat_s,
        )
        self._by_reach.setdefault(stream.reach, set()).add(stream)
        return stream

    def _past_of(self, last_event_id: str | None, base: Position) -> _Past:
        if not last_event_id:
            fresh = tuple(notice for notice in self._memory if notice.at_s > time.time() - _FRESH_S)
            return _Past(notices=fresh)
        given = parse_event_id(last_event_id)
        if given is None or given[0] != self._epoch:
            return _Past(is_gap=True)
        since = given[1]
        if since >= base:
            return _Past(floor=since)
        if since >= self._memory_from:
            return _Past(notices=tuple(self._memory), floor=since)
        return _Past(floor=since, from_database=True)

    def _catch_up(self, past: _Past, base: Position) -> CatchUp:
        if not past.from_database:
            return CatchUp(past.notices, past.is_gap)
        with self._engine.connect() as connection:
            oldest_xid = read_oldest_xid(connection)
            notices: list[Notice] = []
            position = past.floor
            while len(notices) < _CATCH_UP_MOST:
                batch = read_after(connection, position, _BATCH, self._clock.now())
                notices.extend(notice for notice in batch if notice.position <= base)
                if len(batch) < _BATCH or batch[-1].position > base:
                    is_gap = oldest_xid is None or oldest_xid > past.floor.xid
                    return CatchUp(tuple(notices), is_gap)
                position = batch[-1].position
        return CatchUp(is_gap=True)

    def _detach(self, stream: LiveStream) -> None:
        with self._lock:
            group = self._by_reach.get(stream.reach)
            if group is not None:
                group.discard(stream)
                if not group:
                    del self._by_reach[stream.reach]

    def _streams(self) -> list[LiveStream]:
        with self._lock:
            return [stream for group in self._by_reach.values() for stream in group]

    # The reader

    @property
    def _engine(self) -> Engine:
        return self._database.app.execution_options(isolation_level="AUTOCOMMIT")

    def _start(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._run, name="live-reader", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wanted.wait()
            try:
                with self._engine.connect() as connection:
                    self._read_until_idle(connection)
            except (DBAPIError, psycopg.Error, OSError):
                # The position stays where it is: nothing is lost while the database is away.
                log.exception("live reader lost the database")
                self._stopping.wait(_RETRY_S)
            except Exception:
                # Whatever is wrong with these rows must not silence the rows behind them.
                log.exception("live reader failed; every page loads anew")
                self._leave_behind()
                self._stopping.wait(_RETRY_S)

    def _read_until_idle(self, connection: Connection) -> None:
        self._prepare(connection)
        connection.execute(text(f"listen {CHANNEL}"))
        units_at = callers_at = 0.0
        used_at = time.monotonic()
        while not self._stopping.is_set():
            self._read_rows(connection)
            now = time.monotonic()
            if now >= units_at:
                self._read_units(connection)
                units_at = now + _UNITS_EVERY_S
            if now >= callers_at:
                self._drop_lapsed(connection)
                callers_at = now + self._pace.callers_s
            if self.stream_count:
                used_at = now
            elif now - used_at > _IDLE_S and self._rest():
                connection.execute(text(f"unlisten {CHANNEL}"))
                return
            self._wait(connection)

    def _prepare(self, connection: Connection) -> None:
        """Find the place to read from; after a short break go on where it was."""
        epoch = read_epoch(connection)
        if self._ready.is_set() and epoch == self._epoch:
            return
        recent = None if self._skips_past else read_start(connection, _MEMORY_S, _MEMORY_MOST)
        start = recent or read_mark(connection)
        stale = self._streams()
        with self._lock:
            self._epoch = epoch
            self._memory.clear()
            self._position = self._memory_from = start
            self._units_since = self._clock.now() - _UNITS_OVERLAP
            self._units_told.clear()
            self._skips_past = False
        for stream in stale:
            stream.end(resync=True)
        self._read_rows(connection)
        self._ready.set()

    def _leave_behind(self) -> None:
        """Go on behind everything that is settled now, and let every stream know that it missed something."""
        with self._lock:
            self._ready.clear()
            self._skips_past = True
        for stream in self._streams():
            stream.end(resync=True)

    def _rest(self) -> bool:
        """Stop reading unless a stream came in this moment."""
        with self._lock:
            if self._by_reach:
                return False
            self._ready.clear()
            self._wanted.clear()
            return True

    def _wait(self, connection: Connection) -> None:
        """Until the publisher wakes the reader or the next look is due."""
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        with closing(driver.notifies(timeout=self._pace.poll_s, stop_after=1)) as notices:
            for _ in notices:
                pass

    def _read_rows(self, connection: Connection) -> None:
        while True:
            notices = read_after(connection, self._position, _BATCH, self._clock.now())
            if notices:
                self._tell(notices)
            if len(notices) < _BATCH:
                return

    def _tell(self, notices: list[Notice]) -> None:
        with self._lock:
            for notice in notices:
                event_id = f"{self._epoch}-{notice.position.xid}-{notice.position.id}"
                for reach, streams in self._by_reach.items():
                    chunk = chunk_for(notice, reach, event_id)
                    if chunk is not None:
                        for stream in streams:
                            stream.put(chunk, notice.position)
                self._memory.append(notice)
            self._position = notices[-1].position
            self._trim_memory()

    def _trim_memory(self) -> None:
        oldest_s = time.time() - _MEMORY_S
        while self._memory and (len(self._memory) > _MEMORY_MOST or self._memory[0].at_s < oldest_s):
            self._memory_from = self._memory.popleft().position

    def _read_units(self, connection: Connection) -> None:
        assert self._units_since is not None
        moves = [
            move
            for move in read_units(connection, self._units_since - _UNITS_OVERLAP)
            if self._units_told.get(move.unit_id) != move.updated_at
        ]
        if not moves:
            return
        self._units_told.update((move.unit_id, move.updated_at) for move in moves)
        self._units_since = max(self._units_since, *(move.updated_at for move in moves))
        with self._lock:
            for reach, streams in self._by_reach.items():
                chunk = units_frame(moves, reach)
                if chunk is not None:
                    for stream in streams:
                        stream.put(chunk)

    def _drop_lapsed(self, connection: Connection) -> None:
        """End the streams whose session is over; those whose reach changed come back with the new one."""
        streams = [stream for stream in self._streams() if stream.caller_id is not None]
        if not streams:
            return
        callers = [(stream.session_id, stream.token_id) for stream in streams]
        good = read_callers(connection, *_caller_lists(callers), self._clock.now())
        for stream in streams:
            digest = good.get(stream.caller_id) if stream.caller_id else None
            if digest is None:
                stream.end(resync=False)
            elif digest != stream.reach_digest:
                stream.end(resync=True)


@dataclass(frozen=True, slots=True)
class _Past:
    """From where a stream's past is taken: rows in memory, the database, or nowhere."""

    notices: tuple[Notice, ...] = ()
    floor: Position = BEGINNING
    is_gap: bool = False
    from_database: bool = False


def parse_event_id(given: str) -> tuple[str, Position] | None:
    """("epoch", position) of a Last-Event-ID; None for anything else."""
    epoch, _, rest = given.partition("-")
    xid, _, row_id = rest.partition("-")
    if not (epoch.isalnum() and xid.isascii() and xid.isdigit() and row_id.isascii() and row_id.isdigit()):
        return None
    if len(xid) > 19 or len(row_id) > 18:
        return None
    return epoch, Position(int(xid), int(row_id))


def units_frame(moves: list[UnitMove], reach: Reach) -> bytes | None:
    """The moves within a reach as one event of [id, lon, lat, status, fixed_at]."""
    if not reach.reads_units:
        return None
    sees: dict[str, bool] = {}
    items = []
    for move in moves:
        if move.path not in sees:
            sees[move.path] = any(is_below(move.path, root) for root in reach.map_paths)
        if sees[move.path]:
            place = (round(move.lon, 6), round(move.lat, 6))
            items.append([str(move.unit_id), *place, move.status, utc_text(move.fixed_at)])
    return frame("units", {"items": items}) if items else None


def _caller_lists(callers: list[tuple[UUID | None, UUID | None]]) -> tuple[list[UUID], list[UUID]]:
    sessions = {session_id for session_id, _ in callers if session_id}
    tokens = {token_id for session_id, token_id in callers if token_id and not session_id}
    return sorted(sessions), sorted(tokens)
