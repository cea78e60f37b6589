"""What a plan would do for a case, open or past, before anybody publishes it; nobody is asked, nothing is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gridmap.adapters.valhalla import Valhalla
from gridmap.domain.response import Place, Plan, add_up, best_match
from gridmap.errors import Conflict
from gridmap.services.dispatching.filling import Search, search_for
from gridmap.services.dispatching.previewing import Asked, first_asked, seen_incident
from gridmap.services.notices import areas_above
from gridmap.services.plans import current_plans
from gridmap.services.tasks import step_due
from gridmap.services.transaction import Tx


@dataclass(frozen=True)
class LevelSearch:
    """One level as it would be asked if nobody had said yes before: its own places and all below it.

    `after_s` is how long after the start it is asked at the latest. `mode` is what a restricted case makes of it.
    """

    number: int
    mode: str
    need: tuple[Place, ...]
    after_s: int
    search: Search


@dataclass(frozen=True)
class LevelTrial:
    """`asked`: the first ones, at this moment; who was asked at a lower level is not asked again."""

    level: LevelSearch
    asked: tuple[Asked, ...]


@dataclass(frozen=True)
class StepDue:
    key: str
    due_at: datetime | None


@dataclass(frozen=True)
class PlanTrial:
    """`fits` as `Plan.matches` tells it; `rival` is another plan that fits the case more closely.

    `starts` is "auto", "click" where it fits, or "never"; `told` names the areas whose seats get word.
    """

    plan: Plan
    fits: int
    rival: Plan | None
    starts: str
    levels: tuple[LevelSearch, ...]
    told: tuple[str, ...]
    steps: tuple[StepDue, ...]


def read_trial(tx: Tx, plan: Plan, incident_id: UUID) -> PlanTrial:
    """Raises NotFound("incident_not_found"), Conflict("incident_not_located")."""
    incident = seen_incident(tx, incident_id)
    if incident.geom is None:
        raise Conflict("incident_not_located", number=incident.number)
    others = [found.plan for found in current_plans(tx) if found.plan.key != plan.key]
    best = best_match((plan, *others), incident.class_key, incident.severity)
    fits = plan.matches(incident.class_key, incident.severity)
    is_best = fits > 0 and best is not None and best.key == plan.key
    levels: list[LevelSearch] = []
    need: tuple[Place, ...] = ()
    after_s = 0
    for number, level in enumerate(plan.levels, start=1):
        need = add_up(need, level.need)
        mode = "next_in_line" if incident.restricted else level.mode
        levels.append(
            LevelSearch(number, mode, need, after_s, search_for(tx, incident, mode, level.rules, need, ()))
        )
        after_s += level.rules.level_s
    return PlanTrial(
        plan=plan,
        fits=fits,
        rival=best if best is not None and not is_best else None,
        starts="never" if not fits else "auto" if is_best and incident.severity in plan.auto else "click",
        levels=tuple(levels),
        told=tuple(area.name for area in areas_above(tx, incident.scope_path, plan.tell))
        if plan.tell
        else (),
        steps=tuple(StepDue(step.key, step_due(tx, step)) for step in plan.steps),
    )


def try_levels(trial: PlanTrial, router: Valhalla) -> tuple[LevelTrial, ...]:
    """Whom each level would ask first. Holds no transaction."""
    before: set[UUID] = set()
    found: list[LevelTrial] = []
    for level in trial.levels:
        search = level.search
        if not search.rules.ask_again:
            left = {unit_id: unit for unit_id, unit in search.units.items() if unit_id not in before}
            search = replace(search, units=left)
        asked = first_asked(search, router)
        before |= {one.unit_id for one in asked}
        found.append(LevelTrial(level, tuple(asked)))
    return tuple(found)
