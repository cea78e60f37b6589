"""The statements behind fence events: bulk, by arrays, a handful a turn however many units there are.

States are read and written with nearly every fix, by pydantic's JSON: it takes a third of the standard library's time.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from pydantic import TypeAdapter
from sqlalchemy import text

from gridmap.db import arrays
from gridmap.domain.ids import new_id
from gridmap.domain.metric import LocalMetric
from gridmap.positions.fence_engine import FenceEvent, Sample, UnitState
from gridmap.services.transaction import Tx

_JSON: TypeAdapter[Any] = TypeAdapter(Any)
_STATES = text(
    "select u.id, u.kind, cast(s.body as text) from unit u left join fence_state s on s.unit_id = u.id"
    " where u.id = any(cast(:units as uuid[]))"
)
_SAVE = text(
    """
    insert into fence_state (unit_id, at, body)
    select u, t, b from unnest(cast(:units as uuid[]), cast(:at as timestamptz[]), cast(:body as json[])) as v(u, t, b)
     order by u
    on conflict (unit_id) do update set at = excluded.at, body = excluded.body
    """
)
_LAST_CHECKPOINTS = text(
    "select v.u, c.at from unnest(cast(:units as uuid[])) as v(u), lateral"
    " (select at from fence_checkpoint where unit_id = v.u order by at desc limit 1) c"
)
_CHECKPOINT = text(
    """
    insert into fence_checkpoint (unit_id, at, body)
    select u, t, b from unnest(cast(:units as uuid[]), cast(:at as timestamptz[]), cast(:body as json[])) as v(u, t, b)
     order by u, t
    on conflict (unit_id, at) do update set body = excluded.body
    """
)
_CHECKPOINT_BEFORE = text(
    "select at, body from fence_checkpoint where unit_id = :unit and at < :before order by at desc limit 1"
)
_CHECKPOINTS_FROM = text(
    "select at, body from fence_checkpoint where unit_id = :unit and at >= :since order by at"
)
_FIXES = text(
    """
    select fixed_at, st_x(geom), st_y(geom), accuracy_m from fix
     where unit_id = :unit and leads and fixed_at > :after
       and (cast(:until as timestamptz) is null or fixed_at <= :until)
    """
)
_EVENTS = text(
    """
    select id, fence_id, kind, at, visit_id, sample_at, reason from fence_event
     where unit_id = :unit and superseded_at is null and sample_at > :after
       and sample_at <= :until
    """
)
_SUPERSEDE = text("update fence_event set superseded_at = :now where id = any(cast(:ids as uuid[]))")
_ADD = text(
    """
    insert into fence_event (id, unit_id, fence_id, kind, at, sample_at, visit_id, reason, recorded_at)
    select i, u, f, k, t, s, v, r, :now
      from unnest(cast(:ids as uuid[]), cast(:units as uuid[]), cast(:fences as uuid[]), cast(:kinds as text[]),
                  cast(:at as timestamptz[]), cast(:samples as timestamptz[]), cast(:visits as uuid[]),
                  cast(:reasons as text[])) as x(i, u, f, k, t, s, v, r)
      join fence on fence.id = x.f
    on conflict do nothing
    """
)
_CORRECT = text("update fence_checkpoint set body = cast(:body as json) where unit_id = :unit and at = :at")
EVER_AGO = datetime.fromisoformat("0001-01-02T00:00:00+00:00")
EVER_AHEAD = datetime.fromisoformat("9999-12-30T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was remembered of a unit at a moment."""

    at: datetime
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FenceRows:
    """What `follow` reads and writes, in one transaction."""

    tx: Tx

    def read_states(self, units: Collection[UUID]) -> dict[UUID, UnitState]:
        """What is remembered of each unit that exists; of a new one nothing but its kind."""
        return {
            unit_id: UnitState(kind=kind)
            if body is None
            else UnitState.from_json(kind, _JSON.validate_json(body))
            for unit_id, kind, body in self.tx.session.execute(_STATES, {"units": arrays.uuids(units)})
        }

    def save_states(self, states: Mapping[UUID, UnitState]) -> None:
        """Keep each state as the unit's present one."""
        self._write(_SAVE, [(unit_id, state) for unit_id, state in states.items()])

    def save_checkpoints(self, states: Iterable[tuple[UUID, UnitState]]) -> None:
        """Keep states to begin anew from."""
        self._write(_CHECKPOINT, list(states))

    def _write(self, statement: Any, states: Sequence[tuple[UUID, UnitState]]) -> None:
        rows = [
            (unit_id, state.last.at, _JSON.dump_json(state.as_json()).decode())
            for unit_id, state in states
            if state.last is not None
        ]
        if rows:
            units, moments, bodies = zip(*rows, strict=True)
            self.tx.session.execute(
                statement,
                {
                    "units": arrays.uuids(units),
                    "at": arrays.moments(moments),
                    "body": arrays.texts(bodies),
                },
            )

    def correct_checkpoints(self, unit_id: UUID, checkpoints: Sequence[Checkpoint]) -> None:
        """Replace what was remembered at these moments; a moment without a checkpoint stays without."""
        if checkpoints:
            self.tx.session.execute(
                _CORRECT,
                [{"unit": unit_id, "at": one.at, "body": json.dumps(one.body)} for one in checkpoints],
            )

    def last_checkpoints(self, units: Collection[UUID]) -> dict[UUID, datetime]:
        return {
            row[0]: row[1]
            for row in self.tx.session.execute(_LAST_CHECKPOINTS, {"units": arrays.uuids(units)})
        }

    def checkpoint_before(self, unit_id: UUID, before: datetime) -> Checkpoint | None:
        row = self.tx.session.execute(_CHECKPOINT_BEFORE, {"unit": unit_id, "before": before}).first()
        return None if row is None else Checkpoint(*row)

    def checkpoints_from(self, unit_id: UUID, since: datetime) -> list[Checkpoint]:
        rows = self.tx.session.execute(_CHECKPOINTS_FROM, {"unit": unit_id, "since": since})
        return [Checkpoint(*row) for row in rows]

    def read_samples(
        self, unit_id: UUID, after: datetime, until: datetime | None, metric: LocalMetric
    ) -> list[Sample]:
        """The stored fixes that lead the unit, later than `after`, in the order in which they are followed."""
        rows = self.tx.session.execute(_FIXES, {"unit": unit_id, "after": after, "until": until}).all()
        if not rows:
            return []
        x_m, y_m = metric.forward(np.array([row[1] for row in rows]), np.array([row[2] for row in rows]))
        return in_order(
            Sample(unit_id, east, north, row[0], 0.0 if row[3] is None else row[3])
            for row, east, north in zip(rows, x_m.tolist(), y_m.tolist(), strict=True)
        )

    def read_events(self, unit_id: UUID, after: datetime, until: datetime) -> list[tuple[UUID, FenceEvent]]:
        """The unit's standing events that were settled by fixes in (after, until], each with its row's id."""
        rows = self.tx.session.execute(_EVENTS, {"unit": unit_id, "after": after, "until": until})
        return [
            (
                row.id,
                FenceEvent(unit_id, row.fence_id, row.kind, row.at, row.visit_id, row.sample_at, row.reason),
            )
            for row in rows
        ]

    def supersede(self, ids: Collection[UUID]) -> None:
        if ids:
            self.tx.session.execute(_SUPERSEDE, {"ids": list(ids), "now": self.tx.now})

    def add_events(self, events: Sequence[FenceEvent]) -> None:
        if events:
            self.tx.session.execute(
                _ADD,
                {
                    "now": self.tx.now,
                    "ids": [new_id() for _ in events],
                    "units": [event.unit_id for event in events],
                    "fences": [event.fence_id for event in events],
                    "kinds": [event.kind for event in events],
                    "at": [event.at for event in events],
                    "samples": [event.sample_at for event in events],
                    "visits": [event.visit_id for event in events],
                    "reasons": [event.reason for event in events],
                },
            )


def in_order(samples: Iterable[Sample]) -> list[Sample]:
    """By time; two of one instant in an order that does not depend on which came first."""
    return sorted(samples, key=lambda one: (one.at, one.x_m, one.y_m))
