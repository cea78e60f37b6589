"""The ground of a fence: made from an area that was drawn, named grids, or what lies around a point or along a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text

from gridmap.domain.metric import LocalMetric
from gridmap.errors import Invalid, NotFound
from gridmap.positions import fence_shapes as shapes
from gridmap.services.transaction import Tx

KINDS = ("polygon", "grid", "buffer", "isochrone", "corridor")
_MOST_AREAS = 500
_AREAL = ("Polygon", "MultiPolygon")
_LINEAR = ("LineString", "MultiLineString")

_GRIDS = text(
    """
    with named as (
      select v.area_id, v.geom from area_version v
       where v.area_id = any(cast(:ids as int[])) and v.valid @> cast(:at as timestamptz)),
    beside as (
      select v.area_id, v.geom from named n join area_version v
          on v.geom && st_expand(n.geom, 1e-7) and st_dwithin(v.geom, n.geom, 1e-7)
        join area a on a.id = v.area_id and a.tree = 'admin'
       where :neighbours and v.is_leaf and v.valid @> cast(:at as timestamptz))
    select area_id, st_asbinary(geom) from named union select area_id, st_asbinary(geom) from beside
    """
)


def shape_of(tx: Tx, kind: str, source: Mapping[str, Any], metric: LocalMetric) -> MultiPolygon:
    """The polygon (WGS84) of a kind of fence.

    polygon, isochrone: {geometry, crs}; the area itself, an isochrone as it was drawn.
    buffer: {geometry, crs, radius_m} around a point, line or area.
    corridor: {geometry, crs, half_width_m} along a line.
    grid: {area_ids, neighbours}: areas joined, with the leaf grids beside them when `neighbours` is true.

    Raises:
        Invalid: see `gridmap.positions.fence_shapes`; "fence_kind_unknown", "fence_source" (field).
        NotFound: "area_not_found".
    """
    match kind:
        case "polygon" | "isochrone":
            return shapes.area_shape(_drawn(source, _AREAL))
        case "buffer":
            drawn = _drawn(source, ("Point", *_LINEAR, *_AREAL))
            return shapes.buffer_shape(drawn, _number(source, "radius_m"), metric)
        case "corridor":
            return shapes.corridor_shape(_drawn(source, _LINEAR), _number(source, "half_width_m"), metric)
        case "grid":
            return shapes.joined_shape(_grids(tx, source))
    raise Invalid("fence_kind_unknown", given=kind, known=list(KINDS))


def _drawn(source: Mapping[str, Any], kinds: Sequence[str]) -> BaseGeometry:
    told = source.get("geometry")
    if not isinstance(told, Mapping):
        raise Invalid("fence_source", field="geometry")
    crs = source.get("crs")
    if not isinstance(crs, str):
        raise Invalid("fence_source", field="crs")
    return shapes.read_geometry(told, crs, kinds)


def _number(source: Mapping[str, Any], name: str) -> float:
    value = source.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid("fence_source", field=name)
    return float(value)


def _grids(tx: Tx, source: Mapping[str, Any]) -> list[BaseGeometry]:
    ids = source.get("area_ids")
    if not isinstance(ids, list | tuple) or not 0 < len(ids) <= _MOST_AREAS:
        raise Invalid("fence_source", field="area_ids")
    if any(type(one) is not int or not 0 < one < 2**31 for one in ids):
        raise Invalid("fence_source", field="area_ids")
    given = {"ids": list(ids), "neighbours": source.get("neighbours") is True, "at": tx.now}
    found = {row[0]: row[1] for row in tx.session.execute(_GRIDS, given)}
    if missing := set(ids) - set(found):
        raise NotFound("area_not_found", area_id=min(missing))
    return [shapely.from_wkb(bytes(wkb)) for wkb in found.values()]
