"""The worker's look at every rule in every county, about once a minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid5

import numpy as np
from sqlalchemy import select, text

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.tables import Alarm, RiskRuleRecord
from gridmap.domain.metric import LocalMetric
from gridmap.domain.risk_rules import RiskRules, WarningRule, check_classes
from gridmap.domain.vocab import vocabulary
from gridmap.services.alarms import raise_alarm
from gridmap.services.areas import locate
from gridmap.services.risk.early_warning.counts import local_day, read_counts, read_usual
from gridmap.services.risk.early_warning.looking import Found, look
from gridmap.services.risk.early_warning.record import REPLAYED_DAYS, keep, replay, told
from gridmap.services.risk.ground import RunArea, find_area, split
from gridmap.services.risk.jobs import top_areas
from gridmap.services.transaction import Tx, system_transaction

KIND = "warning"
EVERY_S = 60.0
_NAMESPACE = UUID("8a1d6f3e-2d57-4b3f-9b8e-0d1a7c5e4f22")
# Alarms of one place are told once in so long, however often the rule still holds.
_AGAIN_AFTER = timedelta(hours=12)
_CELL_M = 500.0


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
            now_d = local_day(tx)
            judged = judge or tx.session.get(RiskRuleRecord, (rule.key, area.id)) is None
            usual = read_usual(tx, area.id, rule, self.rules) if rule.kind == "surge" else None
            if rule.kind == "surge" and usual is None:
                # `answering.list_rules` says that it waits for a run.
                return []
            span = REPLAYED_DAYS if judged else max(rule.days, 2)
            counted = read_counts(tx, area.path, rule, self.metric, span)
        if judged:
            with system_transaction(self.database, self.clock) as tx:
                keep(tx, rule, area.id, area.path, replay(rule, counted, now_d, usual))
        found = look(rule, counted, now_d, usual)
        if found:
            with system_transaction(self.database, self.clock) as tx:
                for one in found:
                    self._ring(tx, rule, area, one)
        return found

    def _ring(self, tx: Tx, rule: WarningRule, area: RunArea, one: Found) -> None:
        place = "area" if np.isnan(one.x_m) else f"{one.x_m // _CELL_M:.0f}:{one.y_m // _CELL_M:.0f}"
        subject = uuid5(_NAMESPACE, f"{rule.key}:{area.id}:{place}")
        lon = lat = None
        where = area.path
        if place != "area":
            at_lon, at_lat = self.metric.inverse(one.x_m, one.y_m)
            lon, lat = round(float(at_lon), 5), round(float(at_lat), 5)
            where = _path_at(tx, lon, lat) or area.path
        if _is_muted(tx, rule.key, where) or _rang(tx, subject):
            return
        record = tx.session.get(RiskRuleRecord, (rule.key, area.id))
        raise_alarm(
            tx,
            KIND,
            severity=rule.severity,
            path=where,
            subject_kind="risk_rule",
            subject_id=subject,
            rule=rule.key,
            name={"zh": rule.zh, "en": rule.en},
            area_id=_last(where) or area.id,
            area=area.name,
            count=one.count,
            expected=None if one.expected is None else round(one.expected, 1),
            within_m=rule.within_m or None,
            days=rule.days or None,
            lon=lon,
            lat=lat,
            **told(record),
        )


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
