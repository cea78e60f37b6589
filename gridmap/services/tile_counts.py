"""Keeping the counts of thinned tiles true.

Triggers note what came and what left (51_tile_counts.sql). `refresh_dirty` adds the notes up, in one short transaction
a layer; `refresh` counts a layer anew from its rows, beside the counts in use, and then switches. A layer's version,
which stands in tile addresses, grows with each, so at most as often as these are called.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.services.outbox import publish
from gridmap.services.transaction import Tx, system_transaction

# As the functions tile_…_zoom() of 52_tiles.sql say.
PLAIN_ZOOM = 15
SPLIT_ZOOM = 12
FULL_ZOOM = 13
COARSE_ZOOM = 8
SHORT_PATH_LABELS = 3
EVERY_MONTH = -1
_CELL_LEVELS_BELOW_ZOOM = 3
_MOST_NOTES = 4_000
# Beyond this many waiting notes counting anew is quicker, and never holds a writing transaction open for long.
_RECOUNT_FROM_NOTES = 60_000
_ROWS_A_WRITE = 10_000
_LOCK_SPACE = 0x74696C65

_COLUMNS = "detail, zoom, cell, class_key, month, status, path, n, sum_x, sum_y"


_SUMS = "sum(n) AS n, sum(sum_x) AS sum_x, sum(sum_y) AS sum_y"
_FIRST_SUMS = "sum(n) AS n, sum(n * x::bigint) AS sum_x, sum(n * y::bigint) AS sum_y"


def _cell_of(zoom: int) -> str:
    shift = 24 - zoom - _CELL_LEVELS_BELOW_ZOOM
    return f"tile_morton(x >> {shift}, y >> {shift})"


def _groups(source: str) -> str:
    """SQL that adds up rows (x, y, path, class_key, status, month, n) of `source` into every kept count.

    Each zoom is added up from the next finer one, so a million points cost two passes.
    """
    longest = SHORT_PATH_LABELS
    short_path = f"CASE WHEN nlevel(path) > {longest} THEN subpath(path, 0, {longest}) ELSE path END"
    steps = [
        f"points AS MATERIALIZED ({source})",
        f"plain{PLAIN_ZOOM} AS (SELECT {_cell_of(PLAIN_ZOOM)} AS cell, path, {_FIRST_SUMS}"
        " FROM points GROUP BY 1, 2)",
        f"fullest AS (SELECT {_cell_of(FULL_ZOOM)} AS cell, class_key, month, status, path, {_FIRST_SUMS}"
        " FROM points GROUP BY 1, 2, 3, 4, 5)",
        f"full{SPLIT_ZOOM} AS (SELECT cell >> {2 * (FULL_ZOOM - SPLIT_ZOOM)} AS cell, class_key, month, status,"
        f" {short_path} AS path, {_SUMS} FROM fullest GROUP BY 1, 2, 3, 4, 5)",
        f"full{COARSE_ZOOM} AS (SELECT cell >> {2 * (SPLIT_ZOOM - COARSE_ZOOM)} AS cell, class_key, month,"
        f" status, path, {_SUMS} FROM full{SPLIT_ZOOM} GROUP BY 1, 2, 3, 4, 5)",
        f"class{SPLIT_ZOOM} AS (SELECT cell, class_key, status, path, {_SUMS} FROM full{SPLIT_ZOOM}"
        " GROUP BY 1, 2, 3, 4)",
        f"month{SPLIT_ZOOM} AS (SELECT cell, month, path, {_SUMS} FROM full{SPLIT_ZOOM} GROUP BY 1, 2, 3)",
        *_coarser("plain", PLAIN_ZOOM, "path"),
        *_coarser("class", SPLIT_ZOOM, "class_key, status, path"),
        *_coarser("month", SPLIT_ZOOM, "month, path"),
    ]
    kept = [
        *(
            f"SELECT false, {z}, cell, '', 0, '', path, n, sum_x, sum_y FROM plain{z}"
            for z in _to(PLAIN_ZOOM)
        ),
        *(
            f"SELECT true, {z}, cell, class_key, {EVERY_MONTH}, status, path, n, sum_x, sum_y FROM class{z}"
            for z in _to(SPLIT_ZOOM)
        ),
        *(
            f"SELECT true, {z}, cell, '', month, '', path, n, sum_x, sum_y FROM month{z}"
            for z in _to(SPLIT_ZOOM)
        ),
        *(
            f"SELECT true, {z}, cell, class_key, month, status, path, n, sum_x, sum_y FROM {name} WHERE class_key <> ''"
            for z, name in ((FULL_ZOOM, "fullest"), (COARSE_ZOOM, f"full{COARSE_ZOOM}"))
        ),
    ]
    return f"WITH {', '.join(steps)} {' UNION ALL '.join(kept)}"


def _coarser(name: str, finest_zoom: int, columns: str) -> list[str]:
    return [
        f"{name}{zoom} AS (SELECT cell >> 2 AS cell, {columns}, {_SUMS} FROM {name}{zoom + 1}"
        f" GROUP BY cell >> 2, {columns})"
        for zoom in range(finest_zoom - 1, -1, -1)
    ]


def _to(zoom: int) -> range:
    return range(zoom + 1)


_POINTS = "SELECT x, y, path, class_key, status, month, 1 AS n FROM tile_point WHERE layer = %(layer)s"
_RECOUNT = (
    f"COPY (SELECT %(layer)s::text, %(generation)s::int, g.* FROM ({_groups(_POINTS)}) AS g"
    " (detail, zoom, cell, class_key, month, status, path, n, sum_x, sum_y)) TO STDOUT"
)
# Row-level security refuses COPY into a table, so lines come to rest in a stage of the session's own first.
_MAKE_STAGE = (
    "CREATE TEMP TABLE tile_count_stage ON COMMIT DELETE ROWS AS"
    f" SELECT layer, generation, {_COLUMNS} FROM tile_count WITH NO DATA"
)
_STAGE = f"COPY pg_temp.tile_count_stage (layer, generation, {_COLUMNS}) FROM STDIN"
_UNSTAGE = (
    f"INSERT INTO tile_count (layer, generation, {_COLUMNS})"
    f" SELECT layer, generation, {_COLUMNS} FROM pg_temp.tile_count_stage"
)
_TAKE = text(
    "DELETE FROM tile_delta WHERE id IN (SELECT id FROM tile_delta WHERE layer = :layer ORDER BY id LIMIT :most)"
    " RETURNING x, y, path::text, class_key, status, month, n"
)
_ADD = text(
    f"INSERT INTO tile_count (layer, generation, {_COLUMNS})"
    " SELECT :layer, :generation, g.* FROM ("
    + _groups(
        "SELECT * FROM unnest(cast(:x as int[]), cast(:y as int[]), cast(:path as ltree[]),"
        " cast(:class_key as text[]), cast(:status as text[]), cast(:month as smallint[]), cast(:n as int[]))"
        " AS t (x, y, path, class_key, status, month, n)"
    )
    + f") AS g ({_COLUMNS}) WHERE g.n <> 0 OR g.sum_x <> 0 OR g.sum_y <> 0"
    " ON CONFLICT (layer, generation, detail, zoom, cell, class_key, month, status, path)"
    " DO UPDATE SET n = tile_count.n + excluded.n, sum_x = tile_count.sum_x + excluded.sum_x,"
    " sum_y = tile_count.sum_y + excluded.sum_y"
)


def refresh_dirty(database: Database, clock: Clock) -> list[str]:
    """Bring what changed since the last call into the counts, and count anew where that is due.

    Call it about once a second from one place; two callers at once do no harm. Returns the layers whose version grew.
    """
    with system_transaction(database, clock) as tx:
        waiting = tx.session.execute(
            text(
                "SELECT layer, count(*) FROM (SELECT layer FROM tile_delta LIMIT :most) AS d GROUP BY layer"
                " UNION ALL SELECT layer, 0 FROM tile_layer WHERE wanted > counted"
            ),
            {"most": _RECOUNT_FROM_NOTES},
        ).all()
    changed = []
    for layer in sorted({row.layer for row in waiting}):
        if _must_recount(database, clock, layer):
            refresh(database, clock, layer)
            changed.append(layer)
        elif _add_notes(database, clock, layer):
            changed.append(layer)
    return changed


def refresh(database: Database, clock: Clock, layer: str) -> int:
    """Count a layer anew from its rows. Returns how many counts are kept now.

    Reads in one long snapshot that holds no transaction id, and writes beside it in short transactions, so neither the
    live feed nor anybody's tiles wait. Does nothing, and returns -1, while another process counts the same layer.
    """
    with _alone(database.system, layer) as alone:
        return _recount(database, clock, layer) if alone else -1


def _recount(database: Database, clock: Clock, layer: str) -> int:
    with system_transaction(database, clock) as tx:
        state = tx.session.execute(
            text(
                "INSERT INTO tile_layer (layer) VALUES (:layer)"
                " ON CONFLICT (layer) DO UPDATE SET layer = excluded.layer RETURNING generation, wanted"
            ),
            {"layer": layer},
        ).one()
    generation = state.generation + 1
    _drop_other_generations(database, clock, layer, state.generation)
    snapshot, rows = _copy_counts(database.system, layer, generation)
    _drop_counted_notes(database, clock, layer, snapshot)
    with system_transaction(database, clock) as tx:
        tx.session.execute(
            text(
                "UPDATE tile_layer SET generation = :generation, counted = :wanted, counted_at = :at"
                " WHERE layer = :layer"
            ),
            {"generation": generation, "wanted": state.wanted, "at": tx.now, "layer": layer},
        )
        bump_version(tx, layer)
    _drop_other_generations(database, clock, layer, generation)
    return rows


def _copy_counts(engine: Engine, layer: str, generation: int) -> tuple[str, int]:
    """Stream the counts of one snapshot into the table. Returns the snapshot and the number of rows."""
    with _raw(engine) as reader, _raw(engine) as writer:
        with writer.transaction():
            writer.execute(_MAKE_STAGE)
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.read_only = True
        found = reader.execute("SELECT pg_current_snapshot()::text").fetchone()
        assert found is not None
        parameters = {"layer": layer, "generation": generation}
        rows = 0
        with reader.cursor() as cursor, cursor.copy(_RECOUNT, parameters) as source:
            for lines in _slices(source):
                with writer.transaction():
                    with writer.cursor().copy(_STAGE) as sink:
                        sink.write(b"".join(lines))
                    writer.execute(_UNSTAGE)
                rows += len(lines)
        reader.rollback()
    return str(found[0]), rows


def _slices(source: psycopg.Copy) -> Iterator[list[bytes]]:
    lines: list[bytes] = []
    for block in source:
        lines.append(bytes(block))
        if len(lines) == _ROWS_A_WRITE:
            yield lines
            lines = []
    if lines:
        yield lines


def _drop_counted_notes(database: Database, clock: Clock, layer: str, snapshot: str) -> None:
    """Forget the notes of transactions that the count saw; the others are added to it later."""
    _in_slices(
        database,
        clock,
        "DELETE FROM tile_delta WHERE id IN (SELECT id FROM tile_delta WHERE layer = :layer"
        " AND pg_visible_in_snapshot(xid, cast(:snapshot as pg_snapshot)) LIMIT :most)",
        {"layer": layer, "snapshot": snapshot},
    )


def _drop_other_generations(database: Database, clock: Clock, layer: str, kept: int) -> None:
    _in_slices(
        database,
        clock,
        "DELETE FROM tile_count WHERE ctid IN (SELECT ctid FROM tile_count WHERE layer = :layer"
        " AND generation <> :kept LIMIT :most)",
        {"layer": layer, "kept": kept},
    )


def _in_slices(database: Database, clock: Clock, statement: str, parameters: dict[str, Any]) -> None:
    while True:
        with system_transaction(database, clock) as tx:
            done = tx.session.execute(text(statement), {**parameters, "most": _ROWS_A_WRITE})
        if cast(Any, done).rowcount < _ROWS_A_WRITE:
            return


def _must_recount(database: Database, clock: Clock, layer: str) -> bool:
    with system_transaction(database, clock) as tx:
        wanted = tx.session.scalar(
            text("SELECT wanted > counted FROM tile_layer WHERE layer = :layer"), {"layer": layer}
        )
        notes = tx.session.scalar(
            text("SELECT count(*) FROM (SELECT FROM tile_delta WHERE layer = :layer LIMIT :most) AS d"),
            {"layer": layer, "most": _RECOUNT_FROM_NOTES},
        )
    return bool(wanted) or (notes or 0) >= _RECOUNT_FROM_NOTES


def _add_notes(database: Database, clock: Clock, layer: str) -> bool:
    """One short transaction: take some notes, add them up, raise the version. False when another process does it."""
    with system_transaction(database, clock) as tx:
        if not tx.session.scalar(
            text("SELECT pg_try_advisory_xact_lock(:space, hashtext(:layer))"), _key(layer)
        ):
            return False
        notes = tx.session.execute(_TAKE, {"layer": layer, "most": _MOST_NOTES}).all()
        if not notes:
            return False
        counted = [note for note in notes if note.n != 0]
        if counted:
            _add(tx.session, layer, counted)
        bump_version(tx, layer)
    return True


def _add(session: Session, layer: str, notes: list[Any]) -> None:
    generation = session.scalar(
        text("SELECT generation FROM tile_layer WHERE layer = :layer"), {"layer": layer}
    )
    names = ("x", "y", "path", "class_key", "status", "month", "n")
    columns = {name: [getattr(note, name) for note in notes] for name in names}
    session.execute(_ADD, {"layer": layer, "generation": generation or 0, **columns})


def bump_version(tx: Tx, layer: str) -> int:
    """Raise the number that stands in the layer's tile addresses, and tell the screens."""
    version = tx.session.scalar(
        text(
            "INSERT INTO layer_version (layer, version, changed_at) VALUES (:layer, 1, :at)"
            " ON CONFLICT (layer) DO UPDATE SET version = layer_version.version + 1, changed_at = excluded.changed_at"
            " RETURNING version"
        ),
        {"layer": layer, "at": tx.now},
    )
    assert version is not None
    publish(tx, "layer_changed", {"layer": layer, "version": int(version)}, path="")
    return int(version)


def _key(layer: str) -> dict[str, Any]:
    return {"space": _LOCK_SPACE, "layer": layer}


@contextmanager
def _alone(engine: Engine, layer: str) -> Iterator[bool]:
    """Hold the layer's lock in a session of its own, so that no transaction stays open for it."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        got = bool(
            connection.scalar(text("SELECT pg_try_advisory_lock(:space, hashtext(:layer))"), _key(layer))
        )
        try:
            yield got
        finally:
            if got:
                connection.execute(text("SELECT pg_advisory_unlock(:space, hashtext(:layer))"), _key(layer))


@contextmanager
def _raw(engine: Engine) -> Iterator[psycopg.Connection[Any]]:
    """A driver connection for COPY; closed afterwards, since its transaction settings are its own."""
    pooled = engine.raw_connection()
    try:
        yield cast("psycopg.Connection[Any]", pooled.driver_connection)
    finally:
        pooled.invalidate()
