"""One unit and one fence: taken to be outside, inside or not yet known, and what is told when that changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from gridmap.positions.fence_model import EVER, EventKind, Fence, FenceEvent, Sample, visit_id
from gridmap.positions.fence_rule import HELD_S, SURE, Run

Side = Literal["new", "out", "in"]


@dataclass(slots=True)
class Visit:
    """What is remembered of a unit near or inside a fence. A unit without one is surely outside.

    Attributes:
        side: "new" until the first certainty after the fence, the unit or the schedule appeared.
        run: the open run on the other side.
        came: the kind of event that the coming in is told as, and why it was certain.
        entered_at: the first fix inside.
        told_at: when the visit began as told; None while it is not told (the schedule sleeps).
        until: when the schedule under which it was told ends.
        anchor: (x, y, accuracy) of the last fix that was surely outside, while the unit may be on its way through.
        touched: whether the way since then met the fence.
    """

    fence_id: UUID
    version: int
    side: Side = "new"
    run: Run | None = None
    came: EventKind = "enter"
    why: str = ""
    entered_at: datetime | None = None
    told_at: datetime | None = None
    until: datetime | None = None
    dwelt: bool = False
    anchor: tuple[float, float, float, datetime] | None = None
    touched: bool = False

    def observe(
        self, fence: Fence, sample: Sample, accuracy_m: float, inside: bool, away_m: float, *, lone: bool
    ) -> FenceEvent | None:
        """Take up a fix that is inside or outside the fence and `away_m` from its border.

        Returns the event of leaving, where it was told; coming in is told by `tell`. The side is "out" and the run
        None where nothing is left in doubt.
        """
        if self.side == "in":
            beyond_m = -1.0 if inside else away_m - fence.buffer_m
            if beyond_m <= 0.0:
                self.run = None
                return None
            why = self._more(sample.at, beyond_m / accuracy_m, lone=lone, hold_s=fence.exit_s)
            return self._leave(sample, why) if why else None
        if inside:
            self.touched = True
            why = self._more(sample.at, away_m / accuracy_m, lone=lone, hold_s=HELD_S)
            if why:
                self._come(why)
        else:
            self.run = None
            self.side = "out"
        return None

    def tell(self, fence: Fence, sample: Sample) -> list[FenceEvent]:
        """What the schedule and the time inside say at this fix: coming in, going with the schedule, dwelling."""
        told: list[FenceEvent] = []
        if self.told_at is not None and self.until is not None and sample.at >= self.until:
            told.append(self._event(sample, "exit", self.until, "schedule"))
            self.told_at = self.until = None
        if self.side != "in":
            return told
        if self.told_at is None and (begun := self._begin(fence, sample)) is not None:
            told.append(begun)
        due = self._dwell_due(fence)
        if due is not None and sample.at >= due and self.run is None:
            told.append(self._event(sample, "dwell", due, "lasted"))
            self.dwelt = True
        return told

    def wakes_at(self, fence: Fence, after: datetime) -> datetime | None:
        """When a unit that stays inside has something told; None for never."""
        if self.told_at is None:
            if fence.since is not None and fence.since > after:
                return fence.since
            if fence.active is None or (fence.until is not None and fence.until <= after):
                return None
            return fence.active.next_begin(after) or after + timedelta(days=1)
        return min((at for at in (self._dwell_due(fence), self.until) if at is not None), default=None)

    def end(self, sample: Sample, at: datetime, why: str) -> FenceEvent | None:
        """End the visit for a reason that is not the unit's; the event where it was told."""
        if self.told_at is None:
            return None
        ended = self._event(sample, "exit", min(at, self.until) if self.until else at, why)
        self.told_at = None
        return ended

    def is_settled(self, *, inside: bool) -> bool:
        return self.side == "in" and self.run is None and inside

    def _more(self, at: datetime, depth: float, *, lone: bool, hold_s: float) -> str | None:
        if self.run is None:
            self.run = Run(at)
        return self.run.change(at, depth, lone=lone, hold_s=hold_s)

    def _come(self, why: str) -> None:
        assert self.run is not None
        self.came = "inside" if self.side == "new" else "enter"
        self.side, self.why, self.entered_at, self.run = "in", why, self.run.since, None
        self.dwelt, self.anchor, self.touched = False, None, False

    def _leave(self, sample: Sample, why: str) -> FenceEvent | None:
        assert self.run is not None
        left_at = self.run.since
        self.side, self.run, self.entered_at = "out", None, None
        if self.told_at is None:
            return None
        # A schedule that ended between the two has ended the visit first.
        over = self.until is not None and self.until <= left_at
        left = self._event(
            sample,
            "exit",
            self.until if over and self.until is not None else left_at,
            "schedule" if over else why,
        )
        self.told_at = self.until = None
        return left

    def _begin(self, fence: Fence, sample: Sample) -> FenceEvent | None:
        assert self.entered_at is not None
        span = fence.span_at(sample.at)
        if span is None:
            return None
        began_with_schedule = self.entered_at < span[0]
        self.told_at = span[0] if began_with_schedule else self.entered_at
        self.until, self.dwelt = None if span[1] == EVER else span[1], False
        if began_with_schedule:
            return self._event(sample, "inside", self.told_at, "schedule")
        return self._event(sample, self.came, self.told_at, self.why)

    def _dwell_due(self, fence: Fence) -> datetime | None:
        if fence.dwell_s is None or self.dwelt or self.told_at is None:
            return None
        return self.told_at + timedelta(seconds=fence.dwell_s)

    def _event(self, sample: Sample, kind: EventKind, at: datetime, why: str) -> FenceEvent:
        assert self.told_at is not None
        visit = visit_id(sample.unit_id, self.fence_id, self.told_at)
        return FenceEvent(sample.unit_id, self.fence_id, kind, at, visit, sample.at, why)

    def as_json(self) -> list[Any]:
        """Everything, as plain values."""
        run = self.run
        anchor = self.anchor
        return [
            self.fence_id.hex,
            self.version,
            self.side,
            None if run is None else [run.since.isoformat(), run.fixes, run.total, run.last],
            self.came,
            self.why,
            _iso(self.entered_at),
            _iso(self.told_at),
            _iso(self.until),
            self.dwelt,
            None if anchor is None else [*anchor[:3], anchor[3].isoformat()],
            self.touched,
        ]

    @classmethod
    def from_json(cls, told: list[Any]) -> Visit:
        fence, version, side, run, came, why, entered, told_at, until, dwelt, anchor, touched = told
        return cls(
            fence_id=UUID(fence),
            version=version,
            side=side,
            run=None if run is None else Run(datetime.fromisoformat(run[0]), *run[1:]),
            came=came,
            why=why,
            entered_at=_moment(entered),
            told_at=_moment(told_at),
            until=_moment(until),
            dwelt=dwelt,
            anchor=None if anchor is None else (*anchor[:3], datetime.fromisoformat(anchor[3])),
            touched=touched,
        )


def is_sure(away_m: float, accuracy_m: float) -> bool:
    """Whether a fix is certainly on the side it seems to be on."""
    return away_m >= SURE * accuracy_m


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
