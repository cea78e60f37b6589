"""The figures beside a surface: how such forecasts did, hours, weeks, kinds of areas. Plain numbers, ready for JSON."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np

from gridmap.domain.risk_rules import Horizon
from gridmap.errors import GridmapError
from gridmap.risk.backtest import TypeReport, backtest
from gridmap.risk.calendar import Calendar
from gridmap.risk.events import Events
from gridmap.risk.forecast import Forecast
from gridmap.risk.models import SIMPLE_MODELS
from gridmap.risk.scoring import AREA_SHARES
from gridmap.services.risk.ground import RURAL, URBAN, RunGround
from gridmap.services.risk.results import LevelList

_WEEKS_SHOWN = 53


def scores_of(
    ground: RunGround,
    mine: Events,
    horizon: Horizon,
    origin: float,
    calendar: Calendar,
    tell: Callable[[], None],
) -> dict[str, Any]:
    """How each model did in the rolling backtest, on windows of this very length."""
    try:
        # The calendar reaches beyond the origin, and holidays are known ahead: nothing leaks by it.
        report = backtest(
            ground.grid, mine, horizon.days, end_d=origin, areas=ground.levels[0].areas, calendar=calendar,
            use_found=False, tell=lambda _type, _done, _of: tell(),
        ).all  # fmt: skip
    except GridmapError as error:
        return {"refused": {"code": error.code, "params": error.params}}
    return {
        "origins": len(report.origins_d),
        "events": report.events,
        "chosen": report.chosen,
        "models": {model: _score(report, model) for model in report.models},
        "best_simple": max(
            (model for model in report.models if model in SIMPLE_MODELS),
            key=lambda model: report.score_of(model).log_score,
            default=None,
        ),
    }


def _score(report: TypeReport, model: str) -> dict[str, Any]:
    score = report.score_of(model)
    shares = [f"{share:g}" for share in AREA_SHARES]
    return {
        "log_score": rounded(score.log_score),
        "log_error": rounded(score.log_error),
        "coverage90": rounded(score.coverage90),
        **{
            name: {share: rounded(value) for share, value in zip(shares, values.tolist(), strict=True)}
            for name, values in (
                ("hit", score.hit),
                ("hit_error", score.hit_error),
                ("pai", score.pai),
                ("pei", score.pei),
            )
        },
    }


def rounded(value: float) -> float | None:
    """Four digits; None for what is no number, which JSON does not know."""
    return round(float(value), 4) if np.isfinite(value) else None


def figures_of(
    ground: RunGround, found: Forecast, mine: Events, listed: LevelList, origin: float
) -> dict[str, Any]:
    """What the page shows of a group as a whole; `listed` is the first level's list."""
    weeks = np.floor((origin - mine.occurred_d) / 7.0).astype(np.int64)
    fitted = ~mine.found
    count = np.bincount(weeks[fitted & (weeks >= 0)], minlength=_WEEKS_SHOWN)[:_WEEKS_SHOWN]
    known_weeks = int(weeks.max(initial=0)) + 1
    level = found.level
    hours = found.hours
    return {
        "days": [round(float(value), 3) for value in found.days],
        "hours": [round(float(value), 5) for value in hours.shares],
        "hours_rows": hours.rows,
        "hours_left_out": {
            "coarse": hours.coarse, "default_time": hours.default_time, "too_long": hours.too_long,
        },
        # Latest first here would be read backwards: oldest first, the last one the week before the origin.
        "weeks": [int(value) for value in count[: min(known_weeks, _WEEKS_SHOWN)][::-1]],
        "fitted": found.fitted,
        "found_left_out": found.found_left_out,
        "found_share": round(float(mine.found.mean()), 4) if len(mine) else 0.0,
        "outside": found.outside,
        "per_day": round(level.per_day, 3),
        "long_per_day": round(level.long_per_day, 3),
        "kinds_of_days": {one.name: round(one.times, 3) for one in level.kinds},
        "known_share": [round(float(value), 3) for value in level.known_share[:14]],
        "changes": [
            {
                "kind": one.kind,
                "key": (mine.classes if one.kind == "class" else mine.channels)[one.index],
                "on": (date(1970, 1, 1) + timedelta(days=int(one.day_d))).isoformat(),
                "before_per_week": round(one.before_per_week, 1),
                "after_per_week": round(one.after_per_week, 1),
            }
            for one in found.changes
        ],
        "kinds_of_areas": _by_kind(listed),
        "area_km2": round(ground.grid.area_km2, 1),
    }  # fmt: skip


def _by_kind(listed: LevelList) -> dict[str, dict[str, float]]:
    """Sums over urban and over rural areas of the first level."""
    place = {row.code: row for row in listed.level.rows}
    km2 = dict(zip(listed.level.areas.codes, listed.level.areas.km2.tolist(), strict=True))
    sums: dict[str, dict[str, float]] = {}
    for kind in (URBAN, RURAL, None):
        rows = [row for row in listed.rows if place[row.code].urban_rural == kind]
        if not rows:
            continue
        known = sum(row.known for row in rows)
        sums[kind or "unknown"] = {
            "areas": len(rows),
            "km2": round(sum(km2[row.code] for row in rows), 1),
            "expected": round(sum(row.expected for row in rows), 2),
            "known": known,
            "found_share": round(sum(row.known * row.found_share for row in rows) / max(known, 1), 4),
        }
    return sums
