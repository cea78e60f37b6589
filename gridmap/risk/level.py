"""How many a day, over the whole area: weekday, kinds of days, season, and a level that forgets.

A Poisson regression with a small ridge gives the factors (so a factor that few days speak for stays near one); what
is left over is followed by an exponentially weighted level. Days that are not complete yet count by the part known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from gridmap.risk.arrays import Floats, Ints
from gridmap.risk.calendar import Calendar
from gridmap.risk.counts import fit_dispersion, log_probability
from gridmap.risk.delay import LONGEST_D, known_share
from gridmap.risk.events import Events
from gridmap.risk.quality import Change

_YEAR_D = 365.2425
_RIDGE = 4.0
_MEMORIES_D = (14.0, 28.0, 56.0, 112.0, 224.0, 448.0)
_LEAST_KNOWN_SHARE = 0.2
_LONGEST_FIT_D = 6 * 366


@dataclass(frozen=True)
class Factor:
    """A kind of day and how many times the usual number it brings."""

    name: str
    times: float


@dataclass(frozen=True)
class Level:
    """The fitted level; `expected(days)` reads it at any later day.

    Attributes:
        first_d: first day of the fit: after the last break of recording, if there was one. origin_d: the day after it.
        weekday: (7,) factors, mean one. kinds: factors of the calendar's groups. season: (366,) factor by day of year,
            ones with under a year and a half of data.
        per_day: the recent level, without the factors. memory_d: its half-life.
        long_per_day: the level of the whole fit, to compare with.
        known_share: (LONGEST_D,) part of the days before the origin that is entered, latest first.
        dispersions: of sums of 1, 7 and 28 days.
    """

    first_d: int
    origin_d: int
    weekday: Floats
    kinds: tuple[Factor, ...]
    season: Floats
    per_day: float
    memory_d: float
    long_per_day: float
    known_share: Floats
    dispersions: tuple[float, float, float]
    calendar: Calendar

    def factors(self, days: Ints) -> Floats:
        """(D,) what weekday, kind and season make of each day."""
        flags = self.calendar.flags(days)
        times = np.array([one.times for one in self.kinds])
        kinds = np.prod(np.where(flags, times, 1.0), axis=1) if len(times) else np.ones(len(days))
        return np.asarray(self.weekday[self.calendar.weekday(days)] * kinds * self.season[_day_of_year(days)])

    def expected(self, days: Ints) -> Floats:
        """(D,) expected incidents of each day after the origin."""
        return self.per_day * self.factors(np.asarray(days, dtype=np.int64))

    def sum_over(self, horizon_d: float) -> float:
        """Expected incidents of the `horizon_d` days from the origin."""
        days = np.arange(int(np.ceil(horizon_d))) + self.origin_d
        return float(self.expected(days).sum()) * horizon_d / len(days)

    def dispersion(self, horizon_d: float) -> float:
        """Of a sum over `horizon_d` days."""
        return float(np.interp(np.log(max(horizon_d, 1.0)), np.log([1.0, 7.0, 28.0]), self.dispersions))


def fit_level(known: Events, origin_d: float, calendar: Calendar, changes: tuple[Change, ...] = ()) -> Level:
    """Fit to rows known at `origin_d`; needs at least one. Weights do not count: a level is of incidents."""
    first = _first_day(known, origin_d, changes)
    days = np.arange(first, int(origin_d), dtype=np.int64)
    counts = np.bincount(
        (np.floor(known.occurred_d) - first).astype(np.int64).clip(-1) + 1, minlength=len(days) + 1
    )
    known_counts: Floats = counts[1 : len(days) + 1].astype(float)
    share = known_share(known, origin_d)
    seen = np.ones(len(days))
    seen[-LONGEST_D:] = share[::-1][-min(len(days), LONGEST_D) :]
    usable = seen >= _LEAST_KNOWN_SHARE
    days, known_counts, seen = days[usable], known_counts[usable], seen[usable]
    weekday, kinds, season = _fit_factors(days, known_counts, seen, calendar)
    level = Level(
        first, int(origin_d), weekday, kinds, season, 0.0, 0.0, 0.0, share, (0.0, 0.0, 0.0), calendar
    )
    usual = level.factors(days) * seen
    memory, per_day, paths = _follow(known_counts, usual)
    return Level(
        first, int(origin_d), weekday, kinds, season, per_day, memory,
        float(known_counts.sum() / max(usual.sum(), 1e-9)), share, _scatter(known_counts, usual, paths), calendar,
    )  # fmt: skip


def _first_day(known: Events, origin_d: float, changes: tuple[Change, ...]) -> int:
    first = float(np.floor(known.occurred_d.min()))
    # Some change of one class among many does not end the whole history; of the only class it does.
    present = len(np.unique(known.class_index))
    breaks = [one.day_d for one in changes if one.kind == "class" and present == 1]
    return int(min(max([first, origin_d - _LONGEST_FIT_D, *breaks]), origin_d - 1))


def _fit_factors(
    days: Ints, counts: Floats, seen: Floats, calendar: Calendar
) -> tuple[Floats, tuple[Factor, ...], Floats]:
    """Poisson regression by reweighted least squares, ridge on everything but the mean."""
    groups = calendar.named()
    flags = calendar.flags(days).astype(float)
    week = np.eye(7)[calendar.weekday(days)]
    waves = _waves(days, _harmonics(len(days)))
    design = np.hstack([np.ones((len(days), 1)), week, flags, waves])
    penalty = np.full(design.shape[1], _RIDGE)
    penalty[0] = 1e-9
    beta = np.zeros(design.shape[1])
    beta[0] = np.log(max(counts.sum(), 0.5) / max(seen.sum(), 1e-9))
    # Days that come in clumps say less than their number: the ridge grows with the scatter.
    for _ in range(25):
        mean = np.exp(np.clip(design @ beta, -30, 30)) * seen
        clump = max(float(((counts - mean) ** 2 / np.maximum(mean, 1e-9)).mean()), 1.0)
        slope = design.T @ (counts - mean) / clump - penalty * beta
        curve = (design * (mean / clump)[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        beta += np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-7:
            break
    weekday = np.exp(beta[1:8])
    kinds = tuple(
        Factor(group.name, float(np.exp(value)))
        for group, value in zip(groups, beta[8 : 8 + len(groups)], strict=True)
    )
    year = np.arange(366)
    season = np.exp(_waves(year, _harmonics(len(days))) @ beta[8 + len(groups) :])
    return weekday / weekday.mean(), kinds, season / season.mean()


def _harmonics(days: int) -> int:
    """A season is told from a trend only by days that come again: one wave from a year and a half on, two from two."""
    return int(days >= 1.5 * _YEAR_D) + int(days >= 1.95 * _YEAR_D)


def _waves(days: Ints, harmonics: int) -> Floats:
    """(D, 2 harmonics)."""
    turn = 2 * np.pi * _day_of_year(days) / 366
    columns = [wave(number * turn) for number in range(1, harmonics + 1) for wave in (np.cos, np.sin)]
    return np.column_stack(columns) if columns else np.zeros((len(days), 0))


def _day_of_year(days: Ints) -> Ints:
    moment = np.asarray(days).astype("datetime64[D]")
    return np.asarray((moment - moment.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64))


def _follow(counts: Floats, usual: Floats) -> tuple[float, float, Floats]:
    """The memory that foresaw each coming week best, the level at the origin, and the level before each day."""
    best = (-np.inf, _MEMORIES_D[-1], 0.0, np.zeros(0))
    long = counts.sum() / max(usual.sum(), 1e-9)
    for memory in _MEMORIES_D:
        fade = 0.5 ** (1.0 / memory)
        # Begins as the long level with the weight of a month, so that the first days are no forecast from nothing.
        above = _faded(counts, fade, long * 28.0)
        below = _faded(usual, fade, 28.0)
        levels = above / below
        path = levels[:-1]
        late = slice(len(counts) // 3, None)
        mean = np.maximum(path * usual, 1e-9)[late]
        score = float(log_probability(counts[late], mean, np.full(mean.shape, 0.05)).sum())
        if score > best[0]:
            best = (score, memory, float(levels[-1]), path)
    return best[1], float(best[2]), best[3]


def _faded(values: Floats, fade: float, start: float) -> Floats:
    """(D + 1,) running sums that fade by the day: before each day, and at the end."""
    return np.asarray(lfilter([1.0], [1.0, -fade], np.r_[start, values]))


def _scatter(counts: Floats, usual: Floats, path: Floats) -> tuple[float, float, float]:
    """Dispersion of sums over 1, 7 and 28 days around the level as it stood before them."""
    found: list[float] = []
    for length in (1, 7, 28):
        whole = len(counts) // length
        if whole < 4:
            found.append(found[-1] if found else 0.0)
            continue
        start = len(counts) - whole * length
        ends = np.arange(whole) * length + start
        sums = np.add.reduceat(counts[start:], ends - start)
        mean = path[ends] * np.add.reduceat(usual[start:], ends - start)
        late = slice(whole // 3, None)
        found.append(fit_dispersion(sums[late], np.maximum(mean[late], 1e-9)))
    return found[0], found[1], found[2]
