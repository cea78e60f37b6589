"""Runs that reach beyond the reader's grants: the part inside them, and never more.

Whoever answers for a township is told the lines of the county's run that lie in it, with the colours and ranks they
have in the county. The heat surface, the hot spots, the hours and the track record are those of the whole county and
stay with who sees it whole.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text

from gridmap.domain.actor import is_below
from gridmap.errors import NotFound
from gridmap.services.risk.reading import MOST_RUNS, RunLine, SurfaceLine, get_run
from gridmap.services.transaction import Tx

_RUNS = """
    select r.id, r.area_id, a.code as area_code, coalesce(v.name, a.code) as area_name, r.horizon, r.origin_on,
           r.horizon_days, r.looks_back, r.made_at, r.seconds, '' as author, '' as purpose, r.params,
           '{}'::jsonb as snapshot, r.outcome_at, true as is_part
    from risk_runs_above() r join area a on a.id = r.area_id
    left join area_version v on v.area_id = r.area_id and v.valid @> cast(:now as timestamptz)
    where (cast(:id as uuid) is null or r.id = :id) and (cast(:area as int) is null or r.area_id = :area)
      and (cast(:horizon as text) is null or r.horizon = :horizon)
    order by r.origin_on desc, r.made_at desc, r.id limit :limit
"""
_LINES = text(
    "select scope_path::text as path, expected, low, high, came from risk_area"
    " where run_id = :run and class_group = :group order by nlevel(scope_path), scope_path"
)


def list_runs(
    tx: Tx, *, area_id: int | None = None, horizon: str | None = None, limit: int = MOST_RUNS
) -> list[RunLine]:
    """Runs over more than the actor may see whole, the newest origin first."""
    values = {"now": tx.now, "id": None, "area": area_id, "horizon": horizon, "limit": limit}
    return [RunLine(*row) for row in tx.session.execute(text(_RUNS), values)]


def find_run(tx: Tx, run_id: UUID) -> RunLine | None:
    """The run, where only a part of it may be told; None where it may be told whole, or not at all."""
    values = {"now": tx.now, "id": run_id, "area": None, "horizon": None, "limit": 1}
    row = tx.session.execute(text(_RUNS), values).one_or_none()
    return None if row is None else RunLine(*row)


def get_told_run(tx: Tx, run_id: UUID) -> RunLine:
    """The run, whole or in part as `is_part` says. Raises NotFound("risk_run_not_found")."""
    return find_run(tx, run_id) or get_run(tx, run_id)


def get_surface(tx: Tx, run_id: UUID, group: str) -> SurfaceLine:
    """What the part inside the actor's grants comes to: what is expected there, and what came.

    The interval is that of the one area which holds the part; several areas have a sum and no interval, for theirs do
    not add up. Refused with "risk_part_empty" where no line of the group lies inside.
    """
    if find_run(tx, run_id) is None:
        raise NotFound("risk_run_not_found")
    topmost: list[Any] = []
    for row in tx.session.execute(_LINES, {"run": run_id, "group": group}):
        if not any(is_below(row.path, above.path) for above in topmost):
            topmost.append(row)
    came = [row.came for row in topmost if row.came is not None]
    one = topmost[0] if len(topmost) == 1 else None
    return SurfaceLine(
        run_id=run_id, class_group=group,
        refused=None if topmost else {"code": "risk_part_empty", "params": {}},
        bounds=None, legend=None, model=None, scores=None,
        expected=sum(row.expected for row in topmost) if topmost else None,
        low=one.low if one else None, high=one.high if one else None,
        figures={}, hotspots=None, warnings=[],
        came=sum(came) if came else None, came_scores=None, has_came_picture=False,
    )  # fmt: skip
