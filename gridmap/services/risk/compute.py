"""One run, computed: for every class group the surface, the list of each level, the scores and the warnings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter

from gridmap.domain.risk_rules import ClassGroup, Horizon, RiskRules
from gridmap.errors import GridmapError
from gridmap.risk.area_list import AreaRisk, list_areas
from gridmap.risk.arrays import Bools, Floats
from gridmap.risk.backtest import TypeReport, backtest
from gridmap.risk.calendar import Calendar, day_number
from gridmap.risk.choice import Choice, choose
from gridmap.risk.events import Events
from gridmap.risk.forecast import THIN_EVENTS, Forecast, forecast
from gridmap.risk.models import SIMPLE_MODELS
from gridmap.risk.patrols import propose_patrols
from gridmap.risk.scoring import AREA_SHARES
from gridmap.risk.severity import severity_load
from gridmap.risk.suppress import LEAST
from gridmap.services.risk.calendars import calendar_of
from gridmap.services.risk.cautions import cautions_of
from gridmap.services.risk.ground import RURAL, URBAN, RunGround, RunLevel
from gridmap.services.risk.pictures import Picture, Step, draw, hot_spots, make_legend

_WEEKS_SHOWN = 53
# A cell leaves the centre only where so many cells around it, to each side, hold `LEAST` incidents or more.
_BLOCK_CELLS = 3
_QUICK_WINDOWS = 6

Tell = Callable[[], None]


@dataclass(frozen=True)
class LevelList:
    """The list of one level; `weighted` expected incidents of average severity by code, {} without weights."""

    level: RunLevel
    rows: tuple[AreaRisk, ...]
    weighted: dict[str, float]
    top_classes: dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Patrols:
    """Proposed patrols by code of an area of `level`: "hot" or "outside"; the lot's `seed` and the share it served."""

    level: str
    outside_share: float
    seed: int
    areas: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        return {
            "level": self.level, "outside_share": self.outside_share, "seed": self.seed, "count": len(self.areas),
            "outside": sum(one == "outside" for one in self.areas.values()),
        }  # fmt: skip


@dataclass(frozen=True)
class GroupResult:
    """What a run says of one class group; without a forecast `refused` says why and all else is empty."""

    group: ClassGroup
    refused: dict[str, Any] | None = None
    found: Forecast | None = None
    per_km2_week: Floats | None = None
    shown: Bools | None = None
    weighted: Floats | None = None
    picture: Picture | None = None
    weighted_picture: Picture | None = None
    legend: tuple[Step, ...] = ()
    hot: dict[str, Any] | None = None
    scores: dict[str, Any] = field(default_factory=dict)
    lists: tuple[LevelList, ...] = ()
    patrols: Patrols | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    cautions: tuple[dict[str, Any], ...] = ()


def of_group(events: Events, group: ClassGroup) -> Events:
    """The rows of a group; as one kind, for the engine tells breaks of a class only where there is but one."""
    wanted = [events.classes.index(key) for key in group.classes if key in events.classes]
    return events.take(np.isin(events.class_index, wanted))


def compute_group(
    ground: RunGround,
    events: Events,
    group: ClassGroup,
    origin_on: date,
    horizon: Horizon,
    rules: RiskRules,
    *,
    check: bool = True,
) -> GroupResult:
    """Forecast one group. `check`: also replay the past, to say how good such forecasts were; without, the
    model is chosen on few windows.

    A refusal of the engine (nothing ever happened, ...) becomes the result's `refused`, so that one empty group does
    not end a run.
    """
    heavy = of_group(events, group)
    # Forecasts are of incidents, each counting one; severity makes a second figure beside them.
    mine = replace(heavy, weight=np.ones(len(heavy)))
    first = date(1970, 1, 1) + timedelta(days=int(np.floor(mine.occurred_d.min())) if len(mine) else 0)
    calendar = calendar_of(
        min(max(first, date(1990, 1, 1)), origin_on), origin_on + timedelta(days=horizon.days)
    )
    origin = float(day_number(origin_on))
    try:
        base = forecast(
            ground.grid, mine, origin, horizon.days, areas=ground.levels[0].areas, calendar=calendar,
            choice=None if check else _quick_choice(ground, mine, origin, horizon, calendar),
        )  # fmt: skip
        per_level = [
            base
            if number == 0
            else forecast(
                ground.grid,
                mine,
                origin,
                horizon.days,
                areas=level.areas,
                calendar=calendar,
                choice=base.choice,
            )
            for number, level in enumerate(ground.levels)
        ]
    except GridmapError as error:
        return GroupResult(group, refused={"code": error.code, "params": error.params})
    per_week = _per_week(ground, base.cells.expected, horizon)
    legend = make_legend(per_week, rules.ramp)
    fitted = mine.take(~mine.found)
    load = (
        severity_load(ground.grid, heavy.known_at(origin), base.cells.expected)
        if rules.severity_weights
        else None
    )
    weighted = None if load is None else _per_week(ground, load, horizon)
    lists = tuple(
        LevelList(
            level, list_areas(level.areas, found, mine),
            {} if load is None else dict(zip(level.areas.codes, level.areas.of_cells(load).tolist(), strict=True)),
            _top_classes(level, mine, origin),
        )
        for level, found in zip(ground.levels, per_level, strict=True)
    )  # fmt: skip
    patrols = _patrols(ground, lists, group, origin_on, horizon, rules)
    scores = _scores(ground, mine, horizon, origin, calendar) if check else {}
    return GroupResult(
        group=group,
        found=base,
        per_km2_week=per_week,
        shown=_enough(ground, fitted),
        weighted=weighted,
        picture=draw(ground.grid, ground.metric, per_week, legend),
        weighted_picture=None if weighted is None else draw(ground.grid, ground.metric, weighted, legend),
        legend=legend,
        hot=hot_spots(ground.grid, ground.metric, per_week),
        scores=scores | {"choice": {one.model: _rounded(one.log_score) for one in base.choice.tuned}},
        lists=lists,
        patrols=patrols,
        figures=_figures(ground, base, mine, lists[0], origin)
        | {"patrols": patrols.as_json() if patrols is not None else None},
        cautions=tuple(cautions_of(base, mine, lists[0].rows, lists[0].level, horizon)),
    )


def _quick_choice(
    ground: RunGround, mine: Events, origin: float, horizon: Horizon, calendar: Calendar
) -> Choice | None:
    """A model chosen on few windows: minutes sooner, and nearly always the same one. None where data are thin."""
    known = mine.known_at(origin)
    used = known.take(~known.found)
    kept = used.take(ground.grid.cell_of(used.x_m, used.y_m) >= 0)
    if len(kept) < THIN_EVENTS:
        return None
    return choose(
        ground.grid, kept, origin, horizon.days, areas=ground.levels[0].areas, calendar=calendar,
        most_windows=_QUICK_WINDOWS,
    )  # fmt: skip


def _patrols(
    ground: RunGround,
    lists: Sequence[LevelList],
    group: ClassGroup,
    origin_on: date,
    horizon: Horizon,
    rules: RiskRules,
) -> Patrols | None:
    """Proposed patrols over the rule's level; the seed is made of what the run is about, so that no worker can pick."""
    rule = rules.patrols
    listed = next((one for one in lists if one.level.key == rule.level), None)
    if listed is None or not listed.rows:
        return None
    about = f"{ground.area.code} {origin_on.isoformat()} {horizon.key} {group.key}"
    seed = int.from_bytes(hashlib.sha256(about.encode()).digest()[:4], "big")
    # By code: the order of the rows hangs on figures that a lot should not hang on.
    rows = sorted(listed.rows, key=lambda row: row.code)
    found = propose_patrols(np.array([row.per_km2 for row in rows]), rule.count, rule.outside, seed)
    return Patrols(
        rule.level,
        rule.outside,
        seed,
        {rows[one.area].code: "outside" if one.outside else "hot" for one in found},
    )


def compute_run(
    ground: RunGround,
    events: Events,
    origin_on: date,
    horizon: Horizon,
    rules: RiskRules,
    *,
    groups: Sequence[str] | None = None,
    check: bool = True,
    tell: Tell = lambda: None,
) -> tuple[GroupResult, ...]:
    """Every group in the order of the rules; `tell` is called after each."""
    results = []
    for group in rules.groups:
        if groups is not None and group.key not in groups:
            continue
        results.append(compute_group(ground, events, group, origin_on, horizon, rules, check=check))
        tell()
    return tuple(results)


def _scores(
    ground: RunGround, mine: Events, horizon: Horizon, origin: float, calendar: Any
) -> dict[str, Any]:
    """How each model did in the rolling backtest, on windows of this very length."""
    try:
        # The calendar reaches beyond the origin, and holidays are known ahead: nothing leaks by it.
        report = backtest(
            ground.grid, mine, horizon.days, end_d=origin, areas=ground.levels[0].areas, calendar=calendar,
            use_found=False,
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
        "log_score": _rounded(score.log_score),
        "log_error": _rounded(score.log_error),
        "coverage90": _rounded(score.coverage90),
        **{
            name: {share: _rounded(value) for share, value in zip(shares, values.tolist(), strict=True)}
            for name, values in (
                ("hit", score.hit),
                ("hit_error", score.hit_error),
                ("pai", score.pai),
                ("pei", score.pei),
            )
        },
    }


def _rounded(value: float) -> float | None:
    """Four digits; None for what is no number, which JSON does not know."""
    return round(float(value), 4) if np.isfinite(value) else None


def _per_week(ground: RunGround, expected: Floats, horizon: Horizon) -> Floats:
    """(rows, columns) incidents per km2 and week, NaN outside."""
    km2 = ground.grid.cell_km2
    return np.asarray(
        np.divide(expected * (7.0 / horizon.days), km2, out=np.full(km2.shape, np.nan), where=km2 > 0)
    )


def _enough(ground: RunGround, fitted: Events) -> Bools:
    """(rows, columns) cells with `LEAST` incidents or more in the block of cells around them."""
    cell = ground.grid.cell_of(fitted.x_m, fitted.y_m)
    count = np.bincount(cell[cell >= 0], minlength=ground.grid.size).reshape(ground.grid.shape).astype(float)
    around = uniform_filter(count, size=_BLOCK_CELLS, mode="constant") * _BLOCK_CELLS**2
    return np.asarray(np.round(around) >= LEAST)


def _top_classes(level: RunLevel, mine: Events, origin: float) -> dict[str, list[dict[str, Any]]]:
    """The three classes with most incidents of the last year, by area."""
    recent = mine.between(origin - 365.0, origin)
    where = level.areas.locate(recent.x_m, recent.y_m)
    keys = len(recent.classes)
    inside = where >= 0
    table = np.bincount(
        where[inside] * keys + recent.class_index[inside], minlength=len(level.areas) * keys
    ).reshape(len(level.areas), keys)
    return {
        code: [
            {"class_key": recent.classes[at], "count": int(row[at])}
            for at in np.argsort(-row, kind="stable")[:3].tolist()
            if row[at]
        ]
        for code, row in zip(level.areas.codes, table, strict=True)
    }


def _figures(
    ground: RunGround, found: Forecast, mine: Events, listed: LevelList, origin: float
) -> dict[str, Any]:
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
