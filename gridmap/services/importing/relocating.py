"""After areas changed: who answers now for what is still open, and for what lay in no area before.

An incident keeps the grid it was reported in. Only one that had none gets one; the scope of open incidents,
of cameras, features and staff follows the areas in force. Work goes in short blocks, so it can run while
serving.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from gridmap.services.importing.batches import BatchRun
from gridmap.services.importing.targets import POINT_GRID, SHAPE_GRID

_BLOCK = 500

_MOVED = {
    "incident": (
        POINT_GRID,
        "s.geom is not null and (s.area_id is null or s.status <> 'closed')"
        " and (s.area_id is null and grid.area_id is not null"
        " or s.scope_path is distinct from coalesce(grid.path, s.scope_path))",
        "area_id = coalesce(s.area_id, grid.area_id),"
        " area_version_id = coalesce(s.area_version_id, grid.version_id),"
        " scope_path = coalesce(grid.path, s.scope_path)",
    ),
    "camera": (
        POINT_GRID,
        "s.scope_path is distinct from coalesce(grid.path, ''::ltree)",
        "area_id = grid.area_id, scope_path = coalesce(grid.path, ''::ltree)",
    ),
    "feature": (
        SHAPE_GRID,
        "s.scope_path is distinct from coalesce(grid.path, ''::ltree)",
        "area_id = grid.area_id, scope_path = coalesce(grid.path, ''::ltree)",
    ),
}
_STAFF = {"person": "area_id", "unit": "home_area_id"}


def relocate(batch: BatchRun) -> dict[str, int]:
    """Bring every located row under the areas in force. Returns how many rows moved, by table."""
    moved = {table: _relocate_table(batch, table) for table in _MOVED}
    with batch.connection.begin():
        for table, column in _STAFF.items():
            result = batch.connection.execute(
                text(
                    f"update {table} t set scope_path = v.path from area_version v"
                    f" where v.area_id = t.{column} and v.valid @> cast(:now as timestamptz)"
                    " and t.scope_path is distinct from v.path"
                ),
                {"now": batch.now},
            )
            moved[table] = result.rowcount
    return {table: count for table, count in moved.items() if count}


def _relocate_table(batch: BatchRun, table: str) -> int:
    grid, where, sets = _MOVED[table]
    ids = _ids(batch.connection, f"select s.id from {table} s {grid} where {where}", batch)
    update = text(
        f"update {table} t set {sets.replace('s.', 't.')} from {table} s {grid}"
        " where s.id = t.id and t.id = any(:ids)"
    )
    for start in range(0, len(ids), _BLOCK):
        with batch.connection.begin():
            batch.connection.execute(update, {"now": batch.now, "ids": ids[start : start + _BLOCK]})
    return len(ids)


def _ids(connection: Connection, query: str, batch: BatchRun) -> Sequence[Any]:
    with connection.begin():
        return connection.execute(text(query), {"now": batch.now}).scalars().all()
