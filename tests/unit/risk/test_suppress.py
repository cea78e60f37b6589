"""Nobody gets a small count back by adding and subtracting what is shown."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gridmap.errors import Invalid
from gridmap.risk.suppress import LEAST, Table, suppress, table_of_levels


def attack(table: Table, shown: np.ndarray, cell: int) -> tuple[float, float]:
    """What somebody who knows all sums and that counts are not negative can say of a hidden cell."""
    hidden = np.flatnonzero(~shown)
    place = {int(number): column for column, number in enumerate(hidden)}
    rows, values = [], []
    for total, parts in table.sums:
        row, value = np.zeros(len(hidden)), 0.0
        for member, sign in ((total, -1.0), *((part, 1.0) for part in parts)):
            if member in place:
                row[place[member]] += sign
            else:
                value -= sign * table.counts[member]
        rows.append(row)
        values.append(value)
    goal = np.zeros(len(hidden))
    goal[place[cell]] = 1.0
    ends = [
        linprog(sign * goal, A_eq=np.array(rows), b_eq=np.array(values), bounds=(0, 1e6), method="highs")
        for sign in (1.0, -1.0)
    ]
    assert all(end.status == 0 for end in ends)
    return float(ends[0].fun), float(-ends[1].fun)


@st.composite
def trees(draw: st.DrawFn) -> Table:
    """A town over quarters over grids, with classes."""
    quarters = draw(st.integers(1, 3))
    sizes = [draw(st.integers(1, 4)) for _ in range(quarters)]
    classes = draw(st.integers(1, 3))
    leaves = np.array(
        draw(
            st.lists(
                st.lists(st.integers(0, 14), min_size=classes, max_size=classes),
                min_size=sum(sizes),
                max_size=sum(sizes),
            )
        )
    )
    starts = np.r_[0, np.cumsum(sizes)]
    middle = np.array([leaves[a:b].sum(axis=0) for a, b in pairwise(starts)])
    counts = np.vstack([leaves.sum(axis=0), middle, leaves])
    parents = [-1] + [0] * quarters + [1 + q for q, size in enumerate(sizes) for _ in range(size)]
    return table_of_levels(counts, parents)


@settings(max_examples=40, deadline=None)
@given(table=trees(), zeros_shown=st.booleans())
def test_no_hidden_count_can_be_worked_out(table: Table, zeros_shown: bool) -> None:
    shown = suppress(table, zeros_shown=zeros_shown)
    small = (table.counts < LEAST) & ((table.counts > 0) | (not zeros_shown))
    assert not (shown & small).any()
    for cell in np.flatnonzero(small)[:6].tolist():
        low, high = attack(table, shown, cell)
        if table.counts.max() >= LEAST and shown.any():
            assert high - low > 0.5, (cell, low, high)


def test_one_small_child_takes_another_with_it() -> None:
    counts = np.array([[30], [3], [12], [15]])
    shown = suppress(table_of_levels(counts, [-1, 0, 0, 0]))
    by_area = shown.reshape(4, 2)[:, 0].tolist()
    assert by_area == [True, False, False, True]


def test_nothing_small_hides_nothing() -> None:
    counts = np.array([[30, 40], [14, 20], [16, 20]])
    assert suppress(table_of_levels(counts, [-1, 0, 0])).all()


def test_a_second_product_over_the_same_counts_does_not_give_it_away() -> None:
    """One list by grid, one by beat: each alone would hide enough, together they cross."""
    # 0..3 the grids; 4 = 0 + 1, 5 = 2 + 3 (quarters); 6 = 0 + 2, 7 = 1 + 3 (beats).
    counts = np.array([2, 9, 8, 11, 11, 19, 10, 20])
    table = Table(counts, ((4, (0, 1)), (5, (2, 3)), (6, (0, 2)), (7, (1, 3))))
    shown = suppress(table)
    assert not shown[0]
    low, high = attack(table, shown, 0)
    assert high - low >= 1


def test_a_zero_that_is_all_that_is_left_is_not_given_away() -> None:
    """A quarter with none beside one with five, all in one of its grids: five take away five leaves it known."""
    table = table_of_levels(np.array([[5], [0], [5], [0], [0], [5]]), [-1, 0, 0, 1, 2, 2])
    shown = suppress(table)
    low, high = attack(table, shown, 2)
    assert table.counts[2] == 0
    assert high > low


def test_sums_that_do_not_hold_are_refused() -> None:
    with pytest.raises(Invalid, match="risk_sums_wrong"):
        table_of_levels(np.array([[9], [3], [5]]), [-1, 0, 0])
