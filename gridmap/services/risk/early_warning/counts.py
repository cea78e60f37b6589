"""What a rule looks at: incidents of its classes, and what the last run expects of these hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import text

from gridmap.domain.metric import LocalMetric
from gridmap.domain.risk_rules import ALL, ClassGroup, RiskRules, WarningRule
from gridmap.risk.arrays import Floats
from gridmap.risk.calendar import NO_CALENDAR, Calendar
from gridmap.services.risk.calendars import calendar_of
from gridmap.services.transaction import Tx

_POINTS = text(
    "select st_x(i.geom) as lon, st_y(i.geom) as lat,"
    " extract(epoch from i.occurred_from at time zone :zone)::float8 / 86400 as day, i.number from incident i"
    " where i.scope_path <@ cast(:path as ltree) and i.class_key = any(:classes) and i.geom is not null"
    " and i.occurred_from >= :since and i.occurred_from <= :now and not i.restricted and not i.drill"
    " and i.duplicate_of is null and coalesce(i.outcome, '') not in ('void', 'duplicate') and i.withdrawn_at is null"
    " and (i.batch_id is null or i.batch_id <> all ((select hidden_batches())::uuid[]))"
    " order by i.occurred_from, i.id"
)
_FIGURES = text(
    "select s.figures from risk_surface s join risk_run r on r.id = s.run_id"
    " where r.area_id = :area and r.made_at is not null and not r.looks_back and s.refused is null"
    " and s.class_group = :group order by r.origin_on desc, r.made_at desc limit 1"
)
_SHARE = text(
    "select count(*) filter (where i.class_key = any(:mine)) as mine, count(*) as whole from incident i"
    " where i.scope_path <@ (select path from area_version where area_id = :area"
    " and valid @> cast(:now as timestamptz)) and i.class_key = any(:group)"
    " and i.occurred_from > cast(:now as timestamptz) - interval '1 year' and not i.restricted and not i.drill"
)


@dataclass(frozen=True)
class Counted:
    """Incidents of a rule's classes, oldest first: places in local metres, local days."""

    x_m: Floats
    y_m: Floats
    day: Floats


@dataclass(frozen=True)
class Usual:
    """What the last run expects of a rule's classes: `per_day` on average, `hours` the 168 shares of a plain week,
    from Monday 00:00; `calendar` tells which days are lived as which."""

    per_day: float
    hours: tuple[float, ...]
    calendar: Calendar = NO_CALENDAR


def local_day(tx: Tx) -> float:
    """The present moment on the site's wall clock."""
    local = tx.now.astimezone(tx.zone).replace(tzinfo=None)
    return (local - datetime(1970, 1, 1)) / timedelta(days=1)  # noqa: DTZ001 - wall clock


def read_counts(tx: Tx, path: str, rule: WarningRule, metric: LocalMetric, days: float) -> Counted:
    """What happened below `path` in the last `days`."""
    rows = tx.session.execute(
        _POINTS,
        {
            "path": path, "classes": list(rule.classes), "zone": tx.zone.key, "now": tx.now,
            "since": tx.now - timedelta(days=days),
        },
    ).all()  # fmt: skip
    x_m, y_m = metric.forward([row.lon for row in rows], [row.lat for row in rows])
    return Counted(x_m, y_m, np.array([row.day for row in rows], dtype=float))


def group_of(rule: WarningRule, rules: RiskRules) -> ClassGroup:
    """The group whose forecast tells what is usual: the one that holds all of the rule's classes, else every class."""
    return next(
        (one for one in rules.groups if one.key != ALL and set(rule.classes) <= set(one.classes)),
        rules.groups[0],
    )


def read_usual(tx: Tx, area_id: int, rule: WarningRule, rules: RiskRules) -> Usual | None:
    """What is usual by the last run of the area; None while there is none.

    A group may hold more classes than the rule: its level is scaled by their share of the last year.
    """
    group = group_of(rule, rules)
    figures = tx.session.scalar(_FIGURES, {"area": area_id, "group": group.key})
    if figures is None:
        return None
    counts = tx.session.execute(
        _SHARE, {"mine": list(rule.classes), "group": list(group.classes), "area": area_id, "now": tx.now}
    ).one()
    if not counts.whole:
        return None
    today = tx.now.astimezone(tx.zone).date()
    return Usual(
        float(figures["per_day"]) * counts.mine / counts.whole,
        tuple(figures["hours"]),
        calendar_of(today - timedelta(days=366), today + timedelta(days=1)),
    )
