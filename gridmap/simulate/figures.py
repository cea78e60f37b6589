"""What a replay's outcome comes to: response times, misses, cover, work; and the difference between two policies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gridmap.domain.vocab import vocabulary
from gridmap.simulate.replay import Outcome
from gridmap.simulate.scene import Calls
from gridmap.simulate.streets import Floats

_SHARES = (50, 90, 95)
_RESAMPLES = 2_000
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Figures:
    """One row of the table. Minutes throughout; percentiles by name ("p50")."""

    calls: int
    served: int
    missed: int
    response_min: dict[str, float]
    travel_min: dict[str, float]
    travel_min_by_severity: dict[str, dict[str, float]]
    cover: dict[str, float]
    jobs_per_unit: dict[str, float]
    units_without_job: int
    busy_share: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def figures_of(calls: Calls, outcome: Outcome, cover: dict[str, float]) -> Figures:
    """Sum up. `response` is report to arrival, `travel` dispatch to arrival with the turn-out.

    A call is missed when it waited for a unit longer than its severity's dispatch limit, or nobody came.
    """
    served = outcome.unit >= 0
    response = (outcome.arrived_s - calls.at_s)[served] / 60
    travel = (outcome.arrived_s - outcome.sent_s)[served] / 60
    severity = calls.severity[served]
    wait_min = np.where(served, (outcome.sent_s - calls.at_s) / 60, np.inf)
    duty = outcome.duty_s > 0
    busy = outcome.busy_s[duty] / outcome.duty_s[duty]
    return Figures(
        calls=len(calls),
        served=int(served.sum()),
        missed=int((wait_min > _limits_min()[calls.severity - 1]).sum()),
        response_min=_spread(response),
        travel_min=_spread(travel),
        travel_min_by_severity={
            str(level): _spread(travel[severity == level]) for level in np.unique(severity).tolist()
        },
        cover=cover,
        jobs_per_unit={f"p{share}": float(np.percentile(outcome.jobs, share)) for share in (10, 50, 90, 100)},
        units_without_job=int((outcome.jobs == 0).sum()),
        busy_share={f"p{share}": round(float(np.percentile(busy, share)), 4) for share in (50, 90)},
    )


def _limits_min() -> Floats:
    levels = vocabulary().lists["severity"]
    return np.array([float(levels[str(level)].extra["dispatch_min"]) for level in range(1, 5)])


def _spread(values: Floats) -> dict[str, float]:
    if len(values) == 0:
        return {}
    found = {f"p{share}": round(float(np.percentile(values, share)), 2) for share in _SHARES}
    return {"mean": round(float(values.mean()), 3), **found}


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean response of one policy less that of another over the calls both served, minutes, and its standard error.

    The error is a paired bootstrap over whole days: calls of one day share crews and are not independent.
    """

    mean_min: float
    error_min: float
    pairs: int
    days: int

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def difference(calls: Calls, one: Outcome, other: Outcome, seed: int) -> Difference:
    """`one` less `other`: below zero is faster."""
    both = (one.unit >= 0) & (other.unit >= 0)
    gap = (one.arrived_s - other.arrived_s)[both] / 60
    _, day = np.unique((calls.at_s[both] // _DAY_S).astype(np.int64), return_inverse=True)
    days = int(day.max(initial=-1)) + 1
    if days < 2:
        return Difference(round(float(gap.mean()), 3) if len(gap) else 0.0, float("nan"), len(gap), days)
    total, count = np.bincount(day, gap, days), np.bincount(day, minlength=days)
    drawn = np.random.default_rng([seed, 3]).integers(0, days, (_RESAMPLES, days))
    means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    return Difference(round(float(gap.mean()), 3), round(float(means.std(ddof=1)), 3), len(gap), days)
