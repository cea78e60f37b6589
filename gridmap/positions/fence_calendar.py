"""When a fence is active: weekdays, hours, dates and holidays, in the deployment's time zone.

A calendar is made of spans. A span of hours belongs to the day it begins on, so 22:00-06:00 on Fridays ends on Saturday
morning. Spans that touch are one span: a fence that is active all week does not start anew at midnight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from gridmap.domain.workdays import Workdays
from gridmap.errors import Invalid

Days = Literal["any", "workdays", "days_off"]

DAY_MIN = 24 * 60
_EVERY_WEEKDAY = frozenset(range(7))
_KEYS = frozenset({"weekdays", "hours", "from", "to", "days"})
_MOST_SPANS = 12
# How far spans that touch are followed; a calendar that never pauses for so long counts as begun that long ago.
_LONGEST = timedelta(days=400)

Instants = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Attributes:
    zone: the deployment's zone; hours and dates are told in it.
    weekdays: 0 = Monday ... 6 = Sunday.
    hours: (begin, end) in minutes after midnight, 0 <= begin < 1440; an end at or before the begin lies on the next
        day. Empty means the whole day.
    first, last: the dates on which spans may begin, both included; None is open.
    days: "workdays" knows holidays and make-up workdays; "days_off" is every other day.
    """

    zone: ZoneInfo
    weekdays: frozenset[int] = _EVERY_WEEKDAY
    hours: tuple[tuple[int, int], ...] = ()
    first: date | None = None
    last: date | None = None
    days: Days = "any"
    known: Workdays = field(default_factory=Workdays)

    def span_at(self, at: datetime) -> Instants | None:
        """The unbroken active span (begin, end; aware UTC) that holds `at`; None while inactive."""
        local = at.astimezone(self.zone)
        for day in (local.date() - timedelta(days=1), local.date()):
            for span in _spans(self, day):
                if span[0] <= at < span[1]:
                    return _grown(self, span)
        return None

    def next_begin(self, after: datetime, within_days: int = 2) -> datetime | None:
        """The first instant later than `after` at which a span begins; None when there is none that soon."""
        day = after.astimezone(self.zone).date()
        begins = [
            begin
            for ahead in range(within_days + 1)
            for begin, _ in _spans(self, day + timedelta(days=ahead))
            if begin > after
        ]
        return min(begins, default=None)

    def begins_on(self, day: date) -> bool:
        """Whether spans may begin on this local date."""
        if day.weekday() not in self.weekdays:
            return False
        if (self.first is not None and day < self.first) or (self.last is not None and day > self.last):
            return False
        return self.days == "any" or self.known.is_workday(day) == (self.days == "workdays")


@lru_cache(maxsize=4096)
def _spans(calendar: Calendar, day: date) -> tuple[Instants, ...]:
    """The spans that begin on a local date."""
    if not calendar.begins_on(day):
        return ()
    spans = calendar.hours or ((0, 0),)
    return tuple(
        (_instant(calendar, day, begin), _instant(calendar, day, end if end > begin else end + DAY_MIN))
        for begin, end in spans
    )


def _instant(calendar: Calendar, day: date, minute: int) -> datetime:
    """Clock time on a local date, so that a span ends at six in the morning whatever the night did to the clocks."""
    days, left = divmod(minute, DAY_MIN)
    clock = time(left // 60, left % 60)
    return datetime.combine(day + timedelta(days=days), clock, calendar.zone).astimezone(UTC)


@lru_cache(maxsize=4096)
def _grown(calendar: Calendar, span: Instants) -> Instants:
    """The span together with those that touch or overlap it."""
    begin, end = span
    oldest, newest = begin - _LONGEST, end + _LONGEST
    while begin > oldest:
        earlier = min((one[0] for one in _near(calendar, begin) if one[1] >= begin), default=begin)
        if earlier >= begin:
            break
        begin = earlier
    while end < newest:
        later = max((one[1] for one in _near(calendar, end) if one[0] <= end), default=end)
        if later <= end:
            break
        end = later
    return begin, end


def _near(calendar: Calendar, at: datetime) -> list[Instants]:
    """Every span that may touch an instant: none lasts longer than a day."""
    day = at.astimezone(calendar.zone).date()
    return [*_spans(calendar, day - timedelta(days=1)), *_spans(calendar, day)]


def read_calendar(told: Mapping[str, Any] | None, zone: ZoneInfo, known: Workdays) -> Calendar | None:
    """A calendar from its stored form; None is always.

    The form: {"weekdays": [0..6], "hours": [["08:00", "18:30"], ...], "from": "2026-06-01", "to": "2026-09-01",
    "days": "any" | "workdays" | "days_off"}, each key optional.

    Raises:
        Invalid: "fence_calendar" with `field`.
    """
    if not told:
        return None
    if unknown := set(told) - _KEYS:
        raise Invalid("fence_calendar", field=sorted(unknown)[0])
    first, last = _date(told, "from"), _date(told, "to")
    if first is not None and last is not None and last < first:
        raise Invalid("fence_calendar", field="to")
    days = told.get("days", "any")
    if days not in ("any", "workdays", "days_off"):
        raise Invalid("fence_calendar", field="days")
    return Calendar(zone, _weekdays(told), _hours(told), first, last, days, known)


def _weekdays(told: Mapping[str, Any]) -> frozenset[int]:
    given = told.get("weekdays", [])
    if not isinstance(given, list) or any(type(day) is not int or not 0 <= day <= 6 for day in given):
        raise Invalid("fence_calendar", field="weekdays")
    return frozenset(given) or _EVERY_WEEKDAY


def _hours(told: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    given = told.get("hours", [])
    if not isinstance(given, list) or len(given) > _MOST_SPANS:
        raise Invalid("fence_calendar", field="hours")
    try:
        return tuple(sorted((_minute(begin) % DAY_MIN, _minute(end)) for begin, end in given))
    except (TypeError, ValueError):
        raise Invalid("fence_calendar", field="hours") from None


def _minute(clock: str) -> int:
    hour, minute = clock.split(":")
    if not (
        hour.isdigit() and minute.isdigit() and int(minute) < 60 and int(hour) * 60 + int(minute) <= DAY_MIN
    ):
        raise ValueError(clock)
    return int(hour) * 60 + int(minute)


def _date(told: Mapping[str, Any], name: str) -> date | None:
    given = told.get(name)
    if given is None:
        return None
    try:
        return date.fromisoformat(given)
    except (TypeError, ValueError):
        raise Invalid("fence_calendar", field=name) from None
