"""What may leave the centre: a run's list and surface with small numbers kept back, and who made the file, what for,
and until when it is good. No product of this module holds a point record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import text

from gridmap.domain.risk_rules import risk_rules
from gridmap.errors import Invalid
from gridmap.risk.arrays import Floats
from gridmap.risk.suppress import LEAST
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
    read_raster,
)
from gridmap.services.risk.release import (
    LEVELS_OUT,
    Period,
    Place,
    decide,
    last_period,
    period_of,
    read_released,
)
from gridmap.services.transaction import Tx

MOST_DAYS = 366
DIGITS = 2
_KNOWN = text(
    "select l.area_id, l.class_group, l.known, l.scope_path::text as path"
    " from risk_area l where l.run_id = :run and l.level = any(:levels) order by l.area_id"
)


@dataclass(frozen=True, slots=True)
class Imprint:
    """What every file says of itself."""

    author: str
    purpose: str
    made_at: datetime
    expires_on: str


@dataclass(frozen=True, slots=True)
class OutLine:
    """A line of the list as it may be told. Figures that were kept back are None; those of the model have two digits.

    `recent` is the count of the product's `period`, `came` of its horizon where that is a period itself. `rate` is per
    1,000 of `exposure`, `rate_ratio` over the level's mean rate; `many_hazards` tells whether five or more are open.
    """

    line: AreaLine
    recent: int | None
    came: int | None
    expected: float | None
    low: float | None
    high: float | None
    per_km2_week: float | None
    weighted: float | None
    exposure: float | None
    rate: float | None
    rate_ratio: float | None
    many_hazards: bool


@dataclass(frozen=True)
class Product:
    """One class group of one run for outside. `lists` by level; `surface_out` per km2 and week, NaN where kept back.

    `period`: the four weeks whose counts are told; `counts_horizon` whether the horizon is a period, so that `came`
    may be told. `weighted`: the surface and its picture are of incidents of average severity.
    """

    run: RunLine
    group: str
    surface: SurfaceLine
    raster: Raster
    surface_out: Floats
    lists: dict[str, tuple[OutLine, ...]]
    outlines: dict[str, dict[str, Any]]
    imprint: Imprint
    kept_back: int
    period: Period
    counts_horizon: bool
    weighted: bool = False


def make_product(
    tx: Tx, run_id: UUID, group: str, *, purpose: str, days: int, author: str, weighted: bool = False
) -> Product:
    """Read what a file may tell, and record who takes it out. `weighted`: the surface by severity.

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
    raster = read_raster(tx, run_id, group, weighted=weighted)
    allowed = _allowed(tx, run_id)
    levels = [level for level in LEVELS_OUT if level in run.params["levels"]]
    period = last_period(run.origin_on)
    horizon = period_of(run.origin_on, run.horizon_days)
    recent, came = read_released(tx, period, group), read_released(tx, horizon, group)
    lists = {
        level: tuple(
            _out(line, (line.area_id, group) in allowed, recent.get(line.area_id), came.get(line.area_id))
            for line in list_areas(tx, run_id, group, level)
        )
        for level in levels
    }
    audit(tx, "risk.export", "risk_run", str(run_id), reason=purpose, group=group)
    made = tx.now.astimezone(tx.zone)
    return Product(
        run=run,
        group=group,
        surface=surface,
        raster=raster,
        surface_out=np.where(raster.shown, _two_digits(raster.per_km2_week), np.nan),
        lists=lists,
        outlines={level: outlines(tx, run_id, group, level) for level in levels},
        imprint=Imprint(author, purpose.strip(), made, (made + timedelta(days=days)).date().isoformat()),
        kept_back=sum(row.expected is None for rows in lists.values() for row in rows),
        period=period,
        counts_horizon=horizon is not None,
        weighted=weighted,
    )


def _out(line: AreaLine, shown: bool, recent: int | None, came: int | None) -> OutLine:
    # Expected counts follow from the past: where the past is kept back, so are they, and every reason that counts.
    kept = replace(line, reasons=[_without_counts(one) for one in line.reasons])
    if not shown:
        kept = replace(line, reasons=[], top_classes=[], top_hours=[], trend_real=False)
    return OutLine(
        line=kept,
        recent=recent,
        came=came,
        expected=told(line.expected) if shown else None,
        low=told(line.low) if shown else None,
        high=told(line.high) if shown else None,
        per_km2_week=told(line.per_km2_week) if shown else None,
        weighted=told(line.weighted) if shown else None,
        exposure=line.exposure,
        rate=told(line.rate) if shown else None,
        rate_ratio=told(line.rate_ratio) if shown else None,
        many_hazards=line.hazards >= LEAST,
    )


def _two_digits(values: Floats) -> Floats:
    """As `told`, of an array."""
    size = np.floor(np.log10(np.where(values > 0, values, 1.0)))
    step = 10.0 ** (size - (DIGITS - 1))
    return np.asarray(np.round(values / step) * step)


def _without_counts(reason: dict[str, Any]) -> dict[str, Any]:
    """A reason without counts of spans that are no period of `release`, and without a stock that changes by the day."""
    if reason["code"] in ("rising", "falling"):
        return {"code": f"{reason['code']}_plain", "params": {}}
    if reason["code"] == "hazards":
        return {"code": "many_hazards" if reason["params"]["count"] >= LEAST else "", "params": {}}
    return reason


def told(value: float | None) -> float | None:
    """A figure of the model as a file tells it: two digits. More would let two files tell a single incident apart."""
    if value is None or not np.isfinite(value) or value == 0:
        return value
    return float(f"{value:.{DIGITS - 1}e}")


def _allowed(tx: Tx, run_id: UUID) -> set[tuple[int, str]]:
    """(area, class group) with a past of which enough is known, over all groups and levels of the run together."""
    rows = tx.session.execute(_KNOWN, {"run": run_id, "levels": list(LEVELS_OUT)}).all()
    places = {row.area_id: Place(row.area_id, row.path) for row in rows}
    counts = {(row.area_id, row.class_group): row.known for row in rows}
    decided = decide(counts, list(places.values()), risk_rules().groups)
    return {cell for cell, value in decided.items() if value is not None}
