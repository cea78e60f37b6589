"""Whether positions that come late or shuffled change what is told of a unit: the services' own algorithm over memory.

The statements of the database are left out here; the tests run the same over PostGIS.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
from shapely.geometry import Point, box

from gridmap.domain.metric import LocalMetric
from gridmap.positions.fence_engine import Fence, FenceBook, FenceEvent, Sample, UnitState
from gridmap.services.fence_events import follow_stored
from gridmap.services.fence_rows import Checkpoint, in_order

_BEGIN = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
_UNITS = 6
_FIXES = 600
_EVERY_S = 10.0
_BATCH = 20
_LOCAL_CRS = 4547


class MemoryRows:
    """Positions, states and events of some units, kept as the database keeps them."""

    def __init__(self) -> None:
        self.samples: dict[UUID, dict[datetime, Sample]] = {}
        self.standing: dict[UUID, FenceEvent] = {}
        self._states: dict[UUID, dict[str, object]] = {}
        self._checkpoints: dict[UUID, dict[datetime, dict[str, object]]] = {}

    def store(self, samples: Sequence[Sample]) -> None:
        for sample in samples:
            self.samples.setdefault(sample.unit_id, {})[sample.at] = sample

    def read_states(self, units: Collection[UUID]) -> dict[UUID, UnitState]:
        return {
            unit_id: UnitState.from_json("", self._states[unit_id])
            if unit_id in self._states
            else UnitState()
            for unit_id in units
        }

    def save_states(self, states: Mapping[UUID, UnitState]) -> None:
        self._states.update({unit_id: state.as_json() for unit_id, state in states.items()})

    def last_checkpoints(self, units: Collection[UUID]) -> dict[UUID, datetime]:
        return {unit_id: max(self._checkpoints[unit_id]) for unit_id in units if unit_id in self._checkpoints}

    def save_checkpoints(self, states: Iterable[tuple[UUID, UnitState]]) -> None:
        for unit_id, state in states:
            if state.last is not None:
                self._checkpoints.setdefault(unit_id, {})[state.last.at] = state.as_json()

    def correct_checkpoints(self, unit_id: UUID, checkpoints: Sequence[Checkpoint]) -> None:
        known = self._checkpoints.get(unit_id, {})
        known.update({one.at: one.body for one in checkpoints if one.at in known})

    def checkpoint_before(self, unit_id: UUID, before: datetime) -> Checkpoint | None:
        found = [at for at in self._checkpoints.get(unit_id, {}) if at < before]
        return Checkpoint(max(found), self._checkpoints[unit_id][max(found)]) if found else None

    def checkpoints_from(self, unit_id: UUID, since: datetime) -> list[Checkpoint]:
        known = self._checkpoints.get(unit_id, {})
        return [Checkpoint(at, known[at]) for at in sorted(known) if at >= since]

    def read_samples(
        self, unit_id: UUID, after: datetime, until: datetime | None, _metric: LocalMetric
    ) -> list[Sample]:
        found = self.samples.get(unit_id, {}).values()
        return in_order(one for one in found if one.at > after and (until is None or one.at <= until))

    def read_events(self, unit_id: UUID, after: datetime, until: datetime) -> list[tuple[UUID, FenceEvent]]:
        return [
            (row_id, event)
            for row_id, event in self.standing.items()
            if event.unit_id == unit_id and after < event.sample_at <= until
        ]

    def supersede(self, ids: Collection[UUID]) -> None:
        for row_id in ids:
            del self.standing[row_id]

    def add_events(self, events: Sequence[FenceEvent]) -> None:
        self.standing.update({uuid4(): event for event in events})


def late_equal(seed: int) -> bool:
    """True when the standing events of shuffled and delayed input (seconds to hours) are those of the tracks."""
    rng = np.random.default_rng(seed)
    book = _book(rng)
    return all(_same(book, _track(UUID(int=number + 1), rng), rng) for number in range(_UNITS))


def _same(book: FenceBook, track: list[Sample], rng: np.random.Generator) -> bool:
    in_time = set(book.advance({}, track))
    rows = MemoryRows()
    came = _as_they_came(track, rng)
    for begin in range(0, len(came), _BATCH):
        batch = came[begin : begin + _BATCH]
        rows.store(batch)
        follow_stored(rows, book, {batch[0].unit_id: batch}, {})
    standing = list(rows.standing.values())
    return len(standing) == len(in_time) and set(standing) == in_time


def _as_they_came(track: list[Sample], rng: np.random.Generator) -> list[Sample]:
    """Most fixes at once, a fifth some seconds to minutes late, two stretches hours late, one of them newest first."""
    delays_s = np.where(rng.random(len(track)) < 0.2, rng.exponential(60.0, len(track)), 0.0)
    for back_to_front in (False, True):
        begin = int(rng.integers(0, len(track) - 150))
        stretch = np.arange(begin, begin + 120)
        late_s = rng.uniform(600.0, 6 * 3600.0)
        delays_s[stretch] = late_s + (-2.0 if back_to_front else 0.0) * _EVERY_S * (stretch - begin)
    arrives_s = np.arange(len(track)) * _EVERY_S + delays_s
    return [track[number] for number in np.argsort(arrives_s, kind="stable").tolist()]


def _track(unit_id: UUID, rng: np.random.Generator) -> list[Sample]:
    """A unit that wanders about a square kilometre for two and a half hours, its receiver now good, now bad."""
    legs = rng.uniform(0.0, 1_000.0, (_FIXES // 30 + 2, 2))
    place = np.array([legs[number // 30] + (legs[number // 30 + 1] - legs[number // 30]) * (number % 30) / 30
                      for number in range(_FIXES)])  # fmt: skip
    accuracy_m = rng.choice([5.0, 15.0, 50.0], _FIXES)
    place += rng.normal(0.0, 1.0, place.shape) * accuracy_m[:, None] / 1.5
    return [
        Sample(unit_id, x, y, _BEGIN + timedelta(seconds=_EVERY_S * number), float(accuracy_m[number]))
        for number, (x, y) in enumerate(place.tolist())
    ]


def _book(rng: np.random.Generator) -> FenceBook:
    zones = [
        Fence(
            UUID(int=1_000 + number),
            "polygon",
            Point(*rng.uniform(0.0, 1_000.0, 2)).buffer(rng.uniform(30.0, 250.0)),
            dwell_s=float(rng.choice([30.0, 120.0])),
            exit_s=120.0,
            buffer_m=float(rng.choice([0.0, 25.0])),
        )
        for number in range(20)
    ]
    cells = [
        Fence(UUID(int=9_000 + number), "grid", box(x, y, x + 200, y + 200), area_id=number + 1)
        for number, (x, y) in enumerate((x, y) for x in range(0, 1_000, 200) for y in range(0, 1_000, 200))
    ]
    return FenceBook.build([*zones, *cells], _LOCAL_CRS)
