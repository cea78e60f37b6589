"""Whether a response plan can be gone by here: every fault of it at once, each with the field it stands in."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from gridmap.domain.response import (
    FENCES,
    MAX_BUFFER_M,
    MAX_MINUTES,
    MOST_PLACES,
    UNDELIVERED,
    Plan,
    plan_from,
)
from gridmap.domain.vocab import vocabulary, vocabulary_dir
from gridmap.errors import Invalid, Misconfigured

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
PLAN_MODES = ("next_in_line", "broadcast")
MOST_LEVELS, MOST_STEPS, MOST_NAME = 8, 40, 80
MOST_DUE_MIN = 90 * 24 * 60
SECONDS = {"offer_s": (10, 3_600), "deliver_s": (5, 600), "level_s": (10, 86_400)}
FENCE_MOST = {"buffer_m": MAX_BUFFER_M, "minutes": MAX_MINUTES}
_PLAN_WORDS = ("key", "name", "classes", "severities", "auto", "tell", "level", "step", "retired")
_LEVEL_WORDS = ("mode", "need", "fence", "undelivered", *SECONDS)
_LEVEL_FLAGS = ("own_grid_first", "flat", "mutual_aid", "ask_again")
_STEP_WORDS = ("key", "name", "due_min", "calendar")


@dataclass(frozen=True, slots=True)
class Fault:
    """`at` is the way to the field through the plan's data, such as level.0.need.1.count."""

    at: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"field": self.at, "code": self.code, "params": dict(self.params)}


def check_plan(body: Mapping[str, Any]) -> Plan:
    """The plan of plain data, as it is gone by. Raises Invalid("plan_broken", faults=[{field, code, params}])."""
    if found := plan_faults(body):
        raise Invalid("plan_broken", faults=[fault.as_json() for fault in found])
    return plan_from(body)


def shipped_plans(folder: Path | None = None) -> list[dict[str, Any]]:
    """The plans of `plans.toml` as plain data, each checked. Raises Misconfigured that names the plan and the fault."""
    path = (folder or vocabulary_dir()) / "plans.toml"
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["plan"]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured("plans_unreadable", file=path.name, reason=str(error)) from error
    for row in rows:
        try:
            check_plan(row)
        except Invalid as fault:
            raise Misconfigured(fault.code, plan=row.get("key"), **fault.params) from fault
    return cast(list[dict[str, Any]], rows)


def plan_faults(body: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Everything that this deployment cannot go by, in the order of the plan."""
    return tuple(_Check().plan(body))


class _Check:
    """Goes through plain data of any form, as somebody may have written it by hand."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def plan(self, body: Mapping[str, Any]) -> list[Fault]:
        self.words("", body, _PLAN_WORDS)
        if not isinstance(body.get("key"), str) or not KEY.fullmatch(body["key"]):
            self.add("key", "key_form")
        self.names("name", body.get("name"))
        self.classes(body.get("classes"))
        self.severities(body)
        self.keys("tell", body.get("tell", ()), vocabulary().lists["level"])
        self.flag("retired", body.get("retired", False))
        for index, level in self.rows("level", body.get("level"), MOST_LEVELS, least=1):
            self.level(f"level.{index}", level, is_first=index == 0)
        seen: set[str] = set()
        for index, step in self.rows("step", body.get("step", ()), MOST_STEPS):
            self.step(f"step.{index}", step, seen)
        return self.found

    def add(self, at: str, code: str, **params: Any) -> None:
        self.found.append(Fault(at, code, params))

    def words(self, at: str, row: Mapping[str, Any], known: Iterable[str]) -> None:
        for word in sorted(set(row) - set(known)):
            self.add(f"{at}.{word}".lstrip("."), "unknown_word", given=word)

    def rows(self, at: str, rows: Any, most: int, least: int = 0) -> Sequence[tuple[int, Mapping[str, Any]]]:
        if not _is_list(rows) or not all(isinstance(row, Mapping) for row in rows):
            self.add(at, "wrong_form")
            return ()
        if len(rows) < least:
            self.add(at, "none_given")
        if len(rows) > most:
            self.add(at, "too_many", most=most)
        return tuple(enumerate(rows))

    def names(self, at: str, names: Any) -> None:
        for language in ("zh", "en"):
            text = names.get(language) if isinstance(names, Mapping) else None
            if not isinstance(text, str) or not text.strip():
                self.add(f"{at}.{language}", "text_missing")
            elif "\0" in text:
                self.add(f"{at}.{language}", "wrong_form")
            elif len(text) > MOST_NAME:
                self.add(f"{at}.{language}", "text_too_long", most=MOST_NAME)

    def keys(self, at: str, keys: Any, known: Iterable[Any]) -> None:
        if not _is_list(keys):
            self.add(at, "wrong_form")
            return
        for key in keys:
            if not _is_one_of(key, known):
                self.add(at, "unknown_key", given=str(key)[:64])
        if len(keys) != len({str(key) for key in keys}):
            self.add(at, "twice")

    def classes(self, keys: Any) -> None:
        self.keys("classes", keys, vocabulary().classes)
        if _is_list(keys) and not keys:
            self.add("classes", "none_given")

    def severities(self, body: Mapping[str, Any]) -> None:
        known = (1, 2, 3, 4)
        severities, auto = body.get("severities", known), body.get("auto", ())
        self.keys("severities", severities, known)
        self.keys("auto", auto, known)
        if _is_list(severities) and not severities:
            self.add("severities", "none_given")
        elif _is_list(severities) and _is_list(auto) and any(one not in severities for one in auto):
            self.add("auto", "auto_beyond_severities")

    def level(self, at: str, level: Mapping[str, Any], *, is_first: bool) -> None:
        self.words(at, level, (*_LEVEL_WORDS, *_LEVEL_FLAGS))
        mode = level.get("mode")
        if mode not in PLAN_MODES:
            self.add(f"{at}.mode", "unknown_key", given=str(mode)[:64])
        self.need(f"{at}.need", level.get("need", ()), is_first=is_first)
        self.fence(f"{at}.fence", level.get("fence"), is_needed=mode == "broadcast")
        for name, (least, most) in SECONDS.items():
            if name in level:
                self.whole(f"{at}.{name}", level[name], least, most)
        if level.get("undelivered", "next") not in UNDELIVERED:
            self.add(f"{at}.undelivered", "unknown_key", given=str(level["undelivered"])[:64])
        for name in _LEVEL_FLAGS:
            self.flag(f"{at}.{name}", level.get(name, False))

    def need(self, at: str, rows: Any, *, is_first: bool) -> None:
        found = self.rows(at, rows, MOST_PLACES)
        if is_first and _is_list(rows) and not rows:
            self.add(at, "first_level_needs_nobody")
        total, words = 0, vocabulary().lists
        for index, place in found:
            here = f"{at}.{index}"
            self.words(here, place, ("capability", "unit_kind", "count"))
            for name in ("capability", "unit_kind"):
                if place.get(name) is not None and not _is_one_of(place[name], words[name]):
                    self.add(here, "unknown_key", given=str(place[name])[:64])
            if place.get("capability") is not None and place.get("unit_kind") is not None:
                self.add(here, "capability_and_kind")
            count = place.get("count", 1)
            if self.whole(f"{here}.count", count, 1, MOST_PLACES):
                total += count
        if total > MOST_PLACES:
            self.add(at, "too_many", most=MOST_PLACES)

    def fence(self, at: str, fence: Any, *, is_needed: bool) -> None:
        if fence is None:
            if is_needed:
                self.add(at, "broadcast_needs_fence")
            return
        kind, value = fence, None
        if isinstance(fence, Mapping):
            rest = {name: found for name, found in fence.items() if name != "mode"}
            kind, value = next(iter(rest.items())) if len(rest) == 1 else (None, None)
            if "mode" in fence and (
                kind != "minutes" or not _is_one_of(fence["mode"], vocabulary().lists["mode"])
            ):
                self.add(f"{at}.mode", "unknown_key", given=str(fence["mode"])[:64])
        if kind not in FENCES:
            self.add(at, "unknown_key", given=str(kind)[:64])
        elif kind in FENCE_MOST:
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not 1 <= float(value or 0) <= FENCE_MOST[kind]:
                self.add(f"{at}.value", "out_of_range", least=1, most=FENCE_MOST[kind])
        elif value is not None:
            self.add(at, "wrong_form")

    def step(self, at: str, step: Mapping[str, Any], seen: set[str]) -> None:
        self.words(at, step, _STEP_WORDS)
        key = step.get("key")
        if not isinstance(key, str) or not KEY.fullmatch(key):
            self.add(f"{at}.key", "key_form")
        elif key in seen:
            self.add(f"{at}.key", "twice")
        else:
            seen.add(key)
        self.names(f"{at}.name", step.get("name"))
        if step.get("due_min") is not None:
            self.whole(f"{at}.due_min", step["due_min"], 1, MOST_DUE_MIN)
        calendar = step.get("calendar", "round_the_clock")
        if not _is_one_of(calendar, vocabulary().lists["work_calendar"]):
            self.add(f"{at}.calendar", "unknown_key", given=str(calendar)[:64])

    def whole(self, at: str, value: Any, least: int, most: int) -> bool:
        if not isinstance(value, int) or isinstance(value, bool):
            self.add(at, "not_whole")
        elif not least <= value <= most:
            self.add(at, "out_of_range", least=least, most=most)
        else:
            return True
        return False

    def flag(self, at: str, value: Any) -> None:
        if not isinstance(value, bool):
            self.add(at, "wrong_form")


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_one_of(key: Any, known: Iterable[Any]) -> bool:
    return isinstance(key, str | int) and not isinstance(key, bool) and key in tuple(known)
