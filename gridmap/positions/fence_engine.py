"""Many units among many fences: positions in, events out. Pure: no clock, no SQL; metres of the deployment's system.

A batch is looked up at once (FenceIndex) and then followed unit by unit (Visit). A unit that is clear of every border
by more than its fixes can err is not looked up again until it could have got near one. That early-out changes no event:
what is remembered of the last look says all that the rule asks (depths are cut at SURE), and tests hold the two equal,
as well as any way of cutting a track into batches.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np

from gridmap.positions.fence_index import FenceIndex, GridIndex, Sight
from gridmap.positions.fence_model import EVER, EventKind, Fence, FenceEvent, Sample, visit_id
from gridmap.positions.fence_rule import (
    ACCURACY_FLOOR_M,
    HELD_S,
    LEAP_S,
    LONE_S,
    PASS_DOUBT,
    SILENT_S,
    SURE,
    Run,
)
from gridmap.positions.fence_units import Clear, UnitState
from gridmap.positions.fence_visits import Visit, is_sure

__all__ = ["EventKind", "Fence", "FenceBook", "FenceEvent", "Sample", "UnitState"]

# Borders are measured somewhat farther out than the rule needs, so that a slow unit is seldom looked up.
_SLACK_M = 60.0
_UNKNOWN_ACCURACY_M = 30.0


@dataclass(frozen=True, slots=True)
class _Looked:
    """A batch, looked up: one of each a sample. `met`: the fences whose border the straight way since the last met."""

    accuracy_m: list[float]
    quiet: list[bool]
    sights: list[Sight]
    met: dict[int, set[int]]
    cells: list[int]
    outside_m: list[float]
    found: list[int]


class FenceBook:
    """Every fence of a deployment at one moment. Make it with `build`; it never changes."""

    def __init__(self, fences: Sequence[Fence], cells: Sequence[Fence], local_crs: int | None = None) -> None:
        self.local_crs = local_crs
        self.fences = tuple(sorted(fences, key=lambda fence: fence.id))
        self.cells = tuple(sorted(cells, key=lambda cell: cell.area_id or 0))
        self._number = {fence.id: number for number, fence in enumerate(self.fences)}
        self._cell_of = {cell.area_id: number for number, cell in enumerate(self.cells)}
        self._index = FenceIndex([fence.shape_m for fence in self.fences])
        self._grid = GridIndex([cell.shape_m for cell in self.cells])
        told = ",".join(f"{fence.id.hex}.{fence.version}" for fence in self.fences)
        self.stamp = hashlib.blake2b(told.encode(), digest_size=8).hexdigest()

    @classmethod
    def build(cls, fences: Sequence[Fence], local_crs: int | None = None) -> FenceBook:
        """Index fences and grids (those with an `area_id`) together; `local_crs` is the EPSG code of their metres."""
        return cls(
            [fence for fence in fences if fence.area_id is None],
            [fence for fence in fences if fence.area_id is not None],
            local_crs,
        )

    def with_fences(self, fences: Sequence[Fence]) -> FenceBook:
        """Other fences over the same grids, whose index is kept."""
        made = FenceBook(fences, (), self.local_crs)
        made.cells, made._cell_of, made._grid = self.cells, self._cell_of, self._grid
        return made

    def find_fence(self, fence_id: UUID) -> Fence | None:
        number = self._number.get(fence_id)
        return None if number is None else self.fences[number]

    def advance(
        self, states: dict[UUID, UnitState], samples: Sequence[Sample], *, replay: bool = False
    ) -> list[FenceEvent]:
        """Follow samples, in time order for each unit, and tell what happened. Changes `states`, adding who is new.

        `replay` runs a track anew under today's fences: what happened because a fence was changed was told then.
        """
        for sample in samples:
            if sample.unit_id not in states:
                states[sample.unit_id] = UnitState()
        looked = self._look(states, samples)
        events: list[FenceEvent] = []
        for place, sample in enumerate(samples):
            state = states[sample.unit_id]
            self._follow(state, sample, place, looked, events, replay=replay)
        return events

    def _look(self, states: dict[UUID, UnitState], samples: Sequence[Sample]) -> _Looked:
        x_m = np.array([sample.x_m for sample in samples], dtype=float)
        y_m = np.array([sample.y_m for sample in samples], dtype=float)
        given = np.array([sample.accuracy_m for sample in samples], dtype=float)
        accuracy_m = np.maximum(
            np.where(np.isfinite(given) & (given > 0), given, _UNKNOWN_ACCURACY_M), ACCURACY_FLOOR_M
        )
        reach_m = SURE * accuracy_m
        sights: list[Sight | None] = []
        for sample, reach in zip(samples, reach_m.tolist(), strict=True):
            clear = states[sample.unit_id].clear
            known = (
                clear is not None
                and clear.stamp == self.stamp
                and clear.covers(sample.x_m, sample.y_m, reach)
            )
            sights.append(clear.sight() if known and clear is not None else None)
        quiet = [sight is not None for sight in sights]
        loud = np.array([place for place, sight in enumerate(sights) if sight is None], dtype=np.intp)
        for place, sight in zip(
            loud.tolist(),
            self._index.look(x_m[loud], y_m[loud], reach_m[loud] + _SLACK_M),
            strict=True,
        ):
            sights[place] = sight
        seen = [sight for sight in sights if sight is not None]
        cells = np.array(
            [self._cell_of.get(states[sample.unit_id].area_id, -1) for sample in samples], dtype=np.intp
        )
        lost = np.flatnonzero(cells < 0)
        found = np.full(len(samples), -1, dtype=np.intp)
        found[lost] = self._grid.find(x_m[lost], y_m[lost])
        return _Looked(
            accuracy_m=accuracy_m.tolist(),
            quiet=quiet,
            sights=seen,
            met=self._met(states, samples, quiet, seen),
            cells=cells.tolist(),
            outside_m=self._grid.outside_m(cells, x_m, y_m).tolist(),
            found=found.tolist(),
        )

    def _met(
        self,
        states: dict[UUID, UnitState],
        samples: Sequence[Sample],
        quiet: Sequence[bool],
        sights: Sequence[Sight],
    ) -> dict[int, set[int]]:
        """The fences met by the straight way to each sample from the one before it. Two clear places share a disc
        without borders, and a way shorter than the distance to the nearest border meets none."""
        places: list[int] = []
        ways: list[list[tuple[float, float]]] = []
        before: dict[UUID, tuple[Sample, bool]] = {}
        for place, sample in enumerate(samples):
            last, was_quiet = before.get(sample.unit_id, (states[sample.unit_id].last, True))
            before[sample.unit_id] = (sample, quiet[place])
            if last is None or (quiet[place] and was_quiet):
                continue
            length_m = math.hypot(sample.x_m - last.x_m, sample.y_m - last.y_m)
            if not quiet[place] and length_m < sights[place].clear_m:
                continue
            if (sample.at - last.at).total_seconds() <= LEAP_S:
                places.append(place)
                ways.append([(last.x_m, last.y_m), (sample.x_m, sample.y_m)])
        met: dict[int, set[int]] = {}
        for way, number in self._index.met_by(np.array(ways, dtype=float).reshape(-1, 2, 2)):
            met.setdefault(places[way], set()).add(number)
        return met

    def _follow(
        self,
        state: UnitState,
        sample: Sample,
        place: int,
        looked: _Looked,
        events: list[FenceEvent],
        *,
        replay: bool,
    ) -> None:
        gap_s = math.inf if state.last is None else (sample.at - state.last.at).total_seconds()
        if gap_s > SILENT_S:
            events.extend(self._forget(state, sample))
        accuracy_m, lone = looked.accuracy_m[place], gap_s >= LONE_S
        self._follow_area(state, sample, place, looked, lone=lone)
        quiet = looked.quiet[place]
        if not (quiet and state.wake_at is not None and sample.at < state.wake_at):
            sight = looked.sights[place]
            self._follow_fences(
                state, sample, accuracy_m, sight, looked.met.get(place, set()), gap_s, events, replay=replay
            )
            if not quiet:
                inside = tuple(sorted(number for number, (holds, _) in sight.near.items() if holds))
                state.clear = Clear(sample.x_m, sample.y_m, sight.clear_m, inside, self.stamp)
            state.wake_at = self._wakes_at(state, sample, sight)
        # As the rule took it, so that an unknown accuracy is the same whoever tells of it.
        state.last = Sample(sample.unit_id, sample.x_m, sample.y_m, sample.at, accuracy_m)

    def _forget(self, state: UnitState, sample: Sample) -> Iterable[FenceEvent]:
        """After a long silence: visits end with the last fix, and the unit is met as if for the first time."""
        last = state.last
        ended = [
            visit.end(sample, last.at, "silence")
            for _, visit in sorted(state.visits.items())
            if last is not None and visit.fence_id in self._number
        ]
        state.last, state.area_id, state.area_run, state.wake_at = None, None, None, None
        state.visits.clear()
        return [event for event in ended if event is not None]

    def _follow_fences(
        self,
        state: UnitState,
        sample: Sample,
        accuracy_m: float,
        sight: Sight,
        met: set[int],
        gap_s: float,
        events: list[FenceEvent],
        *,
        replay: bool,
    ) -> None:
        for fence_id in [known for known in state.visits if known not in self._number]:
            del state.visits[fence_id]
        touched = {self._number[fence_id] for fence_id in state.visits} | met | sight.near.keys()
        for number in sorted(touched):
            fence = self.fences[number]
            if not fence.exists_at(sample.at) or not fence.is_for(state.kind):
                continue
            visit = state.visits.get(fence.id)
            if visit is not None and visit.version != fence.version:
                ended = visit.end(sample, fence.since or sample.at, "changed")
                if ended is not None and not replay:
                    events.append(ended)
                del state.visits[fence.id]
                visit = None
            inside, away_m = sight.near.get(number, (False, math.inf))
            if visit is None:
                visit = self._meet(state, fence, sample, inside, away_m, accuracy_m, gap_s)
                if visit is None:
                    if number in met:
                        self._leap(state, number, sample, accuracy_m, gap_s, events)
                    continue
            if visit.side == "in" and not inside and fence.buffer_m > 0.0 and math.isinf(away_m):
                away_m = self._index.gap_m(number, sample.x_m, sample.y_m)
            if gap_s > LEAP_S:
                visit.anchor = None
            visit.touched = visit.touched or number in met
            was = visit.side
            left = visit.observe(fence, sample, accuracy_m, inside, away_m, lone=gap_s >= LONE_S)
            if left is not None:
                events.append(left)
            events.extend(visit.tell(fence, sample))
            if visit.side == "out" and not inside and is_sure(away_m, accuracy_m):
                if was == "out" and visit.touched and visit.anchor is not None:
                    self._cross(number, visit.anchor, sample, accuracy_m, events)
                del state.visits[fence.id]

    def _meet(
        self,
        state: UnitState,
        fence: Fence,
        sample: Sample,
        inside: bool,
        away_m: float,
        accuracy_m: float,
        gap_s: float,
    ) -> Visit | None:
        """Begin to watch a unit and a fence that may have met; None while it is surely outside."""
        if not inside and is_sure(away_m, accuracy_m):
            return None
        visit = Visit(fence.id, fence.version)
        last = state.last
        if last is not None and fence.exists_at(last.at):
            visit.side = "out"
            if gap_s <= LEAP_S:
                visit.anchor = (last.x_m, last.y_m, last.accuracy_m, last.at)
        state.visits[fence.id] = visit
        return visit

    def _leap(
        self,
        state: UnitState,
        number: int,
        sample: Sample,
        accuracy_m: float,
        gap_s: float,
        events: list[FenceEvent],
    ) -> None:
        """From surely outside to surely outside, with the fence in between."""
        last = state.last
        if last is not None and gap_s <= LEAP_S and self.fences[number].exists_at(last.at):
            self._cross(number, (last.x_m, last.y_m, last.accuracy_m, last.at), sample, accuracy_m, events)

    def _cross(
        self,
        number: int,
        anchor: tuple[float, float, float, datetime],
        sample: Sample,
        accuracy_m: float,
        events: list[FenceEvent],
    ) -> None:
        fence = self.fences[number]
        share = self._index.passes_through(
            number, anchor[:2], (sample.x_m, sample.y_m), PASS_DOUBT * max(accuracy_m, anchor[2])
        )
        if share is None:
            return
        at = anchor[3] + (sample.at - anchor[3]) * min(share, 1.0)
        if fence.span_at(at) is None:
            return
        visit = visit_id(sample.unit_id, fence.id, at)
        events.append(FenceEvent(sample.unit_id, fence.id, "cross", at, visit, sample.at, "passed"))

    def _wakes_at(self, state: UnitState, sample: Sample, sight: Sight) -> datetime | None:
        wakes = [EVER]
        for number, (inside, _) in sight.near.items():
            fence = self.fences[number]
            if inside and fence.since is not None and fence.since > sample.at:
                wakes.append(fence.since)
        for fence_id, visit in state.visits.items():
            number = self._number[fence_id]
            if not visit.is_settled(inside=sight.near.get(number, (False, 0.0))[0]):
                return None
            wakes.append(visit.wakes_at(self.fences[number], sample.at) or EVER)
        return min(wakes)

    def _follow_area(
        self, state: UnitState, sample: Sample, place: int, looked: _Looked, *, lone: bool
    ) -> None:
        """The grid the unit is in, by the same rule: it changes when the unit surely left the old one."""
        cell = self._cell_of.get(state.area_id, -1)
        if cell < 0:
            found = looked.found[place] if looked.cells[place] < 0 else self._find_cell(sample)
            state.area_id = self.cells[found].area_id if found >= 0 else None
            state.area_run = None
            return
        beyond_m = looked.outside_m[place] if looked.cells[place] == cell else self._outside(cell, sample)
        if beyond_m <= 0.0:
            state.area_run = None
            return
        state.area_run = state.area_run or Run(sample.at)
        depth = beyond_m / looked.accuracy_m[place]
        if state.area_run.change(sample.at, depth, lone=lone, hold_s=HELD_S):
            found = self._find_cell(sample)
            state.area_id = self.cells[found].area_id if found >= 0 else None
            state.area_run = None

    def _find_cell(self, sample: Sample) -> int:
        return int(self._grid.find(np.array([sample.x_m]), np.array([sample.y_m]))[0])

    def _outside(self, cell: int, sample: Sample) -> float:
        return float(
            self._grid.outside_m(np.array([cell]), np.array([sample.x_m]), np.array([sample.y_m]))[0]
        )
