"""Whether a rule holds now. Places in local metres, days since 1970-01-01 on the local wall clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from gridmap.domain.risk_rules import WarningRule
from gridmap.risk.arrays import Floats
from gridmap.services.risk.early_warning.counts import Counted, Usual

LONGEST_D = 0.5
"""An evening is looked at for twelve hours from when it begins."""


@dataclass(frozen=True, slots=True)
class Found:
    """A warning that holds: `count` incidents around (x_m, y_m); for a surge the place is the whole area."""

    x_m: float
    y_m: float
    count: int
    expected: float | None
    day: float


def clusters(rule: WarningRule, x_m: Floats, y_m: Floats, day: Floats, now_d: float) -> list[Found]:
    """Circles that hold at `now_d`: around each incident of the last `days`, the fullest first, none twice."""
    recent = np.flatnonzero((day > now_d - rule.days) & (day <= now_d))
    if len(recent) < rule.count:
        return []
    points = np.column_stack([x_m[recent], y_m[recent]])
    near = cKDTree(points).query_ball_point(points, rule.within_m)
    found: list[Found] = []
    taken: set[int] = set()
    for at in sorted(range(len(recent)), key=lambda one: (-len(near[one]), one)):
        members = set(near[at])
        if len(members) < rule.count:
            break
        if members & taken:
            continue
        taken |= members
        rows = sorted(members)
        found.append(
            Found(
                float(points[rows, 0].mean()),
                float(points[rows, 1].mean()),
                len(rows),
                None,
                float(day[recent[rows]].max()),
            )
        )
    return found


def surge(rule: WarningRule, day: Floats, now_d: float, usual: Usual) -> Found | None:
    """Whether since `since_hour` of this evening so many came as to warn; None when it is not that time, or not."""
    since = np.floor(now_d) + rule.since_hour / 24
    if now_d < since:
        since -= 1
    if now_d - since > LONGEST_D:
        return None
    count = int(((day >= since) & (day <= now_d)).sum())
    expected = expected_between(since, now_d, usual)
    if count >= rule.count and count >= rule.times * expected:
        return Found(float("nan"), float("nan"), count, expected, now_d)
    return None


def expected_between(from_d: float, to_d: float, usual: Usual) -> float:
    """Incidents expected in a span of local days, by the hours of the week as its days are lived."""
    hours = np.arange(int(np.floor(from_d * 24 + 1e-6)), int(np.ceil(to_d * 24)))
    if not len(hours):
        return 0.0
    part = np.minimum(to_d * 24, hours + 1) - np.maximum(from_d * 24, hours)
    place = usual.calendar.weekday(hours // 24) * 24 + hours % 24
    return float(usual.per_day * 7 * (np.array(usual.hours)[place] * part.clip(0.0)).sum())


def look(rule: WarningRule, counted: Counted, now_d: float, usual: Usual | None) -> list[Found]:
    """What holds at `now_d`; a surge needs to know what is usual."""
    if rule.kind == "cluster":
        return clusters(rule, counted.x_m, counted.y_m, counted.day, now_d)
    one = surge(rule, counted.day, now_d, usual) if usual is not None else None
    return [one] if one else []
