"""How response plans look from outside: as written, version by version, and as they would go for a case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

# pydantic needs this one to read types of TypedDict on 3.11.
from typing_extensions import TypedDict

from gridmap.db.tables import PlanVersion
from gridmap.domain.response import Plan, need_json
from gridmap.services.dispatching.plan_trial import LevelTrial, PlanTrial
from gridmap.services.plans import CurrentPlan
from web.shapes_response import RunLine, WhoLine, asked

Params = dict[str, Any]


class PlanLine(TypedDict):
    """A plan in its newest version, as it is gone by; a `version` of 0 is written nowhere."""

    key: str
    version: int
    name: Params
    classes: tuple[str, ...]
    severities: tuple[int, ...]
    auto: tuple[int, ...]
    tell: tuple[str, ...]
    levels: list[Params]
    steps: list[Params]
    retired: bool


class PlanVersionLine(TypedDict):
    """One version of a plan; `body` is the whole of it in the form of data/vocab/plans.toml."""

    key: str
    version: int
    source: str
    created_at: datetime
    body: Params


class PlanPreview(TypedDict):
    """The plan that fits, what runs, and whom the first level would ask now."""

    match: PlanLine | None
    running: list[RunLine]
    who: list[WhoLine]
    wanted: int


class LevelTrialLine(TypedDict):
    """One level if nobody said yes before: what is wanted by then, from when on, and whom it asks first."""

    number: int
    mode: str
    after_s: int
    need: list[Params]
    wanted: int
    who: list[WhoLine]


class StepDueLine(TypedDict):
    key: str
    due_at: datetime | None


class PlanTrialLine(TypedDict):
    """What a plan would do for one case now.

    `fits`: "class", "group" or "no"; `starts`: "auto", "click" or "never"; `rival` is a plan that fits more closely.
    `ends_after_s` is when the last level is over and the need an alarm.
    """

    fits: str
    starts: str
    rival: Params | None
    levels: list[LevelTrialLine]
    ends_after_s: int
    told: list[str]
    steps: list[StepDueLine]


def plan(found: CurrentPlan) -> PlanLine:
    return plan_line(found.plan, found.version)


def plan_line(body: Plan, version: int) -> PlanLine:
    return {
        "key": body.key,
        "version": version,
        "name": {"zh": body.zh, "en": body.en},
        "classes": body.classes,
        "severities": body.severities,
        "auto": body.auto,
        "tell": body.tell,
        "levels": [
            {
                "mode": level.mode,
                "need": [
                    {"capability": place.capability, "unit_kind": place.unit_kind, "count": place.count}
                    for place in level.need
                ],
                **level.rules.as_json(),
            }
            for level in body.levels
        ],
        "steps": [
            {
                "key": step.key,
                "name": {"zh": step.zh, "en": step.en},
                "due_min": step.due_min,
                "calendar": step.calendar,
            }
            for step in body.steps
        ],
        "retired": body.retired,
    }


def plan_trial(trial: PlanTrial, levels: Sequence[LevelTrial]) -> PlanTrialLine:
    rival = trial.rival
    return {
        "fits": ("no", "group", "class")[trial.fits],
        "starts": trial.starts,
        "rival": {"key": rival.key, "name": {"zh": rival.zh, "en": rival.en}} if rival else None,
        "levels": [
            {
                "number": one.level.number,
                "mode": one.level.mode,
                "after_s": one.level.after_s,
                "need": need_json(one.level.need),
                "wanted": sum(place.count for place in one.level.need),
                "who": [asked(person) for person in one.asked],
            }
            for one in levels
        ],
        "ends_after_s": sum(level.rules.level_s for level in trial.plan.levels),
        "told": list(trial.told),
        "steps": [{"key": step.key, "due_at": step.due_at} for step in trial.steps],
    }


def plan_version(row: PlanVersion) -> PlanVersionLine:
    return {
        "key": row.key,
        "version": row.version,
        "source": row.source,
        "created_at": row.created_at,
        "body": row.body,
    }
