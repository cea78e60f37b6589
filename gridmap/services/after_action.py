"""What there is to learn from an incident: each step against its target, and what went beside it. Codes and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from gridmap.db.tables import Alarm, Dispatch, Incident, Report, Task
from gridmap.domain.vocab import vocabulary
from gridmap.services.dispatching.watching import SILENCE
from gridmap.services.replay import Leg, Replay, get_replay
from gridmap.services.transaction import Tx


@dataclass(frozen=True, slots=True)
class Measured:
    """A stretch of time against what was aimed at; None where it did not come to that, or nothing was aimed at."""

    step: str
    took_s: float | None
    target_s: float | None

    @property
    def late(self) -> bool:
        return self.took_s is not None and self.target_s is not None and self.took_s > self.target_s


@dataclass(frozen=True)
class Sent:
    """One unit that was asked, with the steps it went through."""

    dispatch: Dispatch
    call_sign: str
    steps: tuple[Measured, ...]


@dataclass(frozen=True)
class AfterAction:
    """The whole report. `alarms` leaves out questions after anybody's welfare: those are no record."""

    replay: Replay
    incident: Incident
    made_at: datetime
    clocks: tuple[Measured, ...]
    sent: tuple[Sent, ...]
    reports: tuple[Report, ...]
    alarms: tuple[Alarm, ...]
    tasks: tuple[Task, ...]


def get_after_action(tx: Tx, incident_id: UUID, *, reason: str) -> AfterAction:
    """Raises what `get_replay` raises; the look is written down as one at the trails."""
    replay = get_replay(tx, incident_id, reason=reason)
    incident = replay.row.incident
    return AfterAction(
        replay=replay,
        incident=incident,
        made_at=tx.now,
        clocks=_clocks(incident, replay.legs),
        sent=tuple(
            Sent(leg.dispatch, leg.call_sign, steps_of(leg.dispatch, incident.severity))
            for leg in replay.legs
        ),
        reports=_all(tx, Report, Report.incident_id == incident_id, Report.received_at),
        alarms=_all(tx, Alarm, (Alarm.incident_id == incident_id) & (Alarm.kind != SILENCE), Alarm.raised_at),
        tasks=_all(
            tx, Task, (Task.subject_id == incident_id) & (Task.subject_kind == "incident"), Task.created_at
        ),
    )


def steps_of(dispatch: Dispatch, severity: int) -> tuple[Measured, ...]:
    """Each step that the unit took, against the list `step_clock`, the offer's own time and the road's estimate."""
    rules = vocabulary().term("step_clock", str(severity)).extra
    return (
        Measured(
            "answer",
            _s(dispatch.offered_at, dispatch.accepted_at),
            _s(dispatch.offered_at, dispatch.expires_at),
        ),
        Measured("depart", _s(dispatch.accepted_at, dispatch.en_route_at), float(rules["depart_alarm_s"])),
        Measured("arrive", _s(dispatch.en_route_at, dispatch.on_scene_at), dispatch.travel_s),
        Measured("scene", _s(dispatch.on_scene_at, dispatch.done_at), float(rules["scene_alarm_s"])),
    )


def _clocks(incident: Incident, legs: tuple[Leg, ...]) -> tuple[Measured, ...]:
    offered = min((leg.dispatch.offered_at for leg in legs), default=None)
    arrived = min(
        (leg.dispatch.on_scene_at for leg in legs if leg.dispatch.on_scene_at is not None), default=None
    )
    reported = incident.reported_at
    return (
        Measured("first_offer", _s(reported, offered), _s(reported, incident.dispatch_due_at)),
        Measured("first_arrival", _s(reported, arrived), None),
        Measured("finish", _s(reported, incident.closed_at), _s(reported, incident.finish_due_at)),
    )


def _s(since: datetime | None, until: datetime | None) -> float | None:
    return None if since is None or until is None else (until - since).total_seconds()


def _all(tx: Tx, table: Any, condition: Any, order: Any) -> tuple[Any, ...]:
    return tuple(tx.session.scalars(select(table).where(condition).order_by(order)))
