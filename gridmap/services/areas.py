"""Areas: which leaf a point lies in, and the tree that screens show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from gridmap.errors import NotFound
from gridmap.services.transaction import Tx


@dataclass(frozen=True, slots=True)
class Located:
    """The leaf area of a place at a time; outside every area the path is empty."""

    area_id: int | None
    area_version_id: UUID | None
    path: str
    name: str | None


OUTSIDE = Located(None, None, "", None)

# A point on a shared border belongs to the area with the lowest code: one rule for imports and reports alike.
_LEAF = text(
    """
    select v.area_id, v.id, v.path::text, v.name
    from area_version v join area a on a.id = v.area_id
    where v.is_leaf and a.tree = :tree and (v.valid @> cast(:at as timestamptz)) is true
      and st_covers(v.geom, st_setsrid(st_makepoint(:lon, :lat), 4326))
    order by a.code limit 1
    """
)


def locate(session: Session, lon: float, lat: float, at: datetime, tree: str = "admin") -> Located:
    """The leaf that holds the point (WGS84 degrees), or OUTSIDE."""
    row = session.execute(_LEAF, {"lon": lon, "lat": lat, "at": at, "tree": tree}).first()
    return OUTSIDE if row is None else Located(*row)


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One area for a tree view; `bbox` is west, south, east, north in degrees."""

    id: int
    code: str
    name: str
    level: str
    path: str
    bbox: tuple[float, float, float, float]
    has_children: bool
    open_incidents: int
    units_on_duty: int
    cameras: int


_ROWS = """
    select a.id, a.code, v.name, a.level, v.path::text as path,
           st_xmin(v.geom) as w, st_ymin(v.geom) as s, st_xmax(v.geom) as e, st_ymax(v.geom) as n,
           not v.is_leaf as has_children,
           (select count(*) from incident i where i.status <> 'closed' and i.scope_path <@ v.path) as open_incidents,
           (select count(*) from unit u where u.status in ('free', 'busy') and u.scope_path <@ v.path) as units_on_duty,
           (select count(*) from camera c where c.withdrawn_at is null and c.scope_path <@ v.path) as cameras
    from area_version v join area a on a.id = v.area_id
    where a.tree = :tree and v.valid @> cast(:at as timestamptz)
"""


def list_children(tx: Tx, parent_id: int | None, tree: str = "admin") -> list[AreaRow]:
    """Areas right under `parent_id`, or the roots, by code, with what the actor may count in them."""
    where = "and v.parent_id is null" if parent_id is None else "and v.parent_id = :parent"
    rows = tx.session.execute(
        text(f"{_ROWS} {where} order by a.code"), {"tree": tree, "at": tx.now, "parent": parent_id}
    )
    return [_area_row(row) for row in rows]


def get_area(tx: Tx, area_id: int) -> tuple[AreaRow, dict[str, Any], list[AreaRow]]:
    """An area, its outline as GeoJSON, and its parents from the top. Raises NotFound("area_not_found")."""
    row = tx.session.execute(
        text(
            _ROWS.replace("select a.id,", "select st_asgeojson(v.geom, 7)::jsonb as geojson, a.id,", 1)
            + " and a.id = :id"
        ).bindparams(),
        {"tree": _tree_of(tx, area_id), "at": tx.now, "id": area_id},
    ).first()
    if row is None:
        raise NotFound("area_not_found", area_id=area_id)
    above = [int(label) for label in row.path.split(".")[:-1]]
    parents = tx.session.execute(
        text(f"{_ROWS} and a.id = any(:ids) order by nlevel(v.path)"),
        {"tree": _tree_of(tx, area_id), "at": tx.now, "ids": above},
    )
    return _area_row(row), row.geojson, [_area_row(parent) for parent in parents]


def _tree_of(tx: Tx, area_id: int) -> str:
    tree: str | None = tx.session.scalar(text("select tree from area where id = :id"), {"id": area_id})
    if tree is None:
        raise NotFound("area_not_found", area_id=area_id)
    return tree


def _area_row(row: Any) -> AreaRow:
    return AreaRow(
        id=row.id,
        code=row.code,
        name=row.name,
        level=row.level,
        path=row.path,
        bbox=(row.w, row.s, row.e, row.n),
        has_children=row.has_children,
        open_incidents=row.open_incidents,
        units_on_duty=row.units_on_duty,
        cameras=row.cameras,
    )
