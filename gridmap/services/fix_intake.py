"""Many senders, one write: fixes that arrive together share their duty check, their batch and its flush to disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Connection, text

from gridmap.clock import Clock
from gridmap.db import arrays
from gridmap.db.engine import Database
from gridmap.db.faults import translated
from gridmap.domain.ids import new_id
from gridmap.positions.fixes import RawFix
from gridmap.positions.packing import pack

# One write takes at most so many fixes along; more wait for the next, some milliseconds later.
MOST_FIXES = 4_000
# Under load a write begins so long after the one before, and takes along what came meanwhile; alone it begins at once.
PACE_S = 0.03
# A unit that moves to another area is taken from its old gateway for this much longer.
_UNDER_S = 30.0

_ON_DUTY = text("select duty_covers(cast(:units as uuid[]), cast(:times as timestamptz[]))")
_KEEP = text(
    "select keep_fix_batches(cast(:ids as uuid[]), :at, cast(:shards as smallint[]), cast(:bodies as bytea[]))"
)


@dataclass(eq=False)
class _Waiting:
    fixes: Sequence[RawFix]
    turn: threading.Event = field(default_factory=threading.Event)
    on_duty: list[bool] | None = None
    fault: BaseException | None = None

    @property
    def is_done(self) -> bool:
        return self.on_duty is not None or self.fault is not None


class FixIntake:
    """Group commit. The first sender to come writes for all who wait, then hands the pen to the next in line.

    Alone it costs two statements; under load the cost of a request falls as more come at once.
    """

    def __init__(self, database: Database, clock: Clock, shards: int) -> None:
        self.clock = clock
        self._database = database
        self._shards = shards
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._is_writing = False
        self._next_write_s = 0.0
        self._under: dict[tuple[str, ...], set[UUID]] = {}
        self._under_until_s = 0.0

    def units_under(self, paths: tuple[str, ...]) -> set[UUID]:
        """Units lately found under these area paths, to be added to: a gateway names the same ones all day."""
        if time.monotonic() >= self._under_until_s:
            self._under = {}
            self._under_until_s = time.monotonic() + _UNDER_S
        return self._under.setdefault(paths, set())

    def take(self, fixes: Sequence[RawFix]) -> list[bool]:
        """Keep the fixes of units on duty at each fix's own time; says which. Durable when this returns.

        Raises what the database raises; then nothing of this call is promised.
        """
        mine = _Waiting(fixes)
        with self._lock:
            self._waiting.append(mine)
            if not self._is_writing:
                self._is_writing = True
                mine.turn.set()
        try:
            mine.turn.wait()
            if not mine.is_done:
                self._keep_pace()
        except BaseException:
            self._leave(mine)
            raise
        if not mine.is_done:
            self._write_for_all()
        if mine.fault is not None:
            raise mine.fault
        assert mine.on_duty is not None
        return mine.on_duty

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection of the web's role, each statement by itself."""
        with self._database.app.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def _write_for_all(self) -> None:
        group = self._next_group()
        try:
            with translated():
                self._write(group)
        except BaseException as error:
            for one in group:
                one.fault = error
            raise
        finally:
            self._hand_on()
            for one in group:
                one.turn.set()

    def _keep_pace(self) -> None:
        early_s = self._next_write_s - time.monotonic()
        if early_s > 0:
            time.sleep(early_s)
        self._next_write_s = time.monotonic() + PACE_S

    def _leave(self, mine: _Waiting) -> None:
        """A sender that is stopped while it waits must not keep the pen that was just handed to it."""
        with self._lock:
            still_in_line = mine in self._waiting
            if still_in_line:
                self._waiting.remove(mine)
            has_the_pen = still_in_line and mine.turn.is_set()
        if has_the_pen:
            self._hand_on()

    def _next_group(self) -> list[_Waiting]:
        with self._lock:
            group: list[_Waiting] = []
            count = 0
            while self._waiting and (not group or count + len(self._waiting[0].fixes) <= MOST_FIXES):
                group.append(self._waiting.pop(0))
                count += len(group[-1].fixes)
            return group

    def _hand_on(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting[0].turn.set()
            else:
                self._is_writing = False

    def _write(self, group: list[_Waiting]) -> None:
        now = self.clock.now()
        fixes = [fix for one in group for fix in one.fixes]
        with self.connection() as connection:
            on_duty = self._on_duty(connection, fixes)
            shards: dict[int, list[RawFix]] = {}
            for fix, kept in zip(fixes, on_duty, strict=True):
                if kept:
                    shards.setdefault(shard_of(fix.unit_id, self._shards), []).append(fix)
            if shards:
                given = {
                    "ids": [new_id() for _ in shards],
                    "at": now,
                    "shards": list(shards),
                    "bodies": [pack(kept) for kept in shards.values()],
                }
                connection.execute(_KEEP, given)
        at = 0
        for one in group:
            one.on_duty = on_duty[at : at + len(one.fixes)]
            at += len(one.fixes)

    def _on_duty(self, connection: Connection, fixes: Sequence[RawFix]) -> list[bool]:
        """Duty is looked up at each fix's own time, so that a late batch from a tunnel still counts."""
        now = self.clock.now()
        asked = {
            "units": arrays.uuids(fix.unit_id for fix in fixes),
            "times": arrays.moments(min(fix.fixed_at, now) for fix in fixes),
        }
        return list(connection.scalar(_ON_DUTY, asked) or [])


def shard_of(unit_id: UUID, shards: int) -> int:
    """Which positions process a unit belongs to: everything of a unit is placed by one, in order."""
    return unit_id.int % shards
