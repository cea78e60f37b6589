"""Cover as pure rules: gaps, who can be spared, and the file they come from."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gridmap.domain.cover import (
    Demand,
    assess,
    best_post,
    closes,
    cover_rules,
    load_cover_rules,
    spare_units,
)
from gridmap.domain.vocab import vocabulary_dir
from gridmap.errors import Misconfigured

TWO_AREAS = Demand(np.array([0, 0, 1, 1]), np.array([3.0, 1.0, 1.0, 1.0]), 2)


def reached(*rows: str) -> np.ndarray:
    """One text a unit: x where it reaches the point."""
    return np.array([[mark == "x" for mark in row] for row in rows], dtype=bool)


def test_an_area_is_covered_by_houses_not_by_points() -> None:
    cover = assess(reached("x..."), TWO_AREAS, 0.7)
    assert cover.share.tolist() == [0.75, 0.0]
    assert cover.gap.tolist() == [False, True]
    assert cover.units.tolist() == [1, 0]


def test_nobody_at_all_is_a_gap_wherever_somebody_lives() -> None:
    empty = Demand(np.array([0, 1]), np.array([5.0, 0.0]), 2)
    assert assess(np.zeros((0, 2), dtype=bool), empty, 0.5).gap.tolist() == [True, False]


def test_the_only_one_cannot_be_spared_and_one_of_two_can() -> None:
    cover = assess(reached("xx..", "..xx", "..xx"), TWO_AREAS, 1.0)
    assert spare_units([(cover, np.arange(3), 1.0)], [TWO_AREAS], 3).tolist() == [False, True, True]


def test_a_unit_that_covers_nothing_that_is_held_can_always_be_spared() -> None:
    cover = assess(reached("x...", "..x."), TWO_AREAS, 1.0)
    assert cover.gap.all()
    assert spare_units([(cover, np.arange(2), 1.0)], [TWO_AREAS], 2).all()


def test_a_move_up_closes_a_gap_or_does_not() -> None:
    cover = assess(reached("xx.."), TWO_AREAS, 1.0)
    assert closes(cover, np.array([False, False, True, True]), TWO_AREAS, 1, 1.0)
    assert not closes(cover, np.array([False, False, False, True]), TWO_AREAS, 1, 1.0)


def test_the_post_is_among_those_nobody_reaches() -> None:
    lonlat = np.array([[113.0, 28.0], [113.01, 28.0], [113.02, 28.0], [113.03, 28.0]])
    demand = Demand(np.array([0, 0, 0, 0]), np.array([9.0, 1.0, 1.0, 1.0]), 1)
    uncovered = np.array([False, True, True, True])
    assert best_post(demand, lonlat, 0, uncovered) == 2


UNITS, POINTS, AREAS = 5, 8, 3


@given(
    arrays(bool, (UNITS, POINTS)),
    arrays(np.int64, POINTS, elements=st.integers(-1, AREAS - 1)),
    arrays(np.float64, POINTS, elements=st.integers(0, 4).map(float)),
    st.sampled_from([0.3, 0.5, 1.0]),
)
def test_whoever_is_spare_opens_no_gap_by_leaving(
    reach: np.ndarray, area: np.ndarray, weight: np.ndarray, share: float
) -> None:
    demand = Demand(area, weight, AREAS)
    cover = assess(reach, demand, share)
    spare = spare_units([(cover, np.arange(UNITS), share)], [demand], UNITS)
    for unit in range(UNITS):
        left = assess(np.delete(reach, unit, axis=0), demand, share)
        opens = bool((left.gap & ~cover.gap).any())
        assert spare[unit] == (not opens)


def test_the_shipped_rules_are_sound() -> None:
    rules = cover_rules()
    assert {rule.level for rule in rules.requirements} <= {"township", "community", "grid"}
    assert rules.rings_min == (1, 3, 5)
    day = next(rule for rule in rules.requirements if rule.key == "grid_worker")
    assert [day.holds_at(hour) for hour in (7, 8, 19, 20)] == [False, True, True, False]


def test_hours_go_over_midnight_and_codes_choose_areas(tmp_path: Path) -> None:
    path = tmp_path / "cover.toml"
    text = (vocabulary_dir() / "cover.toml").read_text(encoding="utf-8")
    changed = text.replace(
        'key = "police"', 'key = "night"\nhours = [22, 6]\nareas = ["9901"]\nexempt = ["990102"]'
    )
    path.write_text(changed, encoding="utf-8")
    night = load_cover_rules(path).requirements[0]
    assert [night.holds_at(hour) for hour in (21, 22, 0, 5, 6)] == [False, True, True, True, False]
    assert [night.is_for(code) for code in ("990101001", "990102001", "9902")] == [True, False, False]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('kinds = ["police"]', 'kinds = ["cavalry"]'),
        ('kinds = ["police"]', 'kinds = ["police"]\ncapability = "first_aid"'),
        ("minutes = 10", "minutes = 0"),
        ("share = 0.5", "share = 1.5"),
        ('key = "patrol"', 'key = "police"'),
        ('level = "township"', 'level = "street"'),
        ("hours = [8, 20]", "hours = [8, 8]"),
        ("[[requirement]]", "[[requirement"),
    ],
)
def test_a_broken_rule_stops_loudly(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "cover.toml"
    shutil.copy(vocabulary_dir() / "cover.toml", path)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(Misconfigured):
        load_cover_rules(path)
