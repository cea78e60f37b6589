"""Finding people for a call-out: look, rank by road outside every transaction, then offer in a short one.

A call-out whose `fill_at` has come is taken up by the worker. What was found is checked again under the incident's
lock, so two workers, a crash in between or an answer meanwhile lead to no offer too many.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from shapely import Point, contains_xy, prepare
from shapely.geometry.base import BaseGeometry
from sqlalchemy import select, update

from gridmap.adapters.valhalla import Valhalla
from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.tables import Callout, Dispatch, Incident, Unit
from gridmap.domain.metric import distance_m
from gridmap.domain.response import Place, Rules, missing, need_json
from gridmap.domain.travel import LonLat, Mode
from gridmap.errors import GridmapError, NotFound, Unavailable
from gridmap.services.dispatching.aid import reach_of
from gridmap.services.dispatching.callouts import (
    MOST_AT_ONCE,
    ask_if_free,
    asked_units,
    gates_for,
    lock_with_incident,
    may_take,
    told,
)
from gridmap.services.dispatching.escalation import WORK_GOES_ON, alarm_unmet, give_up, has_next_level
from gridmap.services.dispatching.needs import offers_out, places_left
from gridmap.services.dispatching.surroundings import circle_of, place_of, shape_of
from gridmap.services.fences import open_callout_fence
from gridmap.services.gates import Gates, gates_of
from gridmap.services.recommending import Candidates, OnDuty, list_candidates, recommend
from gridmap.services.transaction import Tx, system_transaction

log = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(seconds=15)
MOST_BROADCAST = 100


@dataclass(frozen=True)
class Found:
    """Somebody to ask, and what the road says of the way; a broadcast asks without a time."""

    unit_id: UUID
    seconds: float | None = None
    distance_m: float | None = None
    method: str | None = None


@dataclass(frozen=True)
class Search:
    """Whom a call-out may ask now: the places still without an offer, and who passed the gates for them."""

    mode: str
    rules: Rules
    wanted: tuple[Place, ...]
    place: Point
    fence: BaseGeometry | None
    candidates: Candidates
    units: dict[UUID, Unit]
    gates: Gates


def fill_due(database: Database, clock: Clock, router: Valhalla, most: int = 20) -> int:
    """Take up the call-outs that are due, the longest waiting first. Returns how many offers were made."""
    with system_transaction(database, clock) as tx:
        due = tx.session.scalars(
            select(Callout.id)
            .where(Callout.status == "open", Callout.fill_at <= tx.now)
            .order_by(Callout.fill_at)
            .limit(most)
        ).all()
    made = 0
    for callout_id in due:
        try:
            made += fill(database, clock, router, callout_id)
        except GridmapError as error:
            # One that cannot be worked on now must not hold up the others; its level's timer runs on.
            log.warning("call-out not filled", extra={"callout": str(callout_id), "code": error.code})
            with system_transaction(database, clock) as tx:
                _look_again(tx, callout_id)
    return made


def fill(database: Database, clock: Clock, router: Valhalla, callout_id: UUID) -> int:
    """Look, rank, offer. Returns how many offers were made."""
    with system_transaction(database, clock) as tx:
        search = look(tx, callout_id)
    if search is None:
        return 0
    search = with_ground(search, router)
    found = choose(search, router)
    with system_transaction(database, clock) as tx:
        return offer_places(tx, callout_id, found, search.fence)


def look(tx: Tx, callout_id: UUID) -> Search | None:
    """Read what is needed to rank. None when enough are being asked."""
    callout = tx.session.get(Callout, callout_id)
    if callout is None or callout.status != "open":
        return None
    incident = tx.session.get_one(Incident, callout.incident_id)
    rules = Rules.from_json(callout.rules)
    wanted = wanted_places(tx, callout)
    if not wanted:
        _rest(tx, callout_id, callout.fill_at)
        return None
    asked = asked_units(tx, callout, again=rules.ask_again)
    return search_for(tx, incident, callout.mode, rules, wanted, asked)


def search_for(
    tx: Tx, incident: Incident, mode: str, rules: Rules, wanted: tuple[Place, ...], asked: Collection[UUID]
) -> Search:
    """The people who may be asked for these places by these rules; nobody of `asked`."""
    gates = replace(gates_of(tx, incident), jurisdiction=reach_of(tx, incident, mutual_aid=rules.mutual_aid))
    # What the class asks for is looked at place by place: see `may_take`.
    plain = replace(gates, capabilities=frozenset(), powers=frozenset(), min_crew=1, lone_ok=True)
    candidates = list_candidates(tx, incident.id, plain)
    free = {unit.unit_id for unit in candidates.units}.difference(asked)
    units = {unit.id: unit for unit in tx.session.scalars(select(Unit).where(Unit.id.in_(free)))}
    narrow = rules.fence is not None and not rules.flat
    return Search(
        mode=mode,
        rules=rules,
        wanted=wanted,
        place=place_of(incident),
        fence=shape_of(tx, incident, rules.fence) if narrow and rules.fence else None,
        candidates=candidates,
        units=units,
        gates=gates,
    )


def wanted_places(tx: Tx, callout: Callout) -> tuple[Place, ...]:
    """The places to ask for: of a broadcast all that are left, else those that nobody is asked for yet."""
    left = places_left(tx, callout)
    if callout.mode == "broadcast":
        return left
    return missing(left, Counter(str(dispatch.need_key) for dispatch in offers_out(tx, callout.id)))


def choose(search: Search, router: Valhalla) -> dict[str, list[Found]]:
    """Whom to ask for each place, by its key, in order. Holds no transaction."""
    inside = _inside(search)
    if search.mode == "broadcast":
        return _everybody(search, inside)
    found: dict[str, list[Found]] = {}
    for place in search.wanted:
        fitting = [unit for unit in inside if may_take(place, search.units[unit.unit_id], search.gates)]
        found[place.key] = _ranked(search, router, fitting, sum(other.count for other in search.wanted) + 2)
    return found


def with_ground(search: Search, router: Valhalla) -> Search:
    """The same with the shape that minutes of travel make, for who has to be asked by where they are.

    Everybody else is measured by the road from where they are, so only a broadcast needs the shape itself. Without a
    road graph it is a circle.
    """
    rule = search.rules.fence
    if search.mode != "broadcast" or search.fence is not None or rule is None or rule.kind != "minutes":
        return search
    minutes, mode = rule.value or 0.0, Mode(rule.mode or Mode.CAR)
    try:
        place = LonLat(search.place.x, search.place.y)
        (fence,) = router.isochrone(place, mode, [minutes], reverse=True)
    except (Unavailable, NotFound):
        fence = circle_of(search.place, minutes, mode)
    return replace(search, fence=fence)


def _inside(search: Search) -> list[OnDuty]:
    units = [unit for unit in search.candidates.units if unit.unit_id in search.units]
    if search.fence is None:
        return units
    prepare(search.fence)
    return [unit for unit in units if contains_xy(search.fence, unit.place.lon, unit.place.lat)]


def _everybody(search: Search, inside: list[OnDuty]) -> dict[str, list[Found]]:
    """The nearest first, so that a cap that bites leaves out the farthest."""
    away = distance_m(
        [unit.place.lon for unit in inside],
        [unit.place.lat for unit in inside],
        search.place.x,
        search.place.y,
    )
    ordered = [unit for _, unit in sorted(zip(away.tolist(), inside, strict=True), key=lambda pair: pair[0])]
    return {
        place.key: [
            Found(unit.unit_id)
            for unit in ordered[:MOST_BROADCAST]
            if may_take(place, search.units[unit.unit_id], search.gates)
        ]
        for place in search.wanted
    }


def _ranked(search: Search, router: Valhalla, units: list[OnDuty], limit: int) -> list[Found]:
    """The fastest by road; the grid's own worker before everybody where the plan says so."""
    own = [unit for unit in units if unit.own_grid] if search.rules.own_grid_first else []
    others = [unit for unit in units if unit not in own]
    found: list[Found] = []
    for group in (own, others):
        if not group:
            continue
        ranking = recommend(replace(search.candidates, units=tuple(group)), router, limit)
        found += [
            Found(pick.unit.unit_id, pick.seconds, pick.distance_m, ranking.method)
            for pick in ranking.picks
            if pick.state == "ok" and _in_time(search.rules, pick.seconds)
        ]
    return found


def _in_time(rules: Rules, seconds: float | None) -> bool:
    if rules.flat or rules.fence is None or rules.fence.kind != "minutes" or rules.fence.value is None:
        return True
    return seconds is not None and seconds <= rules.fence.value * 60


def offer_places(
    tx: Tx, callout_id: UUID, found: dict[str, list[Found]], ground: BaseGeometry | None = None
) -> int:
    """Offer what is still wanted to who is still free; nobody to ask leads up a level, or to an alarm."""
    incident, callout = lock_with_incident(tx, callout_id)
    if callout.status != "open" or incident.status not in WORK_GOES_ON:
        return 0
    if callout.mode == "broadcast" and callout.fence_id is None and ground is not None:
        # From here on who enters it is asked at once, and who leaves it loses the offer.
        callout.fence_id = open_callout_fence(tx, incident, ground, name=incident.number, expires_at=None)
    made = 0
    gates = gates_for(tx, incident, callout)
    for place in wanted_places(tx, callout):
        among = (place,)
        most = MOST_AT_ONCE if callout.mode == "broadcast" else place.count
        for person in found.get(place.key, ()):
            if made >= MOST_AT_ONCE or most == 0:
                break
            if _ask(tx, incident, callout, person, among, gates) is not None:
                made, most = made + 1, most - 1
    _after(tx, incident, callout, full=made >= MOST_AT_ONCE)
    return made


def _ask(
    tx: Tx,
    incident: Incident,
    callout: Callout,
    person: Found,
    among: tuple[Place, ...],
    gates: Gates,
) -> Dispatch | None:
    unit = tx.session.get(Unit, person.unit_id)
    if unit is None:
        return None
    return ask_if_free(
        tx,
        incident,
        callout,
        unit,
        among,
        gates,
        travel_s=person.seconds,
        distance_m=person.distance_m,
        travel_method=person.method,
    )


def _after(tx: Tx, incident: Incident, callout: Callout, *, full: bool) -> None:
    """When to look again, and what it means that nobody is being asked."""
    tx.session.flush()
    if full:
        callout.fill_at = tx.now
        return
    waiting = bool(offers_out(tx, callout.id))
    if callout.mode != "broadcast" and not wanted_places(tx, callout):
        callout.fill_at = None
        return
    callout.fill_at = tx.now + LOOK_AGAIN
    if waiting:
        return
    if has_next_level(tx, callout):
        if callout.mode == "next_in_line":
            give_up(tx, incident, callout, "nobody_left")
        return
    if callout.nobody_since is None:
        callout.nobody_since = tx.now
        told(tx, incident, callout, "callout_nobody", left=need_json(places_left(tx, callout)))
        alarm_unmet(tx, incident, callout, "nobody_left")


def _rest(tx: Tx, callout_id: UUID, seen: datetime | None) -> None:
    """Look no more until something changes; a change that came meanwhile has set another time and stays."""
    tx.session.execute(
        update(Callout).where(Callout.id == callout_id, Callout.fill_at == seen).values(fill_at=None)
    )


def _look_again(tx: Tx, callout_id: UUID) -> None:
    tx.session.execute(
        update(Callout)
        .where(Callout.id == callout_id, Callout.status == "open")
        .values(fill_at=tx.now + LOOK_AGAIN)
    )
