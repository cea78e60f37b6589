"""What units do about fences, from their stored positions; late positions change the past as if they had come in time.

The state of each unit after its newest fix is a row, and every few minutes a copy of it stays as a checkpoint. Fixes
that are older than what was already followed run the unit's track anew from the checkpoint before them, until what is
remembered is again what was remembered then: from there on nothing can differ. Events that are no longer true get
`superseded_at`, those that are new become rows; so the standing events are those of the track in order, whatever the
order in which it came. All of it happens in the transaction that stores the positions: after a crash it is done, or
will be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol
from uuid import UUID

from sqlalchemy import text

from gridmap.domain.metric import LocalMetric
from gridmap.positions.fence_engine import FenceBook, FenceEvent, Sample, UnitState
from gridmap.services.fence_rows import EVER_AGO, EVER_AHEAD, Checkpoint, FenceRows, in_order
from gridmap.services.transaction import Tx

# Nobody is sent anywhere because of something older.
FRESH = timedelta(seconds=60)
CHECKPOINT_EVERY = timedelta(minutes=5)
# A fix of a better device can take the lead from others for some time after it: what changed may reach so far.
LEAD_DOUBT = timedelta(minutes=10)
# Older fixes are refused at the door; an hour more for what waited there.
LATEST = timedelta(hours=25)

_DROP_EVENTS = text(
    """
    delete from fence_event e using fence f
     where f.id = e.fence_id and e.at < :before
       and not exists (select from dispatch d
                        where d.incident_id = f.incident_id and d.unit_id = e.unit_id and d.accepted_at <= e.at
                          and e.at <= coalesce(d.done_at, d.ended_at, 'infinity'))
    """
)
_DROP_STATES = text("delete from fence_state where at < :before")
_DROP_CHECKPOINTS = text(
    """
    delete from fence_checkpoint c
     where c.at < :before
        or (c.at < :late and exists (select from fence_checkpoint n
                                      where n.unit_id = c.unit_id and n.at > c.at and n.at < :late))
    """
)


@dataclass(frozen=True, slots=True)
class Followed:
    """What happened, and the leaf grid that each unit is now taken to be in; None outside of all."""

    events: list[FenceEvent]
    areas: dict[UUID, int | None]


class Rows(Protocol):
    """Where positions, states and events are kept; `FenceRows` is the database."""

    def read_states(self, units: Collection[UUID]) -> dict[UUID, UnitState]: ...
    def save_states(self, states: Mapping[UUID, UnitState]) -> None: ...
    def last_checkpoints(self, units: Collection[UUID]) -> dict[UUID, datetime]: ...
    def save_checkpoints(self, states: Iterable[tuple[UUID, UnitState]]) -> None: ...
    def correct_checkpoints(self, unit_id: UUID, checkpoints: Sequence[Checkpoint]) -> None: ...
    def checkpoint_before(self, unit_id: UUID, before: datetime) -> Checkpoint | None: ...
    def checkpoints_from(self, unit_id: UUID, since: datetime) -> list[Checkpoint]: ...
    def read_samples(
        self, unit_id: UUID, after: datetime, until: datetime | None, metric: LocalMetric
    ) -> list[Sample]: ...
    def read_events(
        self, unit_id: UUID, after: datetime, until: datetime
    ) -> list[tuple[UUID, FenceEvent]]: ...
    def supersede(self, ids: Collection[UUID]) -> None: ...
    def add_events(self, events: Sequence[FenceEvent]) -> None: ...


def follow(
    tx: Tx,
    book: FenceBook,
    samples_by_unit: Mapping[UUID, Sequence[Sample]],
    late_from: Mapping[UUID, datetime],
) -> Followed:
    """Follow units through the fences of `book`; tells what happened within the last minute, in order.

    Args:
        samples_by_unit: the positions that were stored in this very transaction and that the units follow.
        late_from: of units whose earlier positions changed, from when (also where a position now leads no more).

    Call it after the positions are stored: tracks are run anew from table `fix`.
    """
    found = follow_stored(FenceRows(tx), book, samples_by_unit, late_from)
    young = [event for event in found.events if tx.now - event.sample_at < FRESH]
    young.sort(key=lambda event: (event.sample_at, event.at, event.unit_id, event.fence_id))
    return Followed(young, found.areas)


def follow_stored(
    rows: Rows,
    book: FenceBook,
    samples_by_unit: Mapping[UUID, Sequence[Sample]],
    late_from: Mapping[UUID, datetime],
) -> Followed:
    """`follow` over any store of positions, states and events; tells every event that is new."""
    units = sorted({*samples_by_unit, *late_from})
    states = rows.read_states(units)
    late = _late(states, samples_by_unit, late_from)
    ahead = [
        sample
        for unit_id in units
        if unit_id in states and unit_id not in late
        for sample in in_order(samples_by_unit[unit_id])
    ]
    events = book.advance(states, ahead)
    rows.add_events(events)
    for unit_id, changed in late.items():
        found, states[unit_id] = _run_anew(rows, book, unit_id, states[unit_id], changed)
        events += found
    _keep(rows, states)
    return Followed(events, {unit_id: state.area_id for unit_id, state in states.items()})


def drop_old(tx: Tx, kept: timedelta) -> None:
    """Forget as positions are forgotten. What a unit on the way to an incident did about that incident's fence stays
    with the incident, as its way does. A unit keeps one checkpoint from before the oldest fix that can still come."""
    tx.session.execute(_DROP_EVENTS, {"before": tx.now - kept})
    tx.session.execute(_DROP_STATES, {"before": tx.now - kept})
    tx.session.execute(_DROP_CHECKPOINTS, {"before": tx.now - kept, "late": tx.now - LATEST})


def _late(
    states: Mapping[UUID, UnitState],
    samples_by_unit: Mapping[UUID, Sequence[Sample]],
    late_from: Mapping[UUID, datetime],
) -> dict[UUID, tuple[datetime, datetime]]:
    """Of the units whose track has to be run anew: from when, and until when at least, for in between it changed."""
    found: dict[UUID, tuple[datetime, datetime]] = {}
    for unit_id, state in states.items():
        since = [late_from[unit_id]] if unit_id in late_from else []
        samples = samples_by_unit.get(unit_id, ())
        first = min((sample.at for sample in samples), default=None)
        if first is not None and state.last is not None and first <= state.last.at:
            since.append(first)
        if since:
            last = max((sample.at + LEAD_DOUBT for sample in samples), default=EVER_AHEAD)
            found[unit_id] = min(since), last
    return found


def _run_anew(
    rows: Rows, book: FenceBook, unit_id: UUID, present: UnitState, changed: tuple[datetime, datetime]
) -> tuple[list[FenceEvent], UnitState]:
    """Run one unit's track again from before what changed; the events that are new, and the state it ends with."""
    start = rows.checkpoint_before(unit_id, changed[0])
    after = EVER_AGO if start is None else start.at
    state = UnitState(kind=present.kind) if start is None else UnitState.from_json(present.kind, start.body)
    redone, until = _replay(rows, book, unit_id, state, present, after, changed)
    events = _correct(rows, book, unit_id, after, until, redone)
    if present.last is None or until == present.last.at:
        present = state
    newest = EVER_AGO if present.last is None else present.last.at
    ahead = book.advance({unit_id: present}, rows.read_samples(unit_id, newest, None, _metric(book)))
    rows.add_events(ahead)
    return events + ahead, present


def _replay(
    rows: Rows,
    book: FenceBook,
    unit_id: UUID,
    state: UnitState,
    present: UnitState,
    reached: datetime,
    changed: tuple[datetime, datetime],
) -> tuple[list[FenceEvent], datetime]:
    """Follow the stored track with `state`, which is as of `reached`, until past all that changed what is remembered is
    what was remembered then, or until the present; the events on the way, and how far it went."""
    events: list[FenceEvent] = []
    moments = rows.checkpoints_from(unit_id, changed[0])
    if present.last is not None:
        moments = [one for one in moments if one.at < present.last.at]
        moments.append(Checkpoint(present.last.at, present.as_json()))
    corrected = []
    for moment in moments:
        samples = rows.read_samples(unit_id, reached, moment.at, _metric(book))
        events += book.advance({unit_id: state}, samples, replay=True)
        reached = moment.at
        then = _without_gone(book, UnitState.from_json(state.kind, moment.body))
        if moment.at > changed[1] and state.memory() == then.memory():
            break
        corrected.append(Checkpoint(moment.at, state.as_json()))
    rows.correct_checkpoints(unit_id, corrected)
    return events, reached


def _without_gone(book: FenceBook, state: UnitState) -> UnitState:
    """A state from before, without fences that are no more: a track that is run anew does not meet them."""
    for fence_id in [known for known in state.visits if book.find_fence(known) is None]:
        del state.visits[fence_id]
    return state


def _correct(
    rows: Rows,
    book: FenceBook,
    unit_id: UUID,
    after: datetime,
    until: datetime,
    redone: Sequence[FenceEvent],
) -> list[FenceEvent]:
    """Make the standing events of a span those of the track as it is now; returns those that are new."""
    standing = rows.read_events(unit_id, after, until)
    right = set(redone)
    rows.supersede([row_id for row_id, event in standing if event not in right and _may_change(book, event)])
    known = {event for _, event in standing}
    fresh = [event for event in redone if event not in known]
    rows.add_events(fresh)
    return fresh


def _may_change(book: FenceBook, event: FenceEvent) -> bool:
    """What happened under an earlier version of a fence, or at one that is gone, was judged by what held then."""
    fence = book.find_fence(event.fence_id)
    if fence is None or event.reason == "changed":
        return False
    return fence.exists_at(event.at)


def _keep(rows: Rows, states: Mapping[UUID, UnitState]) -> None:
    rows.save_states(states)
    last = rows.last_checkpoints(list(states))
    due = [
        (unit_id, state)
        for unit_id, state in states.items()
        if state.last is not None
        and (unit_id not in last or state.last.at - last[unit_id] >= CHECKPOINT_EVERY)
    ]
    rows.save_checkpoints(due)


def _metric(book: FenceBook) -> LocalMetric:
    assert book.local_crs is not None
    return _metric_of(book.local_crs)


@lru_cache(maxsize=4)
def _metric_of(local_crs: int) -> LocalMetric:
    return LocalMetric(local_crs)
