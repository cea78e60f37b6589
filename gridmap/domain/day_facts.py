"""What kind of day each day is, for models: worked or not, holiday, festival, lunar new year, school term."""

from __future__ import annotations

import tomllib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from gridmap.domain.vocab import vocabulary_dir
from gridmap.domain.workdays import Workdays, days_of, load_workdays
from gridmap.errors import Invalid, Misconfigured

_LONGEST_SPAN_DAYS = 20_000
# A lunar year has 353 to 385 days: within 176 days of a new year no other one is nearer.
_HALF_LUNAR_YEAR_DAYS = 176


@dataclass(frozen=True, slots=True)
class DayFacts:
    """Attributes:
    is_workday: Monday to Friday without holidays, and make-up workdays. None where the file lacks the year's notice.
    holiday: key of the public holiday this day belongs to ("spring_festival"), None on any other day.
    festival: key of the festival that falls on this very day ("lantern", "ghost"), a holiday or not.
    lunar_new_year_days: days since the nearest lunar new year's day, negative before it, 0 on it. Known from half a
        lunar year before the first new year of the file to half a one after its last, elsewhere None.
    school_term: False in a vacation of the site's schools (weekends and holidays in term are True). None where the file
        says nothing.
    """

    day: date
    is_workday: bool | None
    holiday: str | None
    festival: str | None
    lunar_new_year_days: int | None
    school_term: bool | None


@dataclass(frozen=True, slots=True)
class DayBook:
    """The calendars of one site."""

    workdays: Workdays
    festivals: Mapping[date, str]
    new_years: Sequence[date]
    vacations: frozenset[date]
    terms_told: tuple[date, date]

    def facts(self, day: date) -> DayFacts:
        told = day.year in self.workdays.years
        first, last = self.terms_told
        return DayFacts(
            day=day,
            is_workday=self.workdays.is_workday(day) if told else None,
            holiday=self.workdays.holidays.get(day),
            festival=self.festivals.get(day),
            lunar_new_year_days=_since_nearest(self.new_years, day),
            school_term=day not in self.vacations if first <= day <= last else None,
        )


def day_facts(first: date, last: date) -> tuple[DayFacts, ...]:
    """The facts of every day from `first` to `last`, both included, in order, by the calendars of this installation.

    Raises:
        Invalid: "span_invalid" when the span runs backwards or is longer than 20,000 days.
        Misconfigured: a calendar file is broken.
    """
    days = (last - first).days + 1
    if not 1 <= days <= _LONGEST_SPAN_DAYS:
        raise Invalid("span_invalid", first=first.isoformat(), last=last.isoformat())
    book = day_book()
    return tuple(book.facts(first + timedelta(days=ahead)) for ahead in range(days))


@cache
def day_book() -> DayBook:
    """The calendars of this installation. Raises Misconfigured("holidays_unreadable")."""
    return load_day_book(vocabulary_dir())


def load_day_book(folder: Path) -> DayBook:
    """Read `holidays.toml` and `school_terms.toml` of `folder`. Raises Misconfigured that names the broken one."""
    holidays, terms = folder / "holidays.toml", folder / "school_terms.toml"
    rows = _read(holidays).get("festivals", [])
    festivals = {day: key for row in rows for key, day in row.items() if key != "year"}
    told = _read(terms)
    vacations = [days_of(terms, row.get("from"), row.get("to")) for row in told.get("vacation", [])]
    covered = days_of(terms, told.get("covers_from"), told.get("covers_to"))
    return DayBook(
        workdays=load_workdays(holidays),
        festivals=festivals,
        new_years=sorted(day for day, key in festivals.items() if key == "lunar_new_year"),
        vacations=frozenset(day for days in vacations for day in days),
        terms_told=(covered[0], covered[-1]),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured("holidays_unreadable", file=path.name, reason=str(error)) from error


def _since_nearest(new_years: Sequence[date], day: date) -> int | None:
    """Signed days to the nearest of `new_years` (ascending); the later one when two are equally near."""
    place = bisect_left(new_years, day)
    near = [(day - one).days for one in new_years[max(place - 1, 0) : place + 1]]
    nearest = min(reversed(near), key=abs, default=None)
    outside = place == 0 or place == len(new_years)
    if nearest is None or (outside and abs(nearest) > _HALF_LUNAR_YEAR_DAYS):
        return None
    return nearest
