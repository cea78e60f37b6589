"""One import of one noun from one source: a lock, a batch, blocks of rows in short transactions, and the
switch.

A block lasts about a tenth of a second, so that the live feed is never held up for long. A run that dies
leaves a batch that nobody sees; the next run of the same noun and source takes it over and completes it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from gridmap.db.engine import Database
from gridmap.db.faults import translated
from gridmap.domain.ids import new_id
from gridmap.errors import Conflict
from gridmap.services.importing.targets import Target

_TARGET_S = 0.1
_LONGEST_S = 0.25
_FIRST_BLOCK = 200
_LARGEST_BLOCK = 5_000
_LOCK_CLASS = 0x696D70


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A row of this source that is already here.

    `hidden` rows were written by a run that died. `through_api` is a report that the source sent itself: the file has
    nothing to add to it.
    """

    source_hash: str | None
    withdrawn: bool
    hidden: bool
    through_api: bool = False


@dataclass(frozen=True, slots=True)
class Stray:
    """A row that lies in no leaf grid (hits = 0) or in several."""

    ref: str
    hits: int


class BatchRun:
    """An open import. Statements run on one connection, which also holds the lock."""

    def __init__(self, connection: Connection, target: Target, source: str, now: datetime) -> None:
        self.connection = connection
        self.target = target
        self.source = source
        self.now = now
        self.batch_id: UUID = new_id()
        self.resumed = False
        self._block = _FIRST_BLOCK
        self.longest_s = 0.0

    def known_rows(self) -> dict[str, KnownRow]:
        """Everything of this source by ref; a plain read that opens no writing transaction."""
        found: dict[str, KnownRow] = {}
        query = text(
            f"select ref, source_hash, withdrawn_at is not null, coalesce(batch_id = :batch, false)"
            f" from {self.target.known_in or self.target.table} where source = :source and {self.target.known_where}"
        )
        with self.connection.begin():
            rows = self.connection.execute(
                query,
                {"source": self.source, "batch": self.batch_id, **self.target.extra},
                execution_options={"yield_per": 10_000},
            )
            for ref, source_hash, withdrawn, mine in rows:
                through_api = self.target.known_in is not None and source_hash is None
                found[ref] = KnownRow(source_hash, withdrawn, bool(mine) and self.resumed, through_api)
        return found

    def find_unfinished(self) -> None:
        """Take over the batch that an earlier run of this noun and source left unfinished."""
        with self.connection.begin():
            left = self.connection.execute(
                text(
                    "select id from import_batch"
                    " where noun = :noun and source = :source and visible_at is null order by started_at limit 1"
                ),
                {"noun": self.target.noun, "source": self.source},
            ).scalar_one_or_none()
        if left is not None:
            self.batch_id, self.resumed = left, True

    def begin(self, file_name: str, file_sha256: bytes) -> None:
        """Write the batch, or put the new file on the one that was taken over."""
        values = {"id": self.batch_id, "file": file_name, "sha": file_sha256}
        if self.resumed:
            statement = "update import_batch set file_name = :file, file_sha256 = :sha where id = :id"
        else:
            values |= {"noun": self.target.noun, "source": self.source, "now": self.now}
            statement = (
                "insert into import_batch (id, noun, source, file_name, file_sha256, started_at)"
                " values (:id, :noun, :source, :file, :sha, :now)"
            )
        with self.connection.begin():
            self.connection.execute(text(statement), values)

    def move(
        self, statement: str, lines: Iterator[str], params: Mapping[str, Any], on_block: Any = None
    ) -> list[Stray]:
        """Copy lines into the stage and run `statement`, block by block. Lines are in COPY's text format."""
        strays: list[Stray] = []
        with self.connection.begin():
            self.connection.execute(text("drop table if exists pg_temp.stage"))
            self.connection.execute(text(self.target.stage_sql()))
        while block := _take(lines, self._block):
            started = time.perf_counter()
            with translated(), self.connection.begin():
                self._copy(block)
                rows = self.connection.execute(text(statement), self._params(params))
                if rows.returns_rows:
                    strays += [Stray(ref, hits) for ref, hits in rows]
            self._adapt(time.perf_counter() - started, len(block))
            if on_block is not None:
                on_block(len(block))
        return strays

    def mark(self, statement: str, refs: Sequence[str]) -> None:
        """Run one of the target's marks over refs, block by block."""
        position = 0
        while position < len(refs):
            block = list(refs[position : position + self._block])
            started = time.perf_counter()
            with translated(), self.connection.begin():
                self.connection.execute(text(statement), self._params({"refs": block}))
            position += len(block)
            self._adapt(time.perf_counter() - started, len(block))

    def finish(self, counts: Mapping[str, Any]) -> None:
        """The switch: the batch becomes visible and the screens are told, in one transaction."""
        with translated(), self.connection.begin():
            self.connection.execute(
                text("update import_batch set visible_at = :now, counts = :counts where id = :batch"),
                {"now": self.now, "counts": json.dumps(counts), "batch": self.batch_id},
            )
            announce_layers(self.connection, self.target.layers, self.now)
            self.record()

    def record(self) -> None:
        """Put the run on the audit trail, in the caller's transaction."""
        self.connection.execute(
            text(
                "insert into audit (at, actor_name, verb, subject_kind, subject_id, params)"
                " values (:now, 'system', 'import.run', :noun, :source,"
                " jsonb_build_object('batch', cast(:batch as text)))"
            ),
            {"now": self.now, "noun": self.target.noun, "source": self.source, "batch": str(self.batch_id)},
        )

    def close(self, counts: Mapping[str, Any]) -> None:
        """Write the counts of a batch that is visible already, or had nothing to show."""
        with self.connection.begin():
            self.connection.execute(
                text(
                    "update import_batch set counts = :counts, visible_at = coalesce(visible_at, :now)"
                    " where id = :batch"
                ),
                {"now": self.now, "counts": json.dumps(counts), "batch": self.batch_id},
            )

    def _params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        own = {"batch": self.batch_id, "source": self.source, "now": self.now}
        return {**own, **self.target.extra, **params}

    def _copy(self, block: Sequence[str]) -> None:
        driver: Any = self.connection.connection.driver_connection
        columns = ", ".join(column.name for column in self.target.columns)
        with driver.cursor() as cursor, cursor.copy(f"copy stage ({columns}) from stdin") as copy:
            copy.write("".join(block))

    def _adapt(self, seconds: float, rows: int) -> None:
        self.longest_s = max(self.longest_s, seconds)
        per_row = seconds / max(1, rows)
        wanted = int(_TARGET_S / per_row) if per_row > 0 else _LARGEST_BLOCK
        # Grow by half at most: one lucky block must not make the next one long.
        self._block = max(20, min(_LARGEST_BLOCK, wanted, self._block + self._block // 2))
        if seconds > _LONGEST_S:
            self._block = max(20, self._block // 2)


@contextmanager
def batch_run(database: Database, target: Target, source: str, now: datetime) -> Iterator[BatchRun]:
    """A connection that holds the lock of (noun, source) until it is closed, even by a kill.

    Raises Conflict("import_running") when another import of the same noun and source is under way.
    """
    with database.system.connect() as connection:
        key = {"class": _LOCK_CLASS, "key": f"{target.noun}/{source}"}
        with connection.begin():
            locked = connection.execute(
                text("select pg_try_advisory_lock(:class, hashtext(:key))"), key
            ).scalar_one()
        if not locked:
            raise Conflict("import_running", noun=target.noun, source=source)
        try:
            yield BatchRun(connection, target, source, now)
        finally:
            if not connection.invalidated and not connection.closed:
                connection.rollback()
                with connection.begin():
                    connection.execute(text("drop table if exists pg_temp.stage"))
                    connection.execute(text("select pg_advisory_unlock(:class, hashtext(:key))"), key)


def announce_layers(connection: Connection, layers: Sequence[str], now: datetime) -> None:
    """Raise the version of each layer and tell the screens once per layer."""
    for layer in layers:
        version = connection.execute(
            text(
                "insert into layer_version (layer, version, changed_at) values (:layer, 1, :now)"
                " on conflict (layer) do update set version = layer_version.version + 1, changed_at = :now"
                " returning version"
            ),
            {"layer": layer, "now": now},
        ).scalar_one()
        connection.execute(
            text(
                "insert into outbox (topic, body, path)"
                " values ('layer_changed', jsonb_build_object('layer', cast(:layer as text),"
                " 'version', cast(:version as bigint)), ''::ltree)"
            ),
            {"layer": layer, "version": version},
        )


def _take(lines: Iterator[str], count: int) -> list[str]:
    block = []
    for line in lines:
        block.append(line)
        if len(block) == count:
            break
    return block
