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
    """The profile of all rows of `events`: how a plain week, each of its days lived as its name says, shares them out.

    A span gives each hour it covers its part (aoristic, Ratcliffe 2000). A day counts as what it is lived as
    (`Calendar.weekday`), and by how many days of that kind there were between the first row and the last.
    """
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
        shares = _shares(counts.reshape(7, 24), _days_of_kind(kept, calendar))
    return HourProfile(
        shares,
        len(kept),
        int((~fine).sum()),
        int((fine & default).sum()),
        int((fine & ~default & long).sum()),
    )


def _shares(counts: Floats, days: Floats) -> Floats:
    """(168,) from (7, 24) events and how many days of each kind (7,) they fell into.

    A week of the calendar may hold three Sundays: rates per day of each kind are told, not sums. Each is drawn to the
    mean rate by half an event, and each hour to "this hour on any day, this day at any hour".
    """
    mean = counts.sum() / days.sum()
    by_day = (counts.sum(axis=1) + 0.5) / (days + 0.5 / mean)
    by_hour = (counts.sum(axis=0) + 0.5) / (counts.sum() + 12)
    prior_days = _PRIOR_EVENTS / (7 * mean)
    rate = (counts + prior_days * np.outer(by_day, by_hour)) / (days + prior_days)[:, None]
    return np.asarray((rate / rate.sum()).ravel())


def _days_of_kind(events: Events, calendar: Calendar) -> Floats:
    """(7,) days lived as Monday to Sunday, from the first row's day to the last's."""
    first, last = int(np.floor(events.occurred_d.min())), int(np.floor(events.occurred_to_d.max()))
    days = np.arange(first, last + 1, dtype=np.int64)
    return np.bincount(calendar.weekday(days), minlength=7).astype(float)


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
