"""No two files, whichever runs they come of, differ by the count of one to four incidents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gridmap.domain.risk_rules import ALL, ClassGroup
from gridmap.risk.suppress import LEAST
from gridmap.services.risk.release import (
    ANCHOR,
    PERIOD_D,
    Cell,
    Period,
    Place,
    decide,
    last_period,
    period_of,
)

GROUPS = tuple(ClassGroup(key, key, key, ()) for key in (ALL, "fire", "theft"))
# A county (id 1, no list of its own) with two townships of two communities each.
PLACES = tuple(
    Place(int(path.rsplit(".")[-1]), path) for path in ("1.2", "1.3", "1.2.4", "1.2.5", "1.3.6", "1.3.7")
)
LEAVES = (4, 5, 6, 7)
FIRST = ANCHOR + timedelta(days=PERIOD_D * 20)
SPAN = 2 * PERIOD_D + 10

Days = Mapping[tuple[int, str], list[int]]
"""Days since FIRST of the incidents of each community and group."""


@st.composite
def histories(draw: st.DrawFn) -> Days:
    days = st.integers(0, SPAN - 1)
    return {
        (leaf, group): sorted(draw(st.lists(days, max_size=14)))
        for leaf in LEAVES
        for group in ("fire", "theft")
    }


class Desk:
    """What leaves a desk day by day: of each run made on a day, the period before it and its horizon once it is over.

    The record of decided periods is the one thing that is kept, as the table risk_release keeps it.
    """

    def __init__(self, happened: Days) -> None:
        self._happened = happened
        self._decided: dict[Period, dict[Cell, int | None]] = {}

    def tell(self, first_on: date, days: int, entered: int) -> list[tuple[Period, dict[Cell, int]]]:
        """The counts in a file of the run that begins on `first_on`; of late entries the first `entered` are there."""
        asked = [last_period(first_on), period_of(first_on, days)]
        return [(one, self._of(one, entered)) for one in asked if one is not None]

    def _of(self, period: Period, entered: int) -> dict[Cell, int]:
        if period not in self._decided:
            start = (period.first_on - FIRST).days
            counts = {
                cell: sum(start <= day < start + PERIOD_D for day in days[: max(len(days) - 3, 0) + entered])
                for cell, days in self._happened.items()
            }
            self._decided[period] = decide(counts, PLACES, GROUPS)
        return {cell: count for cell, count in self._decided[period].items() if count is not None}


@settings(max_examples=60, deadline=None)
@given(happened=histories(), data=st.data())
def test_no_difference_of_two_files_is_one_to_four_incidents(happened: Days, data: st.DataObject) -> None:
    desk = Desk(happened)
    runs = data.draw(
        st.lists(
            st.tuples(st.integers(PERIOD_D, SPAN), st.sampled_from([1, 7, 28]), st.integers(0, 3)),
            min_size=2,
            max_size=12,
        )
    )
    files = [
        table
        for day, days, entered in sorted(runs)
        for table in desk.tell(FIRST + timedelta(days=day), days, entered)
    ]
    for (one, first), (other, second) in combinations(files, 2):
        shared = first.keys() & second.keys()
        if one == other:
            # What is entered between two files shows in neither.
            assert first == second
        else:
            # Two spans without a common day: their difference is of no span, and no count of incidents.
            assert abs((one.first_on - other.first_on).days) >= PERIOD_D
        for cell in shared:
            assert first[cell] >= LEAST
            assert second[cell] >= LEAST


@settings(max_examples=40, deadline=None)
@given(happened=histories())
def test_within_a_period_no_small_count_follows_from_the_rest(happened: Days) -> None:
    counts = {cell: sum(day < PERIOD_D for day in days) for cell, days in happened.items()}
    told = decide(counts, PLACES, GROUPS)
    keys = list(told)
    true = _true(counts)
    # What somebody knows: the sums over areas and groups, the told counts, and that none is negative.
    rows: list[list[float]] = []
    values: list[float] = []
    for area, below in ((2, (4, 5)), (3, (6, 7))):
        for group in ("fire", "theft", ALL):
            rows.append([_sign(cell, (area, group), [(leaf, group) for leaf in below]) for cell in keys])
            values.append(0.0)
    for area in (2, 3, *LEAVES):
        rows.append([_sign(cell, (area, ALL), [(area, "fire"), (area, "theft")]) for cell in keys])
        values.append(0.0)
    for cell, count in told.items():
        if count is not None:
            assert count == true[cell]
            rows.append([1.0 if one == cell else 0.0 for one in keys])
            values.append(float(count))
    for at, cell in enumerate(keys):
        if told[cell] is not None or not 1 <= true[cell] < LEAST or all(one is None for one in told.values()):
            continue
        goal = np.zeros(len(keys))
        goal[at] = 1.0
        ends = [
            linprog(sign * goal, A_eq=np.array(rows), b_eq=values, bounds=(0, 1e4), method="highs").fun * sign
            for sign in (1.0, -1.0)
        ]
        assert ends[1] - ends[0] > 0.5, (cell, ends)


def _true(counts: Mapping[Cell, int]) -> dict[Cell, int]:
    whole = dict(counts)
    for area, below in ((2, (4, 5)), (3, (6, 7))):
        whole |= {(area, group): sum(counts[leaf, group] for leaf in below) for group in ("fire", "theft")}
    return whole | {(area, ALL): whole[area, "fire"] + whole[area, "theft"] for area in (2, 3, *LEAVES)}


def _sign(cell: Cell, total: Cell, parts: list[Cell]) -> float:
    return -1.0 if cell == total else float(cell in parts)


@pytest.mark.parametrize("on", [ANCHOR, date(2023, 12, 30), date(2026, 6, 1), date(2026, 6, 28)])
def test_periods_lie_end_to_end(on: date) -> None:
    period = last_period(on)
    assert period.last_on < on <= period.last_on + timedelta(days=PERIOD_D)
    assert last_period(period.last_on + timedelta(days=1)) == period
    assert last_period(period.last_on) == Period(period.first_on - timedelta(days=PERIOD_D))
    assert period_of(period.first_on, PERIOD_D) == period
    assert period_of(period.first_on, 7) is None
    assert period_of(period.first_on + timedelta(days=1), PERIOD_D) is None
