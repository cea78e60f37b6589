"""What may leave the centre: a run's list and surface with small numbers kept back, and who made the file, what for,
and until when it is good. No product of this module holds a point record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import text

from gridmap.domain.risk_rules import ALL, risk_rules
from gridmap.errors import Invalid
from gridmap.risk.arrays import Floats
from gridmap.risk.suppress import suppress, table_of_levels
from gridmap.services.auditing import audit
from gridmap.services.risk.reading import (
    AreaLine,
    Raster,
    RunLine,
    SurfaceLine,
    get_run,
    get_surface,
    list_areas,
    outlines,
    read_png,
    read_raster,
)
from gridmap.services.transaction import Tx

LEVELS_OUT = ("township", "community")
"""Finer than these nothing is listed outside: a grid of some hundred homes has too few incidents to be told."""
MOST_DAYS = 366
_KNOWN = text(
    "select l.area_id, l.class_group, l.level, l.known, l.recent, l.came, l.scope_path::text as path"
    " from risk_area l where l.run_id = :run and l.level = any(:levels) order by l.level, l.area_id"
)
_COUNTS = ("known", "recent", "came")


@dataclass(frozen=True, slots=True)
class Imprint:
    """What every file says of itself."""

    author: str
    purpose: str
    made_at: datetime
    expires_on: str


@dataclass(frozen=True, slots=True)
class OutLine:
    """A line of the list as it may be told. Figures that were kept back are None."""

    line: AreaLine
    known: int | None
    recent: int | None
    came: int | None
    expected: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Product:
    """One class group of one run for outside. `lists` by level; `surface` per km2 and week, NaN where kept back."""

    run: RunLine
    group: str
    surface: SurfaceLine
    raster: Raster
    surface_out: Floats
    lists: dict[str, tuple[OutLine, ...]]
    outlines: dict[str, dict[str, Any]]
    imprint: Imprint
    kept_back: int


def make_product(tx: Tx, run_id: UUID, group: str, *, purpose: str, days: int, author: str) -> Product:
    """Read what a file may tell, and record who takes it out.

    Raises NotFound as the reading functions do; Invalid("risk_purpose_missing"), Invalid("risk_days_valid");
    Invalid with the run's own code where the group has no forecast.
    """
    if not purpose.strip():
        raise Invalid("risk_purpose_missing")
    if not 1 <= days <= MOST_DAYS:
        raise Invalid("risk_days_valid", most=MOST_DAYS)
    run = get_run(tx, run_id)
    surface = get_surface(tx, run_id, group)
    if surface.refused is not None:
        raise Invalid(surface.refused["code"], **surface.refused["params"])
    raster = read_raster(tx, run_id, group)
    allowed = _allowed(tx, run_id)
    levels = [level for level in LEVELS_OUT if level in run.params["levels"]]
    lists = {
        level: tuple(_out(line, group, allowed) for line in list_areas(tx, run_id, group, level))
        for level in levels
    }
    audit(tx, "risk.export", "risk_run", str(run_id), reason=purpose, group=group)
    made = tx.now.astimezone(tx.zone)
    return Product(
        run=run,
        group=group,
        surface=surface,
        raster=raster,
        surface_out=np.where(raster.shown, raster.per_km2_week, np.nan),
        lists=lists,
        outlines={level: outlines(tx, run_id, group, level) for level in levels},
        imprint=Imprint(author, purpose.strip(), made, (made + timedelta(days=days)).date().isoformat()),
        kept_back=sum(row.expected is None for rows in lists.values() for row in rows),
    )


def _out(line: AreaLine, group: str, allowed: set[tuple[str, int, str]]) -> OutLine:
    def told(name: str) -> bool:
        return (name, line.area_id, group) in allowed

    # Expected counts follow from the past: where the past is kept back, so are they, and every reason that counts.
    shown = told("known")
    return OutLine(
        line=line if shown else replace(line, reasons=[], top_classes=[], top_hours=[], trend_real=False),
        known=line.known if shown else None,
        recent=line.recent if shown and told("recent") else None,
        came=line.came if told("came") else None,
        expected=line.expected if shown else None,
        low=line.low if shown else None,
        high=line.high if shown else None,
    )


def _allowed(tx: Tx, run_id: UUID) -> set[tuple[str, int, str]]:
    """(count, area, class group) that may be told, over all groups and levels of the run together.

    Each group's file is read beside those of the other groups and levels, so one table decides for all.
    """
    rows = tx.session.execute(_KNOWN, {"run": run_id, "levels": list(LEVELS_OUT)}).all()
    groups = [one.key for one in risk_rules().groups if one.key != ALL]
    areas = sorted({(row.path.count("."), row.path, row.area_id) for row in rows})
    place = {area_id: number for number, (_, _, area_id) in enumerate(areas)}
    column = {group: number for number, group in enumerate(groups)}
    parents = [_parent(path, place) for _, path, _ in areas]
    allowed: set[tuple[str, int, str]] = set()
    for name in _COUNTS:
        counts = np.zeros((len(areas), len(groups)), dtype=np.int64)
        for row in rows:
            if row.class_group in column:
                counts[place[row.area_id], column[row.class_group]] = getattr(row, name) or 0
        allowed |= _of_table(name, counts, parents, [area_id for _, _, area_id in areas], groups)
    return allowed


def _parent(path: str, place: dict[int, int]) -> int:
    above = path.rsplit(".", 1)[0]
    return place.get(int(above.rsplit(".", 1)[-1]), -1) if "." in path else -1


def _of_table(
    name: str, counts: Any, parents: Sequence[int], area_ids: Sequence[int], groups: Sequence[str]
) -> set[tuple[str, int, str]]:
    # A point on a shared border counts in one of two areas: the sums must hold, so parents are told as their
    # children's sum.
    for child in range(len(parents) - 1, -1, -1):
        rows = [other for other, above in enumerate(parents) if above == child]
        if rows:
            counts[child] = counts[rows].sum(axis=0)
    shown = suppress(table_of_levels(counts, parents)).reshape(len(area_ids), len(groups) + 1)
    keys = [*groups, ALL]
    return {(name, area_ids[area], keys[at]) for area, at in zip(*np.nonzero(shown), strict=True)}


def picture(tx: Tx, run_id: UUID, group: str) -> bytes:
    """The heat picture as the run drew it."""
    return read_png(tx, run_id, group)
