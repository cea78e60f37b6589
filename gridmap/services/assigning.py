"""Several open incidents at once: whom to send where, and what that gains over one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from gridmap.adapters.valhalla import Valhalla
from gridmap.errors import Invalid
from gridmap.optimise.assignment import Assignment, assign, one_by_one
from gridmap.services.recommending import Candidates, Pick, list_candidates, recommend
from gridmap.services.routing import Method
from gridmap.services.transaction import Tx

MAX_INCIDENTS = 20


@dataclass(frozen=True, slots=True)
class Going:
    """Who should go to an incident; None when nobody is left who gets there, and why."""

    incident_id: UUID
    pick: Pick | None
    why: str | None


@dataclass(frozen=True, slots=True)
class JointRecommendation:
    """The answer for all incidents, in the order they were asked.

    `gain_s`: mean seconds an incident waits less than when each takes the fastest that is left, the most severe
    first; `gain_weighted_s` the same in the sum, weighted by severity, which is what is made small and never below
    zero. `one_by_one_unmet`: how many incidents that way leaves without anybody.
    """

    method: Method
    why: str | None
    going: tuple[Going, ...]
    seconds: float
    one_by_one_seconds: float
    gain_s: float
    gain_weighted_s: float
    one_by_one_unmet: int


def list_all_candidates(tx: Tx, incident_ids: Sequence[UUID]) -> list[Candidates]:
    """Who could go to each. Raises NotFound, Conflict("incident_not_located"), Invalid("too_many_incidents")."""
    if not 1 <= len(set(incident_ids)) <= MAX_INCIDENTS:
        raise Invalid("too_many_incidents", most=MAX_INCIDENTS)
    return [list_candidates(tx, incident_id) for incident_id in dict.fromkeys(incident_ids)]


def recommend_jointly(candidates: Sequence[Candidates], router: Valhalla) -> JointRecommendation:
    """The least severity-weighted waiting in all. Holds no transaction.

    In a best answer nobody needs more than the n-th fastest unit of an incident when there are n incidents (if all
    faster ones are taken, n of them are), so only those are looked at.
    """
    found = [recommend(one, router, limit=len(candidates)) for one in candidates]
    units = list(dict.fromkeys(pick.unit.unit_id for one in found for pick in one.picks))
    column = {unit_id: index for index, unit_id in enumerate(units)}
    seconds = np.full((len(candidates), len(units)), np.inf)
    picks: dict[tuple[int, int], Pick] = {}
    for row, one in enumerate(found):
        for pick in one.picks:
            if pick.state == "ok" and pick.seconds is not None:
                cell = (row, column[pick.unit.unit_id])
                seconds[cell], picks[cell] = pick.seconds, pick
    severities = [one.severity for one in candidates]
    best, greedy = assign(seconds, severities), one_by_one(seconds, severities)
    chosen = {sent.incident: picks[sent.incident, sent.unit] for sent in best.sent}
    both = {sent.incident for sent in best.sent} & {sent.incident for sent in greedy.sent}
    less = _seconds_of(greedy, both) - _seconds_of(best, both)
    rough = next((one for one in found if one.method == "straight_line"), found[0])
    return JointRecommendation(
        method=rough.method,
        why=rough.why,
        going=tuple(
            Going(
                one.incident_id, chosen.get(row), None if row in chosen else _why(one, found[row].candidates)
            )
            for row, one in enumerate(candidates)
        ),
        seconds=best.seconds,
        one_by_one_seconds=greedy.seconds,
        gain_s=round(less / len(both), 1) if both else 0.0,
        gain_weighted_s=round(greedy.weighted_s - best.weighted_s, 1) if len(both) == len(best.sent) else 0.0,
        one_by_one_unmet=len(greedy.unmet),
    )


def _seconds_of(answer: Assignment, rows: set[int]) -> float:
    return sum(sent.seconds for sent in answer.sent if sent.incident in rows)


def _why(one: Candidates, candidates: int) -> str:
    if one.shortfalls:
        return one.shortfalls[0].code
    return "all_taken" if candidates else "nobody_passes"
