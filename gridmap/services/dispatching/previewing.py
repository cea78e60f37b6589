"""Whom a plan or a call-out would ask now, before anybody starts it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from gridmap.adapters.valhalla import Valhalla
from gridmap.db.tables import Incident
from gridmap.domain.response import Place, Rules, check_need, check_rules
from gridmap.errors import Conflict, NotFound
from gridmap.services.dispatching.filling import Search, choose, search_for, with_ground
from gridmap.services.plans import CurrentPlan, matching_plan
from gridmap.services.transaction import Tx


@dataclass(frozen=True)
class Preview:
    """A search, that of the plan's first level where it is of a plan; None where no plan fits or no place is known."""

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
    """The plan that fits, as far as the actor may see. Raises NotFound("incident_not_found")."""
    incident = seen_incident(tx, incident_id)
    plan = matching_plan(tx, incident)
    if plan is None or incident.geom is None:
        return Preview(plan, None, 0)
    level = plan.plan.levels[0]
    search = search_for(tx, incident, level.mode, level.rules, level.need, ())
    return Preview(plan, search, sum(place.count for place in level.need))


def read_callout_preview(
    tx: Tx, incident_id: UUID, *, mode: str, need: tuple[Place, ...], rules: Rules
) -> Preview:
    """A call-out as it would be opened. Raises NotFound, Invalid, Conflict("incident_not_located")."""
    incident = seen_incident(tx, incident_id)
    check_need(need)
    check_rules(mode, rules)
    if incident.geom is None:
        raise Conflict("incident_not_located", number=incident.number)
    return Preview(None, search_for(tx, incident, mode, rules, need, ()), sum(place.count for place in need))


def preview_asked(preview: Preview, router: Valhalla) -> list[Asked]:
    """The first to be asked for each place, best first. Holds no transaction."""
    return [] if preview.search is None else first_asked(preview.search, router)


def first_asked(search: Search, router: Valhalla) -> list[Asked]:
    """Whom a search asks at once: of a broadcast everybody, else so many of the best as there are places."""
    found = choose(with_ground(search, router), router)
    taken: set[UUID] = set()
    asked: list[Asked] = []
    for place in search.wanted:
        people = [one for one in found.get(place.key, ()) if one.unit_id not in taken]
        for one in people if search.mode == "broadcast" else people[: place.count]:
            taken.add(one.unit_id)
            call_sign = search.units[one.unit_id].call_sign
            asked.append(Asked(one.unit_id, call_sign, place.key, one.seconds, one.distance_m, one.method))
    return asked


def seen_incident(tx: Tx, incident_id: UUID) -> Incident:
    """Raises NotFound("incident_not_found") when there is none in sight."""
    incident = tx.session.get(Incident, incident_id)
    if incident is None:
        raise NotFound("incident_not_found")
    return incident
