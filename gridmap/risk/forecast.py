"""The forecast: how many, where, with what uncertainty, for the days after an origin.

    expected in a cell = (level of the days ahead) x (share of the cell)

The level is `level.fit_level`: weekday, kind of day, season and a recent level that forgets. The share is a model of
`models.MODEL_NAMES`, chosen by backtest on this city's own past (`choice.choose`). Intervals are negative-binomial with
the scatter of earlier forecasts of this very kind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmap.errors import Invalid
from gridmap.risk.arrays import Floats
from gridmap.risk.calendar import NO_CALENDAR, Calendar
from gridmap.risk.choice import Choice, choose
from gridmap.risk.counts import Counts, with_interval
from gridmap.risk.events import Events
from gridmap.risk.grid import Areas, Grid
from gridmap.risk.history import History
from gridmap.risk.hours import HourProfile, hour_profile
from gridmap.risk.level import Level, fit_level
from gridmap.risk.quality import Change, find_changes

HORIZONS_D = {"day": 1, "week": 7, "four_weeks": 28}
THIN_EVENTS = 20
"""Under this many known events a surface cannot be told from an even spread."""


@dataclass(frozen=True)
class Forecast:
    """Expected incidents of [origin_d, origin_d + horizon_d).

    Attributes:
        choice: the model used, why, and what the others scored.
        total: shape (). cells: shape (rows, columns), zero outside. areas: shape (areas,), or None without areas.
        days: (horizon_d,) expected on each day. hours: shares of the week's hours.
        level: what the level rests on (factors of weekdays and kinds of days, recent level, entry delay).
        thin: fewer than `THIN_EVENTS` events known: the even spread was used, and a page should say so.
        changes: breaks of recording found in the data; the fit begins after the last one of a class.
        fitted, found_left_out, outside: rows used, left out because found by patrols, outside the area.
    """

    origin_d: float
    horizon_d: int
    choice: Choice
    total: Counts
    cells: Counts
    areas: Counts | None
    days: Floats
    hours: HourProfile
    level: Level
    thin: bool
    changes: tuple[Change, ...]
    fitted: int
    found_left_out: int
    outside: int


def forecast(
    grid: Grid,
    events: Events,
    origin_d: float,
    horizon_d: int,
    *,
    areas: Areas | None = None,
    calendar: Calendar = NO_CALENDAR,
    choice: Choice | None = None,
    use_found: bool = False,
    coverage: float = 0.9,
) -> Forecast:
    """Forecast all rows of `events` as one kind; for one class pass `events.of_class(name)`.

    Args:
        origin_d: local day, whole (midnight); only what was recorded before it is used.
        horizon_d: days ahead, 1 to 92 (`HORIZONS_D` has the usual ones).
        choice: of an earlier `choose`, to save its time; None chooses now.
        use_found: also fit rows found by patrols, cameras or tasks.
        coverage: of the intervals.

    Raises Invalid: "risk_no_events" when nothing is known before the origin, "risk_horizon" (horizon_d),
    "risk_origin" when it is no whole day.
    """
    if not 1 <= horizon_d <= 92:
        raise Invalid("risk_horizon", horizon_d=horizon_d)
    if origin_d != np.floor(origin_d):
        raise Invalid("risk_origin", origin_d=origin_d)
    known = events.known_at(origin_d)
    used = known if use_found else known.take(~known.found)
    kept = used.take(grid.cell_of(used.x_m, used.y_m) >= 0)
    if not len(kept):
        raise Invalid("risk_no_events")
    changes = find_changes(kept, origin_d)
    thin = len(kept) < THIN_EVENTS
    chosen = (
        Choice.even()
        if thin
        else choice or choose(grid, kept, origin_d, horizon_d, areas=areas, calendar=calendar)
    )
    level = fit_level(kept, origin_d, calendar, changes)
    days = level.expected(np.arange(horizon_d) + int(origin_d))
    best = chosen.best
    history = History(grid, kept, best.recipe.parts)
    history.move_to(origin_d)
    expected = days.sum() * history.mix(best.recipe).reshape(grid.shape)
    scatter = max(best.dispersion, level.dispersion(horizon_d))
    return Forecast(
        origin_d, horizon_d, chosen,
        with_interval(days.sum(), level.dispersion(horizon_d), coverage),
        with_interval(expected, scatter, coverage),
        None if areas is None else with_interval(areas.of_cells(expected), scatter, coverage),
        days, hour_profile(kept, calendar), level, thin, changes, len(kept), len(known) - len(used),
        len(used) - len(kept),
    )  # fmt: skip
