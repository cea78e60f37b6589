"""The rules by which a unit on its way may be called away."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gridmap.domain.diverting import DivertRule, Leaving, divert_rules, find_rule

RULES = (
    DivertRule(
        key="first",
        severities=frozenset({1}),
        least_difference=2,
        keep_within_s=60,
        keep_classes=frozenset({"S4"}),
    ),
    DivertRule(
        key="second",
        severities=frozenset({1, 2}),
        least_difference=1,
        keep_within_s=120,
        keep_classes=frozenset(),
    ),
)

leavings = st.builds(
    Leaving,
    status=st.sampled_from(["accepted", "en_route", "on_scene"]),
    class_key=st.sampled_from(["S4.03", "S5.02"]),
    severity=st.integers(1, 4),
    remaining_s=st.none() | st.floats(0, 600),
)


@given(st.integers(1, 4), leavings)
def test_nobody_is_called_away_to_something_no_more_severe_nor_from_a_scene(
    severity: int, leaving: Leaving
) -> None:
    for rules in (RULES, divert_rules()):
        if (rule := find_rule(rules, severity, leaving)) is not None:
            assert leaving.severity > severity
            assert leaving.status != "on_scene"
            assert leaving.remaining_s is None or leaving.remaining_s >= rule.keep_within_s


def test_the_first_rule_that_fits_is_told() -> None:
    def key(severity: int, class_key: str, left: int, remaining_s: float | None) -> str | None:
        leaving = Leaving(status="en_route", class_key=class_key, severity=left, remaining_s=remaining_s)
        rule = find_rule(RULES, severity, leaving)
        return None if rule is None else rule.key

    assert key(1, "S5.02", 3, 90) == "first"
    assert key(1, "S4.03", 3, 90) is None, "kept by the first, too near for the second"
    assert key(1, "S4.03", 3, 130) == "second"
    assert key(1, "S5.02", 2, 130) == "second"
    assert key(2, "S5.02", 3, None) == "second"
    assert key(3, "S5.02", 4, None) is None
