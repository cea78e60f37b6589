"""The after-action report as one file that needs nothing else: no script, no font, no picture from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from flask import render_template

from gridmap.db.tables import IncidentEvent, Task
from gridmap.domain.metric import LocalMetric
from gridmap.domain.vocab import Term, vocabulary
from gridmap.services.after_action import AfterAction
from gridmap.services.task_pauses import Waiting, waits_of
from web.sketch import sketch

Language = Literal["zh", "en"]

_TEXTS: dict[str, tuple[str, str]] = {
    "title": ("处置复盘报告", "After-action report"),
    "drill": ("演练", "DRILL"),
    "restricted": ("受限事件,仅限经办人员", "Restricted: for those assigned only"),
    "made": ("生成于 {at}", "Made {at}"),
    "facts": ("概况", "Facts"),
    "class": ("类别", "Class"),
    "severity": ("级别", "Severity"),
    "status": ("状态", "Status"),
    "outcome": ("结果", "Outcome"),
    "address": ("地点", "Place"),
    "reported": ("上报时间", "Reported"),
    "closed": ("结案时间", "Closed"),
    "channel": ("来源", "Channel"),
    "clocks": ("总时限", "Clocks"),
    "step": ("环节", "Step"),
    "took": ("用时", "Took"),
    "target": ("目标", "Target"),
    "first_offer": ("上报至首次派单", "Report to first offer"),
    "first_arrival": ("上报至首个到场", "Report to first arrival"),
    "finish": ("上报至结案", "Report to close"),
    "units": ("派出力量", "Units"),
    "unit": ("力量", "Unit"),
    "answer": ("应答", "Answer"),
    "depart": ("出发", "Turn-out"),
    "arrive": ("路途", "Way"),
    "scene": ("现场", "On scene"),
    "state": ("结局", "Ended as"),
    "by_radio": ("电台代报", "by radio"),
    "photo_impossible": ("无法补拍照片:{reason}", "no photo possible: {reason}"),
    "photo_follows": ("照片待补", "photo still to come"),
    "photo_none": ("没有现场照片", "no photo from the scene"),
    "told_later": ("手机无网络时按下,{at} 收到", "tapped without a line, received {at}"),
    "none_sent": ("没有派出力量。", "Nobody was sent."),
    "map": ("路线示意", "Sketch of the ways"),
    "map_about": (
        "按定位记录绘制,非底图。虚线区域为召集范围,红色为封控。",
        "Drawn from recorded positions, without a base map. Dashed: fence of the call-out; red: closed roads.",
    ),
    "no_map": ("没有可绘制的定位。", "No positions to draw."),
    "timeline": ("经过", "History"),
    "who": ("经办", "By"),
    "what": ("内容", "What"),
    "system": ("系统", "System"),
    "alarms": ("告警", "Alarms"),
    "acknowledged": ("确认", "Acknowledged"),
    "not_acknowledged": ("未确认", "not acknowledged"),
    "tasks": ("预案步骤", "Plan steps"),
    "open": ("未完成", "open"),
    "paused": ("挂起中", "on hold"),
    "waited": ("挂起 {since} 至 {until}", "on hold {since} to {until}"),
    "waits": ("自 {since} 挂起", "on hold since {since}"),
    "minutes": ("{n} 分 {s} 秒", "{n} min {s} s"),
    "hours": ("{n} 小时 {m} 分", "{n} h {m} min"),
    "seconds": ("{s} 秒", "{s} s"),
    "metres": ("{n} 米", "{n} m"),
    "late": ("超时", "late"),
}
# Parameters of events that are codes of a list.
_CODED = {
    "pause": "pause_reason",
    "reason": "decline_reason",
    "outcome": "outcome",
    "code": "result",
    "channel": "channel",
}
_SHOWN = ("call_sign", "number", "name", "text", "note")


def render_after_action(found: AfterAction, language: Language, zone: ZoneInfo, metric: LocalMetric) -> str:
    """The whole HTML text, UTF-8."""
    words = Words(language, zone)
    return render_template(
        "after_action.html",
        found=found,
        incident=found.incident,
        words=words,
        waits_of=waits_of,
        sketch=sketch(found.replay, metric),
        language=language,
    )


class Words:
    """Texts, names and times in one language; the template composes with nothing else."""

    def __init__(self, language: Language, zone: ZoneInfo) -> None:
        self._index = 0 if language == "zh" else 1
        self._zone = zone

    def text(self, key: str, **params: Any) -> str:
        return _TEXTS[key][self._index].format(**params)

    def term(self, vocabulary_name: str, key: str | int | None) -> str:
        """The name of a code; the code itself where the list does not know it."""
        return self._name(vocabulary().lists[vocabulary_name].get(str(key)), key)

    def status(self, noun: str, key: str) -> str:
        return self._name(vocabulary().lifecycles[noun].statuses.get(key), key)

    def class_name(self, key: str) -> str:
        found = vocabulary().classes.get(key)
        return key if found is None else (found.zh, found.en)[self._index]

    def own_name(self, name: Mapping[str, str] | None) -> str | None:
        """A name that the thing itself brings in both languages."""
        return None if name is None else name[("zh", "en")[self._index]]

    def was_late(self, task: Task, now: datetime) -> bool:
        """Done after its time, or not done and its time is over."""
        return task.due_at is not None and (task.finished_at or now) > task.due_at

    def moment(self, at: datetime | None) -> str:
        return "–" if at is None else at.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")

    def duration(self, seconds: float | None) -> str:
        if seconds is None:
            return "–"
        minutes, rest = divmod(round(seconds), 60)
        if minutes >= 120:
            return self.text("hours", n=minutes // 60, m=minutes % 60)
        return self.text("minutes", n=minutes, s=rest) if minutes else self.text("seconds", s=rest)

    def event(self, event: IncidentEvent) -> str:
        """What happened, with the words that somebody wrote beside it."""
        params: Mapping[str, Any] = event.params
        told = [self._said(params[name]) for name in _SHOWN if params.get(name)]
        told += [self.term(list_name, params[name]) for name, list_name in _CODED.items() if params.get(name)]
        if params.get("via") == "radio":
            told.append(self.text("by_radio"))
        if params.get("photo"):
            told.append(self.text(f"photo_{params['photo']}"))
        if event.occurred_at is not None:
            told.append(self.text("told_later", at=self.moment(event.at)))
        return " · ".join([self.term("event_kind", event.kind), *told])

    def waited(self, stretch: Waiting) -> str:
        """One stretch in which a step waited for somebody outside, with the reason."""
        since, until = self.moment(stretch.since), self.moment(stretch.until)
        span = (
            self.text("waits", since=since)
            if stretch.until is None
            else self.text("waited", since=since, until=until)
        )
        return " · ".join([span, self.term("pause_reason", stretch.reason), *filter(None, [stretch.words])])

    def _said(self, value: Any) -> str:
        return (self.own_name(value) or "") if isinstance(value, Mapping) else str(value)

    def _name(self, term: Term | None, key: str | int | None) -> str:
        return str(key) if term is None else (term.zh, term.en)[self._index]
