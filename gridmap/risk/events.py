"""What happened, as columns: places in local metres, times in days of the local wall clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta, tzinfo
from enum import IntEnum
from typing import Any

import numpy as np

from gridmap.errors import Invalid
from gridmap.risk.arrays import Bools, Floats, Ints

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall clock


class Precision(IntEnum):
    """How exactly `occurred_d` is known; a finer model ignores coarser rows."""

    MINUTE = 0
    HOUR = 1
    DAY = 2
    MONTH = 3


@dataclass(frozen=True)
class Events:
    """N incidents in any order.

    Attributes:
        x_m, y_m: (N,) place in the grid's system.
        occurred_d: (N,) when it happened, or the start of the span in which it did.
        occurred_to_d: (N,) end of that span; equal to `occurred_d` where the moment is known. A day's precision is a
            span of its own and need not be written as one.
        recorded_d: (N,) when the system first knew; NaN where nobody kept it (then it counts as known at once).
        precision: (N,) `Precision`.
        class_index: (N,) into `classes`. `channel_index`: (N,) into `channels`.
        weight: (N,) over zero; 1 for a plain count.
        found: (N,) found by a patrol, a camera or a task instead of reported: left out of fitting unless asked.
    """

    x_m: Floats
    y_m: Floats
    occurred_d: Floats
    occurred_to_d: Floats
    recorded_d: Floats
    precision: Ints
    class_index: Ints
    channel_index: Ints
    weight: Floats
    found: Bools
    classes: tuple[str, ...] = ("",)
    channels: tuple[str, ...] = ("",)

    def __len__(self) -> int:
        return len(self.x_m)

    def __post_init__(self) -> None:
        columns = [getattr(self, one.name) for one in fields(self) if one.name not in ("classes", "channels")]
        if len({len(column) for column in columns}) != 1:
            raise Invalid("risk_columns_unequal")
        if not (
            np.isfinite(self.x_m).all() and np.isfinite(self.y_m).all() and np.isfinite(self.occurred_d).all()
        ):
            raise Invalid("risk_not_finite")
        if (self.occurred_to_d < self.occurred_d).any():
            raise Invalid("risk_span_backwards")
        if len(self) and (np.min(self.weight) <= 0 or not np.isfinite(self.weight).all()):
            raise Invalid("risk_weight")

    @classmethod
    def of(
        cls, x_m: Any, y_m: Any, occurred_d: Any, *,
        occurred_to_d: Any = None, recorded_d: Any = None, precision: Any = Precision.MINUTE, class_index: Any = 0,
        channel_index: Any = 0, weight: Any = 1.0, found: Any = False,
        classes: Sequence[str] = ("",), channels: Sequence[str] = ("",),
    ) -> Events:  # fmt: skip
        """Events from arrays or scalars that hold for all rows. Raises Invalid (see `__post_init__`)."""
        first = np.atleast_1d(np.asarray(x_m, dtype=np.float64))

        def column(value: Any, kind: Any) -> Any:
            return np.array(np.broadcast_to(np.asarray(value, dtype=kind), first.shape))

        start = column(occurred_d, np.float64)
        end = start if occurred_to_d is None else column(occurred_to_d, np.float64)
        return cls(
            first, column(y_m, np.float64), start, np.where(np.isnan(end), start, end),
            column(np.nan if recorded_d is None else recorded_d, np.float64), column(precision, np.int64),
            column(class_index, np.int64), column(channel_index, np.int64), column(weight, np.float64),
            column(found, np.bool_), tuple(classes), tuple(channels),
        )  # fmt: skip

    def take(self, rows: Any) -> Events:
        """The rows of a mask or index; the lists of classes and channels stay."""
        names = [one.name for one in fields(self) if one.name not in ("classes", "channels")]
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def of_class(self, name: str) -> Events:
        """Rows of one class. Raises Invalid("risk_class_unknown")."""
        if name not in self.classes:
            raise Invalid("risk_class_unknown", name=name)
        return self.take(self.class_index == self.classes.index(name))

    @property
    def known_d(self) -> Floats:
        """(N,) from when a forecast may use the row: recorded, and not before it happened."""
        return np.fmax(self.recorded_d, self.occurred_to_d)

    def known_at(self, origin_d: float) -> Events:
        """What could be known at `origin_d`: recorded before it and happened before it."""
        return self.take((self.known_d < origin_d) & (self.occurred_d < origin_d))

    def between(self, from_d: float, to_d: float) -> Events:
        """Rows whose start lies in [from_d, to_d)."""
        return self.take((self.occurred_d >= from_d) & (self.occurred_d < to_d))


def local_days(moments: Sequence[datetime], zone: tzinfo) -> Floats:
    """Aware moments as days since 1970-01-01 on the wall clock of `zone`; (N,)."""
    return np.array([_wall_days(moment.astimezone(zone)) for moment in moments], dtype=np.float64)


def moment_of(day: float, zone: tzinfo) -> datetime:
    """The aware moment of a local day, to the second."""
    return (_EPOCH + timedelta(seconds=round(day * 86_400))).replace(tzinfo=zone)


def _wall_days(local: datetime) -> float:
    return (local.replace(tzinfo=None) - _EPOCH) / timedelta(days=1)
