"""Areas: which leaf a point lies in, and the tree that screens show."""

from __future__ import annotations

from collections.abc import Collection
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

_LEAF = text("select area_id, version_id, path, name from leaf_at(:tree, :lon, :lat, :at)")


def locate(session: Session, lon: float, lat: float, at: datetime, tree: str = "admin") -> Located:
    """The leaf that holds the point (WGS84 degrees), or OUTSIDE."""
    row = session.execute(_LEAF, {"lon": lon, "lat": lat, "at": at, "tree": tree}).first()
    return OUTSIDE if row is None else Located(*row)


_LEAVES_UNDER = text("select distinct path from leaves_under(st_setsrid(st_geomfromwkb(:shape), 4326), :at)")


def path_over(tx: Tx, shape: Any) -> str:
    """The path of the smallest area that holds every leaf a WGS84 shape reaches into; empty outside all areas."""
    paths = tx.session.scalars(_LEAVES_UNDER, {"at": tx.now, "shape": shape.wkb}).all()
    shared: list[str] = []
    for labels in zip(*(path.split(".") for path in paths), strict=False):
        if len(set(labels)) > 1:
            break
        shared.append(labels[0])
    return ".".join(shared)


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


@dataclass(frozen=True, slots=True)
class AreaName:
    """One area by name."""

    id: int
    code: str
    name: str
    level: str


_ROWS = """
    with shown as (
      select a.id, a.code, v.name, a.level, v.path, v.is_leaf,
             st_xmin(v.geom) as w, st_ymin(v.geom) as s, st_xmax(v.geom) as e, st_ymax(v.geom) as n
      from area_version v join area a on a.id = v.area_id
      where a.tree = :tree and v.valid @> cast(:at as timestamptz) and {where})
    select shown.id, shown.code, shown.name, shown.level, shown.path::text as path, shown.w, shown.s, shown.e, shown.n,
           not shown.is_leaf as has_children, c.open_incidents, c.units_on_duty, c.cameras
    from shown
    join area_counts((select coalesce(array_agg(path), '{{}}') from shown)) c on c.path = shown.path
    order by shown.code
"""
_OUTLINE = text(
    "select st_asgeojson(geom, 7)::jsonb from area_version"
    " where area_id = :id and valid @> cast(:at as timestamptz)"
)
_PARENTS = text(
    "select a.id, a.code, v.name, a.level from area_version v join area a on a.id = v.area_id"
    " where a.id = any(:ids) and v.valid @> cast(:at as timestamptz) order by nlevel(v.path)"
)


def list_children(tx: Tx, parent_id: int | None, tree: str = "admin") -> list[AreaRow]:
    """Areas right under `parent_id`, or the roots, by code, with what the actor may count in them."""
    where = "v.parent_id is null" if parent_id is None else "v.parent_id = :parent"
    return _area_rows(tx, where, tree=tree, parent=parent_id)


def get_area(tx: Tx, area_id: int) -> tuple[AreaRow, dict[str, Any], list[AreaName]]:
    """An area, its outline as GeoJSON, and its parents from the top. Raises NotFound("area_not_found")."""
    found = _area_rows(tx, "a.id = :id", tree=_tree_of(tx, area_id), id=area_id)
    if not found:
        raise NotFound("area_not_found", area_id=area_id)
    outline = tx.session.scalar(_OUTLINE, {"id": area_id, "at": tx.now})
    above = [int(label) for label in found[0].path.split(".")[:-1]]
    parents = tx.session.execute(_PARENTS, {"ids": above, "at": tx.now})
    return found[0], outline or {}, [AreaName(*row) for row in parents]


def list_area_names(tx: Tx, ids: Collection[int]) -> dict[int, str]:
    """Today's names of areas by id; those that are gone are left out."""
    return {row.id: row.name for row in tx.session.execute(_PARENTS, {"ids": list(ids), "at": tx.now})}


def _area_rows(tx: Tx, where: str, **values: object) -> list[AreaRow]:
    rows = tx.session.execute(text(_ROWS.format(where=where)), {"at": tx.now, **values})
    return [_area_row(row) for row in rows]


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
