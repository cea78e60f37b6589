"""The fences in force as the engine wants them: read from the database, in local metres, kept while nothing changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import numpy as np
import shapely
from sqlalchemy import text

from gridmap.domain.metric import LocalMetric
from gridmap.domain.workdays import workdays
from gridmap.positions.fence_calendar import read_calendar
from gridmap.positions.fence_engine import Fence, FenceBook
from gridmap.services.transaction import Tx

# A fence whose life ended stays in the book this long, so that late positions still meet it.
LATE_KEPT = timedelta(hours=24)
_ASK_EVERY_S = 1.0
_CELLS = UUID("8a0b6c1e-2a34-4f0e-8f3e-6f1f0b5d4c02")

_FENCES = text(
    "select id, kind, dwell_s, exit_s, buffer_m, calendar, unit_kinds, version, since, expires_at from fence"
    " where archived_at is null and (expires_at is null or expires_at > :kept) order by id"
)
_SHAPES = text("select id, st_asbinary(geom) from fence where id = any(cast(:ids as uuid[]))")
_LEAVES = text(
    "select v.area_id, st_asbinary(v.geom) from area_version v join area a on a.id = v.area_id"
    " where v.is_leaf and a.tree = 'admin' and v.valid @> cast(:at as timestamptz) order by a.code"
)
_VERSION = text("select fence_book_version()")


def load_book(tx: Tx, metric: LocalMetric, before: FenceBook | None = None) -> FenceBook:
    """Every fence of the deployment and every leaf grid, as they are now.

    `before` lends its grids, which are many and seldom change, and the shapes of fences that are the same version.
    """
    known = {} if before is None else {fence.id: fence for fence in before.fences}
    rows = tx.session.execute(_FENCES, {"kept": tx.now - LATE_KEPT}).all()
    fresh = [row.id for row in rows if row.id not in known or known[row.id].version != row.version]
    drawn = tx.session.execute(_SHAPES, {"ids": fresh}).all()
    shapes = dict(zip((row[0] for row in drawn), _plane([row[1] for row in drawn], metric), strict=True))
    fences = [_fence(tx, row, shapes[row.id]) if row.id in shapes else known[row.id] for row in rows]
    if before is not None:
        return before.with_fences(fences)
    return FenceBook.build([*fences, *_cells(tx, metric)], metric.epsg)


def _fence(tx: Tx, row: Any, shape_m: Any) -> Fence:
    return Fence(
        id=row.id,
        kind=row.kind,
        shape_m=shape_m,
        dwell_s=row.dwell_s,
        exit_s=row.exit_s,
        buffer_m=row.buffer_m,
        active=read_calendar(row.calendar, tx.zone, workdays()),
        unit_kinds=frozenset(row.unit_kinds),
        version=row.version,
        since=row.since,
        until=row.expires_at,
    )


def _cells(tx: Tx, metric: LocalMetric) -> list[Fence]:
    rows = tx.session.execute(_LEAVES, {"at": tx.now}).all()
    shapes = _plane([wkb for _, wkb in rows], metric)
    return [
        Fence(id=uuid5(_CELLS, str(area_id)), kind="grid", shape_m=shape_m, area_id=area_id)
        for (area_id, _), shape_m in zip(rows, shapes, strict=True)
    ]


def _plane(wkbs: list[Any], metric: LocalMetric) -> list[Any]:
    shapes = shapely.from_wkb(np.array([bytes(wkb) for wkb in wkbs], dtype=object))
    return list(metric.to_plane(shapes)) if len(wkbs) else []


@dataclass
class FenceShelf:
    """The book of one process. Ask it in every turn: it looks for changes once a second at most."""

    metric: LocalMetric
    seconds: Callable[[], float] = time.monotonic
    _book: FenceBook | None = field(default=None, repr=False)
    _version: str = ""
    _asked_s: float = float("-inf")

    def current(self, tx: Tx) -> FenceBook:
        """The fences in force, at most a second old."""
        if self._book is not None and self.seconds() - self._asked_s < _ASK_EVERY_S:
            return self._book
        self._asked_s = self.seconds()
        version = str(tx.session.scalar(_VERSION))
        if self._book is None or version != self._version:
            same_areas = self._version.rpartition(".")[2] == version.rpartition(".")[2]
            self._book = load_book(tx, self.metric, self._book if same_areas else None)
            self._version = version
        return self._book
