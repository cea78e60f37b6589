"""The area law, measured: whether leaf areas are an exact coverage, and if not, every fault by name and size.

A coverage has no gap and no overlap. GEOS's own test sees overlaps and edges that do not match but passes a
missing cell, so the union of the leaves is compared with the outline as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon, STRtree

from gridmap.domain.metric import area_m2


@dataclass(frozen=True, slots=True)
class AreaFault:
    """One fault: "invalid", "overlap", "gap" or "outside_outline"; whose, how big, and a point to look at."""

    code: str
    areas: tuple[str, ...]
    size_m2: float
    lon: float
    lat: float
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "areas": list(self.areas),
            "area_m2": round(self.size_m2, 3),
            "lon": round(self.lon, 7),
            "lat": round(self.lat, 7),
            **({"detail": self.detail} if self.detail else {}),
        }


def repair(shape: Any) -> MultiPolygon | None:
    """The stated repair: GEOS's make_valid by structure, polygons only; None when nothing is left.

    Rings keep their meaning (a hole stays a hole) and no area is invented, which the older line-work rule
    does not promise. A shape that is valid comes back as it was.
    """
    valid = (
        shape
        if shapely.is_valid(shape)
        else shapely.make_valid(shape, method="structure", keep_collapsed=False)
    )
    parts = [part for part in shapely.get_parts(valid) if isinstance(part, Polygon) and not part.is_empty]
    return MultiPolygon(parts) if parts else None


def invalid_faults(shapes: Mapping[str, Any]) -> list[AreaFault]:
    """One fault per area whose outline crosses or touches itself; what GEOS says about it is the detail."""
    faults = []
    for code, shape in shapes.items():
        if shapely.is_valid(shape):
            continue
        reason = str(shapely.is_valid_reason(shape))
        kind, _, place = reason.partition("[")
        lon, lat = _point_in(place) or _middle(shape)
        faults.append(AreaFault("invalid", (code,), 0.0, lon, lat, kind.strip()))
    return faults


def coverage_faults(leaves: Mapping[str, MultiPolygon], outline: Any | None = None) -> list[AreaFault]:
    """Overlaps and gaps of valid leaves (WGS84 degrees), and what sticks out of `outline` where there is one.

    Without an outline every hole within the union is a gap: an enclave can only be told from a missing cell
    by the outline. An empty list means an exact coverage.
    """
    codes = list(leaves)
    shapes = np.array(list(leaves.values()), dtype=object)
    exact = bool(shapely.coverage_is_valid(shapes))
    faults = [] if exact else _overlaps(codes, shapes)
    union = shapely.coverage_union_all(shapes) if exact else shapely.union_all(shapes)
    if outline is None:
        faults += [_fault("gap", (), hole) for hole in _holes(union)]
    else:
        faults += [_fault("gap", (), part) for part in _polygons(shapely.difference(outline, union))]
        faults += [
            _fault("outside_outline", (), part) for part in _polygons(shapely.difference(union, outline))
        ]
    if not exact and not faults:
        faults.append(_fault("edges_differ", (), union))
    return faults


def union_of(shapes: Sequence[Any]) -> MultiPolygon:
    """The union of valid areas as a multi-polygon."""
    whole = shapely.union_all(np.array(shapes, dtype=object))
    return MultiPolygon(_polygons(whole))


def _overlaps(codes: Sequence[str], shapes: Any) -> list[AreaFault]:
    first, second = STRtree(shapes).query(shapes, predicate="intersects")
    pairs = first < second
    common = shapely.intersection(shapes[first[pairs]], shapes[second[pairs]])
    faults = []
    for one, other, shape in zip(first[pairs], second[pairs], common, strict=True):
        parts = _polygons(shape)
        if parts:
            faults.append(_fault("overlap", tuple(sorted((codes[one], codes[other]))), MultiPolygon(parts)))
    return sorted(faults, key=lambda fault: -fault.size_m2)


def _holes(shape: Any) -> list[Polygon]:
    return [Polygon(ring) for part in _polygons(shape) for ring in part.interiors]


def _polygons(shape: Any) -> list[Polygon]:
    return [part for part in shapely.get_parts(shape) if isinstance(part, Polygon) and part.area > 0]


def _fault(code: str, areas: tuple[str, ...], shape: Any) -> AreaFault:
    lon, lat = _middle(shape)
    return AreaFault(code, areas, area_m2(shape), lon, lat)


def _middle(shape: Any) -> tuple[float, float]:
    x, y = shapely.get_coordinates(shape)[0]
    point = shapely.point_on_surface(shape) if shapely.is_valid(shape) else None
    return (float(x), float(y)) if point is None or point.is_empty else (point.x, point.y)


def _point_in(text: str) -> tuple[float, float] | None:
    numbers = text.rstrip("]").split()
    return (float(numbers[0]), float(numbers[1])) if len(numbers) == 2 else None
