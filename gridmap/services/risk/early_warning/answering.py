"""What people do about warnings: see the rules, mute one, make an inspection of an alarm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import text

from gridmap.db.tables import Alarm, RiskMute
from gridmap.domain.actor import is_below
from gridmap.domain.ids import new_id
from gridmap.domain.risk_rules import RiskRules
from gridmap.errors import NotFound
from gridmap.services.alarms import acknowledge
from gridmap.services.auditing import audit
from gridmap.services.risk.early_warning.counts import group_of
from gridmap.services.risk.early_warning.watch import KIND
from gridmap.services.risk.ground import split
from gridmap.services.risk.inspections import ask_in_area
from gridmap.services.risk.jobs import top_areas
from gridmap.services.transaction import Tx

RuleState = Literal["watching", "waiting_for_run", "not_started"]


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule in one county: its record, and until when it is muted there.

    `state`: "waiting_for_run" where a surge has no forecast yet to be measured against, so it cannot ring;
    "not_started" where the worker has not looked yet.
    """

    rule: str
    name: dict[str, str]
    kind: str
    state: RuleState
    severity: int
    count: int
    within_m: float | None
    days: int | None
    times: float | None
    since_hour: int | None
    area_id: int
    area_name: str
    record_days: int
    record_alarms: int
    false_alarms: int
    muted_until: datetime | None


_PLACES = text(
    "select v.area_id, v.name, v.path::text as path from area_version v join area a on a.id = v.area_id"
    " where a.code = any(:codes) and a.tree = 'admin' and v.valid @> cast(:now as timestamptz)"
    " order by v.name, v.area_id"
)
_RECORDS = text("select rule, area_id, days, alarms, false_alarms from risk_rule_record")
_MUTES = text(
    "select rule, scope_path::text as path, until from risk_mute where until > cast(:now as timestamptz)"
)
_FORESEEN = text(
    "select distinct r.area_id, s.class_group from risk_run r join risk_surface s on s.run_id = r.id"
    " where r.made_at is not null and not r.looks_back and s.refused is null"
)


def list_rules(tx: Tx, rules: RiskRules) -> list[RuleLine]:
    """Every rule in every county in sight, whether it can ring there, and how it would have done over the past year."""
    codes = [part for top in top_areas(tx) for part in split(tx, top)]
    places = [
        row
        for row in tx.session.execute(_PLACES, {"codes": codes, "now": tx.now})
        if any(is_below(row.path, root) for root in tx.actor.case_paths)
    ]
    records = {(row.rule, row.area_id): row for row in tx.session.execute(_RECORDS)}
    foreseen = {(row.area_id, row.class_group) for row in tx.session.execute(_FORESEEN)}
    mutes = tx.session.execute(_MUTES, {"now": tx.now}).all()
    lines = []
    for rule in sorted(rules.warnings, key=lambda one: one.key):
        for place in places:
            record = records.get((rule.key, place.area_id))
            state: RuleState = "watching" if record else "not_started"
            if rule.kind == "surge" and (place.area_id, group_of(rule, rules).key) not in foreseen:
                state = "waiting_for_run"
            untils = [one.until for one in mutes if one.rule == rule.key and is_below(place.path, one.path)]
            lines.append(
                RuleLine(
                    rule=rule.key, name={"zh": rule.zh, "en": rule.en}, kind=rule.kind, state=state,
                    severity=rule.severity, count=rule.count, within_m=rule.within_m or None, days=rule.days or None,
                    times=rule.times or None, since_hour=rule.since_hour if rule.kind == "surge" else None,
                    area_id=place.area_id, area_name=place.name, record_days=record.days if record else 0,
                    record_alarms=record.alarms if record else 0, false_alarms=record.false_alarms if record else 0,
                    muted_until=max(untils, default=None),
                )
            )  # fmt: skip
    return lines


def mute(tx: Tx, rules: RiskRules, rule: str, area_id: int, *, hours: float, reason: str) -> datetime:
    """Keep a rule silent in an area and all below it. Returns until when.

    Raises Forbidden without alarm.acknowledge; NotFound("area_unknown") out of sight; Invalid("risk_rule_unknown").
    """
    tx.actor.require("alarm.acknowledge")
    rules.warning(rule)
    row = tx.session.execute(
        text(
            "select path::text as path from area_version where area_id = :id and valid @> cast(:now as timestamptz)"
        ),
        {"id": area_id, "now": tx.now},
    ).one_or_none()
    if row is None or not any(is_below(row.path, root) for root in tx.actor.case_paths):
        raise NotFound("area_unknown", area_id=area_id)
    until = tx.now + timedelta(hours=hours)
    tx.session.add(
        RiskMute(
            id=new_id(), rule=rule, area_id=area_id, scope_path=row.path, until=until, reason=reason,
            muted_by=tx.actor.account_id, muted_at=tx.now,
        )
    )  # fmt: skip
    tx.session.flush()
    audit(tx, "alarm.mute", "risk_rule", rule, reason=reason, area_id=area_id, hours=hours)
    return until


def to_task(tx: Tx, alarm_id: UUID, note: str) -> UUID:
    """Make an inspection of a warning; the alarm is taken note of by the same hand.

    Raises NotFound("alarm_not_found"), NotFound("area_unknown"), Forbidden.
    """
    alarm = tx.session.get(Alarm, alarm_id)
    if alarm is None or alarm.kind != KIND:
        raise NotFound("alarm_not_found")
    task_id = ask_in_area(
        tx,
        int(alarm.params["area_id"]),
        note,
        {"kind": "warning", "alarm": str(alarm_id), "rule": alarm.params.get("rule")},
    )
    if alarm.status == "raised":
        acknowledge(tx, alarm_id)
    return task_id
