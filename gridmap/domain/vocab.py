"""The shipped vocabularies: classes, roles, life-cycles and short lists, read from TOML, checked once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from gridmap.errors import Invalid, Misconfigured


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """One row of a vocabulary: a stable key, a Chinese and an English name, and what else the row says."""

    key: str
    zh: str
    en: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"key": self.key, "name": {"zh": self.zh, "en": self.en}, **self.extra}


@dataclass(frozen=True, kw_only=True, slots=True)
class EventClass:
    """A class of events; `parent` is None for a group, which no incident may carry.

    `capabilities` are skills the work needs and `powers` legal powers; `min_crew` the fewest people a unit must bring;
    without `lone_ok` nobody is sent alone. These are gates: past them only with a shift lead's reason.
    """

    key: str
    parent: str | None
    zh: str
    en: str
    icon: str
    severity: int
    pinyin: str
    photo_required: bool
    restricted: bool
    risk_allowed: bool
    capabilities: tuple[str, ...]
    department: str | None
    powers: tuple[str, ...] = ()
    min_crew: int = 1
    lone_ok: bool = True

    def as_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "parent": self.parent,
            "name": {"zh": self.zh, "en": self.en},
            "icon": self.icon,
            "severity": self.severity,
            "pinyin": self.pinyin,
            "photo_required": self.photo_required,
            "restricted": self.restricted,
            "risk_allowed": self.risk_allowed,
            "capabilities": list(self.capabilities),
            "department": self.department,
            "powers": list(self.powers),
            "min_crew": self.min_crew,
            "lone_ok": self.lone_ok,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    """A way from a set of statuses to one status, by a verb."""

    verb: str
    sources: frozenset[str]
    target: str
    needs_reason: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Lifecycle:
    """The statuses of one noun and every allowed way between them."""

    noun: str
    statuses: Mapping[str, Term]
    active: frozenset[str]
    transitions: Mapping[str, Transition]


@dataclass(frozen=True, kw_only=True, slots=True)
class Role:
    """What a role may do; a machine role is carried by tokens only."""

    key: str
    zh: str
    en: str
    verbs: frozenset[str]
    machine: bool


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Everything the deployment's words are checked against."""

    scheme: str
    classes: Mapping[str, EventClass]
    roles: Mapping[str, Role]
    lifecycles: Mapping[str, Lifecycle]
    lists: Mapping[str, Mapping[str, Term]]

    def event_class(self, key: str) -> EventClass:
        """The class an incident may carry. Raises Invalid("class_unknown")."""
        found = self.classes.get(key)
        if found is None or found.parent is None:
            raise Invalid("class_unknown", class_key=key)
        return found

    def term(self, vocabulary: str, key: str) -> Term:
        """One row of a short list. Raises Invalid("<list>_unknown")."""
        found = self.lists[vocabulary].get(key)
        if found is None:
            raise Invalid(f"{vocabulary}_unknown", given=key, known=sorted(self.lists[vocabulary]))
        return found

    def keys(self, vocabulary: str) -> tuple[str, ...]:
        return tuple(self.lists[vocabulary])


def vocabulary_dir() -> Path:
    """Inside an installed wheel the files lie beside the package; in a checkout at the top level."""
    package = Path(__file__).resolve().parent.parent
    shipped = package / "_vocab"
    return shipped if shipped.is_dir() else package.parent / "data" / "vocab"


@cache
def vocabulary() -> Vocabulary:
    """The vocabularies of this installation, read once. Raises Misconfigured when a file is broken."""
    return load_vocabulary(vocabulary_dir())


def load_vocabulary(folder: Path) -> Vocabulary:
    """Read and cross-check the files of `folder`."""
    classes_file = _read(folder / "classes.toml")
    lists = {
        name: {row["key"]: _term(row) for row in rows} for name, rows in _read(folder / "lists.toml").items()
    }
    found = Vocabulary(
        scheme=classes_file["scheme"],
        classes=_classes(classes_file["class"]),
        roles={row["key"]: _role(row) for row in _read(folder / "roles.toml")["role"]},
        lifecycles={noun: _lifecycle(noun, body) for noun, body in _read(folder / "lifecycle.toml").items()},
        lists=lists,
    )
    _check(found)
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured("vocabulary_unreadable", file=path.name, reason=str(error)) from error


def _term(row: Mapping[str, Any]) -> Term:
    extra = {name: value for name, value in row.items() if name not in ("key", "name")}
    return Term(key=row["key"], zh=row["name"]["zh"], en=row["name"]["en"], extra=extra)


def _role(row: Mapping[str, Any]) -> Role:
    return Role(
        key=row["key"],
        zh=row["name"]["zh"],
        en=row["name"]["en"],
        verbs=frozenset(row["verbs"]),
        machine=row.get("machine", False),
    )


def _classes(rows: Sequence[Mapping[str, Any]]) -> dict[str, EventClass]:
    groups = {row["key"]: row for row in rows if "parent" not in row}
    found: dict[str, EventClass] = {}
    for row in rows:
        group = groups.get(row.get("parent", row["key"]))
        if group is None or row["key"] in found:
            raise Misconfigured("vocabulary_class_broken", class_key=row["key"])
        found[row["key"]] = EventClass(
            key=row["key"],
            parent=row.get("parent"),
            zh=row["name"]["zh"],
            en=row["name"]["en"],
            icon=row.get("icon", group["icon"]),
            severity=row.get("severity", 3),
            pinyin=row.get("pinyin", ""),
            photo_required=row.get("photo_required", False),
            restricted=row.get("restricted", False),
            risk_allowed=row.get("risk_allowed", True),
            capabilities=tuple(row.get("capabilities", ())),
            department=row.get("department"),
            powers=tuple(row.get("powers", ())),
            min_crew=row.get("min_crew", 1),
            lone_ok=row.get("lone_ok", True),
        )
    return found


def _lifecycle(noun: str, body: Mapping[str, Any]) -> Lifecycle:
    return Lifecycle(
        noun=noun,
        statuses={row["key"]: _term(row) for row in body["status"]},
        active=frozenset(row["key"] for row in body["status"] if row["active"]),
        transitions={
            row["verb"]: Transition(
                verb=row["verb"],
                sources=frozenset(row["from"]),
                target=row["to"],
                needs_reason=row.get("needs_reason", False),
            )
            for row in body["transition"]
        },
    )


def _check(found: Vocabulary) -> None:
    for event_class in found.classes.values():
        if event_class.restricted and event_class.risk_allowed:
            raise Misconfigured("vocabulary_restricted_in_risk", class_key=event_class.key)
        unknown = frozenset((*event_class.capabilities, *event_class.powers)) - frozenset(
            found.lists["capability"]
        )
        if unknown:
            raise Misconfigured("vocabulary_capability_unknown", keys=sorted(unknown))
    for lifecycle in found.lifecycles.values():
        for transition in lifecycle.transitions.values():
            unknown = (transition.sources | {transition.target}) - set(lifecycle.statuses)
            if unknown:
                raise Misconfigured("vocabulary_status_unknown", keys=sorted(unknown))
