"""Reading single values of payloads that other people's programs wrote."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from gridmap.errors import Invalid

MAX_ABS_COORDINATE = 1e9
MAX_ACCURACY_M = 1e6
MAX_SPEED_MPS = 400.0
# The protocols' own border between epoch seconds and milliseconds.
_SECONDS_BELOW = 2_147_483_647


def number(value: object, name: str) -> float:
    """A finite number, given as a number or as text. Raises Invalid("payload_malformed", field)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Invalid("payload_malformed", field=name)
    try:
        found = float(value)
    except (ValueError, OverflowError):
        raise Invalid("payload_malformed", field=name) from None
    if not math.isfinite(found):
        raise Invalid("payload_malformed", field=name)
    return found


def coordinate(value: object, name: str) -> float:
    """A coordinate of whatever system; its range is checked when the system is known."""
    found = number(value, name)
    if abs(found) > MAX_ABS_COORDINATE:
        raise Invalid("payload_malformed", field=name)
    return found


def optional(value: object, name: str, *, least: float = 0.0, most: float = math.inf) -> float | None:
    """A number that may be missing; below `least` means "unknown" in these protocols (-1), above `most` is nonsense."""
    if value is None or value == "":
        return None
    found = number(value, name)
    return found if least <= found <= most else None


def accuracy(value: object, name: str) -> float | None:
    """A radius in metres; nothing, zero and -1 mean "unknown". An absurd one stays poor, however large."""
    found = optional(value, name)
    return None if not found else min(found, MAX_ACCURACY_M)


def moment(value: object, name: str) -> datetime:
    """Epoch seconds or milliseconds, ISO with a T, or "YYYY-MM-DD hh:mm:ss"; without a zone it is UTC."""
    if isinstance(value, str) and not _is_number(value):
        return _written(value, name)
    epoch = number(value, name)
    try:
        return datetime.fromtimestamp(epoch if epoch < _SECONDS_BELOW else epoch / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise Invalid("payload_malformed", field=name) from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _written(text: str, name: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid("payload_malformed", field=name) from None
