"""One box for everything: areas, streets, houses, landmarks, cameras, incidents and units by name, number or code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from gridmap.services.geocoding import PlaceHit, search_places
from gridmap.services.transaction import Tx

MAX_WORDS = 100
_MOST_OF_A_KIND = 8


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found, with its place in WGS84 degrees; `bbox` is west, south, east, north."""

    kind: str
    id: str
    name: str
    detail: str | None
    lon: float | None
    lat: float | None
    bbox: tuple[float, float, float, float] | None = None
    code: str | None = None


_AREAS = """
    select 'area' as kind, a.id::text, v.name, a.level as detail,
           (st_xmin(v.geom) + st_xmax(v.geom)) / 2 as lon, (st_ymin(v.geom) + st_ymax(v.geom)) / 2 as lat,
           array[st_xmin(v.geom), st_ymin(v.geom), st_xmax(v.geom), st_ymax(v.geom)] as bbox, a.code
    from area_version v join area a on a.id = v.area_id
    where v.valid @> cast(:at as timestamptz)
      and (v.name ilike like_pattern(:q) or a.code like :prefix escape '\\')
      and v.path <@ any(cast(:roots as ltree[]))
    order by (v.name = :q) desc, nlevel(v.path), a.code limit :most
"""
_INCIDENTS = """
    select 'incident' as kind, i.id::text, i.number as name, i.title as detail, st_x(i.geom) as lon,
           st_y(i.geom) as lat, null as bbox, i.status as code
    from search_incidents(:q, :most) i
"""
_CAMERAS = """
    select 'camera' as kind, c.id::text, c.name, c.status as detail, st_x(c.geom) as lon, st_y(c.geom) as lat,
           null as bbox, c.code
    from search_cameras(:q, :most) c
"""
_UNITS = """
    select 'unit' as kind, u.id::text, u.call_sign as name, u.status as detail, st_x(l.geom) as lon,
           st_y(l.geom) as lat, null as bbox, u.kind as code
    from unit u left join unit_latest l on l.unit_id = u.id
    where u.withdrawn_at is null and u.call_sign ilike like_pattern(:q)
    order by u.call_sign limit :most
"""


def search(tx: Tx, words: str, *, near: tuple[float, float] | None = None) -> list[Hit]:
    """What the actor may find under `words`: own work first, then the map. `near` is lon, lat."""
    q = words.strip()[:MAX_WORDS]
    if not q:
        return []
    kinds = [_INCIDENTS, _UNITS, _AREAS, _CAMERAS]
    prefix = q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    values = {
        "q": q,
        "prefix": prefix,
        "at": tx.now,
        "roots": list(tx.actor.map_paths),
        "most": _MOST_OF_A_KIND,
    }
    found = [_hit(row) for kind in kinds for row in tx.session.execute(text(kind), values)]
    return found + [_named(place) for place in search_places(tx.session, q, near, _MOST_OF_A_KIND)]


def _hit(row: Any) -> Hit:
    bbox = None if row.bbox is None else (row.bbox[0], row.bbox[1], row.bbox[2], row.bbox[3])
    return Hit(row.kind, row.id, row.name, row.detail, row.lon, row.lat, bbox, row.code)


def _named(place: PlaceHit) -> Hit:
    return Hit(place.kind, place.id, place.name, place.name_en, place.lon, place.lat)
