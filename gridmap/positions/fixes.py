"""One position as it came, and the filters that accept or name why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gridmap.domain.metric import distance_m

MAX_FUTURE = timedelta(seconds=300)
MAX_AGE = timedelta(hours=24)
MAX_ACCURACY_M = 500.0
MAX_SPEED_MPS = 70.0
# Two fixes closer in time than this say nothing about speed: clocks of phones tick in whole seconds.
MIN_SPEED_GAP_S = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RawFix:
    """A decoded position: degrees WGS84, metres, metres a second, degrees clockwise from north."""

    unit_id: UUID
    lon: float
    lat: float
    fixed_at: datetime
    accuracy_m: float | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    battery_pct: float | None = None


@dataclass(frozen=True, slots=True)
class LastFix:
    """The newest accepted position of the same unit."""

    lon: float
    lat: float
    fixed_at: datetime
    accuracy_m: float | None = None


def refusal(fix: RawFix, received_at: datetime, last: LastFix | None) -> str | None:
    """The named reason to refuse a fix, or None to accept it."""
    if fix.lon == 0 and fix.lat == 0:
        return "null_island"
    if fix.fixed_at > received_at + MAX_FUTURE:
        return "future"
    if fix.fixed_at < received_at - MAX_AGE:
        return "stale"
    if fix.accuracy_m is not None and fix.accuracy_m > MAX_ACCURACY_M:
        return "poor_accuracy"
    if last is None or fix.fixed_at < last.fixed_at:
        return None
    if fix.fixed_at == last.fixed_at:
        return "duplicate"
    return "impossible_speed" if _jumps(fix, last) else None


def _jumps(fix: RawFix, last: LastFix) -> bool:
    """Faster than any patrol car even if both positions err towards each other."""
    gap_s = max((fix.fixed_at - last.fixed_at).total_seconds(), MIN_SPEED_GAP_S)
    doubt_m = (fix.accuracy_m or 0.0) + (last.accuracy_m or 0.0)
    away_m = float(distance_m(last.lon, last.lat, fix.lon, fix.lat))
    return away_m - doubt_m > MAX_SPEED_MPS * gap_s
