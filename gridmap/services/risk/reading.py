"""What screens and files read of risk runs, in the scope of whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import text

from gridmap.errors import NotFound
from gridmap.risk.arrays import Bools, Floats
from gridmap.services.risk.pictures import unpacked
from gridmap.services.transaction import Tx

MOST_RUNS = 200
FORECAST = "forecast"
_PICTURES = {FORECAST: "png", "weighted": "weighted_png", "came": "came_png"}


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run as lists tell it."""

    id: UUID
    area_id: int
    area_code: str
    area_name: str
    horizon: str
    origin_on: date
    horizon_days: int
    looks_back: bool
    made_at: datetime
    seconds: float
    author: str
    purpose: str
    params: dict[str, Any]
    snapshot: dict[str, Any]
    outcome_at: datetime | None
    is_part: bool = False
    """Only the part inside the reader's grants is told: see `parts`."""


@dataclass(frozen=True, slots=True)
class SurfaceLine:
    """What a run says of a class group as a whole; the raster itself is read by `read_raster` and `read_png`."""

    run_id: UUID
    class_group: str
    refused: dict[str, Any] | None
    bounds: list[float] | None
    legend: list[dict[str, Any]] | None
    model: str | None
    scores: dict[str, Any] | None
    expected: float | None
    low: float | None
    high: float | None
    figures: dict[str, Any]
    hotspots: dict[str, Any] | None
    warnings: list[dict[str, Any]]
    came: int | None
    came_scores: dict[str, Any] | None
    has_came_picture: bool


@dataclass(frozen=True, slots=True)
class AreaLine:
    """One line of the risk list; `lon`, `lat` a point inside the area, `bbox` west, south, east, north.

    `rate` is expected incidents per 1,000 of `exposure` within the horizon, `rate_ratio` over the level's mean rate;
    both None where the exposure is not known or too small. For the rest see `tables.risk.RiskArea`.
    """

    area_id: int
    code: str
    name: str
    level: str
    parent: str | None
    urban_rural: str | None
    lon: float
    lat: float
    bbox: list[float]
    expected: float
    low: float
    high: float
    per_km2_week: float
    rank: int
    rank_low: int
    rank_high: int
    density_rank: int
    risk_level: str
    recent: int
    recent_expected: float
    trend_ratio: float
    trend_q: float
    trend_real: bool
    top_hours: list[int]
    top_classes: list[dict[str, Any]]
    known: int
    found_share: float
    hazards: int
    cameras: int
    patrol_routes: int
    reasons: list[dict[str, Any]]
    came: int | None
    weighted: float | None
    exposure: float | None
    camera_cover: float | None
    route_cover: float | None
    walked: float | None
    patrol: str | None
    rate: float | None = None
    rate_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class JobLine:
    """A run that waits, is being made, or failed of late."""

    id: UUID
    area_name: str
    horizon: str
    origin_on: date
    status: str
    asked_at: datetime
    attempts: int
    error: dict[str, Any] | None


@dataclass(frozen=True)
class Raster:
    """`per_km2_week` (rows, columns), row 0 southernmost, NaN outside; `shown` where it may leave the centre."""

    per_km2_week: Floats
    shown: Bools
    west_m: float
    south_m: float
    cell_m: float
    crs: str


_RUN = """
    select r.id, r.area_id, a.code as area_code, coalesce(v.name, a.code) as area_name, r.horizon, r.origin_on,
           r.horizon_days, r.looks_back, r.made_at, r.seconds, r.author_name as author, r.purpose, r.params,
           r.snapshot, r.outcome_at
    from risk_run r join area a on a.id = r.area_id
    left join area_version v on v.area_id = r.area_id and v.valid @> cast(:now as timestamptz)
    where r.made_at is not null
"""
_SURFACE = text(
    "select s.run_id, s.class_group, s.refused, s.bounds, s.legend, s.model, s.scores, s.expected, s.low, s.high,"
    " s.figures, s.hotspots, s.warnings, s.came, s.came_scores, s.came_png is not null as has_came_picture"
    " from risk_surface s where s.run_id = :run and s.class_group = :group"
)
_LINES = """
    select l.area_id, a.code, v.name, l.level, p.name as parent, l.urban_rural,
           st_x(st_pointonsurface(v.geom)) as lon, st_y(st_pointonsurface(v.geom)) as lat,
           array[st_xmin(v.geom), st_ymin(v.geom), st_xmax(v.geom), st_ymax(v.geom)] as bbox,
           l.expected, l.low, l.high, l.per_km2_week, l.rank, l.rank_low, l.rank_high, l.density_rank, l.risk_level,
           l.recent, l.recent_expected, l.trend_ratio, l.trend_q, l.trend_real, l.top_hours, l.top_classes, l.known,
           l.found_share, l.hazards, l.cameras, l.patrol_routes, l.reasons, l.came,
           l.weighted, l.exposure, l.camera_cover, l.route_cover, l.walked, l.patrol,
           (r.params -> 'exposure' ->> 'least')::float8 as least
    from {runs} r
    join risk_area l on l.run_id = r.id
    join area a on a.id = l.area_id
    join area_version v on v.area_id = l.area_id and v.valid @> r.made_at
    left join area_version p on p.area_id = v.parent_id and p.valid @> r.made_at
    where r.id = :run and r.made_at is not null and l.class_group = :group and l.level = :level
    order by l.rank
    """
_OUTLINES = """
    select l.area_id, a.code, v.name, l.risk_level, l.expected, l.rank,
           st_asgeojson(st_simplifypreservetopology(v.geom, 0.00003), 6)::jsonb as outline
    from {runs} r
    join risk_area l on l.run_id = r.id
    join area a on a.id = l.area_id
    join area_version v on v.area_id = l.area_id and v.valid @> r.made_at
    where r.id = :run and r.made_at is not null and l.class_group = :group and l.level = :level order by l.rank
    """
_WHOLE, _PART = "risk_run", "risk_runs_above()"
_JOBS = text(
    "select j.id, coalesce(v.name, a.code) as area_name, j.horizon, j.origin_on, j.status, j.asked_at, j.attempts,"
    " j.error from risk_job j join area a on a.id = j.area_id"
    " left join area_version v on v.area_id = j.area_id and v.valid @> cast(:now as timestamptz)"
    " where j.status in ('waiting', 'running') or (j.status = 'failed' and j.ended_at > :since)"
    " order by j.asked_at desc, j.id limit 50"
)


def list_runs(
    tx: Tx, *, area_id: int | None = None, horizon: str | None = None, limit: int = MOST_RUNS
) -> list[RunLine]:
    """Runs in sight, the newest origin first; of one origin the one made last first."""
    where = " and (cast(:area as int) is null or r.area_id = :area)"
    where += " and (cast(:horizon as text) is null or r.horizon = :horizon)"
    rows = tx.session.execute(
        text(_RUN + where + " order by r.origin_on desc, r.made_at desc, r.id limit :limit"),
        {"now": tx.now, "area": area_id, "horizon": horizon, "limit": limit},
    )
    return [RunLine(*row) for row in rows]


def get_run(tx: Tx, run_id: UUID) -> RunLine:
    """Raises NotFound("risk_run_not_found")."""
    row = tx.session.execute(text(_RUN + " and r.id = :id"), {"now": tx.now, "id": run_id}).one_or_none()
    if row is None:
        raise NotFound("risk_run_not_found")
    return RunLine(*row)


def get_surface(tx: Tx, run_id: UUID, group: str) -> SurfaceLine:
    """Raises NotFound("risk_run_not_found")."""
    get_run(tx, run_id)
    row = tx.session.execute(_SURFACE, {"run": run_id, "group": group}).one_or_none()
    if row is None:
        raise NotFound("risk_group_not_in_run", group=group)
    return SurfaceLine(*row)


def list_areas(tx: Tx, run_id: UUID, group: str, level: str, *, is_part: bool = False) -> list[AreaLine]:
    """The risk list, highest expected count first; empty where the run has no forecast for the group.

    `is_part`: of a run that reaches beyond the actor's sight, the lines inside it; without the level's mean rate, which
    is of the whole.
    """
    statement = text(_LINES.format(runs=_PART if is_part else _WHOLE))
    rows = tx.session.execute(statement, {"run": run_id, "group": group, "level": level}).all()
    lines = [AreaLine(*row[:-1]) for row in rows]
    least = rows[0].least if rows else None
    return lines if least is None else _with_rates(lines, float(least), is_part=is_part)


def _with_rates(lines: list[AreaLine], least: float, *, is_part: bool) -> list[AreaLine]:
    counted = [one for one in lines if (one.exposure or 0.0) >= least]
    exposed = sum(one.exposure or 0.0 for one in counted)
    mean = 0.0 if is_part or not exposed else sum(one.expected for one in counted) / exposed

    def rated(one: AreaLine) -> AreaLine:
        if one.exposure is None or one.exposure < least:
            return one
        rate = one.expected / one.exposure
        return replace(one, rate=round(1_000 * rate, 4), rate_ratio=round(rate / mean, 3) if mean else None)

    return [rated(one) for one in lines]


def outlines(tx: Tx, run_id: UUID, group: str, level: str, *, is_part: bool = False) -> dict[str, Any]:
    """The areas of the list as GeoJSON with their colour's key, for a choropleth; `is_part` as for the list."""
    statement = text(_OUTLINES.format(runs=_PART if is_part else _WHOLE))
    rows = tx.session.execute(statement, {"run": run_id, "group": group, "level": level})
    features = [
        {
            "type": "Feature",
            "id": row.area_id,
            "geometry": row.outline,
            "properties": {
                "area_id": row.area_id, "code": row.code, "name": row.name, "risk_level": row.risk_level,
                "expected": row.expected, "rank": row.rank,
            },
        }
        for row in rows
    ]  # fmt: skip
    return {"type": "FeatureCollection", "features": features}


def list_jobs(tx: Tx, since: datetime) -> list[JobLine]:
    """What waits or runs, and what failed since then; the newest first."""
    return [JobLine(*row) for row in tx.session.execute(_JOBS, {"now": tx.now, "since": since})]


def read_png(tx: Tx, run_id: UUID, group: str, which: str = FORECAST) -> bytes:
    """The heat picture: "forecast", "weighted" by severity, or "came". Raises NotFound("risk_picture_not_found")."""
    get_run(tx, run_id)
    column = _PICTURES.get(which)
    found = column and tx.session.scalar(
        text(f"select {column} from risk_surface where run_id = :run and class_group = :group"),
        {"run": run_id, "group": group},
    )
    if not found:
        raise NotFound("risk_picture_not_found")
    return bytes(found)


def read_raster(tx: Tx, run_id: UUID, group: str, *, weighted: bool = False) -> Raster:
    """The surface itself, or that by severity. Raises NotFound("risk_picture_not_found")."""
    get_run(tx, run_id)
    row = tx.session.execute(
        text(
            f"select grid, {'weighted' if weighted else 'cells'} as cells, shown"
            " from risk_surface where run_id = :run and class_group = :group"
        ),
        {"run": run_id, "group": group},
    ).one_or_none()
    if row is None or row.cells is None:
        raise NotFound("risk_picture_not_found")
    shape = int(row.grid["rows"]), int(row.grid["columns"])
    return Raster(
        np.asarray(unpacked(bytes(row.cells), *shape), dtype=float),
        np.asarray(unpacked(bytes(row.shown), *shape, kind="u1"), dtype=bool),
        float(row.grid["west_m"]),
        float(row.grid["south_m"]),
        float(row.grid["cell_m"]),
        str(row.grid["crs"]),
    )


def past_runs(tx: Tx, run: RunLine, most: int = 60) -> list[RunLine]:
    """Runs of the same area and horizon, one an origin (the one made last), oldest first."""
    rows = list_runs(tx, area_id=run.area_id, horizon=run.horizon)
    newest: dict[date, RunLine] = {}
    for row in rows:
        newest.setdefault(row.origin_on, row)
    return list(_oldest_first(list(newest.values())))[-most:]


def _oldest_first(rows: Sequence[RunLine]) -> list[RunLine]:
    return sorted(rows, key=lambda row: row.origin_on)
