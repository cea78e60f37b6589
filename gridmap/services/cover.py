"""Cover, judged again and again: which area has no free unit in time, who could move up, and the alarm that stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from gridmap.adapters.valhalla import Valhalla
from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.tables import CoverRun, CoverState
from gridmap.domain.actor import is_below
from gridmap.domain.closures import Closures
from gridmap.domain.cover import (
    Bools,
    Cover,
    CoverRules,
    Demand,
    Requirement,
    assess,
    best_post,
    closes,
    spare_units,
)
from gridmap.domain.travel import LonLat, Mode
from gridmap.errors import Unavailable
from gridmap.services import closures as closing
from gridmap.services.cover_alarms import Gap, tell
from gridmap.services.cover_ground import CoverArea, CoverGround, ground_signature, read_ground
from gridmap.services.cover_reach import FreeUnit, Reach
from gridmap.services.gates import MAX_FIX_AGE
from gridmap.services.outbox import publish
from gridmap.services.routing import Candidate, rank_by_road
from gridmap.services.transaction import Tx, system_transaction

EVERY_S = 15.0
# The engine serves operators too: a turn may keep it busy for so long, the rest waits for the next turn.
ENGINE_BUDGET_S = 1.5
MOST_MOVE_UPS = 5
# Changed areas a transaction, so that none lasts long: at a large site the first judgement changes every one.
MOST_CHANGES = 100
MOVE_UP_KEPT = timedelta(seconds=60)
_LOOKED_AT = 3


@dataclass(frozen=True, slots=True)
class Judged:
    """One requirement now. `members` are the numbers of the units in the rows of `cover`; of them `rough` by the
    straight line.
    """

    rule: Requirement
    demand: Demand
    areas: Sequence[CoverArea]
    members: Sequence[int]
    rough: int
    cover: Cover


@dataclass(slots=True)
class _MoveUp:
    at: datetime
    body: dict[str, Any]


@dataclass
class CoverKeeper:
    """Keeps `cover_state` true. One in the whole deployment; holds no transaction while it asks the roads."""

    database: Database
    clock: Clock
    router: Valhalla
    rules: CoverRules
    _ground: CoverGround | None = None
    _signature: str = ""
    _reach: Reach | None = None
    _demands: dict[str, tuple[Demand, Sequence[CoverArea]]] = field(default_factory=dict)
    _moves: dict[tuple[int, str], _MoveUp] = field(default_factory=dict)

    def turn(self, budget_s: float = ENGINE_BUDGET_S) -> list[Judged]:
        """Judge once: read, ask the roads about who moved, write what changed."""
        with system_transaction(self.database, self.clock) as tx:
            now, hour = tx.now, tx.now.astimezone(tx.zone).hour
            signature = ground_signature(tx)
            if signature != self._signature or self._ground is None:
                self._ground, self._signature = read_ground(tx), signature
                self._reach = Reach(self.router, self._ground.lonlat)
                self._demands = {rule.key: self._ground.demand(rule) for rule in self.rules.requirements}
            rules = [rule for rule in self.rules.requirements if rule.holds_at(hour)]
            units = list_free(tx, rules)
            shut = closing.active(tx)
        ground, reach = self._ground, self._reach
        assert ground is not None
        assert reach is not None
        spent_s = reach.refresh(units, shut, now, budget_s)
        judged = [_judge(rule, self._demands[rule.key], units, reach) for rule in rules]
        moves = self._plan_moves(judged, units, shut, now)
        for _ in range(1 + sum(len(rule.areas) for rule in judged) // MOST_CHANGES):
            with system_transaction(self.database, self.clock) as tx:
                if not _write(tx, judged, moves):
                    break
        with system_transaction(self.database, self.clock) as tx:
            tell(tx, _gaps(judged, moves), rules, self.rules.stands_s)
        with system_transaction(self.database, self.clock) as tx:
            _write_run(tx, ground, units, reach, spent_s)
        return judged

    def _plan_moves(
        self, judged: Sequence[Judged], units: Sequence[FreeUnit], shut: Closures, now: datetime
    ) -> dict[tuple[int, str], dict[str, Any]]:
        """Who could move up, for a few gaps a turn, the most severe first; an answer is kept for a while."""
        gaps = [
            (rule.rule.severity, number, area)
            for number, rule in enumerate(judged)
            for area in np.flatnonzero(rule.cover.gap).tolist()
        ]
        open_keys = {(judged[n].areas[a].id, judged[n].rule.key) for _, n, a in gaps}
        self._moves = {key: move for key, move in self._moves.items() if key in open_keys}
        taken = {UUID(move.body["unit_id"]) for move in self._moves.values() if "unit_id" in move.body}
        left = MOST_MOVE_UPS
        for _, number, area in sorted(gaps):
            key = (judged[number].areas[area].id, judged[number].rule.key)
            known = self._moves.get(key)
            if left == 0 or (known is not None and now - known.at < MOVE_UP_KEPT):
                continue
            left -= 1
            if known is not None and "unit_id" in known.body:
                taken.discard(UUID(known.body["unit_id"]))
            body = self._find_move(judged, number, area, units, shut, taken)
            self._moves[key] = _MoveUp(now, body)
            if "unit_id" in body:
                taken.add(UUID(body["unit_id"]))
        return {key: move.body for key, move in self._moves.items()}

    def _find_move(
        self,
        judged: Sequence[Judged],
        number: int,
        area: int,
        units: Sequence[FreeUnit],
        shut: Closures,
        taken: set[UUID],
    ) -> dict[str, Any]:
        """The spare unit that is soonest at a place from which the gap is closed, or why there is none."""
        here = judged[number]
        gone = np.array([unit.id in taken for unit in units], dtype=bool)
        spare = spare_units(
            [(_without(rule, gone), np.array(rule.members), rule.rule.share) for rule in judged],
            [rule.demand for rule in judged],
            len(units),
        )
        county = here.areas[area].jurisdiction
        candidates = [
            Candidate(member, units[member].place, units[member].mode)
            for member in here.members
            if spare[member] and not gone[member] and _shares(units[member].path, county)
        ]
        if not candidates:
            return {"why": "nobody_spare"}
        ground, reach = self._ground, self._reach
        assert ground is not None
        assert reach is not None
        point = best_post(here.demand, ground.lonlat, area, ~np.asarray(here.cover.reached.any(axis=0)))
        lon, lat = ground.lonlat[point].tolist()
        ranking = rank_by_road(self.router, candidates, LonLat(lon, lat), k=_LOOKED_AT, closures=shut)
        for arrival in ranking.fastest:
            unit = units[arrival.candidate.key]
            try:
                there = reach.from_point(point, Mode(unit.mode), here.rule.minutes, shut)
            except Unavailable:
                return {"why": "routing_unavailable"}
            if closes(here.cover, there, here.demand, area, here.rule.share):
                seconds = round(arrival.trip.seconds or 0.0)
                return {
                    "unit_id": str(unit.id),
                    "seconds": seconds,
                    "lon": lon,
                    "lat": lat,
                    "method": ranking.method,
                }
        return {"why": "one_is_not_enough" if ranking.fastest else "nobody_gets_there"}


def _shares(path: str, county: str) -> bool:
    """Whether a unit belongs to the county, to something in it, or to something above it."""
    return is_below(path, county) or is_below(county, path)


def list_free(tx: Tx, rules: Sequence[Requirement]) -> list[FreeUnit]:
    """Units on duty, free, heard of lately, that count for some rule. Off duty nobody has a position."""
    rows = tx.session.execute(
        text(
            "select u.id, u.kind, u.capabilities, u.mode, u.scope_path::text as path, st_x(l.geom) as lon,"
            " st_y(l.geom) as lat from unit u join unit_latest l on l.unit_id = u.id"
            " where u.status = 'free' and u.withdrawn_at is null and l.fixed_at >= :since order by u.id"
        ),
        {"since": tx.now - MAX_FIX_AGE},
    )
    found: list[FreeUnit] = []
    for row in rows:
        minutes = sorted({rule.minutes for rule in rules if rule.counts(row.kind, row.capabilities)})
        if minutes:
            place = LonLat(row.lon, row.lat)
            skills = tuple(row.capabilities)
            found.append(FreeUnit(row.id, row.kind, skills, Mode(row.mode), place, row.path, tuple(minutes)))
    return found


def _judge(
    rule: Requirement,
    asked: tuple[Demand, Sequence[CoverArea]],
    units: Sequence[FreeUnit],
    reach: Reach,
) -> Judged:
    demand, areas = asked
    members = [i for i, unit in enumerate(units) if rule.counts(unit.kind, unit.capabilities)]
    counting = [units[i] for i in members]
    cover = assess(reach.within(counting, rule.minutes), demand, rule.share)
    return Judged(rule, demand, areas, members, reach.rough(counting), cover)


def _without(rule: Judged, gone: Bools) -> Cover:
    """Cover as it is once units that are to move have left their places."""
    if not gone.any():
        return rule.cover
    stays = ~gone[np.array(rule.members, dtype=np.int64)]
    return assess(rule.cover.reached & stays[:, None], rule.demand, rule.rule.share)


def _gaps(judged: Sequence[Judged], moves: dict[tuple[int, str], dict[str, Any]]) -> list[Gap]:
    return [
        Gap(
            rule.rule,
            rule.areas[number],
            round(float(rule.cover.share[number]), 3),
            moves.get((rule.areas[number].id, rule.rule.key)),
            bool(rule.rough),
        )
        for rule in judged
        for number in np.flatnonzero(rule.cover.gap).tolist()
    ]


def _write(tx: Tx, judged: Sequence[Judged], moves: dict[tuple[int, str], dict[str, Any]]) -> bool:
    """Write what changed; True when there is more to write."""
    before = {(row.area_id, row.requirement): row for row in tx.session.scalars(select(CoverState))}
    seen: set[tuple[int, str]] = set()
    changes = 0
    for rule in judged:
        for number, area in enumerate(rule.areas):
            key = (area.id, rule.rule.key)
            seen.add(key)
            if changes == MOST_CHANGES:
                return True
            changes += _write_one(tx, rule, number, before.get(key), moves.get(key))
    for key in before.keys() - seen:
        tx.session.execute(
            delete(CoverState).where(CoverState.area_id == key[0], CoverState.requirement == key[1])
        )
    return False


def _write_one(
    tx: Tx, rule: Judged, number: int, row: CoverState | None, move: dict[str, Any] | None
) -> bool:
    """True when there was something to write."""
    area, gap = rule.areas[number], bool(rule.cover.gap[number])
    since = (row.gap_since if row is not None and row.gap_since is not None else tx.now) if gap else None
    fresh = {
        "scope_path": area.path,
        "free_units": int(rule.cover.units[number]),
        "share": round(float(rule.cover.share[number]), 3),
        "gap": gap,
        "gap_since": since,
        "move_up": move if gap else None,
    }
    if row is not None and all(getattr(row, name) == value for name, value in fresh.items()):
        return False
    values = {**fresh, "changed_at": tx.now}
    statement = insert(CoverState).values(area_id=area.id, requirement=rule.rule.key, **values)
    tx.session.execute(
        statement.on_conflict_do_update(index_elements=["area_id", "requirement"], set_=values)
    )
    if row is None or (row.gap, row.move_up) != (fresh["gap"], fresh["move_up"]):
        body = {"area_id": area.id, "requirement": rule.rule.key, "gap": gap}
        publish(tx, "cover", body, path=area.path)
    return True


def _write_run(tx: Tx, ground: CoverGround, units: Sequence[FreeUnit], reach: Reach, spent_s: float) -> None:
    values = {
        "judged_at": tx.now,
        "points": len(ground.lonlat),
        "units": len(units),
        "rough_units": reach.rough(units),
        "oldest_s": round(reach.oldest_s(units, tx.now), 1),
        "engine_s": round(spent_s, 3),
    }
    statement = insert(CoverRun).values(id=1, **values)
    tx.session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
