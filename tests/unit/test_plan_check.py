"""Whatever somebody writes as a plan, every fault of it is named at its field, and nothing breaks the check."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from gridmap.domain.plan_check import check_plan, plan_faults, shipped_plans
from gridmap.domain.response import FenceRule
from gridmap.errors import Invalid, Misconfigured

PLAN: dict[str, Any] = {
    "key": "noise",
    "name": {"zh": "噪音处置", "en": "Noise"},
    "classes": ["S5.02"],
    "severities": [1, 2, 3],
    "auto": [1],
    "tell": ["township"],
    "level": [
        {"mode": "next_in_line", "need": [{"unit_kind": "grid_worker", "count": 2}], "fence": "grid"},
        {"mode": "broadcast", "need": [], "fence": {"minutes": 8, "mode": "foot"}, "offer_s": 60},
    ],
    "step": [{"key": "note", "name": {"zh": "登记", "en": "Note it"}, "due_min": 5}],
}


def changed(way: str, value: Any) -> dict[str, Any]:
    """The plan with one field of it set; the way as a fault names it."""
    plan: Any = deepcopy(PLAN)
    *above, last = way.split(".")
    here = plan
    for part in above:
        here = here[int(part)] if isinstance(here, list) else here[part]
    here[last] = value
    return dict(plan)


def test_a_whole_plan_has_no_fault_and_is_read_as_written() -> None:
    plan = check_plan(PLAN)
    assert plan.levels[1].rules.fence == FenceRule("minutes", 8.0, "foot")
    assert not plan.retired
    assert check_plan({**PLAN, "retired": True}).matches("S5.02", 1) == 0


@pytest.mark.parametrize(
    ("way", "value", "at", "code"),
    [
        ("key", "Noise!", "key", "key_form"),
        ("name.en", " ", "name.en", "text_missing"),
        ("name.zh", "长" * 81, "name.zh", "text_too_long"),
        ("classes", [], "classes", "none_given"),
        ("classes", ["S9.99"], "classes", "unknown_key"),
        ("classes", ["S5.02", "S5.02"], "classes", "twice"),
        ("severities", [], "severities", "none_given"),
        ("severities", [True], "severities", "unknown_key"),
        ("auto", [4], "auto", "auto_beyond_severities"),
        ("tell", ["village"], "tell", "unknown_key"),
        ("level", [], "level", "none_given"),
        ("level.0.need", [], "level.0.need", "first_level_needs_nobody"),
        ("level.0.need", [{"capability": {}}], "level.0.need.0", "unknown_key"),
        ("level.0.need.0.count", 0, "level.0.need.0.count", "out_of_range"),
        ("level.0.need.0.count", 1.5, "level.0.need.0.count", "not_whole"),
        ("level.0.need.0.capability", "traffic", "level.0.need.0", "capability_and_kind"),
        ("level.0.mode", "named", "level.0.mode", "unknown_key"),
        ("level.0.offer_s", "60", "level.0.offer_s", "not_whole"),
        ("level.0.level_s", None, "level.0.level_s", "not_whole"),
        ("level.0.flat", "yes", "level.0.flat", "wrong_form"),
        ("level.1.fence", None, "level.1.fence", "broadcast_needs_fence"),
        ("level.1.fence.minutes", 500, "level.1.fence.value", "out_of_range"),
        ("level.1.fence.mode", "boat", "level.1.fence.mode", "unknown_key"),
        ("level.1.undelivered", "pigeon", "level.1.undelivered", "unknown_key"),
        ("level.1.offers", 60, "level.1.offers", "unknown_word"),
        ("step.0.due_min", -5, "step.0.due_min", "out_of_range"),
        ("step.0.calendar", "never", "step.0.calendar", "unknown_key"),
        ("step", [PLAN["step"][0], PLAN["step"][0]], "step.1.key", "twice"),
        ("step", ["note"], "step", "wrong_form"),
    ],
)
def test_a_fault_is_named_at_its_field(way: str, value: Any, at: str, code: str) -> None:
    found = [(fault.at, fault.code) for fault in plan_faults(changed(way, value))]
    assert (at, code) in found
    assert all(known.startswith((at, at.rsplit(".", 1)[0])) for known, _ in found), (
        "and nothing else is blamed"
    )


def test_every_fault_is_told_at_once() -> None:
    broken = changed("name.zh", "") | {"classes": [], "level": []}
    with pytest.raises(Invalid) as caught:
        check_plan(broken)
    assert [row["field"] for row in caught.value.params["faults"]] == ["name.zh", "classes", "level"]


@pytest.mark.parametrize(
    "body", [{}, {"level": 3, "step": {}, "classes": "S5", "name": [], "severities": None}]
)
def test_any_form_of_data_is_answered_by_faults(body: dict[str, Any]) -> None:
    assert plan_faults(body)


def test_a_shipped_plan_that_nobody_can_go_by_stops_the_start(tmp_path: Path) -> None:
    assert len(shipped_plans()) >= 4
    (tmp_path / "plans.toml").write_text('[[plan]]\nkey = "x"\n', encoding="utf-8")
    with pytest.raises(Misconfigured, match="plan_broken"):
        shipped_plans(tmp_path)
