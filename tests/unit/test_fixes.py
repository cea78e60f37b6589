"""Each refusal of a position has its name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gridmap.domain.ids import new_id
from gridmap.positions.fixes import LastFix, RawFix, refusal

NOW = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
FIX = RawFix(unit_id=new_id(), lon=113.0, lat=28.2, fixed_at=NOW, accuracy_m=10)
LAST = LastFix(113.0, 28.2, NOW - timedelta(seconds=10), 10)


@pytest.mark.parametrize(
    ("fix", "reason"),
    [
        (FIX, None),
        (replace(FIX, lon=0.0, lat=0.0), "null_island"),
        (replace(FIX, fixed_at=NOW + timedelta(minutes=6)), "future"),
        (replace(FIX, fixed_at=NOW - timedelta(hours=25)), "stale"),
        (replace(FIX, accuracy_m=800), "poor_accuracy"),
        (replace(FIX, fixed_at=LAST.fixed_at), "duplicate"),
        (replace(FIX, lon=113.05), "impossible_speed"),
        (replace(FIX, lon=113.005), None),
        (replace(FIX, lon=113.05, fixed_at=NOW - timedelta(hours=1)), None),
    ],
)
def test_reasons(fix: RawFix, reason: str | None) -> None:
    assert refusal(fix, NOW, LAST) == reason


def test_the_first_fix_needs_no_past() -> None:
    assert refusal(FIX, NOW, None) is None
