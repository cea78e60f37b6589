"""The history is what the saved truth says: counts, places, hours, repeats."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from scipy import stats

from gridmap.demo.district.incidents import CHANNELS
from gridmap.domain.vocab import vocabulary
from tests.unit.demo.conftest import UNTIL, District


@pytest.fixture(scope="module")
def truth(district: District) -> dict[str, Any]:
    with np.load(district.folder / "truth.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def meaning(district: District) -> Mapping[str, Any]:
    text: Mapping[str, Any] = json.loads((district.folder / "truth.json").read_text(encoding="utf-8"))
    return text


@pytest.fixture(scope="module")
def rows(district: District) -> list[dict[str, str]]:
    with (district.folder / "incidents.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def _seen_background(truth: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Background rows of whole days only: the last hours are cut and reports of them are still to come."""
    early = truth["incident_occurred_min"] < (truth["rate"].shape[1] - 2) * 1440
    return (truth["incident_kind"] == 0) & early


def test_class_counts_are_poisson_about_the_truth(truth: dict[str, Any]) -> None:
    seen = np.bincount(truth["incident_class"][_seen_background(truth)], minlength=len(truth["rate"]))
    expected = truth["rate"][:, :-2].sum(axis=1)
    many = expected > 25
    chi2 = ((seen[many] - expected[many]) ** 2 / expected[many]).sum()
    assert stats.chi2.sf(chi2, int(many.sum())) > 1e-4
    assert abs(seen.sum() - expected.sum()) < 4 * np.sqrt(expected.sum())


def test_places_follow_the_truth(truth: dict[str, Any], meaning: Mapping[str, Any]) -> None:
    mine = _seen_background(truth)
    grid = meaning["grid"]
    offset = truth["incident_east_north_m"][mine] - np.array(grid["south_west_corner"])
    column, row = np.floor(offset / grid["cell_m"]).astype(int).T
    family = truth["family_of_class"][truth["incident_class"][mine]]
    for number in range(len(meaning["families"])):
        members = family == number
        share = truth["share"][number, 0].ravel().astype(np.float64)
        cell = (row * grid["columns"] + column).clip(0, len(share) - 1)[members]
        order = np.argsort(-share)
        # Twenty bins of about equal expectation, from the densest cells to the emptiest.
        bin_of = np.empty(len(share), dtype=int)
        bin_of[order] = np.minimum(np.cumsum(share[order]) / share.sum() * 20, 19).astype(int)
        expected = np.bincount(bin_of, share, 20) / share.sum() * members.sum()
        seen = np.bincount(bin_of[cell], minlength=20)
        filled = expected > 0  # A single dense cell may take more than one bin's part.
        chi2 = ((seen - expected)[filled] ** 2 / expected[filled]).sum()
        # Points are shaken by some metres and may fall into the next cell, hence the slack.
        assert chi2 < stats.chi2.ppf(0.9999, 19) * 1.5 + 20, meaning["families"][number]


def test_near_repeats_are_near_and_as_many_as_said(truth: dict[str, Any], meaning: Mapping[str, Any]) -> None:
    repeats = np.flatnonzero((truth["incident_kind"] == 1) & (truth["incident_parent"] >= 0))
    parent = truth["incident_parent"][repeats]
    classes = truth["incident_class"]
    assert (classes[repeats] == classes[parent]).all()
    assert (truth["incident_occurred_min"][repeats] >= truth["incident_occurred_min"][parent]).all()
    step = truth["incident_east_north_m"][repeats] - truth["incident_east_north_m"][parent]
    near_m = np.array([c["near_m"] for c in meaning["classes"]])[classes[repeats]]
    assert abs(np.std(step / near_m[:, None]) - 1) < 0.15
    branching = np.array([c["branching"] for c in meaning["classes"]])
    first = truth["incident_occurred_min"] < 15 * 1440
    parents = np.isin(truth["incident_kind"], (0, 1)) & first
    expected = branching[classes[parents]].sum()
    seen = np.isin(parent, np.flatnonzero(parents)).sum()
    # Late repeats are cut off at the end; the rest is chance (a Poisson number of some two hundred).
    assert 0.6 * expected < seen < expected + 4 * np.sqrt(expected)


def test_reports_a_day_channels_and_duplicates(rows: list[dict[str, str]], truth: dict[str, Any]) -> None:
    days = Counter(row["上报时间"][:10] for row in rows)
    whole = [count for day, count in sorted(days.items())[2:-1]]
    assert 300 <= np.mean(whole) <= 600
    assert {row["来源渠道"] for row in rows} == set(CHANNELS)
    assert len(CHANNELS) == 6
    duplicates = [row for row in rows if row["结果"] == "duplicate"]
    assert 0.05 < len(duplicates) / len(rows) < 0.2
    assert len(rows) == len(truth["incident_kind"])
    found = [row for row in rows if row["found_by"]]
    assert found
    assert all(row["来源渠道"] == "patrol" for row in found)


def test_rows_are_importable_in_form(rows: list[dict[str, str]]) -> None:
    classes = vocabulary().classes
    assert all(classes[row["事件类别"]].parent for row in rows)
    assert len({row["流水号"] for row in rows}) == len(rows)
    for row in rows:
        assert row["上报时间"] >= row["发生时间"]
        assert bool(row["结案时间"]) == bool(row["结果"])
    last = max(datetime.fromisoformat(row["上报时间"]) for row in rows)
    assert last <= UNTIL.replace(tzinfo=None)
    nowhere = [row for row in rows if not row["经度"]]
    assert 0 < len(nowhere) < 0.03 * len(rows)
    still_open = [row for row in rows if not row["结果"]]
    assert 10 < len(still_open) < 250
