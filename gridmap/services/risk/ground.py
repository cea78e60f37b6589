"""The ground of a run: the area, the raster over it, and the areas of each level inside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from sqlalchemy import text

from gridmap.domain.metric import LocalMetric
from gridmap.domain.risk_rules import RiskRules
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Invalid, NotFound
from gridmap.risk.grid import Areas, Grid
from gridmap.services.transaction import Tx

URBAN, RURAL = "urban", "rural"
_CODE_DIGITS = 12

_AREA = text(
    "select a.id, a.code, v.name, a.level, v.path::text as path, st_asbinary(v.geom) as shape"
    " from area_version v join area a on a.id = v.area_id"
    " where a.code = :code and a.tree = 'admin' and v.valid @> cast(:at as timestamptz)"
)
_BELOW = text(
    "select a.id, a.code, v.name, a.level, v.path::text as path, v.props->>'urban_rural' as urban_rural,"
    " st_asbinary(v.geom) as shape"
    " from area_version v join area a on a.id = v.area_id"
    " where a.tree = 'admin' and v.path <@ cast(:path as ltree) and a.level = any(:levels)"
    " and v.valid @> cast(:at as timestamptz) order by a.code"
)
_COUNTIES = text(
    "select a.code from area_version v join area a on a.id = v.area_id"
    " where a.tree = 'admin' and a.level = 'county' and v.path <@ cast(:path as ltree)"
    " and v.valid @> cast(:at as timestamptz) order by a.code"
)


@dataclass(frozen=True, slots=True)
class RunArea:
    """The area that a run is for; `shape` in WGS84 degrees."""

    id: int
    code: str
    name: str
    level: str
    path: str
    shape: Any


@dataclass(frozen=True, slots=True)
class Listed:
    """An area of the list. `urban_rural` is "urban", "rural" or None where its code does not tell."""

    id: int
    code: str
    name: str
    path: str
    urban_rural: str | None


@dataclass(frozen=True)
class RunLevel:
    """The areas of one level over the raster; `rows` in the order of `areas`."""

    key: str
    rows: tuple[Listed, ...]
    areas: Areas


@dataclass(frozen=True)
class RunGround:
    """`grid` and `levels` are in metres of `metric`. The first level is the one intervals are calibrated on."""

    area: RunArea
    metric: LocalMetric
    grid: Grid
    levels: tuple[RunLevel, ...]


def find_area(tx: Tx, code: str, at: datetime | None = None) -> RunArea:
    """An administrative area as of `at` (else now). Raises NotFound("area_unknown")."""
    row = tx.session.execute(_AREA, {"code": code, "at": at or tx.now}).one_or_none()
    if row is None:
        raise NotFound("area_unknown", area_code=code)
    return RunArea(row.id, row.code, row.name, row.level, row.path, shapely.from_wkb(bytes(row.shape)))


def split(tx: Tx, code: str) -> list[str]:
    """The areas that are run each on its own: the counties of a province or a city, else the area itself.

    Raises NotFound("area_unknown").
    """
    area = find_area(tx, code)
    rank = {term.key: int(term.extra["rank"]) for term in vocabulary().lists["level"].values()}
    if rank[area.level] >= rank["county"]:
        return [area.code]
    return list(tx.session.scalars(_COUNTIES, {"path": area.path, "at": tx.now})) or [area.code]


def read_ground(tx: Tx, code: str, rules: RiskRules, metric: LocalMetric) -> RunGround:
    """Raises NotFound("area_unknown"), Invalid("risk_no_areas") when nothing of any level lies below."""
    area = find_area(tx, code)
    found = tx.session.execute(_BELOW, {"path": area.path, "levels": list(rules.levels), "at": tx.now}).all()
    grid = Grid.of_polygon(metric.to_plane(area.shape), rules.cell_m, f"EPSG:{metric.epsg}")
    levels = []
    for level in rules.levels:
        rows = [row for row in found if row.level == level]
        if not rows:
            continue
        shapes = metric.to_plane(np.array([shapely.from_wkb(bytes(row.shape)) for row in rows], dtype=object))
        listed = tuple(
            Listed(row.id, row.code, row.name, row.path, urban_or_rural(row.urban_rural, row.code))
            for row in rows
        )
        levels.append(
            RunLevel(level, listed, Areas.of_polygons([row.code for row in rows], list(shapes), grid))
        )
    if not levels:
        raise Invalid("risk_no_areas", area_code=code)
    return RunGround(area, metric, grid, tuple(levels))


def urban_or_rural(told: str | None, code: str) -> str | None:
    """By the statistics office's classification where the area carries it (1xx urban, 2xx rural), else by its code.

    Digits 10 to 12 of a statistical area code are 001 to 199 for residents' committees and 200 to 399 for villages'
    (the National Bureau of Statistics' rules for codes of statistical areas); grids inherit their community's.
    """
    if told in (URBAN, RURAL):
        return told
    if told and told[:1] in "12":
        return URBAN if told[0] == "1" else RURAL
    if len(code) < _CODE_DIGITS or not code.isdigit():
        return None
    number = int(code[9:12])
    if 1 <= number <= 199:
        return URBAN
    return RURAL if 200 <= number <= 399 else None
