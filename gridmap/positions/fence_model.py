"""The nouns of the fence engine: a position, a fence, an event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID, uuid5

from shapely.geometry import MultiPolygon, Polygon

from gridmap.positions.fence_calendar import Calendar, Instants

EventKind = Literal["enter", "exit", "inside", "cross", "dwell"]

_VISITS = UUID("5b0f7f0e-6a53-4c1c-9f57-2b1f3c0a9d11")
EVER = datetime.max.replace(tzinfo=UTC)
_NEVER_BEGUN = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sample:
    """An accepted position in the deployment's local metric system; accuracy is the radius that holds 68 % (m)."""

    unit_id: UUID
    x_m: float
    y_m: float
    at: datetime
    accuracy_m: float


@dataclass(frozen=True, slots=True)
class Fence:
    """A fence as it is now, or a leaf of the area tree when `area_id` is given (a leaf makes no events).

    Attributes:
        shape_m: in the deployment's local metric system.
        dwell_s: after how long inside "dwell" is told; None never.
        exit_s: how long an unbroken run outside counts as having left, however close to the border.
        buffer_m: leaving is measured from this far outside the border.
        active: None is always.
        unit_kinds: whom it is for; empty is everybody.
        version, since: grows with each change, and from when this version holds; before that it is not there.
        until: the end of its life; a visit that is open then ends.
    """

    id: UUID
    kind: str
    shape_m: Polygon | MultiPolygon
    dwell_s: float | None = None
    exit_s: float = 300.0
    buffer_m: float = 0.0
    active: Calendar | None = None
    unit_kinds: frozenset[str] = frozenset()
    version: int = 1
    since: datetime | None = None
    until: datetime | None = None
    area_id: int | None = None

    def exists_at(self, at: datetime) -> bool:
        return self.since is None or at >= self.since

    def is_for(self, unit_kind: str) -> bool:
        return not self.unit_kinds or unit_kind in self.unit_kinds

    def span_at(self, at: datetime) -> Instants | None:
        """The unbroken span (begin, end) in which the fence is active at `at`; None while it is not."""
        begin, end = self.since or _NEVER_BEGUN, self.until or EVER
        if not begin <= at < end:
            return None
        if self.active is None:
            return begin, end
        span = self.active.span_at(at)
        return None if span is None else (max(begin, span[0]), min(end, span[1]))


@dataclass(frozen=True, slots=True)
class FenceEvent:
    """Something that a unit did about a fence.

    Attributes:
        at: when it happened: the first fix on the new side, the begin or end of a schedule, the end of the dwell time.
        visit_id: the same for all events of one visit, and the same again when the track is run anew.
        sample_at: the time of the fix that settled it.
        reason: "deep", "steady", "held" (see fence_rule), "schedule", "changed", "silence", "passed", "lasted".
    """

    unit_id: UUID
    fence_id: UUID
    kind: EventKind
    at: datetime
    visit_id: UUID
    sample_at: datetime
    reason: str = ""


def visit_id(unit_id: UUID, fence_id: UUID, began_at: datetime) -> UUID:
    """The id of the visit of a unit to a fence that began then."""
    return uuid5(_VISITS, f"{unit_id.hex}{fence_id.hex}{began_at.astimezone(UTC).isoformat()}")
