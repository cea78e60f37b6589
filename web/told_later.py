"""What a phone tells later than it was done: two headers, read the same for every verb."""

from __future__ import annotations

from datetime import datetime

from flask import has_request_context, request

from gridmap.domain.told_later import happened_at
from gridmap.errors import Invalid

TAPPED_AT, SENT_AT = "X-Tapped-At", "X-Sent-At"


def acted_at(now: datetime) -> datetime | None:
    """When the caller did what this request asks for; None where it was just now, or nothing is said of it.

    Both headers are ISO 8601 with a zone and by the phone's own clock, right or wrong. Raises
    Invalid("tapped_at_unreadable") when one of them is missing or no such time.
    """
    if not has_request_context():
        return None
    tapped, sent = request.headers.get(TAPPED_AT), request.headers.get(SENT_AT)
    if tapped is None and sent is None:
        return None
    return happened_at(now, _moment(tapped), _moment(sent))


def _moment(given: str | None) -> datetime:
    try:
        at = datetime.fromisoformat(given or "")
    except ValueError:
        raise Invalid("tapped_at_unreadable") from None
    if at.tzinfo is None:
        raise Invalid("tapped_at_unreadable")
    return at
