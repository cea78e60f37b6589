"""When something was done that a phone tells of later: on the server's clock, within bounds."""

from __future__ import annotations

from datetime import datetime, timedelta

# No shift is longer: what a phone says it kept for more than that is not believed.
MOST_LATE = timedelta(hours=12)
# Below it the difference is the line's own delay, not a tap without a line.
AT_ONCE = timedelta(seconds=5)


def happened_at(now: datetime, tapped_at: datetime, sent_at: datetime) -> datetime | None:
    """The moment of the tap on the server's clock, or None when it was told at once.

    `tapped_at` and `sent_at` are of one and the same clock, the phone's, which may be off by any amount: only what
    lies between the two counts, so the phone's offset falls out and what is left of error is the line's delay. A
    clock that was set back in between says nothing (None); one set forward is held to MOST_LATE.
    """
    late = sent_at - tapped_at
    return now - min(late, MOST_LATE) if late > AT_ONCE else None


def within(now: datetime, said: datetime | None, *earlier: datetime | None) -> datetime:
    """`said`, or `now` where nothing was said, but never before what had to come earlier and never after `now`."""
    least = max((at for at in earlier if at is not None), default=None)
    moment = min(said or now, now)
    return moment if least is None else max(moment, least)
