"""The joint assignment against every possible one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.optimise.assignment import SEVERITY_WEIGHT, assign, one_by_one

INF = math.inf


@st.composite
def situations(draw: st.DrawFn) -> tuple[np.ndarray, list[int]]:
    incidents, units = draw(st.integers(1, 4)), draw(st.integers(0, 5))
    cells = st.one_of(st.just(INF), st.integers(0, 900).map(float))
    rows = [[draw(cells) for _ in range(units)] for _ in range(incidents)]
    return np.array(rows).reshape(incidents, units), [draw(st.integers(1, 4)) for _ in range(incidents)]


def every_answer(times: np.ndarray) -> list[dict[int, int]]:
    incidents, units = times.shape
    found = []
    for choice in itertools.product([None, *range(units)], repeat=incidents):
        taken = [unit for unit in choice if unit is not None]
        pairs = {row: unit for row, unit in enumerate(choice) if unit is not None}
        if len(set(taken)) == len(taken) and all(
            math.isfinite(times[row, unit]) for row, unit in pairs.items()
        ):
            found.append(pairs)
    return found


@given(situations())
def test_no_other_answer_is_better(situation: tuple[np.ndarray, list[int]]) -> None:
    times, severities = situation
    answer = assign(times, severities)
    weights = [SEVERITY_WEIGHT[severity] for severity in severities]
    served = [one.incident for one in answer.sent]
    assert sorted([*served, *answer.unmet]) == list(range(len(severities)))
    assert len({one.unit for one in answer.sent}) == len(answer.sent)
    assert all(math.isfinite(one.seconds) for one in answer.sent)
    others = every_answer(times)
    most = max(len(pairs) for pairs in others)
    assert len(answer.sent) == most, "nobody waits for nothing"
    helped = sum(weights[row] for row in served)
    assert helped == max(sum(weights[row] for row in pairs) for pairs in others if len(pairs) == most)
    best = min(
        sum(times[row, unit] * weights[row] for row, unit in pairs.items())
        for pairs in others
        if len(pairs) == most and sum(weights[row] for row in pairs) == helped
    )
    assert answer.weighted_s == pytest.approx(best)


def test_two_incidents_share_better_than_one_after_the_other() -> None:
    times = [[60.0, 70.0], [65.0, 600.0]]
    together, apart = assign(times, [2, 2]), one_by_one(times, [2, 2])
    assert apart.seconds == 660.0
    assert together.seconds == 135.0
    assert [(one.incident, one.unit) for one in together.sent] == [(0, 1), (1, 0)]


def test_the_severe_one_comes_first_when_there_is_one_unit() -> None:
    assert assign([[10.0], [500.0]], [4, 1]).unmet == (0,)


def test_where_no_way_leads_nobody_is_sent() -> None:
    answer = assign([[INF, INF], [30.0, math.nan]], [1, 3])
    assert answer.unmet == (0,)
    assert [(one.incident, one.unit, one.seconds) for one in answer.sent] == [(1, 0, 30.0)]
    assert assign(np.empty((2, 0)), [1, 2]).unmet == (0, 1)
