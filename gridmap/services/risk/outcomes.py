"""What came, beside what was forecast: counted once the horizon is over, and kept with the run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import bindparam, text, update

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.tables import RiskArea, RiskRun, RiskSurface
from gridmap.domain.metric import LocalMetric
from gridmap.domain.risk_rules import RiskRules
from gridmap.risk.arrays import Floats
from gridmap.risk.events import Events
from gridmap.risk.grid import Grid
from gridmap.risk.scoring import AREA_SHARES, score_window
from gridmap.risk.surface import smooth
from gridmap.services.risk.compute import of_group
from gridmap.services.risk.events import read_window
from gridmap.services.risk.ground import RunGround, read_ground
from gridmap.services.risk.pictures import Step, draw
from gridmap.services.risk.reading import Raster, get_run, read_raster
from gridmap.services.risk.release import SETTLED_D, period_of, release
from gridmap.services.transaction import Tx, system_transaction

_SMOOTHED_M = 300.0
# Some incidents are entered days later: the count is taken after so long, and is what was known then.
SETTLED_AFTER_DAYS = SETTLED_D

_ENDED = text(
    "select r.id from risk_run r where r.made_at is not null and r.outcome_at is null"
    " and r.origin_on + r.horizon_days + :settle <= :today order by r.origin_on limit :most"
)


def close_ended(
    database: Database, clock: Clock, metric: LocalMetric, rules: RiskRules, *, most: int = 20
) -> list[UUID]:
    """Count what came for runs whose horizon is over. Returns their ids."""
    with system_transaction(database, clock) as tx:
        today = tx.now.astimezone(tx.zone).date()
        ended = tx.session.scalars(_ENDED, {"settle": SETTLED_AFTER_DAYS, "today": today, "most": most}).all()
    for run_id in ended:
        close(database, clock, metric, rules, run_id)
    return list(ended)


def close(database: Database, clock: Clock, metric: LocalMetric, rules: RiskRules, run_id: UUID) -> None:
    """Count what came in one run's horizon, and score it."""
    with system_transaction(database, clock) as tx:
        run = get_run(tx, run_id)
        ground = read_ground(tx, run.area_code, rules, metric)
        end = run.origin_on + timedelta(days=run.horizon_days)
        came = read_window(tx, ground, rules, run.origin_on, end)
        # What patrols found stays out of what is forecast, and so out of what it is held against.
        came = came.take(~came.found)
        groups = _groups(tx, run_id)
        rasters = {key: read_raster(tx, run_id, key) for key, legend in groups if legend is not None}
    for key, legend in groups:
        mine = of_group(came, rules.group(key))
        values = _outcome(ground, mine, rasters.get(key), legend, run.horizon_days)
        with system_transaction(database, clock) as tx:
            tx.session.execute(
                update(RiskSurface)
                .where(RiskSurface.run_id == run_id, RiskSurface.class_group == key)
                .values(**values)
            )
            _write_counts(tx, run_id, key, ground, mine)
    horizon = period_of(run.origin_on, run.horizon_days)
    if horizon is not None:
        release(database, clock, ground.area.path, horizon, rules)
    with system_transaction(database, clock) as tx:
        tx.session.execute(update(RiskRun).where(RiskRun.id == run_id).values(outcome_at=tx.now))


def _groups(tx: Tx, run_id: UUID) -> list[tuple[str, list[dict[str, Any]] | None]]:
    rows = tx.session.execute(
        text("select class_group, legend from risk_surface where run_id = :run order by 1"), {"run": run_id}
    )
    return [(row.class_group, row.legend) for row in rows]


def _outcome(
    ground: RunGround, mine: Events, raster: Raster | None, legend: list[dict[str, Any]] | None, days: int
) -> dict[str, Any]:
    if raster is None or legend is None:
        return {"came": len(mine)}
    rows, columns = raster.per_km2_week.shape
    # The borders may have moved since: the run's own cells are scored, not today's.
    grid = Grid(
        raster.west_m,
        raster.south_m,
        raster.cell_m,
        np.isfinite(raster.per_km2_week).astype(float),
        raster.crs,
    )
    cell = grid.cell_of(mine.x_m, mine.y_m)
    counts = np.bincount(cell[cell >= 0], minlength=rows * columns).astype(float)
    expected = np.nan_to_num(raster.per_km2_week).ravel() * grid.cell_km2.ravel()
    values: dict[str, Any] = {"came": len(mine)}
    if counts.sum() and expected.sum() > 0:
        score = score_window(expected / expected.sum(), counts, grid.cell_km2.ravel())
        values["came_scores"] = {
            "hit": _shares(score.hit / score.events),
            "best": _shares(score.best / score.events),
            "log_score": round(score.log_sum / score.events, 4),
        }
    drawn = smooth(grid, mine.x_m, mine.y_m, max(_SMOOTHED_M, raster.cell_m)) * (1e6 * 7.0 / days)
    steps = tuple(Step(one["from"], one["to"], one["color"]) for one in legend)
    values["came_png"] = draw(grid, ground.metric, np.where(grid.inside > 0, drawn, np.nan), steps).png
    return values


def _shares(values: Floats) -> dict[str, float]:
    return {f"{share:g}": round(float(one), 4) for share, one in zip(AREA_SHARES, values, strict=True)}


def _write_counts(tx: Tx, run_id: UUID, group: str, ground: RunGround, mine: Events) -> None:
    counts = []
    for level in ground.levels:
        where = level.areas.locate(mine.x_m, mine.y_m)
        found = np.bincount(where[where >= 0], minlength=len(level.rows))
        counts += [{"at": row.id, "n": int(n)} for row, n in zip(level.rows, found.tolist(), strict=True)]
    table = RiskArea.__table__
    statement = (
        update(table)  # type: ignore[arg-type]
        .where(table.c.run_id == run_id, table.c.class_group == group, table.c.area_id == bindparam("at"))
        .values(came=bindparam("n"))
    )
    tx.session.connection().execute(statement, counts)
