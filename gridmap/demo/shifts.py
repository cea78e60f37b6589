"""The demo's shifts by local hours: the rosters and the simulated crews keep to the same ones."""

from __future__ import annotations

# Local hours from (inclusive) and to (exclusive) of each shift.
SHIFT_HOURS = {"day": (8, 20), "early": (8, 16), "late": (16, 24), "night": (0, 8)}
WHOLE_DAY = (0, 24)


def hours_of(shift: str | None, unit_ref: str) -> tuple[int, int]:
    """From (inclusive) and to (exclusive). Every ninth grid worker also works the evening and night."""
    if (shift or "day") == "day" and int(unit_ref[-3:] or 0) % 9 == 0:
        return WHOLE_DAY
    return SHIFT_HOURS.get(shift or "day", WHOLE_DAY)
