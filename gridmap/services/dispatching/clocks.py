"""How long each step may take: the one timer of a dispatch that runs, set anew whenever its status changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from gridmap.db.tables import Dispatch
from gridmap.domain.vocab import vocabulary
from gridmap.services.timers import clear_timer, set_timer
from gridmap.services.transaction import Tx

STEP_DUE = "dispatch.step_due"
# What a way takes is never known to the second: lifts, stairs, parking.
ARRIVE_SLACK_S = 60.0
# Without an estimate (no position when the job was offered) a usual way in town stands in.
USUAL_WAY_S = 600.0

Step = Literal["depart", "arrive", "scene"]
_STEP_IN: dict[str, Step] = {"accepted": "depart", "en_route": "arrive", "on_scene": "scene"}


@dataclass(frozen=True)
class StepClock:
    """The step that runs: since when, and the moments of its warning and its alarm."""

    step: Step
    since: datetime
    warn_at: datetime
    alarm_at: datetime


def clock_of(dispatch: Dispatch, severity: int) -> StepClock | None:
    """The clock that runs in the dispatch's status, by the list `step_clock`; None while it is offered or over."""
    step = _STEP_IN.get(dispatch.status)
    since = {"depart": dispatch.accepted_at, "arrive": dispatch.en_route_at, "scene": dispatch.on_scene_at}
    began = since[step] if step else None
    if step is None or began is None:
        return None
    row = vocabulary().term("step_clock", str(severity)).extra
    if step == "arrive":
        way_s = dispatch.travel_s or USUAL_WAY_S
        warn_s = way_s * row["arrive_warn_x"] + ARRIVE_SLACK_S
        alarm_s = way_s * row["arrive_alarm_x"] + ARRIVE_SLACK_S
    else:
        warn_s, alarm_s = float(row[f"{step}_warn_s"]), float(row[f"{step}_alarm_s"])
    return StepClock(step, began, began + timedelta(seconds=warn_s), began + timedelta(seconds=alarm_s))


def wind(tx: Tx, dispatch: Dispatch, severity: int) -> None:
    """Set the timer to what falls due next in the dispatch's status, or stop it."""
    clock = clock_of(dispatch, severity)
    ahead = [at for at in (clock.warn_at, clock.alarm_at) if at > tx.now] if clock else []
    if ahead:
        set_timer(tx, STEP_DUE, dispatch.id, ahead[0])
    else:
        clear_timer(tx, STEP_DUE, dispatch.id)
