"""Public holidays and make-up workdays, read from `holidays.toml` beside the other vocabularies."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from gridmap.domain.vocab import vocabulary_dir
from gridmap.errors import Misconfigured

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Workdays:
    """Which days are holidays by law, and which weekend days are worked instead.

    Attributes:
    holidays: the key of the holiday of each day that is one.
    years: the years whose notice is in the file; in every other year Monday to Friday count as workdays.
    """

    holidays: Mapping[date, str] = field(default_factory=dict, hash=False)
    make_up: frozenset[date] = frozenset()
    years: frozenset[int] = frozenset()

    def is_workday(self, day: date) -> bool:
        """Monday to Friday without the holidays, and the weekend days that are worked instead."""
        if day in self.make_up:
            return True
        return day.weekday() < _SATURDAY and day not in self.holidays


@cache
def workdays() -> Workdays:
    """The calendar of this installation. Raises Misconfigured("holidays_unreadable")."""
    return load_workdays(vocabulary_dir() / "holidays.toml")


def load_workdays(path: Path) -> Workdays:
    """Read one file. Raises Misconfigured that names it when it is broken or a span runs backwards."""
    try:
        years = tomllib.loads(path.read_text(encoding="utf-8"))["year"]
        spans = [(row["key"], row["from"], row["to"]) for year in years for row in year["holidays"]]
        make_up = frozenset(day for year in years for day in year["workdays"])
        told = frozenset(year["year"] for year in years)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise Misconfigured("holidays_unreadable", file=path.name, reason=str(error)) from error
    days = {day: key for key, first, last in spans for day in days_of(path, first, last)}
    return Workdays(days, make_up, told)


def days_of(path: Path, first: Any, last: Any) -> list[date]:
    """Every day of a span, both ends included. Raises Misconfigured when it runs backwards or is no span of dates."""
    if type(first) is not date or type(last) is not date or last < first:
        raise Misconfigured(
            "holidays_unreadable", file=path.name, reason=f"no span of days: {first} to {last}"
        )
    return [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]
