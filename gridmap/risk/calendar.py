"""What kind of day a day is, given as data: statutory holidays, make-up workdays, lunar festivals, school terms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from gridmap.risk.arrays import Bools, Floats, Ints

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class DayGroup:
    """Days that share a habit ("holiday", "before_spring_festival", "school_break"); the model learns one factor each.

    `days` are days since 1970-01-01, ascending and unique.
    """

    name: str
    days: Ints

    @classmethod
    def of(cls, name: str, days: Iterable[date]) -> DayGroup:
        return cls(name, np.array(sorted({(day - _EPOCH).days for day in days}), dtype=np.int64))


@dataclass(frozen=True)
class Calendar:
    """Days off and worked weekends, and any further groups of days.

    A make-up workday counts as a Friday in the course of the week, a holiday as a Sunday, and each has a factor of its
    own beside that, as every group has. The empty calendar knows the plain week only.
    """

    holidays: Ints
    make_up: Ints
    groups: tuple[DayGroup, ...] = ()

    @classmethod
    def of(
        cls, holidays: Iterable[date] = (), make_up: Iterable[date] = (), groups: Iterable[DayGroup] = ()
    ) -> Calendar:
        days_off, worked = DayGroup.of("holiday", holidays), DayGroup.of("make_up", make_up)
        return cls(days_off.days, worked.days, tuple(groups))

    def weekday(self, days: Ints) -> Ints:
        """0 Monday to 6 Sunday as the day is lived: a make-up workday is a Friday (4), a holiday a Sunday (6)."""
        plain = (days + 3) % 7
        lived = np.where(np.isin(days, self.holidays), 6, plain)
        return np.where(np.isin(days, self.make_up), 4, lived)

    def named(self) -> tuple[DayGroup, ...]:
        """All groups that are not empty, the statutory ones first."""
        own = (DayGroup("holiday", self.holidays), DayGroup("make_up", self.make_up))
        return tuple(group for group in (*own, *self.groups) if len(group.days))

    def flags(self, days: Ints) -> Bools:
        """(D, groups) which days are in which of `named()`."""
        columns = [np.isin(days, group.days) for group in self.named()]
        return np.column_stack(columns) if columns else np.zeros((len(days), 0), dtype=bool)


NO_CALENDAR = Calendar.of()


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def whole_days(values: Floats) -> Ints:
    """The day number that each local moment falls in."""
    return np.floor(values).astype(np.int64)
