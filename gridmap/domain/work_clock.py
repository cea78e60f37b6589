"""The one clock of the house: time that counts by a calendar, started, paused, taken up again, begun anew.

Calendars are rows of the list `work_calendar`: hours of the day, and whether every day or workdays only (holidays and
make-up workdays as `holidays.toml` tells them; in a year without a notice Monday to Friday).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from gridmap.domain.vocab import vocabulary
from gridmap.domain.workdays import Workdays, workdays
from gridmap.errors import Conflict, Invalid, Misconfigured

DAY_MIN = 24 * 60
# A limit that is not reached in so many days is a mistake of the calendar or of the limit.
_FURTHEST_DAYS = 3_700
_ZERO = timedelta()


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkCalendar:
    """Attributes:
    hours: (begin, end) in minutes after local midnight, 0 <= begin < end <= 1440, in order, none over another.
    workdays_only: on workdays of `known`; else every day.
    """

    key: str
    zone: ZoneInfo
    hours: tuple[tuple[int, int], ...]
    workdays_only: bool
    known: Workdays

    def spans_from(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The spans that count, as aware UTC, of this local day and those after it, without end."""
        for ahead in range(_FURTHEST_DAYS):
            on = day + timedelta(days=ahead)
            if not self.workdays_only or self.known.is_workday(on):
                yield from ((self._at(on, begin), self._at(on, end)) for begin, end in self.hours)

    def counted(self, begin: datetime, end: datetime) -> timedelta:
        """How much of the time from `begin` to `end` counts; nothing when it runs backwards."""
        total = _ZERO
        for first, last in self.spans_from(begin.astimezone(self.zone).date()):
            if first >= end:
                break
            total += max(_ZERO, min(last, end) - max(first, begin))
        return total

    def due_after(self, begin: datetime, limit: timedelta) -> datetime:
        """The first instant by which `limit` has been counted since `begin`. Raises Invalid("limit_never_reached")."""
        left = limit
        if left <= _ZERO:
            return begin
        for first, last in self.spans_from(begin.astimezone(self.zone).date()):
            here = max(_ZERO, last - max(first, begin))
            if here >= left:
                return max(first, begin) + left
            left -= here
        raise Invalid("limit_never_reached", calendar=self.key)

    def _at(self, day: date, minute: int) -> datetime:
        """Clock time of a local day; the end of a day is the midnight after it, whatever the clocks did meanwhile."""
        days, left = divmod(minute, DAY_MIN)
        local = datetime.combine(day + timedelta(days=days), time(left // 60, left % 60), self.zone)
        return local.astimezone(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkClock:
    """A limit and what was counted towards it. `running_since` is None while paused or stopped."""

    limit: timedelta
    running_since: datetime | None
    counted: timedelta = _ZERO

    @classmethod
    def start(cls, limit: timedelta, at: datetime) -> WorkClock:
        return cls(limit=limit, running_since=at)

    def pause(self, calendar: WorkCalendar, at: datetime) -> WorkClock:
        """Stop counting, for a while or for good. Raises Conflict("clock_stands") when it does not run."""
        if self.running_since is None:
            raise Conflict("clock_stands")
        return replace(self, counted=self.counted_by(calendar, at), running_since=None)

    def resume(self, at: datetime) -> WorkClock:
        """Count on from where it stood. Raises Conflict("clock_runs")."""
        if self.running_since is not None:
            raise Conflict("clock_runs")
        return replace(self, running_since=at)

    def restart(self, at: datetime) -> WorkClock:
        """Begin anew from nothing, running or not."""
        return WorkClock.start(self.limit, at)

    def counted_by(self, calendar: WorkCalendar, at: datetime) -> timedelta:
        now = _ZERO if self.running_since is None else calendar.counted(self.running_since, at)
        return self.counted + now

    def due_at(self, calendar: WorkCalendar) -> datetime | None:
        """When the limit is reached if nothing stops it; None while it stands."""
        if self.running_since is None:
            return None
        return calendar.due_after(self.running_since, self.limit - self.counted)


def work_calendar(key: str, zone: ZoneInfo) -> WorkCalendar:
    """A calendar of this site. Raises Invalid("work_calendar_unknown"), Misconfigured("work_calendar_broken")."""
    return _calendar(vocabulary().term("work_calendar", key).key, zone)


@cache
def _calendar(key: str, zone: ZoneInfo) -> WorkCalendar:
    row = vocabulary().lists["work_calendar"][key].extra
    return WorkCalendar(
        key=key,
        zone=zone,
        hours=_hours(key, row.get("hours", ())),
        workdays_only=bool(row.get("workdays_only", False)),
        known=workdays(),
    )


def _hours(key: str, rows: Sequence[Sequence[Any]]) -> tuple[tuple[int, int], ...]:
    try:
        hours = tuple((_minute(begin), _minute(end)) for begin, end in rows)
    except (TypeError, ValueError) as error:
        raise Misconfigured("work_calendar_broken", key=key, reason=str(error)) from error
    flat = [minute for span in hours for minute in span]
    if not hours or flat != sorted(flat) or any(begin == end for begin, end in hours):
        raise Misconfigured("work_calendar_broken", key=key, reason="hours are not in order")
    return hours


def _minute(clock: str) -> int:
    hour, minute = (int(part) for part in clock.split(":"))
    if not (0 <= minute < 60 and 0 <= hour * 60 + minute <= DAY_MIN):
        raise ValueError(clock)
    return hour * 60 + minute
