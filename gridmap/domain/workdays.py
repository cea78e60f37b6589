"""Public holidays and make-up workdays, read from `holidays.toml` beside the other vocabularies."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from gridmap.domain.vocab import vocabulary_dir
from gridmap.errors import Misconfigured

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Workdays:
    """Which days are holidays by law, and which weekend days are worked instead."""

    holidays: frozenset[date] = frozenset()
    make_up: frozenset[date] = frozenset()

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
        spans = [(row["from"], row["to"]) for year in years for row in year["holidays"]]
        make_up = frozenset(day for year in years for day in year["workdays"])
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise Misconfigured("holidays_unreadable", file=path.name, reason=str(error)) from error
    if any(last < first for first, last in spans):
        raise Misconfigured("holidays_unreadable", file=path.name, reason="a span runs backwards")
    days = frozenset(
        first + timedelta(days=ahead) for first, last in spans for ahead in range((last - first).days + 1)
    )
    return Workdays(days, make_up)
