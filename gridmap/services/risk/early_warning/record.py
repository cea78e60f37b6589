"""How a rule would have done on the past year of a county: what an alarm says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.dialects.postgresql import insert

from gridmap.db.tables import RiskRuleRecord
from gridmap.domain.risk_rules import WarningRule
from gridmap.risk.arrays import Floats
from gridmap.services.risk.early_warning.counts import Counted, Usual
from gridmap.services.risk.early_warning.looking import LONGEST_D, clusters, expected_between, surge
from gridmap.services.transaction import Tx

REPLAYED_DAYS = 365


@dataclass(frozen=True, slots=True)
class Record:
    """How a rule would have done: alarms in so many days, and how many of them in vain."""

    days: int
    alarms: int
    false_alarms: int


def replay_clusters(rule: WarningRule, x_m: Floats, y_m: Floats, day: Floats, end_d: float) -> Record:
    """Replay over `REPLAYED_DAYS` before `end_d`, a day at a time; each day sees only what had happened by then.

    An alarm is false when no further incident came within its circle in the `follow_days` after it. A place rings
    again only after its circle was quiet for a span.
    """
    start = max(float(np.floor(day.min())) if len(day) else end_d, end_d - REPLAYED_DAYS)
    last = end_d - rule.follow_days
    alarms = false = 0
    rung: list[tuple[float, float, float]] = []
    for now_d in np.arange(start + 1, last + 1):
        for one in clusters(rule, x_m, y_m, day, float(now_d)):
            near = [
                place for place in rung
                if now_d - place[2] <= rule.days and np.hypot(place[0] - one.x_m, place[1] - one.y_m) <= rule.within_m
            ]  # fmt: skip
            if near:
                continue
            rung.append((one.x_m, one.y_m, float(now_d)))
            alarms += 1
            later = (day > now_d) & (day <= now_d + rule.follow_days)
            false += not (np.hypot(x_m[later] - one.x_m, y_m[later] - one.y_m) <= rule.within_m).any()
    return Record(max(int(last - start), 0), alarms, false)


def replay_surges(rule: WarningRule, day: Floats, end_d: float, usual: Usual) -> Record:
    """Replay each evening, looked at every half hour; an alarm is false when the rest of that evening, up to twelve
    hours after it began, stayed under what was expected of it."""
    start = max(float(np.floor(day.min())) if len(day) else end_d, end_d - REPLAYED_DAYS)
    alarms = false = 0
    for evening in np.arange(np.floor(start), np.floor(end_d) - 1):
        begin = float(evening + rule.since_hour / 24)
        end = begin + LONGEST_D
        if ((day >= begin) & (day <= end)).sum() < rule.count:
            continue
        for step in range(1, 25):
            now_d = begin + step / 48
            if surge(rule, day, now_d, usual) is None:
                continue
            alarms += 1
            rest = int(((day > now_d) & (day <= end)).sum())
            false += rest < expected_between(now_d, end, usual)
            break
    return Record(max(int(np.floor(end_d) - 1 - np.floor(start)), 0), alarms, false)


def replay(rule: WarningRule, counted: Counted, end_d: float, usual: Usual | None) -> Record:
    """The record of either kind; that of a surge is empty while nobody knows what is usual."""
    if rule.kind == "cluster":
        return replay_clusters(rule, counted.x_m, counted.y_m, counted.day, end_d)
    return replay_surges(rule, counted.day, end_d, usual) if usual is not None else Record(0, 0, 0)


def keep(tx: Tx, rule: WarningRule, area_id: int, path: str, record: Record) -> None:
    """Replace the rule's record in an area."""
    values = {
        "scope_path": path, "days": record.days, "alarms": record.alarms, "false_alarms": record.false_alarms,
        "judged_at": tx.now,
    }  # fmt: skip
    statement = insert(RiskRuleRecord).values(rule=rule.key, area_id=area_id, **values)
    tx.session.execute(statement.on_conflict_do_update(index_elements=["rule", "area_id"], set_=values))


def told(record: RiskRuleRecord | None) -> dict[str, Any]:
    """The rule's record as an alarm states it; no share where it never rang."""
    if record is None:
        return {"record_days": 0, "record_alarms": 0, "false_share": None}
    share = record.false_alarms / record.alarms if record.alarms else None
    return {
        "record_days": record.days,
        "record_alarms": record.alarms,
        "false_share": None if share is None else round(share, 2),
    }
