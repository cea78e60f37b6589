"""Small numbers kept back, so that nobody can work them out from what is shown.

A count under `LEAST` is left out, and then enough others that no sum, difference or level gives it away
(complementary cell suppression; Willenborg and de Waal, Elements of Statistical Disclosure Control, 2001). What was
left out for which reason is not told: both read the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridmap.errors import Invalid
from gridmap.risk.arrays import Bools, Floats, Ints

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
    hidden cell gets at least two of them, `least` or more together; and no hidden cell follows from the shown ones
    and the sums by any linear combination.
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
    rows = equations(table, unknown)
    if not len(rows) or not len(unknown):
        return None
    # A hidden cell is known exactly if no vector of the null space moves it.
    _, values, right = np.linalg.svd(rows, full_matrices=True)
    rank = int((values > 1e-9 * max(values.max(initial=0.0), 1.0)).sum())
    free = np.abs(right[rank:]).max(axis=0, initial=0.0)
    fixed = unknown[free < 1e-9]
    for cell in fixed.tolist():
        for total, parts in table.sums:
            members = np.array([total, *parts])
            shown = members[~hidden[members]]
            if cell in members and len(shown):
                return int(min(shown.tolist(), key=lambda one: (one == total, counts[one], one)))
    return None


def equations(table: Table, unknown: Ints) -> Floats:
    """(sums, unknown) coefficients of the hidden cells in the sums that hold any."""
    place = {int(cell): column for column, cell in enumerate(unknown)}
    rows = []
    for total, parts in table.sums:
        row = np.zeros(len(unknown))
        for cell, sign in ((total, -1.0), *((part, 1.0) for part in parts)):
            if cell in place:
                row[place[cell]] += sign
        if row.any():
            rows.append(row)
    return np.array(rows).reshape(len(rows), len(unknown))
