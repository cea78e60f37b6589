"""Faults of the records that look like risk: default places, one event told twice, default times, changed lists."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree
from scipy.stats import poisson

from gridmap.risk.arrays import Bools, Floats, Ints
from gridmap.risk.events import Events, Precision

_MINUTES_A_DAY = 1_440
_WEEK_D = 7.0


@dataclass(frozen=True)
class DefaultPlace:
    """One point with far more rows than chance puts on a point: a police station, a town's centre, a call taker's desk.

    `rows` index the events; `share` is their part of all; `classes` counts how many classes they are of (a true hot
    address is mostly of one, a default place of many).
    """

    x_m: float
    y_m: float
    rows: Ints
    share: float
    classes: int


@dataclass(frozen=True)
class Repeats:
    """Rows that seem to tell of one event.

    Attributes:
        group: (N,) number of the event each row tells of, ascending by first row.
        keep: (N,) True for the first known row of each event.
        across_channels, within_channel: how many rows repeat one of another channel, or of their own.
    """

    group: Ints
    keep: Bools
    across_channels: int
    within_channel: int


@dataclass(frozen=True)
class DefaultTime:
    """A minute of the day that far too many rows carry (00:00, 12:00): those rows have no hour."""

    minute: int
    rows: Ints
    expected: float


@dataclass(frozen=True)
class Change:
    """A class or channel that begins or ends, or changes by far more than chance, at `day_d`: a change of recording
    until somebody says otherwise, and never told as a trend. `kind` is "class" or "channel", `index` into its list."""

    kind: str
    index: int
    day_d: float
    before_per_week: float
    after_per_week: float


def find_default_places(
    events: Events, *, same_m: float = 1.0, least: int = 30, times: float = 10.0
) -> tuple[DefaultPlace, ...]:
    """Points that hold at least `least` rows and `times` as many as the busiest hundredth of points begins with.

    Rows count as one point when they lie in one square of `same_m`. Most rows first.
    """
    if not len(events):
        return ()
    square = np.floor(np.column_stack([events.x_m, events.y_m]) / same_m).astype(np.int64)
    _, where, count = np.unique(square, axis=0, return_inverse=True, return_counts=True)
    usual = max(float(np.quantile(count, 0.99)), 1.0)
    found = []
    for point in np.argsort(-count, kind="stable"):
        if count[point] < max(least, times * usual):
            break
        rows = np.flatnonzero(where.ravel() == point)
        found.append(
            DefaultPlace(
                float(np.median(events.x_m[rows])), float(np.median(events.y_m[rows])), rows,
                len(rows) / len(events), len(np.unique(events.class_index[rows])),
            )
        )  # fmt: skip
    return tuple(found)


def find_repeats(
    events: Events, *, within_m: float = 50.0, within_min: float = 120.0, same_class: bool = True
) -> Repeats:
    """Rows near in place and time, of one class unless told otherwise, joined into events.

    Rows whose moment is known to the day only are joined when place and day agree and the channels differ. A row is
    compared with the first of its event, so a chain of neighbours over days does not become one event.
    """
    count = len(events)
    if not count:
        return Repeats(np.zeros(0, np.int64), np.zeros(0, bool), 0, 0)
    moment = np.where(np.isnan(events.recorded_d), events.occurred_d, events.recorded_d)
    order = np.argsort(moment, kind="stable")
    near = _near_pairs(events, within_m, within_min)
    if same_class:
        near = near[events.class_index[near[:, 0]] == events.class_index[near[:, 1]]]
    rank = np.empty(count, np.int64)
    rank[order] = np.arange(count)
    swapped = rank[near[:, 0]] > rank[near[:, 1]]
    near[swapped] = near[swapped][:, ::-1]
    leader = np.arange(count)
    for first, second in near[np.lexsort((rank[near[:, 1]], rank[near[:, 0]]))].tolist():
        if leader[first] == first and leader[second] == second:
            leader[second] = first
    keep = leader == np.arange(count)
    _, group = np.unique(leader, return_inverse=True)
    other = events.channel_index != events.channel_index[leader]
    return Repeats(group.ravel(), keep, int((~keep & other).sum()), int((~keep & ~other).sum()))


def find_default_times(events: Events, *, p_value: float = 1e-6) -> tuple[DefaultTime, ...]:
    """00:00 and 12:00 where they carry more rows than the hour around them explains.

    The expectation is the mean of the full hours beside it (so habits of rounding to the hour do not count), judged by
    a Poisson tail. Only rows of minute precision are looked at.
    """
    fine = np.flatnonzero(events.precision == Precision.MINUTE)
    minute = (
        np.floor((events.occurred_d[fine] % 1.0) * _MINUTES_A_DAY + 1e-6).astype(np.int64) % _MINUTES_A_DAY
    )
    count = np.bincount(minute, minlength=_MINUTES_A_DAY)
    found = []
    for spike in (0, 720):
        beside = [(spike + step * 60) % _MINUTES_A_DAY for step in (-2, -1, 1, 2)]
        expected = max(float(count[beside].mean()), 0.5)
        if count[spike] >= 10 and poisson.sf(count[spike] - 1, 2 * expected) < p_value:
            found.append(DefaultTime(spike, fine[minute == spike], expected))
    return tuple(found)


def find_changes(
    events: Events, origin_d: float, *, least_weeks: int = 8, ratio: float = 4.0
) -> tuple[Change, ...]:
    """Classes and channels whose weekly number breaks by `ratio` or more from one week to all that follow.

    A break needs `least_weeks` on both sides and a level that holds on each. By kind, then day.
    """
    found: list[Change] = []
    for kind, index, names in (
        ("class", events.class_index, events.classes),
        ("channel", events.channel_index, events.channels),
    ):
        if kind == "channel" and len(np.unique(index)) < 2:
            continue
        for number in range(len(names)):
            change = _break(kind, number, events.occurred_d, index == number, origin_d, least_weeks, ratio)
            if change is not None:
                found.append(change)
    return tuple(sorted(found, key=lambda one: (one.kind, one.day_d, one.index)))


def _break(
    kind: str, number: int, occurred_d: Floats, rows: Bools, origin_d: float, least_weeks: int, ratio: float
) -> Change | None:
    weeks = int((origin_d - float(np.min(occurred_d))) // _WEEK_D) if len(occurred_d) else 0
    if weeks < 2 * least_weeks or not rows.any():
        return None
    week = ((origin_d - occurred_d[rows]) // _WEEK_D).astype(np.int64)
    counts = np.bincount(week[(week >= 0) & (week < weeks)], minlength=weeks)[::-1]
    sums = np.r_[0, np.cumsum(counts)]
    cuts = np.arange(least_weeks, weeks - least_weeks + 1)
    before, after = sums[cuts] / cuts, (sums[-1] - sums[cuts]) / (weeks - cuts)
    # Twice the log likelihood ratio of two Poisson levels against one.
    whole = sums[-1] / weeks
    gain = cuts * _relative(before, whole) + (weeks - cuts) * _relative(after, whole)
    best = int(np.argmax(gain))
    low, high = np.sort(np.array([before[best], after[best]])).tolist()
    spread = max(float(np.var(counts[: cuts[best]])) / max(float(before[best]), 0.1),
                 float(np.var(counts[cuts[best] :])) / max(float(after[best]), 0.1), 1.0)  # fmt: skip
    # 20 is far out for the best of hundreds of cuts; overdispersed weeks need as much more.
    if high < ratio * max(low, 0.25) or 2 * gain[best] < 20 * spread:
        return None
    day = origin_d - (weeks - int(cuts[best])) * _WEEK_D
    return Change(kind, number, day, float(before[best]), float(after[best]))


def _relative(level: Floats, whole: float) -> Floats:
    safe = np.maximum(level, 1e-12)
    return np.where(level > 0, level * np.log(safe / whole), 0.0) - level + whole


def _near_pairs(events: Events, within_m: float, within_min: float) -> Ints:
    """(P, 2) pairs of rows near in place and time, or of one place and day over different channels."""
    day_rows = events.precision >= Precision.DAY
    # A metre a metre, and the time so scaled that its limit is as far as that of the place.
    scaled = np.column_stack(
        [events.x_m, events.y_m, events.occurred_d * (_MINUTES_A_DAY * within_m / within_min)]
    )
    scaled[:, 2] -= scaled[:, 2].min()
    fine = np.flatnonzero(~day_rows)
    pairs = [fine[_chebyshev(scaled[fine], within_m)]] if len(fine) else []
    coarse = np.flatnonzero(events.precision == Precision.DAY)
    if len(coarse):
        place = np.column_stack([events.x_m, events.y_m, np.floor(events.occurred_d) * 10 * within_m])[coarse]
        found = coarse[_chebyshev(place, within_m)]
        pairs.append(found[events.channel_index[found[:, 0]] != events.channel_index[found[:, 1]]])
    joined = np.vstack(pairs) if pairs else np.zeros((0, 2), np.int64)
    apart = np.hypot(*(column[joined[:, 0]] - column[joined[:, 1]] for column in (events.x_m, events.y_m)))
    return np.asarray(joined[apart <= within_m], dtype=np.int64)


def _chebyshev(points: Floats, radius: float) -> Ints:
    return np.asarray(KDTree(points).query_pairs(radius, p=np.inf, output_type="ndarray")).reshape(-1, 2)
