"""Keeping a run: many short transactions, and the run is seen only when its last line is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.tables import RiskArea, RiskJob, RiskRun, RiskSurface
from gridmap.domain.ids import new_id
from gridmap.domain.risk_rules import Horizon, RiskRules
from gridmap.services.outbox import publish
from gridmap.services.risk.beside import Beside
from gridmap.services.risk.events import Snapshot
from gridmap.services.risk.ground import RunGround
from gridmap.services.risk.pictures import packed
from gridmap.services.risk.reasons import colour, mean_density, reasons_of
from gridmap.services.risk.results import GroupResult
from gridmap.services.transaction import system_transaction

_ROWS_A_WRITE = 300


@dataclass(frozen=True, slots=True)
class Author:
    """Who asked for a run, and what for."""

    account_id: UUID | None
    name: str
    purpose: str


def write_run(
    database: Database,
    clock: Clock,
    ground: RunGround,
    results: Sequence[GroupResult],
    snapshot: Snapshot,
    beside: Beside,
    *,
    origin_on: date,
    horizon: Horizon,
    author: Author,
    seconds: float,
    rules: RiskRules,
    job_id: UUID,
) -> UUID:
    """Write everything, then show it. Returns the run's id, which the job keeps from the first line on."""
    run_id = new_id()
    with system_transaction(database, clock) as tx:
        tx.session.add(
            RiskRun(
                id=run_id,
                area_id=ground.area.id,
                scope_path=ground.area.path,
                horizon=horizon.key,
                origin_on=origin_on,
                horizon_days=horizon.days,
                looks_back=origin_on < tx.now.astimezone(tx.zone).date(),
                made_at=None,
                seconds=round(seconds, 2),
                author_account_id=author.account_id,
                author_name=author.name,
                purpose=author.purpose,
                params={
                    "rules": rules.digest,
                    "cell_m": rules.cell_m,
                    "levels": [level.key for level in ground.levels],
                    "found_channels": list(rules.found_channels),
                    "years": rules.years,
                    "crs": ground.grid.crs,
                    "severity_weights": {str(key): one for key, one in rules.severity_weights.items()},
                    "exposure": _exposure(rules, beside),
                },
                snapshot=snapshot.as_json(),
            )
        )
        tx.session.flush()
        tx.session.execute(update(RiskJob).where(RiskJob.id == job_id).values(run_id=run_id))
    for result in results:
        with system_transaction(database, clock) as tx:
            tx.session.execute(insert(RiskSurface).values(run_id=run_id, **_surface(ground, result)))
    lines = _lines(run_id, ground, results, beside, rules, horizon)
    while batch := list(islice(lines, _ROWS_A_WRITE)):
        with system_transaction(database, clock) as tx:
            tx.session.execute(insert(RiskArea), batch)
    with system_transaction(database, clock) as tx:
        tx.session.execute(update(RiskRun).where(RiskRun.id == run_id).values(made_at=tx.now))
        publish(tx, "risk_run", {"id": str(run_id), "horizon": horizon.key}, path=ground.area.path)
    return run_id


def drop_unfinished(database: Database, clock: Clock, job_id: UUID) -> None:
    """What a worker that died had written of a job's run; nobody ever saw it."""
    with system_transaction(database, clock) as tx:
        begun = select(RiskJob.run_id).where(RiskJob.id == job_id).scalar_subquery()
        tx.session.execute(delete(RiskRun).where(RiskRun.id == begun, RiskRun.made_at.is_(None)))


def _surface(ground: RunGround, result: GroupResult) -> dict[str, Any]:
    common: dict[str, Any] = {"class_group": result.group.key, "refused": result.refused}
    if result.found is None or result.per_km2_week is None or result.picture is None or result.shown is None:
        return common
    rows, columns = ground.grid.shape
    total = result.found.total
    return common | {
        "grid": {
            "west_m": ground.grid.west_m, "south_m": ground.grid.south_m, "cell_m": ground.grid.cell_m,
            "rows": rows, "columns": columns, "crs": ground.grid.crs,
        },
        "cells": packed(result.per_km2_week),
        "shown": packed(result.shown, "u1"),
        "weighted": None if result.weighted is None else packed(result.weighted),
        "png": result.picture.png,
        "weighted_png": None if result.weighted_picture is None else result.weighted_picture.png,
        "bounds": [round(value, 7) for value in result.picture.bounds],
        "legend": [step.as_json() for step in result.legend],
        "model": result.found.choice.model,
        "scores": result.scores,
        "expected": round(float(total.expected), 3),
        "low": float(total.low),
        "high": float(total.high),
        "figures": result.figures,
        "hotspots": result.hot,
        "warnings": list(result.cautions),
    }  # fmt: skip


def _exposure(rules: RiskRules, beside: Beside) -> dict[str, Any] | None:
    """What rates are of; None where nobody counted it."""
    rule = rules.exposure
    if rule is None or not beside.exposure:
        return None
    return {"key": rule.key, "name": {"zh": rule.zh, "en": rule.en}, "least": rule.least, "file": rule.file}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _lines(
    run_id: UUID,
    ground: RunGround,
    results: Sequence[GroupResult],
    beside: Beside,
    rules: RiskRules,
    horizon: Horizon,
) -> Iterator[dict[str, Any]]:
    for result in results:
        for listed in result.lists:
            mean = mean_density(listed)
            proposed = result.patrols
            patrols = proposed.areas if proposed is not None and proposed.level == listed.level.key else {}
            place = {row.code: row for row in listed.level.rows}
            for row in listed.rows:
                area = place[row.code]
                level, ratio = colour(row, mean, rules)
                yield {
                    "run_id": run_id, "class_group": result.group.key, "area_id": area.id,
                    "scope_path": area.path, "level": listed.level.key, "urban_rural": area.urban_rural,
                    "expected": round(row.expected, 4), "low": row.low, "high": row.high,
                    "per_km2_week": round(row.per_km2 * 7.0 / horizon.days, 4),
                    "rank": row.rank, "rank_low": row.rank_low, "rank_high": row.rank_high,
                    "density_rank": row.density_rank, "risk_level": level.key,
                    "recent": row.trend.recent, "recent_expected": round(row.trend.expected, 2),
                    "trend_ratio": round(row.trend.ratio, 3), "trend_q": round(row.trend.q_value, 4),
                    "trend_real": row.trend.real, "top_hours": list(row.top_hours),
                    "top_classes": listed.top_classes.get(row.code, []), "known": row.known,
                    "found_share": round(row.found_share, 4), "hazards": beside.hazards[area.id],
                    "cameras": beside.cameras[area.id], "patrol_routes": beside.routes[area.id],
                    "weighted": _rounded(listed.weighted.get(row.code)),
                    "exposure": beside.exposure.get(area.id), "camera_cover": beside.camera_cover.get(area.id),
                    "route_cover": beside.route_cover.get(area.id), "walked": beside.walked.get(area.id),
                    "patrol": patrols.get(row.code),
                    "reasons": reasons_of(row, ratio, len(listed.rows), area.id, beside),
                }  # fmt: skip
