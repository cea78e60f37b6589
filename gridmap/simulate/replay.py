"""The replay itself: discrete events in simulated time, one policy at a time, the same fate for each."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from gridmap.domain.metric import distance_m
from gridmap.simulate.policies import Policy
from gridmap.simulate.scene import Bools, Calls, Period, Units
from gridmap.simulate.streets import Floats, Ints
from gridmap.simulate.travel import Travel

_CALL, _CLEAR, _LOOK = 0, 1, 2
# At shift changes new crews take what still waits.
_LOOK_EVERY_S = 3600.0
# Calls that are still open this long after the period's end are given up.
_GRACE_S = 12 * 3600.0
# Far more than ever wait at once in earnest; keeps a hopeless plan from taking for ever.
_MOST_TOGETHER = 200

Watch = Callable[[float, Ints, Ints], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy did. By call: unit (-1 when nobody came), sent, arrived, cleared (seconds, nan when nobody came).

    By unit: jobs and seconds at work. `free_share` is the mean share of units on duty that were free.
    """

    unit: Ints
    sent_s: Floats
    arrived_s: Floats
    cleared_s: Floats
    jobs: Ints
    busy_s: Floats
    duty_s: Floats


@dataclass(slots=True)
class _State:
    """Where everybody is. `scene` counts until `settled_s`, the stand of the hour after."""

    free: Bools
    scene: Ints
    settled_s: Floats
    waiting: list[int] = field(default_factory=list)


class Replay:
    """One run of one policy. `watch(now_s, units, places)` hears of the free units every `watch_every_s`."""

    def __init__(
        self,
        calls: Calls,
        units: Units,
        travel: Travel,
        period: Period,
        policy: Policy,
        watch: Watch | None = None,
        watch_every_s: float = 3600.0,
    ) -> None:
        self._calls, self._units, self._travel = calls, units, travel
        self._period, self._policy = period, policy
        self._watch, self._watch_every_s = watch, watch_every_s
        n, m = len(calls), len(units)
        self._state = _State(np.ones(m, dtype=bool), np.full(m, -1), np.full(m, -np.inf))
        self._unit = np.full(n, -1)
        self._sent, self._arrived, self._cleared = (np.full(n, np.nan) for _ in range(3))
        self._events: list[tuple[float, int, int, int]] = []
        self._count = 0
        self._now = 0.0
        self._look_due = -1.0

    def run(self) -> Outcome:
        """Replay the whole period and what it leaves open."""
        for call, at_s in enumerate(self._calls.at_s.tolist()):
            self._add(at_s, _CALL, call)
        end_s = self._period.length_s + _GRACE_S
        for at_s in np.arange(_LOOK_EVERY_S, end_s, _LOOK_EVERY_S).tolist():
            self._add(at_s, _LOOK, 0)
        watch_s = 0.5 * self._watch_every_s
        while self._events:
            self._now, kind, _, number = heapq.heappop(self._events)
            while self._watch is not None and watch_s < min(self._now, self._period.length_s):
                self._tell_watch(self._watch, watch_s)
                watch_s += self._watch_every_s
            self._meet(kind, number)
        return self._outcome()

    def _meet(self, kind: int, number: int) -> None:
        if kind == _CLEAR:
            self._state.free[number] = True
        elif kind == _CALL:
            self._state.waiting.append(number)
            wait_s = self._policy.wait_s
            if wait_s > 0 and self._calls.severity[number] > 1:
                if self._look_due < self._now:
                    self._look_due = self._now + wait_s
                    self._add(self._look_due, _LOOK, 0)
                return
        if self._state.waiting:
            self._decide()

    def _decide(self) -> None:
        state, calls = self._state, self._calls
        state.waiting.sort(key=lambda call: (calls.severity[call], calls.at_s[call]))
        free = np.flatnonzero(state.free & self._duty_at(self._now))
        if len(free) == 0:
            return
        for call, unit in self._policy.decide(_Moment(self, self._now), state.waiting[:_MOST_TOGETHER], free):
            self._send(call, unit)
            state.waiting.remove(call)

    def _send(self, call: int, unit: int) -> None:
        calls, state = self._calls, self._state
        place = int(calls.place[call])
        way_s = float(self.seconds(np.array([unit]), place, self._now)[0])
        arrived = self._now + float(calls.turnout_s[call]) + way_s
        cleared = arrived + float(calls.work_s[call])
        self._unit[call] = unit
        self._sent[call], self._arrived[call], self._cleared[call] = self._now, arrived, cleared
        state.free[unit] = False
        state.scene[unit] = place
        # On the way back it counts as still there for the first half, as back for the second.
        state.settled_s[unit] = np.inf
        back_s = float(
            self._travel.seconds(np.array([place]), self._units.mode[[unit]], self._stand(unit, cleared))[0]
        )
        state.settled_s[unit] = cleared + 0.5 * back_s if np.isfinite(back_s) else cleared
        self._add(cleared, _CLEAR, unit)

    def places_of(self, units: Ints, at_s: float) -> Ints:
        """Where free units are: at their stand, or still at the last scene."""
        slot = (int(at_s // self._units.stand_s) + units) % self._units.stands.shape[1]
        stands = self._units.stands[units, slot]
        return np.where(at_s < self._state.settled_s[units], self._state.scene[units], stands)

    def _stand(self, unit: int, at_s: float) -> int:
        slot = (int(at_s // self._units.stand_s) + unit) % self._units.stands.shape[1]
        return int(self._units.stands[unit, slot])

    def seconds(self, units: Ints, place: int, at_s: float) -> Floats:
        return self._travel.seconds(self.places_of(units, at_s), self._units.mode[units], place)

    @property
    def calls(self) -> Calls:
        return self._calls

    @property
    def units(self) -> Units:
        return self._units

    def _duty_at(self, at_s: float) -> Bools:
        hour = int(self._period.starts_at_hour + at_s / 3600) % 24
        return np.asarray(self._units.on_duty[:, hour])

    def _tell_watch(self, watch: Watch, at_s: float) -> None:
        free = np.flatnonzero(self._state.free & self._duty_at(at_s))
        watch(at_s, free, self.places_of(free, at_s))

    def _add(self, at_s: float, kind: int, number: int) -> None:
        self._count += 1
        heapq.heappush(self._events, (at_s, kind, self._count, number))

    def _outcome(self) -> Outcome:
        served = self._unit >= 0
        m = len(self._units)
        busy = np.bincount(self._unit[served], (self._cleared - self._sent)[served], m).astype(float)
        return Outcome(
            unit=self._unit,
            sent_s=self._sent,
            arrived_s=self._arrived,
            cleared_s=self._cleared,
            jobs=np.bincount(self._unit[served], minlength=m),
            busy_s=busy,
            duty_s=self._units.on_duty.mean(axis=1) * self._period.length_s,
        )


class _Moment:
    """The situation a policy decides in; road times are kept for the call asked last."""

    def __init__(self, replay: Replay, now_s: float) -> None:
        self._replay, self._now_s = replay, now_s

    def road_s(self, units: Ints, call: int) -> Floats:
        return self._replay.seconds(units, int(self._replay.calls.place[call]), self._now_s)

    def air_m(self, units: Ints, call: int) -> Floats:
        here = self._replay.units.lonlat[self._replay.places_of(units, self._now_s)]
        return distance_m(here[:, 0], here[:, 1], *self._replay.calls.lonlat[call])

    def mode(self, units: Ints) -> Ints:
        return self._replay.units.mode[units]

    def own(self, units: Ints, call: int) -> Ints:
        area = self._replay.calls.area[call]
        return np.asarray(units[self._replay.units.area[units] == area] if area >= 0 else units[:0])

    def able(self, units: Ints, call: int) -> Ints:
        return np.asarray(units[self._replay.units.able[self._replay.calls.need[call], units]])

    def severity(self, call: int) -> int:
        return int(self._replay.calls.severity[call])


def replay(
    calls: Calls,
    units: Units,
    travel: Travel,
    period: Period,
    policy: Policy,
    watch: Watch | None = None,
    watch_every_s: float = 3600.0,
) -> Outcome:
    """Answer the calls of a period under a policy."""
    return Replay(calls, units, travel, period, policy, watch, watch_every_s).run()
