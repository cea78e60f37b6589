"""The shipped vocabularies hold together, and the life-cycle tables are the only way between statuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.domain.lifecycle import next_status, verbs_from
from gridmap.domain.vocab import load_vocabulary, vocabulary, vocabulary_dir
from gridmap.errors import Conflict, Invalid, Misconfigured

NEVER_RISK = ("S2.05", "S2.08", "S3.01", "S4.02", "S5.05")


def test_classes_that_must_stay_out_of_risk_do() -> None:
    classes = vocabulary().classes
    assert [key for key in NEVER_RISK if classes[key].risk_allowed] == []
    assert [row.key for row in classes.values() if row.restricted and row.risk_allowed] == []


def test_a_group_is_not_a_class() -> None:
    with pytest.raises(Invalid, match="class_unknown"):
        vocabulary().event_class("S1")


def test_every_event_kind_and_status_has_both_languages() -> None:
    words = vocabulary()
    terms = [term for rows in words.lists.values() for term in rows.values()]
    terms += [term for cycle in words.lifecycles.values() for term in cycle.statuses.values()]
    assert [term.key for term in terms if not term.zh or not term.en] == []


@given(st.sampled_from(["incident", "dispatch", "task", "alarm"]), st.data())
def test_only_listed_ways_lead_on(noun: str, data: st.DataObject) -> None:
    cycle = vocabulary().lifecycles[noun]
    status = data.draw(st.sampled_from(sorted(cycle.statuses)))
    verb = data.draw(st.sampled_from(sorted(cycle.transitions)))
    if verb in verbs_from(noun, status):
        assert next_status(noun, status, verb, reason="x") == cycle.transitions[verb].target
    else:
        with pytest.raises(Conflict, match="not_allowed_in_status"):
            next_status(noun, status, verb, reason="x")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("classes.toml", "risk_allowed = false\nrestricted = true", "restricted = true"),
        ("lifecycle.toml", 'to = "assigned"', 'to = "nowhere"'),
        ("classes.toml", "[[class]]", "[[class"),
    ],
)
def test_a_broken_file_stops_loudly(tmp_path: Path, file: str, old: str, new: str) -> None:
    folder = tmp_path / "vocab"
    shutil.copytree(vocabulary_dir(), folder)
    path = folder / file
    text = path.read_text(encoding="utf-8")
    if old not in text:
        old, new = "restricted = true\nrisk_allowed = false", "restricted = true"
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(Misconfigured):
        load_vocabulary(folder)
