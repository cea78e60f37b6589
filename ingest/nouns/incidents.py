"""Incidents: reports from a hotline export, a police record or an old system.

A row with an outcome (or a closing time) comes in closed; any other comes in open and joins the queue.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridmap.domain.masking import mask_numbers
from gridmap.domain.vocab import vocabulary
from gridmap.services.importing.incidents import INCIDENTS
from ingest.base import Objects, objects
from ingest.fields import Field
from ingest.moments import Moments, parse_moments
from ingest.nouns.base import REF, Draft, Noun

_TIMES = ("occurred", "occurred_to", "reported", "closed_at")
_TITLE_CHARS = 80


def check(draft: Draft, context: Any) -> None:
    """Times in the file's zone, their order, and that there is something to go by."""
    for name in _TIMES:
        texts = draft.values[name]
        if name == "occurred":
            texts = _with_clock(texts, draft.values["occurred_clock"])
        draft.moments[name] = _moments(draft, context, name, texts)
    start, end = draft.moments["occurred"].at, draft.moments["occurred_to"].at
    backwards = ~np.isnat(start) & ~np.isnat(end) & (end < start)
    draft.faults.add(backwards, "occurred_to", "ends_before_it_starts")
    neither = np.isnat(start) & np.isnat(draft.moments["reported"].at)
    unreported = neither & np.array([not text for text in draft.values["occurred"]], dtype=bool)
    draft.faults.add(unreported, "occurred", "missing")


def _with_clock(dates: Objects, clocks: Objects) -> Objects:
    pairs = zip(dates, clocks, strict=True)
    return objects(f"{date} {clock}" if date and clock else date for date, clock in pairs)


def _moments(draft: Draft, context: Any, name: str, texts: Objects) -> Moments:
    exactness = context.exactness if name == "occurred" else type(context.exactness)()
    return parse_moments(texts, context.zone, name, context.now, exactness, draft.faults)


def stage(draft: Draft, context: Any) -> dict[str, Objects]:
    values = draft.values
    classes = vocabulary().classes
    keys = values["class"]
    bodies = objects(mask_numbers(text) if text else "" for text in values["text"])
    severity = [
        int(given) if given else classes[key].severity if key else None
        for given, key in zip(values["severity"], keys, strict=True)
    ]
    occurred, reported = draft.moments["occurred"], draft.moments["reported"]
    started = np.where(np.isnat(occurred.at), reported.at, occurred.at)
    heard = np.where(np.isnat(reported.at), started, reported.at)
    shown = np.where(np.isnat(occurred.at), reported.shown, occurred.shown)
    closed = draft.moments["closed_at"].at
    ended = zip(values["outcome"], ~np.isnat(closed), strict=True)
    outcome = objects(given or ("handed_over" if has_end else None) for given, has_end in ended)
    done = np.array([given is not None for given in outcome], dtype=bool)
    level = np.array([given or 1 for given in severity], dtype=np.int64)
    return {
        "class_key": keys,
        "severity": objects(severity),
        "restricted": objects(bool(key) and classes[key].restricted for key in keys),
        "channel": values["channel"],
        "title": objects(title_of(*pair) for pair in zip(bodies, values["address"], strict=True)),
        "body": bodies,
        "address": values["address"],
        "occurred_from": started,
        "occurred_to": draft.moments["occurred_to"].at,
        "occurred_precision": shown,
        "reported_at": heard,
        "outcome": outcome,
        "closed_at": np.where(done & np.isnat(closed), heard, closed),
        "dispatch_due_at": heard + _minutes("dispatch_min")[level],
        "finish_due_at": heard + _minutes("finish_min")[level],
    }


def _minutes(clock: str) -> NDArray[np.timedelta64]:
    """Minutes of a clock by severity, as an array that a severity indexes; index 0 is not used."""
    terms = vocabulary().lists["severity"]
    minutes = [0] + [int(terms[str(level)].extra[clock]) for level in range(1, len(terms) + 1)]
    return np.array(minutes, dtype="timedelta64[m]")


def title_of(body: str, address: str | None) -> str:
    """The first line of the text, or of the address."""
    words = body.strip() or (address or "").strip()
    return words.split("\n", 1)[0][:_TITLE_CHARS]


NOUN = Noun(
    key="incidents",
    fields=(
        REF,
        Field(name="class", kind="event_class", required=True, aliases=("类别", "事件类别")),
        Field(name="severity", kind="term", vocabulary="severity", aliases=("等级", "紧急程度")),
        Field(name="channel", kind="term", vocabulary="channel", required=True, aliases=("来源渠道",)),
        Field(name="text", most_chars=5000, free_text=True, aliases=("描述", "内容", "事件描述")),
        Field(name="address", most_chars=300, aliases=("地址", "事发地址", "地点")),
        Field(name="occurred", kind="moment", aliases=("发生时间",)),
        Field(name="occurred_clock", kind="moment"),
        Field(name="occurred_to", kind="moment"),
        Field(name="reported", kind="moment", aliases=("上报时间", "受理时间")),
        Field(name="outcome", kind="term", vocabulary="outcome", aliases=("结果",)),
        Field(name="closed_at", kind="moment", aliases=("结案时间",)),
        Field(name="radius_m", kind="number", least=0, most=50_000),
    ),
    shape="point",
    target=INCIDENTS,
    stage=stage,
    check=check,
    geometry_needed=False,
    geocoded=True,
    fresh_ids=("report_id", "event_id"),
)
