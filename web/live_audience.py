"""Who may hear what of the feed: pure rules over one outbox row and one listener's reach."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gridmap.domain.actor import Actor, is_below

log = logging.getLogger("gridmap.live")

# Topics by what gives the right to hear them. A topic that is in none of these is heard by nobody.
CASE_TOPICS = frozenset({"incident", "dispatch", "alarm", "callout", "notice"})
UNIT_TOPICS = frozenset({"unit", "cover"})
MAP_TOPICS = frozenset({"closure"})
OPEN_TOPICS = frozenset({"layer_changed"})


@dataclass(frozen=True, order=True, slots=True)
class Position:
    """A place in the feed's order: the writing transaction's id, then the row's."""

    xid: int
    id: int


@dataclass(frozen=True, slots=True)
class Audience:
    """Who sees an incident by a recorded act, beside those in whose area it lies."""

    accounts: frozenset[UUID] = frozenset()
    units: frozenset[UUID] = frozenset()
    area_paths: tuple[str, ...] = ()

    def holds(self, reach: Reach) -> bool:
        return (
            (reach.account_id is not None and reach.account_id in self.accounts)
            or any(unit in self.units for unit in reach.unit_ids)
            or any(_in(path, reach.case_paths) for path in self.area_paths)
        )


NOBODY_ELSE = Audience()


@dataclass(frozen=True, slots=True)
class Notice:
    """One row of the outbox with its audience; `at_s` is seconds since 1970."""

    position: Position
    at_s: float
    topic: str
    body: Mapping[str, Any]
    path: str
    old_path: str | None = None
    restricted: bool = False
    audience: Audience = NOBODY_ELSE
    lapsed: Audience = NOBODY_ELSE


@dataclass(frozen=True, slots=True)
class Reach:
    """What of an actor decides what a stream hears. Streams with an equal reach share their frames."""

    account_id: UUID | None
    unit_ids: tuple[UUID, ...]
    case_paths: tuple[str, ...]
    map_paths: tuple[str, ...]
    reads_restricted: bool
    reads_units: bool


def reach_of(actor: Actor) -> Reach:
    return Reach(
        account_id=actor.account_id,
        unit_ids=actor.unit_ids,
        case_paths=actor.case_paths,
        map_paths=actor.map_paths,
        reads_restricted=actor.can("case.read_restricted"),
        reads_units=actor.can("unit.read"),
    )


def heard(notice: Notice, reach: Reach) -> dict[str, Any] | None:
    """What a listener of this reach is told, or None.

    `{"id", "gone": True}` when the thing was in sight before and no longer is.
    """
    if notice.topic in OPEN_TOPICS:
        return dict(notice.body)
    if _names_own_unit(notice, reach) and notice.topic != "incident":
        return _with_path(notice)
    if notice.topic in UNIT_TOPICS:
        return _with_path(notice) if reach.reads_units and _in(notice.path, reach.map_paths) else None
    if notice.topic in MAP_TOPICS:
        return _with_path(notice) if _in(notice.path, reach.map_paths) else None
    if notice.topic not in CASE_TOPICS:
        return None
    hidden = notice.restricted and not reach.reads_restricted
    in_area = _in(notice.path, reach.case_paths)
    if (in_area and not hidden) or notice.audience.holds(reach):
        return _with_path(notice)
    left_area = notice.old_path is not None and _in(notice.old_path, reach.case_paths) and not hidden
    newly_hidden = in_area and hidden and notice.body.get("kind") == "reclassified"
    if left_area or newly_hidden or notice.lapsed.holds(reach):
        return {"id": notice.body.get("id"), "gone": True}
    return None


def chunk_for(notice: Notice, reach: Reach, event_id: str) -> bytes | None:
    """The bytes that tell a listener of this reach; a notice that cannot be told makes the page load anew."""
    try:
        told = heard(notice, reach)
        return None if told is None else frame(notice.topic, told, event_id)
    except (TypeError, ValueError, AttributeError, KeyError):
        log.exception("notice %s of topic %s cannot be told", event_id, notice.topic)
        return frame("resync", {}, event_id)


def _with_path(notice: Notice) -> dict[str, Any]:
    return {**notice.body, "path": notice.path}


def _in(path: str, roots: Iterable[str]) -> bool:
    return any(is_below(path, root) for root in roots)


def _names_own_unit(notice: Notice, reach: Reach) -> bool:
    named = notice.body.get("unit_id")
    return named is not None and any(str(unit) == named for unit in reach.unit_ids)


def frame(event: str, data: Mapping[str, Any], event_id: str | None = None) -> bytes:
    """One event in the form of the HTML standard's section on server-sent events."""
    lead = f"id: {event_id}\n" if event_id else ""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return f"{lead}event: {event}\ndata: {text}\n\n".encode()
