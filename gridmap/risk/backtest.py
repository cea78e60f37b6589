"""Rolling-origin backtest: what each model would have said at many moments of the past, beside what then came.

The later half of the history is scored; parameters and the chosen model come from windows that were over before the
first scored one. At each origin a model sees what was recorded before it, nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gridmap.errors import GridmapError, Invalid
from gridmap.risk.arrays import Floats
from gridmap.risk.calendar import NO_CALENDAR, Calendar
from gridmap.risk.choice import Choice, choose, windows_before
from gridmap.risk.counts import covered, fit_dispersion
from gridmap.risk.events import Events
from gridmap.risk.grid import Areas, Grid
from gridmap.risk.history import History
from gridmap.risk.level import fit_level
from gridmap.risk.models import MODEL_NAMES
from gridmap.risk.scoring import AREA_SHARES, WindowScore, score_window
from gridmap.risk.spatial import Units

MOST_ORIGINS = 60
LEAST_EVENTS = 30
_REPLICATES = 500


@dataclass(frozen=True)
class Score:
    """How one model did over all origins.

    Attributes:
        hit, pai, pei: (S,) for each of `scoring.AREA_SHARES`, over the sum of all windows; pei NaN where nothing could
            be caught.
        log_score: mean log density per event over an even spread, in nats.
        coverage90: share of counts inside their central 90 % interval (see `counts.covered`); 0.90 is nominal.
        hit_error, pai_error, pei_error, log_error, coverage_error: standard errors by bootstrap over origins; NaN with
            one origin.
    """

    hit: Floats
    pai: Floats
    pei: Floats
    log_score: float
    coverage90: float
    hit_error: Floats
    pai_error: Floats
    pei_error: Floats
    log_error: float
    coverage_error: float


@dataclass(frozen=True)
class TypeReport:
    """One type of event, or all together.

    `origins_d` scored origins; `chosen` the model taken before the first of them, `choice` with what parameters;
    `scores` in the order of `models`; `events` scored, `outside` of them not in the area (not scored).
    """

    origins_d: tuple[float, ...]
    chosen: str
    choice: Choice
    models: tuple[str, ...]
    scores: tuple[Score, ...]
    events: int
    outside: int

    def score_of(self, model: str) -> Score:
        return self.scores[self.models.index(model)]


@dataclass(frozen=True)
class Refused:
    """A type that could not be tested: the code and parameters of the refusal."""

    code: str
    params: dict[str, object]


@dataclass(frozen=True)
class Report:
    """`all` is every event as one kind; `types` by class, in the order of `Events.classes`."""

    all: TypeReport
    types: tuple[tuple[str, TypeReport | Refused], ...]


def backtest(
    grid: Grid,
    events: Events,
    horizon_d: float,
    *,
    end_d: float | None = None,
    areas: Areas | None = None,
    calendar: Calendar = NO_CALENDAR,
    names: Sequence[str] = MODEL_NAMES,
    use_found: bool = True,
    tell: Callable[[str, int, int], None] | None = None,
) -> Report:
    """Backtest every type of `events` and all together.

    Args:
        horizon_d: length of a window in days.
        end_d: end of the last window; None = the day after the last event.
        areas: coverage is measured per area; without, per block of 8 x 8 cells.
        use_found: also fit rows found by patrols; rows that came are always all rows.
        tell: hears (type, steps done, steps in all).

    Raises Invalid: "risk_no_events", "risk_too_few_events" (events, least), "risk_history_too_short" (days,
    least_days), "risk_one_place" when all events lie in one cell, "risk_horizon".
    """
    if not (math.isfinite(horizon_d) and horizon_d >= 1):
        raise Invalid("risk_horizon", horizon_d=horizon_d)
    if not len(events):
        raise Invalid("risk_no_events")
    end = float(np.floor(events.occurred_d.max()) + 1) if end_d is None else end_d

    def run(name: str, rows: Events) -> TypeReport:
        return _one_type(grid, rows, horizon_d, end, areas, calendar, names, use_found, _steps(name, tell))

    whole = run("all", events)
    types: list[tuple[str, TypeReport | Refused]] = []
    for name in events.classes if len(events.classes) > 1 else ():
        try:
            types.append((name, run(name, events.of_class(name))))
        except GridmapError as error:
            types.append((name, Refused(error.code, error.params)))
    if len(events.classes) == 1:
        types.append((events.classes[0], whole))
    return Report(whole, tuple(types))


def scored_origins(occurred_d: Floats, horizon_d: float, end_d: float) -> list[float]:
    """Starts of the windows to score, ascending, in the later half. Raises Invalid("risk_history_too_short")."""
    span = end_d - float(np.floor(occurred_d.min()))
    step = horizon_d * max(1, math.ceil(span / 2 / horizon_d / MOST_ORIGINS))
    count = math.floor(span / 2 / step)
    if count < 1 or span < 4 * horizon_d:
        raise Invalid("risk_history_too_short", days=int(span), least_days=math.ceil(4 * horizon_d))
    return [end_d - horizon_d - number * step for number in range(count - 1, -1, -1)]


def _one_type(
    grid: Grid, events: Events, horizon_d: float, end_d: float, areas: Areas | None, calendar: Calendar,
    names: Sequence[str], use_found: bool, step: Callable[[int, int], None],
) -> TypeReport:  # fmt: skip
    cell = grid.cell_of(events.x_m, events.y_m)
    inside = events.take(cell >= 0)
    if len(inside) < LEAST_EVENTS:
        raise Invalid("risk_too_few_events", events=len(inside), least=LEAST_EVENTS)
    if len(np.unique(cell[cell >= 0])) == 1:
        raise Invalid("risk_one_place", events=len(inside))
    origins = scored_origins(inside.occurred_d, horizon_d, end_d)
    fitted = inside if use_found else inside.take(~inside.found)
    known = fitted.known_at(origins[0])
    tuning = 2 * len(windows_before(known, origins[0], horizon_d, 20)[1])
    done = 0

    def tell() -> None:
        nonlocal done
        done += 1
        step(done, tuning + len(origins))

    choice = choose(
        grid, known, origins[0], horizon_d, areas=areas, calendar=calendar, names=names, tell=tell
    )
    units = Units.of(grid, areas)
    models = tuple(one.model for one in choice.tuned)
    history = History(grid, fitted, [part for one in choice.tuned for part in one.recipe.parts])
    scores: list[list[WindowScore]] = [[] for _ in models]
    inner: list[list[tuple[float, int]]] = [[] for _ in models]
    seen = [_Scatter(one.dispersion, choice.windows) for one in choice.tuned]
    ground = grid.cell_km2.ravel()
    place, when = grid.cell_of(inside.x_m, inside.y_m), inside.occurred_d
    for origin in origins:
        history.move_to(origin)
        level = fit_level(history.known, origin, calendar) if len(history.known) else None
        rows = (when >= origin) & (when < origin + horizon_d)
        came = np.bincount(place[rows], minlength=grid.size).astype(float)
        of_units = units.count(grid, inside.take(rows))
        for number, one in enumerate(choice.tuned):
            share = history.mix(one.recipe)
            scores[number].append(score_window(share, came, ground))
            if level is not None:
                expected = level.sum_over(horizon_d) * (units.share @ share)
                dispersion = max(seen[number].dispersion(), level.dispersion(horizon_d))
                parts = covered(of_units, expected, np.full(len(expected), dispersion))
                inner[number].append((float(parts.sum()), len(parts)))
                seen[number].add(of_units, expected)
        tell()
    scored = int(sum(window.events for window in scores[0]))
    if not scored:
        raise Invalid("risk_no_events_scored", origins=len(origins))
    outside = events.take(cell < 0).between(origins[0], end_d)
    results = tuple(_sum_up(windows, np.array(pairs)) for windows, pairs in zip(scores, inner, strict=True))
    return TypeReport(tuple(origins), choice.model, choice, models, results, scored, len(outside))


class _Scatter:
    """The dispersion of one model as a nightly run would know it: from before the first origin, and from windows since
    then that are over, each weighing by how many windows it rests on."""

    def __init__(self, first: float, windows: int) -> None:
        self._first, self._windows = first, windows
        self._counts: list[Floats] = []
        self._means: list[Floats] = []

    def dispersion(self) -> float:
        fresh = len(self._counts)
        if fresh < 3:
            return self._first
        later = fit_dispersion(np.concatenate(self._counts), np.concatenate(self._means))
        return (self._windows * self._first + fresh * later) / (self._windows + fresh)

    def add(self, counts: Floats, means: Floats) -> None:
        """A window that has been scored; windows do not overlap, so it is over when the next begins."""
        self._counts.append(counts)
        self._means.append(means)


def _sum_up(windows: Sequence[WindowScore], inner: Floats) -> Score:
    hit = np.array([one.hit for one in windows])
    best = np.array([one.best for one in windows])
    events = np.array([one.events for one in windows], dtype=float)
    logs = np.array([one.log_sum for one in windows])

    def figures(weight: Floats) -> Floats:
        """(3 S + 2,) hit, pai, pei, log score, coverage of origins taken so many times each: weight (W,)."""
        total = max(float(weight @ events), 1e-300)
        caught = weight @ hit
        most = weight @ best
        pei = np.divide(caught, most, out=np.full(len(most), np.nan), where=most > 0)
        covered_share = weight @ inner[:, 0] / (weight @ inner[:, 1]) if len(inner) == len(events) else np.nan
        rate = caught / total
        return np.asarray(
            np.r_[rate, rate / np.array(AREA_SHARES), pei, weight @ logs / total, covered_share]
        )

    whole = figures(np.ones(len(events)))
    error = np.full(len(whole), np.nan)
    if len(events) > 1:
        rng = np.random.default_rng(20_260_101)
        draws = rng.multinomial(len(events), np.full(len(events), 1 / len(events)), _REPLICATES)
        error = np.nanstd([figures(draw) for draw in draws if draw @ events > 0], axis=0)
    s = len(AREA_SHARES)
    cut = [slice(0, s), slice(s, 2 * s), slice(2 * s, 3 * s)]
    return Score(
        whole[cut[0]], whole[cut[1]], whole[cut[2]], float(whole[-2]), float(whole[-1]),
        error[cut[0]], error[cut[1]], error[cut[2]], float(error[-2]), float(error[-1]),
    )  # fmt: skip


def _steps(name: str, tell: Callable[[str, int, int], None] | None) -> Callable[[int, int], None]:
    return lambda done, total: tell(name, done, total) if tell is not None else None
