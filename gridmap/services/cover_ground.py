"""What cover is judged on: a point for each grid where its houses are, and the areas above it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from gridmap.domain.cover import Demand, Requirement
from gridmap.domain.travel import LonLat
from gridmap.domain.vocab import vocabulary
from gridmap.errors import NotFound
from gridmap.services.transaction import Tx


@dataclass(frozen=True, slots=True)
class CoverArea:
    """An area of any level. `jurisdiction` is the path of the county (or what stands in for it) that it lies in."""

    id: int
    code: str
    name: str
    level: str
    path: str
    jurisdiction: str


@dataclass(frozen=True, slots=True)
class CoverGround:
    """Points (P, 2) in WGS84 degrees with weights, and for each the ids of the areas that it lies in."""

    lonlat: NDArray[np.float64]
    weight: NDArray[np.float64]
    paths: tuple[tuple[int, ...], ...]
    areas: dict[int, CoverArea]

    def demand(self, rule: Requirement) -> tuple[Demand, list[CoverArea]]:
        """The rule's areas, by code, and which points stand for each."""
        asked = sorted(
            (a for a in self.areas.values() if a.level == rule.level and rule.is_for(a.code)),
            key=lambda area: area.code,
        )
        number = {area.id: i for i, area in enumerate(asked)}
        found = [next((number[i] for i in path if i in number), -1) for path in self.paths]
        return Demand(np.array(found, dtype=np.int64), self.weight, len(asked)), asked


_AREAS = text(
    "select a.id, a.code, v.name, a.level, v.path::text as path, v.is_leaf from area_version v"
    " join area a on a.id = v.area_id where a.tree = 'admin' and (v.valid @> cast(:now as timestamptz)) is true"
)

# The house nearest to the weighted middle of the grid's houses: never a lake, seldom a field.
_POINTS = text(
    """
    with leaf as (
      select v.area_id, v.geom from area_version v join area a on a.id = v.area_id
      where v.is_leaf and a.tree = 'admin' and (v.valid @> cast(:now as timestamptz)) is true
        and v.path <@ cast(:under as ltree)),
    house as (
      select l.area_id, p.at, p.weight from leaf l
      join lateral (
        select st_centroid(b.geom) as at, greatest(coalesce(b.households, 1), 1) as weight from building b
        where b.withdrawn_at is null and b.geom && l.geom) p on st_contains(l.geom, p.at)),
    middle as (
      select area_id, sum(weight) as weight,
             st_setsrid(st_makepoint(sum(st_x(at) * weight) / sum(weight), sum(st_y(at) * weight) / sum(weight)), 4326)
               as at
      from house group by area_id),
    chosen as (
      select distinct on (h.area_id) h.area_id, h.at from house h join middle m on m.area_id = h.area_id
      order by h.area_id, h.at <-> m.at)
    select l.area_id, st_x(coalesce(c.at, st_pointonsurface(l.geom))) as lon,
           st_y(coalesce(c.at, st_pointonsurface(l.geom))) as lat, coalesce(m.weight, 0) as weight
    from leaf l left join chosen c on c.area_id = l.area_id left join middle m on m.area_id = l.area_id
    order by l.area_id
    """
)

_SIGNATURE = text(
    "select coalesce(sum(version), 0) || ':' || (select count(*) from building)::text"
    " || ':' || (select coalesce(max(area_id), 0) from area_version) from area_set"
)


def ground_signature(tx: Tx) -> str:
    """Changes when areas or houses do."""
    found: str = tx.session.scalar(_SIGNATURE) or ""
    return found


def read_ground(tx: Tx) -> CoverGround:
    """The whole ground. A grid without houses has a point and no weight: it asks for nothing and may be reached."""
    areas = {row.id: row for row in tx.session.execute(_AREAS, {"now": tx.now})}
    points = tx.session.execute(_POINTS, {"now": tx.now, "under": ""}).all()
    rank = {term.key: int(term.extra["rank"]) for term in vocabulary().lists["level"].values()}
    return CoverGround(
        lonlat=np.array([(row.lon, row.lat) for row in points], dtype=float).reshape(-1, 2),
        weight=np.array([row.weight for row in points], dtype=float),
        paths=tuple(_ids(areas[row.area_id].path) for row in points),
        areas={
            row.id: CoverArea(
                row.id, row.code, row.name, row.level, row.path, _jurisdiction(row.path, areas, rank)
            )
            for row in areas.values()
        },
    )


def place_of(tx: Tx, path: str) -> LonLat:
    """The house that stands for an area: that of its grid with the most homes. Raises NotFound("area_not_found")."""
    points = tx.session.execute(_POINTS, {"now": tx.now, "under": path}).all()
    if not points:
        raise NotFound("area_not_found", path=path)
    most = max(points, key=lambda row: row.weight)
    return LonLat(most.lon, most.lat)


def _ids(path: str) -> tuple[int, ...]:
    return tuple(int(label) for label in path.split("."))


def _jurisdiction(path: str, areas: dict[int, Any], rank: dict[str, int]) -> str:
    """The part of a path down to the county: crews move up within it."""
    ids = _ids(path)
    above = [str(i) for i in ids if i in areas and rank.get(areas[i].level, 99) <= rank["county"]]
    return ".".join(above)
