"""Response plans (预案) as typed rows: levels, places to fill, fences, checklists; and which plan fits an incident."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from gridmap.domain.vocab import vocabulary
from gridmap.errors import Invalid

Mode = Literal["named", "next_in_line", "broadcast"]
MODES: tuple[Mode, ...] = ("named", "next_in_line", "broadcast")
FENCES = ("grid", "neighbours", "buffer_m", "minutes")
UNDELIVERED = ("next", "sms", "voice")
MOST_PLACES = 50
OFFER_S, DELIVER_S, LEVEL_S = 45, 15, 180
MAX_BUFFER_M, MAX_MINUTES = 20_000.0, 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """`count` people of one capability or one kind of unit; with neither, anybody. `key` names it on a dispatch."""

    key: str
    count: int
    capability: str | None = None
    unit_kind: str | None = None

    def fits(self, kind: str, capabilities: Iterable[str]) -> bool:
        """True when a unit of this kind with these capabilities may take such a place."""
        if self.capability is not None:
            return self.capability in capabilities
        return self.unit_kind is None or self.unit_kind == kind


@dataclass(frozen=True, slots=True)
class FenceRule:
    """Where people are asked: the incident's grid, that and its neighbours, so many metres, or minutes of travel.

    `mode` is the way to travel that the ground of a broadcast is cut out by; who is ranked is measured by their own.
    """

    kind: str
    value: float | None = None
    mode: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """How a call-out goes about it; stored with it, so that a plan's later version changes nothing that runs.

    Seconds: `offer_s` for an answer, `deliver_s` for the phone to have it, `level_s` until the next level is asked.
    """

    fence: FenceRule | None = None
    offer_s: int = OFFER_S
    deliver_s: int = DELIVER_S
    level_s: int = LEVEL_S
    undelivered: str = "next"
    own_grid_first: bool = False
    flat: bool = False
    mutual_aid: bool = False
    ask_again: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Rules:
        fence = stored.get("fence")
        return cls(**{**stored, "fence": FenceRule(**fence) if fence else None})


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """One step of a plan's escalation; what it leaves unmet is added to the level above."""

    mode: Mode
    need: tuple[Place, ...]
    rules: Rules


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One line of the checklist, due `due_min` minutes after the plan started, as `calendar` counts them."""

    key: str
    zh: str
    en: str
    due_min: int | None
    calendar: str = "round_the_clock"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A response plan. `classes` are classes or groups of classes; `auto` the severities that start it by itself.

    A retired one fits nothing and is started by nobody; what was started with an older version goes on.
    """

    key: str
    zh: str
    en: str
    classes: tuple[str, ...]
    severities: tuple[int, ...]
    auto: tuple[int, ...]
    tell: tuple[str, ...]
    levels: tuple[Level, ...]
    steps: tuple[Step, ...]
    retired: bool = False

    def matches(self, class_key: str, severity: int) -> int:
        """How closely it fits: 0 not at all, 1 by the group, 2 by the very class."""
        if self.retired or severity not in self.severities:
            return 0
        if class_key in self.classes:
            return 2
        return int(class_key.split(".")[0] in self.classes)


def best_match(plans: Iterable[Plan], class_key: str, severity: int) -> Plan | None:
    """The closest plan; of equals the one for fewer severities, then by key."""
    fitting = [plan for plan in plans if plan.matches(class_key, severity)]
    return min(
        fitting,
        key=lambda plan: (-plan.matches(class_key, severity), len(plan.severities), plan.key),
        default=None,
    )


def digest_of(body: Mapping[str, Any]) -> str:
    """Tells one version's content from another's."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def plan_from(row: Mapping[str, Any]) -> Plan:
    """A plan of plain data, as it was stored; whether this deployment can go by it says `plan_check`.

    Raises Invalid("plan_broken").
    """
    try:
        return Plan(
            key=row["key"],
            zh=row["name"]["zh"],
            en=row["name"]["en"],
            classes=tuple(row["classes"]),
            severities=tuple(row.get("severities", (1, 2, 3, 4))),
            auto=tuple(row.get("auto", ())),
            tell=tuple(row.get("tell", ())),
            levels=tuple(_level(level) for level in row["level"]),
            steps=tuple(
                Step(
                    key=step["key"],
                    zh=step["name"]["zh"],
                    en=step["name"]["en"],
                    due_min=step.get("due_min"),
                    calendar=step.get("calendar", "round_the_clock"),
                )
                for step in row.get("step", ())
            ),
            retired=row.get("retired", False),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Invalid("plan_broken", reason=str(error)) from error


def _level(row: Mapping[str, Any]) -> Level:
    rules = {name: value for name, value in row.items() if name not in ("mode", "need", "fence")}
    return Level(
        mode=row["mode"],
        need=places_from(row.get("need", ())),
        rules=Rules(fence=_fence(row.get("fence")), **rules),
    )


def _fence(row: Mapping[str, Any] | str | None) -> FenceRule | None:
    if row is None:
        return None
    if isinstance(row, str):
        return FenceRule(row)
    ((kind, value),) = ((name, value) for name, value in row.items() if name != "mode")
    return FenceRule(kind, float(value), row.get("mode"))


def places_from(rows: Sequence[Mapping[str, Any]]) -> tuple[Place, ...]:
    """Places of plain data, equal ones added up. Raises Invalid("need_broken")."""
    counts: dict[str, Place] = {}
    for row in rows:
        capability, unit_kind = row.get("capability"), row.get("unit_kind")
        if capability is not None and unit_kind is not None:
            raise Invalid("need_broken", reason="capability_and_unit_kind")
        key = f"capability:{capability}" if capability else f"kind:{unit_kind}" if unit_kind else "any"
        count = row.get("count", 1)
        if not isinstance(count, int) or count < 1:
            raise Invalid("need_broken", reason="count")
        before = counts[key].count if key in counts else 0
        counts[key] = Place(key, before + count, capability, unit_kind)
    # The demanding places first: who could take either leaves the easy one to others.
    return tuple(sorted(counts.values(), key=lambda place: (place.key == "any", place.key)))


def check_need(need: Sequence[Place]) -> None:
    """Raises Invalid for a capability or a kind of unit that nobody knows, and for too many places."""
    words = vocabulary()
    for place in need:
        if place.capability is not None:
            words.term("capability", place.capability)
        if place.unit_kind is not None:
            words.term("unit_kind", place.unit_kind)
    if sum(place.count for place in need) > MOST_PLACES:
        raise Invalid("need_broken", reason="too_many", most=MOST_PLACES)


def check_rules(mode: str, rules: Rules) -> None:
    """Raises Invalid for what no call-out can go by."""
    if mode not in MODES:
        raise Invalid("callout_mode_unknown", given=mode, known=list(MODES))
    for name, value, least, most in (
        ("offer_s", rules.offer_s, 10, 3_600),
        ("deliver_s", rules.deliver_s, 5, 600),
        ("level_s", rules.level_s, 10, 86_400),
    ):
        if not least <= value <= most:
            raise Invalid("callout_time_out_of_range", field=name, least=least, most=most)
    if rules.undelivered not in UNDELIVERED:
        raise Invalid("undelivered_unknown", given=rules.undelivered, known=list(UNDELIVERED))
    if mode == "broadcast" and rules.fence is None:
        raise Invalid("broadcast_needs_fence")
    if rules.fence is not None:
        _check_fence(rules.fence)


def _check_fence(fence: FenceRule) -> None:
    if fence.kind not in FENCES:
        raise Invalid("fence_kind_unknown", given=fence.kind, known=list(FENCES))
    most = {"buffer_m": MAX_BUFFER_M, "minutes": MAX_MINUTES}.get(fence.kind)
    if most is not None and not (fence.value is not None and 0 < fence.value <= most):
        raise Invalid("fence_value_out_of_range", kind=fence.kind, most=most)
    if fence.mode is not None:
        vocabulary().term("mode", fence.mode)


def add_up(first: Sequence[Place], second: Sequence[Place]) -> tuple[Place, ...]:
    """Both needs in one: what a level left unmet and what the next one wants anyway."""
    return places_from([asdict(place) for place in (*first, *second)])


def missing(need: Sequence[Place], taken: Mapping[str, int]) -> tuple[Place, ...]:
    """The places that nobody has taken, with how many of each are left."""
    left = (
        Place(place.key, place.count - taken.get(place.key, 0), place.capability, place.unit_kind)
        for place in need
    )
    return tuple(place for place in left if place.count > 0)


def place_for(
    left: Sequence[Place], kind: str, capabilities: Iterable[str], preferred: str | None = None
) -> Place | None:
    """Which of the places that are left a unit takes: the one it was asked for, else the first that it fits."""
    has = frozenset(capabilities)
    fitting = [place for place in left if place.fits(kind, has)]
    wanted = [place for place in fitting if place.key == preferred]
    return next(iter(wanted or fitting), None)


def need_json(need: Sequence[Place]) -> list[dict[str, Any]]:
    return [asdict(place) for place in need]


def need_from(stored: Sequence[Mapping[str, Any]]) -> tuple[Place, ...]:
    return tuple(Place(**row) for row in stored)
