"""The words that screens show, in both languages."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from gridmap.domain.vocab import Vocabulary, vocabulary
from web.guards import signed_in

vocab = APIBlueprint("vocab", __name__, url_prefix="/api", tag="vocab")

# The name outside -> the list in the vocabulary.
_LISTS = {
    "severities": "severity",
    "channels": "channel",
    "outcomes": "outcome",
    "closure_reasons": "closure_reason",
    "end_reasons": "end_reason",
    "blocked_reasons": "blocked_reason",
    "callout_modes": "callout_mode",
    "callout_statuses": "callout_status",
    "call_fences": "call_fence",
    "agencies": "agency",
    "levels": "level",
    "unit_kinds": "unit_kind",
    "modes": "mode",
    "capabilities": "capability",
    "event_kinds": "event_kind",
    "decline_reasons": "decline_reason",
    "unit_statuses": "unit_status",
    "camera_statuses": "camera_status",
    "alarm_kinds": "alarm_kind",
    "location_methods": "location_method",
    "precisions": "precision",
    "results": "result",
    "divert_rules": "divert_rule",
    "work_calendars": "work_calendar",
    "pause_reasons": "pause_reason",
}


@vocab.get("/vocab")
@signed_in
def get_vocab() -> dict[str, Any]:
    """Classes, statuses, roles and every short list, each with its name in Chinese and English."""
    words = vocabulary()
    return {
        "scheme": words.scheme,
        "classes": [row.as_json() for row in words.classes.values()],
        "incident_statuses": _statuses(words, "incident"),
        "dispatch_statuses": _statuses(words, "dispatch"),
        "roles": [
            {
                "key": role.key,
                "name": {"zh": role.zh, "en": role.en},
                "machine": role.machine,
                "verbs": sorted(role.verbs),
            }
            for role in words.roles.values()
        ],
        **{
            name: [term.as_json() for term in words.lists[key].values()]
            for name, key in _LISTS.items()
            if key in words.lists
        },
    }


def _statuses(words: Vocabulary, noun: str) -> list[dict[str, Any]]:
    lifecycle = words.lifecycles[noun]
    return [{**term.as_json(), "active": key in lifecycle.active} for key, term in lifecycle.statuses.items()]
