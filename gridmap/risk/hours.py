"""At which hours of the week: rows with a true hour only, spans spread over the hours they cover."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmap.risk.arrays import Floats, Ints
from gridmap.risk.calendar import NO_CALENDAR, Calendar
from gridmap.risk.events import Events, Precision
from gridmap.risk.quality import find_default_times

HOURS = 168
# Pulls each hour of the week to "this hour on any day, this day at any hour" with the weight of so many events.
_PRIOR_EVENTS = 40.0
_LONGEST_SPAN_D = 2.0


@dataclass(frozen=True)
class HourProfile:
    """Shares of the 168 hours of a week, from Monday 00:00, summing to one.

    `rows` went in; `coarse`, `default_time` and `too_long` rows were left out: known to the day only, at 00:00 or
    12:00 by default, or with a span of over two days. Without rows the shares are even.
    """

    shares: Floats
    rows: int
    coarse: int
    default_time: int
    too_long: int

    def top(self, count: int = 3) -> tuple[int, ...]:
        """The `count` likeliest hours of the day (0 to 23), likeliest first; () without rows."""
        if not self.rows:
            return ()
        by_hour = self.shares.reshape(7, 24).sum(axis=0)
        return tuple(int(hour) for hour in np.argsort(-by_hour, kind="stable")[:count])


def hour_profile(events: Events, calendar: Calendar = NO_CALENDAR) -> HourProfile:
    """The profile of all rows of `events`; a span gives each hour it covers its part (aoristic, Ratcliffe 2000)."""
    fine = events.precision <= Precision.HOUR
    default = np.zeros(len(events), dtype=bool)
    for found in find_default_times(events):
        # Only what exceeds the neighbours is a default; which rows those are nobody can tell, so all of them go.
        default[found.rows] = True
    long = events.occurred_to_d - events.occurred_d > _LONGEST_SPAN_D
    kept = events.take(fine & ~default & ~long)
    counts = _spread(kept, calendar)
    shares = np.full(HOURS, 1.0 / HOURS)
    if counts.sum() > 0:
        table = counts.reshape(7, 24)
        by_hour = (table.sum(axis=0) + 0.5) / (table.sum() + 12)
        by_day = (table.sum(axis=1) + 0.5) / (table.sum() + 3.5)
        drawn = table + _PRIOR_EVENTS * np.outer(by_day, by_hour)
        shares = (drawn / drawn.sum()).ravel()
    return HourProfile(
        shares,
        len(kept),
        int((~fine).sum()),
        int((fine & default).sum()),
        int((fine & ~default & long).sum()),
    )


def _spread(events: Events, calendar: Calendar) -> Floats:
    """(168,) events in each hour of the week, each row weighing one."""
    first, last = _hour(events.occurred_d), _hour(events.occurred_to_d)
    counts = np.zeros(HOURS)
    length = np.maximum(events.occurred_to_d - events.occurred_d, 0.0)
    for step in range(int((last - first).max(initial=0)) + 1):
        hour = first + step
        rows = hour <= last
        begin = np.maximum(events.occurred_d[rows], hour[rows] / 24.0)
        end = np.minimum(events.occurred_to_d[rows], (hour[rows] + 1) / 24.0)
        whole = length[rows] > 0
        part = np.where(whole, (end - begin).clip(0.0) / np.where(whole, length[rows], 1.0), 1.0)
        days = hour[rows] // 24
        counts += np.bincount(calendar.weekday(days) * 24 + hour[rows] % 24, part, HOURS)
    return counts


def _hour(moment_d: Floats) -> Ints:
    """Hours since 1970-01-01; what is a rounding under the full hour belongs to it."""
    return np.floor(moment_d * 24.0 + 1e-6).astype(np.int64)
