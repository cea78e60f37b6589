"""Whom a plan would ask now, before anybody starts it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from gridmap.adapters.valhalla import Valhalla
from gridmap.db.tables import Incident
from gridmap.errors import NotFound
from gridmap.services.dispatching.filling import Search, choose, search_for, with_ground
from gridmap.services.plans import CurrentPlan, matching_plan
from gridmap.services.transaction import Tx


@dataclass(frozen=True)
class Preview:
    """The plan that fits and the search of its first level; neither where no plan fits or no place is known."""

    plan: CurrentPlan | None
    search: Search | None
    wanted: int


@dataclass(frozen=True)
class Asked:
    """Somebody who would be asked, and for which place."""

    unit_id: UUID
    call_sign: str
    place: str
    seconds: float | None
    distance_m: float | None
    method: str | None


def read_preview(tx: Tx, incident_id: UUID) -> Preview:
    """What the actor may see of it. Raises NotFound("incident_not_found")."""
    incident = tx.session.get(Incident, incident_id)
    if incident is None:
        raise NotFound("incident_not_found")
    plan = matching_plan(tx, incident)
    if plan is None or incident.geom is None:
        return Preview(plan, None, 0)
    level = plan.plan.levels[0]
    search = search_for(tx, incident, level.mode, level.rules, level.need, ())
    return Preview(plan, search, sum(place.count for place in level.need))


def preview_plan(preview: Preview, router: Valhalla) -> list[Asked]:
    """The first to be asked for each place, best first. Holds no transaction."""
    if preview.search is None:
        return []
    found = choose(with_ground(preview.search, router), router)
    taken: set[UUID] = set()
    asked: list[Asked] = []
    for place in preview.search.wanted:
        everybody = preview.search.mode == "broadcast"
        people = [one for one in found.get(place.key, ()) if one.unit_id not in taken]
        for one in people if everybody else people[: place.count]:
            taken.add(one.unit_id)
            call_sign = preview.search.units[one.unit_id].call_sign
            asked.append(Asked(one.unit_id, call_sign, place.key, one.seconds, one.distance_m, one.method))
    return asked
