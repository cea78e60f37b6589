"""How the response looks from outside: call-outs, running plans and their steps, hand-overs and agreements."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

# pydantic needs this one to read types of TypedDict on 3.11.
from typing_extensions import TypedDict

from gridmap.db.tables import Agreement, HandOver, Notice, PlanRun, Task
from gridmap.domain.response import Rules, need_from
from gridmap.services.areas import list_area_names
from gridmap.services.dispatching.previewing import Asked
from gridmap.services.queries.response import CalloutState, Response
from gridmap.services.transaction import Tx

Params = dict[str, Any]


class PlaceLine(TypedDict):
    """Places of one kind: how many are wanted, and how many have somebody."""

    key: str
    capability: str | None
    unit_kind: str | None
    count: int
    taken: int


class FenceRuleLine(TypedDict):
    kind: str
    value: float | None
    mode: str | None


class CalloutLine(TypedDict):
    """A call-out; `unmet` are places it gave up, to the call-out `next_id` or to an alarm."""

    id: UUID
    incident_id: UUID
    plan_key: str | None
    plan_version: int | None
    level: int
    mode: str
    status: str
    need: list[PlaceLine]
    unmet: list[Params]
    places: int
    places_left: int
    fence_id: UUID | None
    fence: FenceRuleLine | None
    rules: Params
    opened_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    next_id: UUID | None
    nobody_since: datetime | None
    drill: bool


class RunLine(TypedDict):
    """A plan that was started for an incident, with the version it keeps."""

    id: UUID
    plan_key: str
    plan_version: int
    how: str
    started_at: datetime
    ended_at: datetime | None


class TaskLine(TypedDict):
    """One step of the checklist, done by whom and when.

    A paused one has no `due_at`, and waiting on after `pause_ends_at` is an alarm. Only what `has_clock` can pause.
    """

    id: UUID
    kind: str
    status: str
    name: Params | None
    step: str | None
    plan_key: str | None
    due_at: datetime | None
    has_clock: bool
    pause_ends_at: datetime | None
    created_at: datetime
    finished_at: datetime | None
    history: list[Params]


class HandOverLine(TypedDict):
    id: UUID
    incident_id: UUID
    agency: str
    direction: str
    status: str
    their_number: str | None
    note: str | None
    handed_at: datetime
    acknowledge_by: datetime | None
    acknowledged_at: datetime | None
    returned_at: datetime | None
    return_reason: str | None
    drill: bool


class ResponseLine(TypedDict):
    """What stands in an incident's detail."""

    callouts: list[CalloutLine]
    plan: list[RunLine]
    tasks: list[TaskLine]
    hand_overs: list[HandOverLine]


class WhoLine(TypedDict):
    """Somebody who would be asked now, and for which place; a broadcast tells no time."""

    unit_id: UUID
    call_sign: str
    place: str
    seconds: float | None
    distance_m: float | None
    method: str | None


class CalloutPreview(TypedDict):
    """Whom a call-out would ask at once, best first, and how many places it has."""

    who: list[WhoLine]
    wanted: int


class AgreementLine(TypedDict):
    id: UUID
    lender_area_id: int
    lender_area_name: str | None
    borrower_area_id: int
    borrower_area_name: str | None
    unit_kinds: list[str]
    valid_from: datetime | None
    valid_to: datetime | None
    note: str | None


class NoticeLine(TypedDict):
    """Word without a job; `body` tells class, severity and number, never an address."""

    id: UUID
    reason: str
    body: Params
    at: datetime
    unit_id: UUID | None
    seen_at: datetime | None
    drill: bool


def notice(row: Notice) -> NoticeLine:
    return {
        "id": row.id,
        "reason": row.reason,
        "body": row.body,
        "at": row.at,
        "unit_id": row.unit_id,
        "seen_at": row.seen_at,
        "drill": row.drill,
    }


def callout(state: CalloutState) -> CalloutLine:
    row = state.callout
    places = need_from(row.need)
    fence = Rules.from_json(row.rules).fence
    return {
        "id": row.id,
        "incident_id": row.incident_id,
        "plan_key": row.plan_key,
        "plan_version": row.plan_version,
        "level": row.level,
        "mode": row.mode,
        "status": row.status,
        "need": [
            {
                "key": place.key,
                "capability": place.capability,
                "unit_kind": place.unit_kind,
                "count": place.count,
                "taken": state.taken.get(place.key, 0),
            }
            for place in places
        ],
        "unmet": row.unmet or [],
        "places": sum(place.count for place in places),
        "places_left": sum(max(0, place.count - state.taken.get(place.key, 0)) for place in places),
        "fence_id": row.fence_id,
        "fence": {"kind": fence.kind, "value": fence.value, "mode": fence.mode} if fence else None,
        "rules": row.rules,
        "opened_at": row.opened_at,
        "expires_at": row.expires_at,
        "ended_at": row.ended_at,
        "end_reason": row.end_reason,
        "next_id": row.next_id,
        "nobody_since": row.nobody_since,
        "drill": row.drill,
    }


def run(row: PlanRun) -> RunLine:
    return {
        "id": row.id,
        "plan_key": row.plan_key,
        "plan_version": row.plan_version,
        "how": row.how,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
    }


def task(row: Task) -> TaskLine:
    return {
        "id": row.id,
        "kind": row.kind,
        "status": row.status,
        "name": row.params.get("name"),
        "step": row.params.get("step"),
        "plan_key": row.params.get("plan_key"),
        "due_at": row.due_at,
        "has_clock": row.clock_limit_s is not None,
        "pause_ends_at": row.pause_ends_at,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
        "history": row.history,
    }


def hand_over(row: HandOver) -> HandOverLine:
    return {
        "id": row.id,
        "incident_id": row.incident_id,
        "agency": row.agency,
        "direction": row.direction,
        "status": row.status,
        "their_number": row.their_number,
        "note": row.note,
        "handed_at": row.handed_at,
        "acknowledge_by": row.acknowledge_by,
        "acknowledged_at": row.acknowledged_at,
        "returned_at": row.returned_at,
        "return_reason": row.return_reason,
        "drill": row.drill,
    }


def response(found: Response) -> ResponseLine:
    return {
        "callouts": [callout(row) for row in found.callouts],
        "plan": [run(row) for row in found.runs],
        "tasks": [task(row) for row in found.tasks],
        "hand_overs": [hand_over(row) for row in found.hand_overs],
    }


def asked(one: Asked) -> WhoLine:
    return {
        "unit_id": one.unit_id,
        "call_sign": one.call_sign,
        "place": one.place,
        "seconds": one.seconds,
        "distance_m": one.distance_m,
        "method": one.method,
    }


def agreements(tx: Tx, rows: list[Agreement]) -> list[AgreementLine]:
    """Each with the names of its two areas."""
    names = list_area_names(tx, {area for row in rows for area in (row.lender_area_id, row.borrower_area_id)})
    return [
        {
            "id": row.id,
            "lender_area_id": row.lender_area_id,
            "lender_area_name": names.get(row.lender_area_id),
            "borrower_area_id": row.borrower_area_id,
            "borrower_area_name": names.get(row.borrower_area_id),
            "unit_kinds": row.unit_kinds,
            "valid_from": row.valid.lower,
            "valid_to": row.valid.upper,
            "note": row.note,
        }
        for row in rows
    ]
