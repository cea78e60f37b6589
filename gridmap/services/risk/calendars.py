"""The site's calendars as the engine takes them: holidays, make-up workdays, festivals, vacations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from gridmap.domain.day_facts import DayFacts, day_facts
from gridmap.risk.calendar import Calendar, DayGroup

_LONGEST_D = 19_000


def calendar_of(first: date, last: date) -> Calendar:
    """Every kind of day from `first` to `last`. Days that no calendar file tells of are in no group."""
    start = max(first, date.fromordinal(last.toordinal() - _LONGEST_D))
    facts = day_facts(start, last)

    def days(of: Callable[[DayFacts], bool]) -> list[date]:
        return [one.day for one in facts if of(one)]

    groups = (
        DayGroup.of("before_new_year", days(lambda one: -14 <= (one.lunar_new_year_days or 0) < 0)),
        DayGroup.of("spring_festival", days(lambda one: one.holiday == "spring_festival")),
        DayGroup.of("festival", days(lambda one: one.festival is not None and one.holiday is None)),
        DayGroup.of("school_vacation", days(lambda one: one.school_term is False)),
    )
    return Calendar.of(
        holidays=days(lambda one: one.holiday is not None),
        make_up=days(lambda one: bool(one.is_workday) and one.day.weekday() >= 5 and one.holiday is None),
        groups=[group for group in groups if len(group.days)],
    )
