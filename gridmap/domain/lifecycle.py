"""Moving a status: one table per noun, read from the vocabulary, and nothing beside it."""

from __future__ import annotations

from gridmap.domain.vocab import vocabulary
from gridmap.errors import Conflict, Invalid


def next_status(noun: str, status: str, verb: str, *, reason: str | None = None) -> str:
    """The status that `verb` leads to from `status`.

    Raises Conflict("not_allowed_in_status") when the table has no such way, and Invalid("reason_needed")
    when the way asks for a reason and `reason` is empty.
    """
    transition = vocabulary().lifecycles[noun].transitions[verb]
    if status not in transition.sources:
        raise Conflict(
            "not_allowed_in_status",
            noun=noun,
            status=status,
            verb=verb,
            allowed_from=sorted(transition.sources),
        )
    if transition.needs_reason and not (reason or "").strip():
        raise Invalid("reason_needed", verb=verb)
    return transition.target


def verbs_from(noun: str, status: str) -> frozenset[str]:
    """Every verb that the table allows in `status`."""
    ways = vocabulary().lifecycles[noun].transitions.values()
    return frozenset(way.verb for way in ways if status in way.sources)


def is_active(noun: str, status: str) -> bool:
    """True while the noun still needs somebody."""
    return status in vocabulary().lifecycles[noun].active


def active_statuses(noun: str) -> frozenset[str]:
    """The statuses in which the noun still needs somebody."""
    return vocabulary().lifecycles[noun].active
