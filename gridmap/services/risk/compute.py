"""One run, computed: for every class group the surface, the list of each level, the scores and the warnings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter

from gridmap.domain.risk_rules import ClassGroup, Horizon, RiskRules
from gridmap.errors import GridmapError
from gridmap.risk.area_list import list_areas
from gridmap.risk.arrays import Bools, Floats
from gridmap.risk.calendar import Calendar, day_number
from gridmap.risk.choice import Choice, choose
from gridmap.risk.events import Events
from gridmap.risk.forecast import THIN_EVENTS, forecast
from gridmap.risk.patrols import propose_patrols
from gridmap.risk.severity import severity_load
from gridmap.risk.suppress import LEAST
from gridmap.services.risk.calendars import calendar_of
from gridmap.services.risk.cautions import cautions_of
from gridmap.services.risk.figures import figures_of, rounded, scores_of
from gridmap.services.risk.ground import RunGround, RunLevel
from gridmap.services.risk.pictures import draw, hot_spots, make_legend
from gridmap.services.risk.results import GroupResult, LevelList, Patrols

# A cell leaves the centre only where so many cells around it, to each side, hold `LEAST` incidents or more.
_BLOCK_CELLS = 3
_QUICK_WINDOWS = 6

Tell = Callable[[], None]


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
    tell: Tell = lambda: None,
) -> GroupResult:
    """Forecast one group. `check`: also replay the past, to say how good such forecasts were; without, the
    model is chosen on few windows. `tell` is called now and then while it lasts.

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
    scores = scores_of(ground, mine, horizon, origin, calendar, tell) if check else {}
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
        scores=scores | {"choice": {one.model: rounded(one.log_score) for one in base.choice.tuned}},
        lists=lists,
        patrols=patrols,
        figures=figures_of(ground, base, mine, lists[0], origin)
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
    """Every group in the order of the rules; `tell` is called now and then, and after each."""
    results = []
    for group in rules.groups:
        if groups is not None and group.key not in groups:
            continue
        results.append(
            compute_group(ground, events, group, origin_on, horizon, rules, check=check, tell=tell)
        )
        tell()
    return tuple(results)


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
