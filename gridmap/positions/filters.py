"""Which fixes are believed, and the named reason for each that is not.

One device at a time, in the order of the fixes' own times. A fix that would need an impossible speed is held back, not
thrown away: when a chain of such fixes agrees among itself, the older fix was the wrong one and the chain wins.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from gridmap.domain.metric import near_distance_m
from gridmap.positions.fixes import RawFix

MAX_FUTURE = timedelta(seconds=300)
MAX_AGE = timedelta(hours=24)
MAX_ACCURACY_M = 500.0
MAX_SPEED_MPS = 70.0
# Two fixes closer in time than this say nothing about speed: clocks of phones tick in whole seconds.
MIN_SPEED_GAP_S = 2.0
# What it takes to believe a place that cannot be reached from the last one: a phone on a wrong cell tower often repeats
# its mistake once or twice within seconds.
CHAIN_FIXES = 3
CHAIN_SPAN = timedelta(seconds=10)
_CHAIN_MOST = 60


class Refusal(StrEnum):
    """Why a fix is not believed."""

    NULL_ISLAND = "null_island"
    FUTURE = "future"
    STALE = "stale"
    POOR_ACCURACY = "poor_accuracy"
    DUPLICATE = "duplicate"
    IMPOSSIBLE_SPEED = "impossible_speed"


@dataclass(frozen=True, slots=True)
class Received:
    """A fix and when the door took it."""

    fix: RawFix
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Spot:
    """An accepted position of a device."""

    lon: float
    lat: float
    at: datetime
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of a device before a batch: its newest believed position, and the chain that is held back."""

    last: Spot | None = None
    pending: tuple[Received, ...] = ()


@dataclass(slots=True)
class Sifted:
    """What a batch of one device came to. `accepted` is in time order; every fix is accepted, counted or held."""

    memory: Memory
    accepted: list[Received] = field(default_factory=list)
    refused: Counter[Refusal] = field(default_factory=Counter)


def refusal(fix: RawFix, received_at: datetime) -> Refusal | None:
    """What is wrong with a fix by itself, if anything."""
    if fix.lon == 0 and fix.lat == 0:
        return Refusal.NULL_ISLAND
    if fix.fixed_at > received_at + MAX_FUTURE:
        return Refusal.FUTURE
    if fix.fixed_at < received_at - MAX_AGE:
        return Refusal.STALE
    if fix.accuracy_m is not None and fix.accuracy_m > MAX_ACCURACY_M:
        return Refusal.POOR_ACCURACY
    return None


def sift(memory: Memory, batch: Sequence[Received], stored: Sequence[Spot] = ()) -> Sifted:
    """Sift one device's fixes. `stored` are its accepted positions around late ones, in time order (`late_span`)."""
    found = Sifted(memory)
    track = list(stored)
    chain = list(memory.pending)
    last = memory.last
    for one in sorted(batch, key=lambda one: one.fix.fixed_at):
        fix = one.fix
        wrong = refusal(fix, one.received_at)
        if wrong is not None:
            found.refused[wrong] += 1
        elif last is not None and fix.fixed_at <= last.at:
            wrong = _late_refusal(fix, last, track)
            if wrong is None:
                found.accepted.append(one)
            else:
                found.refused[wrong] += 1
        elif last is None or not _jumps(last, fix):
            # The last place is confirmed, so whatever contradicted it was wrong.
            _give_up(chain, found)
            found.accepted.append(one)
            last = _spot(fix)
        else:
            _hold(chain, one, found)
            if len(chain) >= CHAIN_FIXES and chain[-1].fix.fixed_at - chain[0].fix.fixed_at >= CHAIN_SPAN:
                found.accepted += chain
                last = _spot(chain[-1].fix)
                chain = []
    found.accepted.sort(key=lambda one: one.fix.fixed_at)
    found.memory = Memory(last, tuple(chain))
    return found


def late_span(memory: Memory, batch: Sequence[Received]) -> tuple[datetime, datetime] | None:
    """From when to when `sift` needs the stored positions of the device; None when nothing in the batch is late."""
    if memory.last is None:
        return None
    late = [one.fix.fixed_at for one in batch if one.fix.fixed_at <= memory.last.at]
    if not late:
        return None
    return min(late) - MAX_AGE / 24, max(late) + MAX_AGE / 24


def _late_refusal(fix: RawFix, last: Spot, track: list[Spot]) -> Refusal | None:
    """A fix from before the newest one must fit between its neighbours in time; it is put among them if it does."""
    if fix.fixed_at == last.at:
        return Refusal.DUPLICATE
    at = bisect_left(track, fix.fixed_at, key=lambda spot: spot.at)
    after = track[at] if at < len(track) else last
    if after.at == fix.fixed_at:
        return Refusal.DUPLICATE
    before = track[at - 1] if at else None
    here = _spot(fix)
    if _too_fast(here, after) or (before is not None and _too_fast(before, here)):
        return Refusal.IMPOSSIBLE_SPEED
    track.insert(at, here)
    return None


def _hold(chain: list[Received], one: Received, found: Sifted) -> None:
    """Add a fix to the chain it agrees with; a fix that agrees with nothing begins a new one."""
    if chain:
        tail = chain[-1].fix
        if one.fix.fixed_at == tail.fixed_at:
            found.refused[Refusal.DUPLICATE] += 1
            return
        out_of_turn = one.fix.fixed_at < tail.fixed_at
        if out_of_turn or len(chain) >= _CHAIN_MOST or _jumps(_spot(tail), one.fix):
            _give_up(chain, found)
    chain.append(one)


def _give_up(chain: list[Received], found: Sifted) -> None:
    if chain:
        found.refused[Refusal.IMPOSSIBLE_SPEED] += len(chain)
        chain.clear()


def _jumps(last: Spot, fix: RawFix) -> bool:
    return _too_fast(last, _spot(fix))


def _too_fast(first: Spot, second: Spot) -> bool:
    """Faster than any patrol car even if both positions err towards each other."""
    gap_s = max((second.at - first.at).total_seconds(), MIN_SPEED_GAP_S)
    doubt_m = (first.accuracy_m or 0.0) + (second.accuracy_m or 0.0)
    away_m = near_distance_m(first.lon, first.lat, second.lon, second.lat)
    return away_m - doubt_m > MAX_SPEED_MPS * gap_s


def _spot(fix: RawFix) -> Spot:
    return Spot(fix.lon, fix.lat, fix.fixed_at, fix.accuracy_m)
