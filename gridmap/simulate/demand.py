"""Calls as they come from a source: when, where, what; and the fate drawn for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from gridmap.domain.vocab import vocabulary
from gridmap.simulate.ground import Assumptions
from gridmap.simulate.scene import Period
from gridmap.simulate.streets import Floats, Ints

# Fewer finished jobs than this of a severity tell nothing of how long the next takes.
LEAST_HISTORY = 50


@dataclass(frozen=True, slots=True)
class Reports:
    """Reported incidents of a period in order of time; `at_s` from its start. Without duplicates and drills."""

    at_s: Floats
    lonlat: Floats
    severity: Ints
    class_key: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.at_s)


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds measured in the site's own finished jobs; empty where there are none."""

    turnout_s: Floats
    work_s: tuple[Floats, Floats, Floats, Floats]


NO_HISTORY = Durations(np.empty(0), (np.empty(0), np.empty(0), np.empty(0), np.empty(0)))


def in_order(
    moments: Sequence[datetime],
    lonlat: Floats,
    severity: Sequence[int],
    classes: Sequence[str],
    period: Period,
) -> Reports:
    """Reports sorted by time, those outside the period left out."""
    at_s = np.array([(moment - period.start).total_seconds() for moment in moments])
    return cut(
        Reports(at_s, lonlat.reshape(-1, 2), np.array(severity, dtype=np.int64), tuple(classes)), period
    )


def cut(reports: Reports, period: Period) -> Reports:
    """The reports within the period, by time."""
    kept = np.flatnonzero((reports.at_s >= 0) & (reports.at_s < period.length_s))
    order = kept[np.argsort(reports.at_s[kept], kind="stable")]
    return Reports(
        reports.at_s[order],
        reports.lonlat[order],
        reports.severity[order],
        tuple(reports.class_key[i] for i in order.tolist()),
    )


def draw_fate(
    severity: Ints, assumed: Assumptions, measured: Durations, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Turn-out and on-scene seconds of each call: from the history where it has enough, else as assumed.

    One draw a call, before any policy runs: all policies meet the same fate (common random numbers).
    """
    n = len(severity)
    turnout = rng.lognormal(np.log(assumed.turnout_median_s), assumed.turnout_sigma, n)
    if len(measured.turnout_s) >= LEAST_HISTORY:
        turnout = rng.choice(measured.turnout_s, n)
    median_s = np.array(assumed.on_scene_median_min) * 60
    work = rng.lognormal(np.log(median_s[severity - 1]), assumed.on_scene_sigma)
    for level, known in enumerate(measured.work_s, 1):
        mine = np.flatnonzero(severity == level)
        if len(known) >= LEAST_HISTORY:
            work[mine] = rng.choice(known, len(mine))
    return turnout, work


def needs_of(classes: Sequence[str]) -> tuple[list[frozenset[str]], Ints]:
    """The different sets of capabilities that the classes ask for, and the number of each call's set."""
    found: dict[frozenset[str], int] = {}
    numbers = [
        found.setdefault(frozenset(vocabulary().event_class(key).capabilities), len(found)) for key in classes
    ]
    return list(found), np.array(numbers, dtype=np.int64)
