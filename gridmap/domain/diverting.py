"""When a unit on its way to one case may be called away to another by rule: rows of the list `divert_rule`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from gridmap.domain.vocab import vocabulary
from gridmap.errors import Misconfigured

_ON_THE_WAY = ("accepted", "en_route")


@dataclass(frozen=True, kw_only=True, slots=True)
class DivertRule:
    """One row. `keep_classes` are classes or groups that nobody is called away from."""

    key: str
    severities: frozenset[int]
    least_difference: int
    keep_within_s: int
    keep_classes: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaving:
    """What a unit would leave behind. `remaining_s` to its place there, None when nobody knows."""

    status: str
    class_key: str
    severity: int
    remaining_s: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DivertedBy:
    """The rule that lets a unit be called away, and what it rests on.

    `grades`: by how many the other case is more severe.
    """

    rule: str
    left_number: str
    left_class_key: str
    left_severity: int
    grades: int
    remaining_s: int | None

    def as_params(self) -> dict[str, Any]:
        return asdict(self)


def find_rule(rules: Sequence[DivertRule], severity: int, leaving: Leaving) -> DivertRule | None:
    """The first rule that lets a case of `severity` call a unit away from what it is on its way to."""
    if leaving.status not in _ON_THE_WAY:
        return None
    group = leaving.class_key.partition(".")[0]
    for rule in rules:
        near = leaving.remaining_s is not None and leaving.remaining_s < rule.keep_within_s
        if (
            severity in rule.severities
            and leaving.severity - severity >= rule.least_difference
            and not near
            and not rule.keep_classes & {leaving.class_key, group}
        ):
            return rule
    return None


@cache
def divert_rules() -> tuple[DivertRule, ...]:
    """The rules of this installation, in order. Raises Misconfigured("divert_rule_broken")."""
    return tuple(_rule(term.key, term.extra) for term in vocabulary().lists["divert_rule"].values())


def _rule(key: str, row: Any) -> DivertRule:
    try:
        rule = DivertRule(
            key=key,
            severities=frozenset(row["severities"]),
            least_difference=row["least_difference"],
            keep_within_s=row["keep_within_s"],
            keep_classes=frozenset(row["keep_classes"]),
        )
    except (KeyError, TypeError) as error:
        raise Misconfigured("divert_rule_broken", key=key, reason=str(error)) from error
    if rule.least_difference < 1:
        raise Misconfigured(
            "divert_rule_broken", key=key, reason="a case gives way to a more severe one only"
        )
    return rule
