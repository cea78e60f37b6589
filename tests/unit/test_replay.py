"""The replay where the answer is known: a queue by Lindley's recursion, waits by theory, and laws that must hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.simulate.figures import difference, figures_of
from gridmap.simulate.policies import POLICIES, Policy
from gridmap.simulate.replay import Outcome, replay
from gridmap.simulate.scene import Calls, Period, Units

START = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass(frozen=True)
class PlaneTravel:
    """Roads as a table of seconds from place to place, the same for every mode."""

    table: np.ndarray

    def seconds(self, origins: np.ndarray, modes: np.ndarray, target: int) -> np.ndarray:
        return self.table[origins, target]


def calls_at(at_s: list[float] | np.ndarray, places: list[int] | np.ndarray, **columns: np.ndarray) -> Calls:
    n = len(at_s)
    found = Calls(
        at_s=np.asarray(at_s, dtype=float),
        place=np.asarray(places, dtype=np.int64),
        severity=np.full(n, 3),
        need=np.zeros(n, dtype=np.int64),
        turnout_s=np.zeros(n),
        work_s=np.full(n, 60.0),
        area=np.full(n, -1),
        lonlat=np.zeros((n, 2)),
    )
    return replace(found, **columns)


def units_at(stands: list[int], lonlat: np.ndarray | None = None, **columns: np.ndarray) -> Units:
    m = len(stands)
    found = Units(
        kind=np.zeros(m, dtype=np.int64),
        mode=np.zeros(m, dtype=np.int64),
        able=np.ones((1, m), dtype=bool),
        on_duty=np.ones((m, 24), dtype=bool),
        stands=np.array(stands)[:, None],
        area=np.full(m, -1),
        lonlat=np.zeros((max(stands) + 1, 2)) if lonlat is None else lonlat,
    )
    return replace(found, **columns)


def run(
    calls: Calls, units: Units, table: np.ndarray, policy: str | Policy = "road", days: float = 1.0
) -> Outcome:
    rule = POLICIES[policy] if isinstance(policy, str) else policy
    return replay(calls, units, PlaneTravel(table), Period(START, days), rule)


def test_one_crew_is_a_queue_to_the_second() -> None:
    """Lindley: the wait of the next is the wait of this one, plus its work, less the gap between them."""
    rng = np.random.default_rng(7)
    n, mean_gap_s, mean_work_s = 4_000, 1_000.0, 600.0
    at_s = np.cumsum(rng.exponential(mean_gap_s, n))
    work = rng.exponential(mean_work_s, n)
    days = float(at_s[-1]) / 86_400 + 1
    outcome = run(calls_at(at_s, np.zeros(n), work_s=work), units_at([0]), np.zeros((1, 1)), days=days)
    expected = np.zeros(n)
    for i in range(n - 1):
        expected[i + 1] = max(0.0, expected[i] + work[i] - (at_s[i + 1] - at_s[i]))
    assert np.allclose(outcome.sent_s - at_s, expected, atol=1e-6)
    # M/M/1: rho / (mu - lambda). Waits are correlated, so the band is wide.
    rho = mean_work_s / mean_gap_s
    theory_s = rho * mean_work_s / (1 - rho)
    assert (outcome.sent_s - at_s).mean() == pytest.approx(theory_s, rel=0.2)


def test_the_way_and_the_turn_out_are_added_and_the_crew_is_busy_till_the_end() -> None:
    table = np.array([[0.0, 300.0], [300.0, 0.0]])
    calls = calls_at([0.0, 100.0], [1, 1], turnout_s=np.array([30.0, 30.0]), work_s=np.array([600.0, 600.0]))
    outcome = run(calls, units_at([0]), table)
    assert outcome.arrived_s.tolist() == [330.0, 960.0], (
        "the second time it is there already: no way, only turn-out"
    )
    assert outcome.busy_s.tolist() == [930.0 + 630.0]
    assert outcome.jobs.tolist() == [2]


def test_the_urgent_goes_before_the_earlier() -> None:
    calls = calls_at([0.0, 10.0, 20.0], [0, 0, 0], severity=np.array([3, 4, 1]))
    outcome = run(calls, units_at([0]), np.zeros((1, 1)))
    assert np.argsort(outcome.sent_s).tolist() == [0, 2, 1]


def test_nobody_is_sent_off_duty_without_the_skill_or_where_there_is_no_way() -> None:
    night = np.zeros((1, 24), dtype=bool)
    night[0, 20:] = True
    late = run(calls_at([3_600.0], [0]), units_at([0], on_duty=night), np.zeros((1, 1)))
    assert late.sent_s.tolist() == [20 * 3600.0]
    unskilled = run(calls_at([0.0], [0]), units_at([0], able=np.zeros((1, 1), dtype=bool)), np.zeros((1, 1)))
    assert unskilled.unit.tolist() == [-1]
    for policy in ("air", "air_time", "road", "own_grid", "assignment"):
        island = run(calls_at([0.0], [1]), units_at([0, 0]), np.array([[0.0, np.inf], [np.inf, 0.0]]), policy)
        assert island.unit.tolist() == [-1], policy


def test_the_own_worker_goes_first_however_near_another_is() -> None:
    table = np.array([[0.0, 50.0, 10.0], [50.0, 0.0, 400.0], [10.0, 400.0, 0.0]])
    units = units_at([0, 1], np.zeros((3, 2)), area=np.array([4, 5]))
    calls = calls_at([0.0], [2], area=np.array([5]))
    assert run(calls, units, table, "own_grid").unit.tolist() == [1]
    assert run(calls, units, table, "road").unit.tolist() == [0]


def test_decided_together_two_calls_cost_less_than_one_by_one() -> None:
    # Unit 0 is nearest to both; unit 1 is nearly as near to the first and far from the second.
    table = np.array([[0, 9, 10, 20], [9, 0, 12, 500], [10, 12, 0, 9], [20, 500, 9, 0]], dtype=float)
    calls, units = calls_at([0.0, 5.0], [2, 3]), units_at([0, 1], np.zeros((4, 2)))
    one_by_one = run(calls, units, table, "road")
    together = run(calls, units, table, replace(POLICIES["assignment"], wait_s=30.0))
    ways = [(o.arrived_s - o.sent_s).sum() for o in (one_by_one, together)]
    assert ways == [510.0, 32.0]
    assert together.sent_s.tolist() == [30.0, 30.0]


def test_a_critical_call_waits_for_no_collection() -> None:
    calls = calls_at([0.0, 5.0], [0, 0], severity=np.array([3, 1]))
    outcome = run(calls, units_at([0, 0]), np.zeros((1, 1)), replace(POLICIES["assignment"], wait_s=30.0))
    assert outcome.sent_s.tolist() == [5.0, 5.0]


seconds = st.floats(1, 3_000).map(lambda value: round(value, 1))


@st.composite
def towns(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    """Symmetric times between up to 8 places, places in the plane that need not agree with them, and units."""
    n = draw(st.integers(2, 8))
    table = np.array(draw(st.lists(seconds, min_size=n * n, max_size=n * n))).reshape(n, n)
    table = np.minimum(table, table.T)
    np.fill_diagonal(table, 0.0)
    lonlat = np.array(draw(st.lists(st.floats(113.0, 113.1), min_size=2 * n, max_size=2 * n))).reshape(n, 2)
    lonlat[:, 1] -= 85.0
    return table, lonlat, draw(st.integers(1, n))


@settings(max_examples=40, deadline=None)
@given(towns())
def test_by_road_no_pick_is_slower_than_by_air_and_one_more_never_hurts(
    town: tuple[np.ndarray, np.ndarray, int],
) -> None:
    """Calls so far apart that everybody is back home: each is a decision of its own."""
    table, lonlat, units = town
    places = np.arange(len(table))
    calls = calls_at(places * 10_000.0 + 60, places, lonlat=lonlat)
    crew = units_at(list(range(units)), lonlat)
    road, air = run(calls, crew, table), run(calls, crew, table, "air")
    assert (road.arrived_s <= air.arrived_s + 1e-6).all()
    more = run(calls, units_at([*range(units), len(table) - 1], lonlat), table)
    assert (more.arrived_s - calls.at_s).mean() <= (road.arrived_s - calls.at_s).mean() + 1e-6


def test_figures_and_the_paired_difference() -> None:
    at_s = np.arange(40) * 6 * 3600.0
    calls = calls_at(at_s, np.zeros(40))
    slow, fast = (
        run(
            calls_at(at_s, np.zeros(40), turnout_s=np.full(40, turnout)),
            units_at([0]),
            np.zeros((1, 1)),
            days=10,
        )
        for turnout in (240.0, 120.0)
    )
    found = difference(calls, fast, slow, seed=1)
    assert (found.mean_min, found.error_min, found.pairs, found.days) == (-2.0, 0.0, 40, 10)
    figures = figures_of(calls, slow, {})
    assert figures.response_min["p50"] == 4.0
    assert (figures.served, figures.missed) == (40, 0)
    nobody = run(calls, units_at([0], able=np.zeros((1, 1), dtype=bool)), np.zeros((1, 1)), days=10)
    assert figures_of(calls, nobody, {}).missed == 40
    assert difference(calls, nobody, slow, seed=1).pairs == 0
