"""Small numbers kept back, so that nobody can work them out from what is shown.

A count under `LEAST` is left out, and then enough others that no sum, difference or level gives it away
(complementary cell suppression; Willenborg and de Waal, Elements of Statistical Disclosure Control, 2001). What was
left out for which reason is not told: both read the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import lsmr

from gridmap.errors import Invalid
from gridmap.risk.arrays import Bools, Ints

LEAST = 5


@dataclass(frozen=True)
class Table:
    """Counts of N cells of one or several products that are read together, and the sums that hold among them.

    Attributes:
        counts: (N,) whole numbers.
        sums: each (total, parts): cell `total` is the sum of the cells `parts`. Give every one that a reader could
            write down: children of an area, classes of a class group, days of a week, also over products.
    """

    counts: Ints
    sums: tuple[tuple[int, tuple[int, ...]], ...]


def table_of_levels(counts: Ints, parents: Sequence[int]) -> Table:
    """A table of areas x classes from (areas, classes) counts of a whole tree, a column of totals added.

    `parents` (areas,) index of the parent, -1 at the top; a parent's counts are the sums of its children's. Cell
    numbers are row-major over (areas, classes + 1), totals last. Raises Invalid("risk_sums_wrong", cell).
    """
    areas, classes = counts.shape
    full = np.hstack([counts, counts.sum(axis=1, keepdims=True)]).astype(np.int64)
    number = np.arange(full.size).reshape(full.shape)
    sums = [(int(number[a, classes]), tuple(number[a, :classes].tolist())) for a in range(areas)]
    for parent in sorted(set(parents) - {-1}):
        rows = [child for child, above in enumerate(parents) if above == parent]
        sums += [(int(number[parent, c]), tuple(number[rows, c].tolist())) for c in range(classes + 1)]
    table = Table(full.ravel(), tuple(sums))
    for total, parts in sums:
        if table.counts[total] != table.counts[list(parts)].sum():
            raise Invalid("risk_sums_wrong", cell=total)
    return table


def suppress(table: Table, *, least: int = LEAST, zeros_shown: bool = False) -> Bools:
    """(N,) True for every cell that may be shown.

    First every count under `least` goes (zeros too unless `zeros_shown`). Then, until nothing changes: each sum with a
    hidden cell gets at least two of them, `least` or more together; and no hidden cell follows from the shown ones,
    the sums and "no count is negative" by whatever reckoning.
    """
    counts = np.asarray(table.counts, dtype=np.int64)
    hidden = counts < least
    if zeros_shown:
        hidden &= counts > 0
    while True:
        extra = _short_sum(table, counts, hidden, least)
        if extra is None:
            extra = _determined(table, counts, hidden)
        if extra is None:
            return ~hidden
        hidden[extra] = True


def _short_sum(table: Table, counts: Ints, hidden: Bools, least: int) -> int | None:
    """A shown cell to hide beside a hidden one that stands alone in its sum, or among too little."""
    for total, parts in table.sums:
        members = np.array([total, *parts])
        out = members[hidden[members]]
        if not len(out):
            continue
        lone = len(out) == 1
        thin = not hidden[total] and counts[out].sum() < least
        if lone or thin:
            shown = members[~hidden[members]]
            # The smallest that still shields loses least; a total goes last, for more hangs on it.
            ranked = sorted(
                shown.tolist(), key=lambda cell: (cell == total, counts[cell] == 0, counts[cell], cell)
            )
            if ranked:
                return int(ranked[0])
    return None


def _determined(table: Table, counts: Ints, hidden: Bools) -> int | None:
    """A shown cell to hide because some hidden one follows from the others; None when none does."""
    unknown = np.flatnonzero(hidden)
    for cell in unknown[~_movable(table, counts, unknown)].tolist():
        for total, parts in table.sums:
            members = np.array([total, *parts])
            shown = members[~hidden[members]]
            if cell in members and len(shown):
                return int(min(shown.tolist(), key=lambda one: (one == total, counts[one], one)))
    return None


def _movable(table: Table, counts: Ints, unknown: Ints) -> Bools:
    """Which hidden cells could have another value, all sums and "no count is negative" kept.

    The directions in which the hidden part can move form a cone: the null space of the sums, upwards only where the
    count is zero. One linear programme tells which zeros can rise at all; what remains is a linear space, and a random
    vector of it is zero only where the whole space is.
    """
    rows = equations(table, unknown)
    movable = np.ones(len(unknown), dtype=bool)
    if not rows.shape[0] or not len(unknown):
        return movable
    zero = np.flatnonzero(counts[unknown] == 0)
    movable[zero] = _rising(rows, zero)
    free = rows[:, np.flatnonzero(movable)]
    random = np.random.default_rng(len(unknown)).uniform(1.0, 2.0, free.shape[1])
    along = random - free.T @ lsmr(free.T, random, atol=1e-12, btol=1e-12, maxiter=20 * max(free.shape))[0]
    movable[movable] = np.abs(along) > 1e-6
    return movable


def _rising(rows: csr_matrix, zero: Ints) -> Bools:
    """Which of the cells `zero`, none of which may fall, can rise."""
    if not len(zero):
        return np.zeros(0, dtype=bool)
    bounds = np.tile([-1e3, 1e3], (rows.shape[1], 1))
    bounds[zero] = [0.0, 1.0]
    goal = np.zeros(rows.shape[1])
    goal[zero] = -1.0
    found = linprog(goal, A_eq=rows, b_eq=np.zeros(rows.shape[0]), bounds=bounds, method="highs")
    return np.asarray(found.x[zero] > 1e-7)


def equations(table: Table, unknown: Ints) -> csr_matrix:
    """(sums, unknown) coefficients of the hidden cells in the sums that hold any."""
    place = np.full(len(table.counts), -1, dtype=np.int64)
    place[unknown] = np.arange(len(unknown))
    row, column, sign = [], [], []
    for number, (total, parts) in enumerate(table.sums):
        for cell, value in ((total, -1.0), *((part, 1.0) for part in parts)):
            if place[cell] >= 0:
                row.append(number)
                column.append(int(place[cell]))
                sign.append(value)
    matrix = csr_matrix((sign, (row, column)), shape=(len(table.sums), len(unknown)))
    return matrix[np.flatnonzero(np.diff(matrix.indptr) > 0)]
