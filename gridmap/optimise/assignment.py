"""Who goes where, when several incidents are open at once: the least severity-weighted waiting time in all.

The assignment problem, solved exactly by SciPy's `linear_sum_assignment` (a Jonker-Volgenant algorithm, see Crouse,
IEEE Trans. Aerosp. Electron. Syst. 52, 2016). A way that does not exist is no way at a high price: it is left out of
the answer and named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

# A minute of a critical incident weighs as much as this many of a low one.
SEVERITY_WEIGHT = {1: 8.0, 2: 4.0, 3: 2.0, 4: 1.0}


@dataclass(frozen=True, slots=True)
class Sent:
    """Row `incident` gets column `unit`, there in `seconds`."""

    incident: int
    unit: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who goes where, in the order of rows; rows that nobody is left for; and the total weighted seconds."""

    sent: tuple[Sent, ...]
    unmet: tuple[int, ...]
    weighted_s: float

    @property
    def seconds(self) -> float:
        return sum(one.seconds for one in self.sent)


def assign(seconds: ArrayLike, severities: Sequence[int]) -> Assignment:
    """The best of all assignments.

    Args:
        seconds: (incidents, units) travel times; infinite or NaN where no way leads.
        severities: 1 (critical) to 4, one a row.

    As many incidents as possible get somebody, the most severe first; among those answers the least weighted time.
    """
    times, weights = _checked(seconds, severities)
    if not times.size:
        return _answer(times, weights, np.empty(0, np.intp), np.empty(0, np.intp))
    reachable = np.isfinite(times)
    cost = np.where(reachable, times * weights[:, None], 0.0)
    # Dearer than any whole answer, so that leaving somebody out never pays; dearer still for a severer incident.
    nobody = (cost.max(initial=0.0) * len(weights) + 1.0) * weights * len(weights)
    padded = np.hstack(
        [np.where(reachable, cost, 2.0 * nobody.sum() + 1.0), np.full((len(weights),) * 2, 0.0)]
    )
    padded[:, times.shape[1] :] = nobody[:, None]
    rows, columns = linear_sum_assignment(padded)
    real = (columns < times.shape[1]) & reachable[rows, np.minimum(columns, times.shape[1] - 1)]
    return _answer(times, weights, rows[real], columns[real])


def one_by_one(seconds: ArrayLike, severities: Sequence[int]) -> Assignment:
    """What a desk does without this: the most severe first (then in order), each the fastest that is left."""
    times, weights = _checked(seconds, severities)
    free = np.ones(times.shape[1], dtype=bool)
    rows: list[int] = []
    columns: list[int] = []
    for row in sorted(range(len(severities)), key=lambda index: (severities[index], index)):
        left = np.where(free & np.isfinite(times[row]), times[row], np.inf) if times.shape[1] else np.empty(0)
        if left.size and np.isfinite(left.min()):
            column = int(left.argmin())
            free[column] = False
            rows.append(row)
            columns.append(column)
    order = np.argsort(rows, kind="stable") if rows else np.empty(0, np.intp)
    return _answer(times, weights, np.array(rows, np.intp)[order], np.array(columns, np.intp)[order])


def _checked(
    seconds: ArrayLike, severities: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    times = np.asarray(seconds, dtype=float).reshape(len(severities), -1)
    weights = np.array([SEVERITY_WEIGHT[severity] for severity in severities], dtype=float)
    return np.where(np.isnan(times), np.inf, times), weights


def _answer(
    times: NDArray[np.float64],
    weights: NDArray[np.float64],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
) -> Assignment:
    sent = tuple(
        Sent(int(row), int(column), float(times[row, column]))
        for row, column in zip(rows, columns, strict=True)
    )
    unmet = tuple(sorted(set(range(len(weights))) - {one.incident for one in sent}))
    return Assignment(sent, unmet, float(sum(one.seconds * weights[one.incident] for one in sent)))
