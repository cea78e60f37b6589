"""Draws a history from the truth: background, near repeats, channels, delays, duplicates and outcomes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridmap.demo.district.intensity import Truth
from gridmap.demo.district.linework import Floats, Ints

CHANNELS = ("call_12345", "call_110", "grid_worker", "patrol", "public", "sensor")
OUTCOMES = ("solved", "not_found", "handed_over", "not_possible", "duplicate")
OPEN = -1
DUPLICATE = OUTCOMES.index("duplicate")

# Chance of each channel by the letter of the class group.
_CHANNEL_MIX = {
    "S1": (0.22, 0.14, 0.30, 0.12, 0.12, 0.10), "S2": (0.05, 0.62, 0.06, 0.18, 0.05, 0.04),
    "S3": (0.30, 0.26, 0.32, 0.04, 0.08, 0.00), "S4": (0.16, 0.44, 0.30, 0.04, 0.06, 0.00),
    "S5": (0.62, 0.08, 0.10, 0.02, 0.18, 0.00), "S6": (0.50, 0.02, 0.16, 0.06, 0.26, 0.00),
    "S7": (0.36, 0.03, 0.28, 0.08, 0.15, 0.10), "C": (0.22, 0.01, 0.42, 0.17, 0.14, 0.04),
    "X": (0.50, 0.05, 0.20, 0.05, 0.20, 0.00),
}  # fmt: skip
_DELAY_MIN = np.array([150.0, 9.0, 25.0, 4.0, 70.0, 1.0])
"""Mean minutes from happening to being reported, by channel."""
_CLOSE_HOURS = np.array([0.0, 0.6, 1.2, 3.0, 5.0])
"""Median hours from report to close, by severity 1-4."""
DUPLICATE_SHARE = 0.115
UNLOCATED_SHARE = 0.012
NOWHERE_SHARE = 0.002


@dataclass(frozen=True)
class History:
    """Columns of equal length N, in order of `reported_min`. Times are minutes from local midnight of `start`.

    `parent` is the row that a near repeat or a duplicate came from, else -1 (rows of this history);
    `kind` 0 background, 1 near repeat, 2 duplicate report. `outcome` is an index into OUTCOMES or OPEN.
    `located` is 0 with coordinates, 1 with an address only, 2 with neither.
    """

    class_number: Ints
    anchor: Ints
    xy: Floats
    occurred_min: Floats
    occurred_to_min: Floats
    reported_min: Floats
    closed_min: Floats
    channel: Ints
    outcome: Ints
    located: Ints
    kind: Ints
    parent: Ints


def _background(truth: Truth, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Class, day and anchor of every background incident."""
    counts = rng.poisson(truth.rate)
    classes, days = np.repeat(np.indices(counts.shape).reshape(2, -1), counts.ravel(), axis=1)
    family, month = truth.family_of[classes], truth.month_of_day[days]
    group = family * truth.share.shape[1] + month
    anchor = np.empty(len(classes), dtype=np.int64)
    order = np.argsort(group, kind="stable")
    bounds = np.searchsorted(group[order], np.arange(truth.share.shape[0] * truth.share.shape[1] + 1))
    for g in range(len(bounds) - 1):
        rows = order[bounds[g] : bounds[g + 1]]
        f, m = divmod(g, truth.share.shape[1])
        cumulative = np.cumsum(truth.share[f, m], dtype=np.float64)
        drawn = np.searchsorted(cumulative, rng.random(len(rows)) * cumulative[-1], side="right")
        anchor[rows] = np.minimum(drawn, len(cumulative) - 1)
    return classes, days, anchor


def _hour(truth: Truth, classes: Ints, weekday: Ints, rng: np.random.Generator) -> Floats:
    """Minute of the day after each class's course over the day."""
    cumulative = np.cumsum(truth.hours, axis=2)
    draw = rng.random(len(classes))
    hour = (draw[:, None] > cumulative[classes, weekday]).sum(axis=1)
    return np.asarray(np.minimum(hour, 23) * 60 + rng.uniform(0, 60, len(classes)))


def _repeats(
    truth: Truth, classes: Ints, minute: Floats, xy: Floats, rng: np.random.Generator
) -> tuple[Ints, Floats, Floats, Ints]:
    """Near repeats, generation by generation: class, minute, place and parent row."""
    branching = np.array([m.branching for m in truth.classes])
    near_m = np.array([m.near_m for m in truth.classes])
    near_days = np.array([m.near_days for m in truth.classes])
    end = truth.rate.shape[1] * 1440.0
    out: list[tuple[Ints, Floats, Floats, Ints]] = []
    rows, base = np.arange(len(classes)), len(classes)
    parent_class, parent_minute, parent_xy = classes, minute, xy
    while len(rows):
        spring = np.repeat(np.arange(len(rows)), rng.poisson(branching[parent_class]))
        c = parent_class[spring]
        at = parent_minute[spring] + rng.exponential(near_days[c]) * 1440
        place = parent_xy[spring] + rng.normal(0, 1, (len(c), 2)) * near_m[c][:, None]
        keep = at < end
        if not keep.any():
            break
        out.append((c[keep], at[keep], place[keep], rows[spring][keep]))
        parent_class, parent_minute, parent_xy = c[keep], at[keep], place[keep]
        rows = base + np.arange(int(keep.sum()))
        base += len(rows)
    if not out:
        return classes[:0], minute[:0], xy[:0], rows[:0]
    joined = [np.concatenate([generation[i] for generation in out]) for i in range(4)]
    return joined[0], joined[1], joined[2], joined[3]


def draw_history(truth: Truth, severity: Ints, until_min: float, rng: np.random.Generator) -> History:
    """A history up to `until_min` (minutes from the start); later rows are dropped, unfinished ones stay open."""
    classes, days, anchor = _background(truth, rng)
    weekday = (truth.start.weekday() + days) % 7
    minute = days * 1440 + _hour(truth, classes, weekday, rng)
    xy = truth.anchor_xy[anchor] + rng.uniform(-4.5, 4.5, (len(anchor), 2))
    c2, minute2, xy2, parent2 = _repeats(truth, classes, minute, xy, rng)
    all_class = np.concatenate([classes, c2])
    all_minute = np.concatenate([minute, minute2])
    all_xy = np.vstack([xy, xy2])
    kind = np.concatenate([np.zeros(len(classes), dtype=np.int64), np.ones(len(c2), dtype=np.int64)])
    parent = np.concatenate([np.full(len(classes), -1), parent2])
    channel = _channels(truth, all_class, rng)
    reported = all_minute + rng.exponential(_DELAY_MIN[channel])
    long_unseen = np.isin(all_class, _unseen(truth))
    found_late = np.where(long_unseen, rng.exponential(300.0, len(all_class)), 0.0)
    reported += found_late
    first = len(all_class)
    again = np.flatnonzero(rng.random(first) < DUPLICATE_SHARE)
    again = np.repeat(again, 1 + (rng.random(len(again)) < 0.22))
    lag = rng.exponential(50.0, len(again)) + 1.0
    columns = {
        "class": np.concatenate([all_class, all_class[again]]),
        "minute": np.concatenate([all_minute, all_minute[again]]),
        "xy": np.vstack([all_xy, all_xy[again] + rng.normal(0, 22, (len(again), 2))]),
        "reported": np.concatenate([reported, reported[again] + lag]),
        "to": np.concatenate([np.where(long_unseen, all_minute + found_late, np.nan), np.full(len(again), np.nan)]),
        "channel": np.concatenate([channel, _channels(truth, all_class[again], rng)]),
        "kind": np.concatenate([kind, np.full(len(again), 2)]), "parent": np.concatenate([parent, again]),
    }  # fmt: skip
    return _finish(truth, columns, severity, until_min, anchor, rng)


def _unseen(truth: Truth) -> list[int]:
    """Classes found only when somebody comes home: they have a from and a to."""
    return [i for i, m in enumerate(truth.classes) if m.key in ("S2.03", "S2.04")]


def _channels(truth: Truth, classes: Ints, rng: np.random.Generator) -> Ints:
    keys = [m.key for m in truth.classes]
    table = np.array([_CHANNEL_MIX.get(k[:2]) or _CHANNEL_MIX[k[0]] for k in keys])
    cumulative = np.cumsum(table / table.sum(axis=1, keepdims=True), axis=1)
    return np.asarray((rng.random(len(classes))[:, None] > cumulative[classes]).sum(axis=1).clip(0, 5))


def _finish(
    truth: Truth,
    columns: dict[str, NDArray[np.generic]],
    severity: Ints,
    until_min: float,
    background_anchor: Ints,
    rng: np.random.Generator,
) -> History:
    """Outcomes, closing times, order by report time, and everything after `until_min` cut off."""
    total = len(columns["class"])
    reported = np.asarray(columns["reported"], dtype=np.float64)
    classes = np.asarray(columns["class"], dtype=np.int64)
    kind = np.asarray(columns["kind"], dtype=np.int64)
    hours = _CLOSE_HOURS[severity[classes]] * rng.lognormal(0, 0.7, total)
    closed = reported + hours * 60
    outcome = rng.choice(4, total, p=[0.86, 0.06, 0.05, 0.03])
    outcome[kind == 2] = DUPLICATE
    closed[kind == 2] = reported[kind == 2] + rng.uniform(2, 12, int((kind == 2).sum()))
    outcome[closed > until_min] = OPEN
    anchor = np.concatenate([background_anchor, np.full(total - len(background_anchor), -1)])
    draw = rng.random(total)
    located = np.where(draw < NOWHERE_SHARE, 2, np.where(draw < NOWHERE_SHARE + UNLOCATED_SHARE, 1, 0))
    keep = np.flatnonzero((reported <= until_min) & (reported >= 0))
    order = keep[np.argsort(reported[keep], kind="stable")]
    position = np.full(total, -1)
    position[order] = np.arange(len(order))
    parent = np.asarray(columns["parent"], dtype=np.int64)[order]
    return History(
        classes[order], anchor[order], np.asarray(columns["xy"], dtype=np.float64)[order],
        np.asarray(columns["minute"], dtype=np.float64)[order], np.asarray(columns["to"], dtype=np.float64)[order],
        reported[order], closed[order], np.asarray(columns["channel"], dtype=np.int64)[order], outcome[order],
        located[order], kind[order], np.where(parent >= 0, position[parent], -1),
    )  # fmt: skip
