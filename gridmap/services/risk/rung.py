"""Early warnings that rang: what each saw, how far its rule is to be trusted, who took note, what was made of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from gridmap.domain.actor import is_below
from gridmap.services.transaction import Tx

MOST = 200

_RUNG = text(
    "select al.id, al.status, al.severity, al.raised_at, al.acknowledged_at, c.display_name as acknowledged_by,"
    " al.params, al.scope_path::text as path, t.id as task_id, t.status as task_status"
    " from alarm al left join account c on c.id = al.acknowledged_by"
    " left join lateral (select t.id, t.status from task t where t.kind = 'inspection'"
    "  and t.scope_path <@ al.scope_path and t.params -> 'reason' ->> 'alarm' = al.id::text"
    "  order by t.created_at desc limit 1) t on true"
    " where al.kind = 'warning' and (al.status = 'raised' or al.raised_at > :since)"
    " order by al.status = 'raised' desc, al.raised_at desc, al.id limit :most"
)
_AREAS = text(
    "select v.area_id as id, v.name, a.level, v.path::text as path, st_xmin(v.geom) as west, st_ymin(v.geom) as south,"
    " st_xmax(v.geom) as east, st_ymax(v.geom) as north"
    " from area_version v join area a on a.id = v.area_id"
    " where v.valid @> cast(:now as timestamptz) and v.area_id = any(:ids)"
)


@dataclass(frozen=True, slots=True)
class RungArea:
    """An area that a warning lies in; `bbox` west, south, east, north in degrees."""

    id: int
    name: str
    level: str
    bbox: list[float]


@dataclass(frozen=True, slots=True)
class RungLine:
    """A warning that rang. `areas`: from the area it was told at up to the widest that is the reader's.

    `params` is what the alarm says: rule, name, count, expected, within_m, days, lon, lat, record_days, record_alarms,
    false_share.
    """

    id: UUID
    status: str
    severity: int
    raised_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    params: dict[str, Any]
    areas: list[RungArea]
    task_id: UUID | None
    task_status: str | None


def list_rung(tx: Tx, since: datetime) -> list[RungLine]:
    """Warnings in sight: those that stand first, then what rang since then, the newest first; at most `MOST`."""
    rows = tx.session.execute(_RUNG, {"since": since, "most": MOST}).all()
    ids = sorted({int(part) for row in rows for part in row.path.split(".") if part})
    found = tx.session.execute(_AREAS, {"now": tx.now, "ids": ids})
    areas = {
        area.id: RungArea(area.id, area.name, area.level, [area.west, area.south, area.east, area.north])
        for area in found
        if any(is_below(area.path, root) for root in tx.actor.case_paths)
    }
    return [
        RungLine(
            id=row.id, status=row.status, severity=row.severity, raised_at=row.raised_at,
            acknowledged_at=row.acknowledged_at, acknowledged_by=row.acknowledged_by, params=row.params,
            areas=[areas[at] for part in reversed(row.path.split(".")) if part and (at := int(part)) in areas],
            task_id=row.task_id, task_status=row.task_status,
        )
        for row in rows
    ]  # fmt: skip
