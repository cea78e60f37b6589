"""Early warning: rules that are data, over live counts and the last forecast, become alarms with a known record.

A cluster warns where so many incidents lie within a circle and a span of days. A surge warns where an evening brings
so many times what the last forecast expects of its hours. How often a rule would have rung in vain is counted by
replaying it over the past year, and stands in every alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import numpy as np
from scipy.spatial import cKDTree
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.tables import Alarm, RiskMute, RiskRuleRecord
from gridmap.domain.actor import is_below
from gridmap.domain.ids import new_id
from gridmap.domain.metric import LocalMetric
from gridmap.domain.risk_rules import ALL, RiskRules, WarningRule, check_classes
from gridmap.domain.vocab import vocabulary
from gridmap.errors import NotFound
from gridmap.risk.arrays import Floats
from gridmap.services.alarms import acknowledge, raise_alarm
from gridmap.services.areas import locate
from gridmap.services.auditing import audit
from gridmap.services.risk.ground import find_area, split
from gridmap.services.risk.inspections import ask_in_area
from gridmap.services.risk.jobs import top_areas
from gridmap.services.transaction import Tx, system_transaction

KIND = "warning"
EVERY_S = 60.0
REPLAYED_DAYS = 365
_NAMESPACE = UUID("8a1d6f3e-2d57-4b3f-9b8e-0d1a7c5e4f22")
# Alarms of one place are told once in so long, however often the rule still holds.
_AGAIN_AFTER = timedelta(hours=12)
_CELL_M = 500.0

_POINTS = text(
    "select st_x(i.geom) as lon, st_y(i.geom) as lat,"
    " extract(epoch from i.occurred_from at time zone :zone)::float8 / 86400 as day, i.number from incident i"
    " where i.scope_path <@ cast(:path as ltree) and i.class_key = any(:classes) and i.geom is not null"
    " and i.occurred_from >= :since and i.occurred_from <= :now and not i.restricted and not i.drill"
    " and i.duplicate_of is null and coalesce(i.outcome, '') not in ('void', 'duplicate') and i.withdrawn_at is null"
    " and (i.batch_id is null or i.batch_id <> all ((select hidden_batches())::uuid[]))"
    " order by i.occurred_from, i.id"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A warning that holds: `count` incidents around (x_m, y_m); for a surge the place is the whole area."""

    x_m: float
    y_m: float
    count: int
    expected: float | None
    day: float


@dataclass(frozen=True, slots=True)
class Record:
    """How a rule would have done: alarms in so many days, and how many of them in vain."""

    days: int
    alarms: int
    false_alarms: int


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


def surge(
    rule: WarningRule, day: Floats, now_d: float, per_day: float, hours: Sequence[float]
) -> Found | None:
    """Whether since `since_hour` of this evening so many came as to warn; None when it is not that time, or not.

    Args:
        per_day: incidents of these classes expected on this day of the week.
        hours: 168 shares of the week's hours, from Monday 00:00, summing to one.
    """
    since = np.floor(now_d) + rule.since_hour / 24
    if now_d < since:
        since -= 1
    if now_d - since > 12 / 24:
        return None
    count = int(((day >= since) & (day <= now_d)).sum())
    expected = expected_between(since, now_d, per_day, hours)
    if count >= rule.count and count >= rule.times * expected:
        return Found(float("nan"), float("nan"), count, expected, now_d)
    return None


def expected_between(from_d: float, to_d: float, per_day: float, hours: Sequence[float]) -> float:
    """Incidents expected in a span of local days, by the hours of the week."""
    total = 0.0
    hour = int(np.floor(from_d * 24 + 1e-6))
    while hour / 24 < to_d:
        part = min(to_d, (hour + 1) / 24) - max(from_d, hour / 24)
        place = ((hour // 24 + 3) % 7) * 24 + hour % 24
        total += per_day * 7 * hours[place] * part * 24
        hour += 1
    return total


def replay_surges(
    rule: WarningRule, day: Floats, end_d: float, per_day: float, hours: Sequence[float]
) -> Record:
    """Replay each evening, looked at every half hour; an alarm is false when the rest of that evening, up to twelve
    hours after it began, stayed under what was expected of it."""
    start = max(float(np.floor(day.min())) if len(day) else end_d, end_d - REPLAYED_DAYS)
    alarms = false = 0
    for evening in np.arange(np.floor(start), np.floor(end_d) - 1):
        begin = evening + rule.since_hour / 24
        for step in range(1, 25):
            now_d = float(begin + step / 48)
            if surge(rule, day, now_d, per_day, hours) is None:
                continue
            alarms += 1
            rest = int(((day > now_d) & (day <= begin + 0.5)).sum())
            false += rest < expected_between(now_d, float(begin + 0.5), per_day, hours)
            break
    return Record(max(int(np.floor(end_d) - 1 - np.floor(start)), 0), alarms, false)


@dataclass
class Watch:
    """Looks at every rule in every county about once a minute, and once a day at how the rules do."""

    database: Database
    clock: Clock
    metric: LocalMetric
    rules: RiskRules
    _judged_on: date | None = None

    def turn(self) -> list[Found]:
        """Raise what holds. Returns what was found, muted or not."""
        with system_transaction(self.database, self.clock) as tx:
            codes = [part for top in top_areas(tx) for part in split(tx, top)]
            today = tx.now.astimezone(tx.zone).date()
        judge = today != self._judged_on
        found = []
        for code in codes:
            for rule in self.rules.warnings:
                found += self._one(code, rule, judge)
        self._judged_on = today
        return found

    def _one(self, code: str, rule: WarningRule, judge: bool) -> list[Found]:
        check_classes(rule.classes, vocabulary())
        with system_transaction(self.database, self.clock) as tx:
            area = find_area(tx, code)
            now_d = _local_day(tx)
            known = judge or tx.session.get(RiskRuleRecord, (rule.key, area.id)) is not None
            span = REPLAYED_DAYS if judge or not known else max(rule.days, 2)
            points = tx.session.execute(
                _POINTS,
                {
                    "path": area.path, "classes": list(rule.classes), "zone": tx.zone.key, "now": tx.now,
                    "since": tx.now - timedelta(days=span),
                },
            ).all()  # fmt: skip
            expected = _expected(tx, area.id, rule, self.rules) if rule.kind == "surge" else None
        x_m, y_m = self.metric.forward([row.lon for row in points], [row.lat for row in points])
        day = np.array([row.day for row in points], dtype=float)
        if rule.kind == "cluster":
            found = clusters(rule, x_m, y_m, day, now_d)
        elif expected is not None:
            one = surge(rule, day, now_d, *expected)
            found = [one] if one else []
        else:
            return []
        if judge or not known:
            record = (
                replay_clusters(rule, x_m, y_m, day, now_d)
                if rule.kind == "cluster"
                else replay_surges(rule, day, now_d, *expected)
                if expected
                else Record(0, 0, 0)
            )
            with system_transaction(self.database, self.clock) as tx:
                _keep(tx, rule, area.id, area.path, record)
        if found:
            with system_transaction(self.database, self.clock) as tx:
                for one in found:
                    self._ring(tx, rule, area.id, area.name, area.path, one)
        return found

    def _ring(self, tx: Tx, rule: WarningRule, area_id: int, name: str, path: str, one: Found) -> None:
        place = "area" if np.isnan(one.x_m) else f"{one.x_m // _CELL_M:.0f}:{one.y_m // _CELL_M:.0f}"
        subject = uuid5(_NAMESPACE, f"{rule.key}:{area_id}:{place}")
        lon = lat = None
        where = path
        if place != "area":
            at_lon, at_lat = self.metric.inverse(one.x_m, one.y_m)
            lon, lat = round(float(at_lon), 5), round(float(at_lat), 5)
            where = _path_at(tx, lon, lat) or path
        if _is_muted(tx, rule.key, where) or _rang(tx, subject):
            return
        record = tx.session.get(RiskRuleRecord, (rule.key, area_id))
        raise_alarm(
            tx,
            KIND,
            severity=rule.severity,
            path=where,
            subject_kind="risk_rule",
            subject_id=subject,
            rule=rule.key,
            name={"zh": rule.zh, "en": rule.en},
            area_id=_last(where) or area_id,
            area=name,
            count=one.count,
            expected=None if one.expected is None else round(one.expected, 1),
            within_m=rule.within_m or None,
            days=rule.days or None,
            lon=lon,
            lat=lat,
            **_told(record),
        )


def _told(record: RiskRuleRecord | None) -> dict[str, Any]:
    """The rule's record as an alarm states it; no share where it never rang."""
    if record is None:
        return {"record_days": 0, "record_alarms": 0, "false_share": None}
    share = record.false_alarms / record.alarms if record.alarms else None
    return {
        "record_days": record.days,
        "record_alarms": record.alarms,
        "false_share": None if share is None else round(share, 2),
    }


def _local_day(tx: Tx) -> float:
    local = tx.now.astimezone(tx.zone).replace(tzinfo=None)
    return (local - datetime(1970, 1, 1)) / timedelta(days=1)  # noqa: DTZ001 - wall clock


def _expected(tx: Tx, area_id: int, rule: WarningRule, rules: RiskRules) -> tuple[float, list[float]] | None:
    """What the last run expects a day of the rule's classes, and the hours of the week of the group they belong to.

    A group may hold more classes than the rule: its level is scaled by their share of the last year. None without a
    run.
    """
    group = next(
        (one for one in rules.groups if one.key != ALL and set(rule.classes) <= set(one.classes)),
        rules.groups[0],
    )
    figures = tx.session.scalar(
        text(
            "select s.figures from risk_surface s join risk_run r on r.id = s.run_id"
            " where r.area_id = :area and r.made_at is not null and not r.looks_back and s.refused is null"
            " and s.class_group = :group order by r.origin_on desc, r.made_at desc limit 1"
        ),
        {"area": area_id, "group": group.key},
    )
    if figures is None:
        return None
    counts = tx.session.execute(
        text(
            "select count(*) filter (where i.class_key = any(:mine)) as mine, count(*) as whole from incident i"
            " where i.scope_path <@ (select path from area_version where area_id = :area"
            " and valid @> cast(:now as timestamptz)) and i.class_key = any(:group)"
            " and i.occurred_from > cast(:now as timestamptz) - interval '1 year' and not i.restricted and not i.drill"
        ),
        {"mine": list(rule.classes), "group": list(group.classes), "area": area_id, "now": tx.now},
    ).one()
    if not counts.whole:
        return None
    return float(figures["per_day"]) * counts.mine / counts.whole, list(figures["hours"])


def _keep(tx: Tx, rule: WarningRule, area_id: int, path: str, record: Record) -> None:
    values = {
        "scope_path": path, "days": record.days, "alarms": record.alarms, "false_alarms": record.false_alarms,
        "judged_at": tx.now,
    }  # fmt: skip
    statement = insert(RiskRuleRecord).values(rule=rule.key, area_id=area_id, **values)
    tx.session.execute(statement.on_conflict_do_update(index_elements=["rule", "area_id"], set_=values))


def _path_at(tx: Tx, lon: float, lat: float) -> str | None:
    """The community that holds a place: its people are told, not one grid's."""
    located = locate(tx.session, lon, lat, tx.now)
    return located.path.rsplit(".", 1)[0] if located.path.count(".") > 0 else None


def _last(path: str) -> int | None:
    return int(path.rsplit(".", 1)[-1]) if path else None


def _rang(tx: Tx, subject: UUID) -> bool:
    """Whether this very warning stands, or was given of late."""
    return (
        tx.session.scalar(
            select(Alarm.id)
            .where(
                Alarm.kind == KIND,
                Alarm.subject_id == subject,
                (Alarm.status == "raised") | (Alarm.raised_at > tx.now - _AGAIN_AFTER),
            )
            .limit(1)
        )
        is not None
    )


def _is_muted(tx: Tx, rule: str, path: str) -> bool:
    return bool(
        tx.session.scalar(
            text(
                "select exists (select from risk_mute where rule = :rule and until > :now"
                " and cast(:path as ltree) <@ scope_path)"
            ),
            {"rule": rule, "now": tx.now, "path": path},
        )
    )


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule in one county: its record, and until when it is muted there."""

    rule: str
    name: dict[str, str]
    kind: str
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


_RECORDS = text(
    "select c.rule, c.area_id, v.name, c.days, c.alarms, c.false_alarms,"
    " (select max(m.until) from risk_mute m where m.rule = c.rule and m.until > cast(:now as timestamptz)"
    "  and c.scope_path <@ m.scope_path) as muted_until"
    " from risk_rule_record c join area_version v on v.area_id = c.area_id and v.valid @> cast(:now as timestamptz)"
    " order by c.rule, v.name"
)


def list_rules(tx: Tx, rules: RiskRules) -> list[RuleLine]:
    """Every rule in every county in sight, with how it would have done over the past year."""
    known = {rule.key: rule for rule in rules.warnings}
    return [
        RuleLine(
            rule=rule.key, name={"zh": rule.zh, "en": rule.en}, kind=rule.kind, severity=rule.severity,
            count=rule.count, within_m=rule.within_m or None, days=rule.days or None, times=rule.times or None,
            since_hour=rule.since_hour if rule.kind == "surge" else None, area_id=row.area_id, area_name=row.name,
            record_days=row.days, record_alarms=row.alarms, false_alarms=row.false_alarms, muted_until=row.muted_until,
        )
        for row in tx.session.execute(_RECORDS, {"now": tx.now})
        if (rule := known.get(row.rule)) is not None
    ]  # fmt: skip


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
