"""What risk products are about and how they are told, read from `risk.toml`: groups, horizons, colours, warnings."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

from gridmap.domain.vocab import Vocabulary, vocabulary, vocabulary_dir
from gridmap.errors import Invalid, Misconfigured

ALL, OTHER = "all", "other"
FILE = "risk.toml"
_LONGEST_D = 92


@dataclass(frozen=True, slots=True)
class Horizon:
    """So many local days ahead, from a midnight."""

    key: str
    zh: str
    en: str
    days: int


@dataclass(frozen=True, slots=True)
class ClassGroup:
    """Classes that are forecast as one. "all" holds every allowed class; the others share them out."""

    key: str
    zh: str
    en: str
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RiskLevel:
    """A colour of the list. `ratio`: expected per km2 over the level's mean; `expected`: within the horizon."""

    key: str
    zh: str
    en: str
    color: str
    ratio: float
    expected: float


@dataclass(frozen=True, slots=True)
class WarningRule:
    """An early warning; `kind` is "cluster" (count, within_m, days, follow_days) or "surge" (times, count,
    since_hour)."""

    key: str
    zh: str
    en: str
    kind: str
    classes: tuple[str, ...]
    severity: int
    count: int
    within_m: float = 0.0
    days: int = 0
    follow_days: int = 0
    times: float = 0.0
    since_hour: int = 0


@dataclass(frozen=True, slots=True)
class ExposureRule:
    """What could suffer, told beside the count: `least` of it or more, else an area has no rate.

    `file`: a CSV (code, count) beside risk.toml; None = households of the buildings.
    """

    key: str
    zh: str
    en: str
    least: float
    file: str | None


@dataclass(frozen=True, slots=True)
class PatrolRule:
    """How many patrols are proposed for areas of `level`, and the share of them that goes outside the hot list."""

    level: str
    count: int
    outside: float


@dataclass(frozen=True, slots=True)
class RiskRules:
    """The whole file. `digest` changes with its content and stands in every run."""

    cell_m: float
    levels: tuple[str, ...]
    found_channels: tuple[str, ...]
    years: float
    nightly_hour: int
    export_days: int
    patrols: PatrolRule
    severity_weights: dict[int, float]
    exposure: ExposureRule | None
    ramp: tuple[str, ...]
    horizons: tuple[Horizon, ...]
    groups: tuple[ClassGroup, ...]
    colours: tuple[RiskLevel, ...]
    warnings: tuple[WarningRule, ...]
    digest: str

    def horizon(self, key: str) -> Horizon:
        """Raises Invalid("risk_horizon_unknown")."""
        return _named(self.horizons, key, "risk_horizon_unknown")

    def group(self, key: str) -> ClassGroup:
        """Raises Invalid("risk_group_unknown")."""
        return _named(self.groups, key, "risk_group_unknown")

    def warning(self, key: str) -> WarningRule:
        """Raises Invalid("risk_rule_unknown")."""
        return _named(self.warnings, key, "risk_rule_unknown")

    def colour_of(self, ratio: float, expected: float) -> RiskLevel:
        """The highest colour whose terms all hold; the last holds always."""
        fitting = (one for one in self.colours if ratio >= one.ratio and expected >= one.expected)
        return next(fitting, self.colours[-1])


class _Row(Protocol):
    @property
    def key(self) -> str: ...


_R = TypeVar("_R", bound=_Row)


def _named(rows: Sequence[_R], key: str, code: str) -> _R:
    for row in rows:
        if row.key == key:
            return row
    raise Invalid(code, given=key, known=[row.key for row in rows])


def check_classes(keys: Sequence[str], words: Vocabulary) -> None:
    """The door of every risk product: classes that may not be forecast are refused whoever asks.

    Raises Invalid("risk_class_refused", class_key) for a class with risk_allowed = false or a restricted one;
    Invalid("class_unknown").
    """
    for key in keys:
        row = words.event_class(key)
        if row.restricted or not row.risk_allowed:
            raise Invalid("risk_class_refused", class_key=key)


@cache
def risk_rules() -> RiskRules:
    """The rules of this installation. Raises Misconfigured when the file is broken."""
    return load_risk_rules(vocabulary_dir() / FILE, vocabulary())


def load_risk_rules(path: Path, words: Vocabulary) -> RiskRules:
    """Read and check a file like data/vocab/risk.toml. Raises Misconfigured("risk_rules_broken")."""
    try:
        raw = path.read_bytes()
        content = tomllib.loads(raw.decode("utf-8"))
        rules = RiskRules(
            cell_m=float(content["cell_m"]),
            levels=tuple(content["levels"]),
            found_channels=tuple(content["found_channels"]),
            years=float(content["years"]),
            nightly_hour=int(content["nightly_hour"]),
            export_days=int(content["export_days"]),
            patrols=PatrolRule(**content["patrols"]),
            severity_weights={
                int(key): float(one) for key, one in content.get("severity_weights", {}).items()
            },
            exposure=_exposure(content.get("exposure")),
            ramp=tuple(content["ramp"]),
            horizons=tuple(Horizon(days=int(row["days"]), **_name(row)) for row in content["horizon"]),
            groups=_groups(content["group"], words),
            colours=tuple(
                RiskLevel(
                    color=row["color"],
                    ratio=float(row["ratio"]),
                    expected=float(row["expected"]),
                    **_name(row),
                )
                for row in content["level"]
            ),
            warnings=tuple(_warning(row) for row in content.get("warning", ())),
            digest=hashlib.sha256(raw).hexdigest()[:16],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Misconfigured("risk_rules_broken", file=path.name, reason=repr(error)) from error
    _check(rules, words)
    return rules


def _name(row: Mapping[str, Any]) -> dict[str, str]:
    return {"key": row["key"], "zh": row["name"]["zh"], "en": row["name"]["en"]}


def _exposure(row: Mapping[str, Any] | None) -> ExposureRule | None:
    if row is None:
        return None
    return ExposureRule(least=float(row["least"]), file=row.get("file"), **_name(row))


def _groups(rows: Sequence[Mapping[str, Any]], words: Vocabulary) -> tuple[ClassGroup, ...]:
    """The groups with their classes; "all" and "other" are filled in."""
    allowed = [
        row.key for row in words.classes.values() if row.parent and row.risk_allowed and not row.restricted
    ]
    taken = {key for row in rows for key in row.get("classes", ())}
    filled = {ALL: allowed, OTHER: [key for key in allowed if key not in taken]}
    return tuple(
        ClassGroup(classes=tuple(filled.get(row["key"], row.get("classes", ()))), **_name(row))
        for row in rows
    )


def _warning(row: Mapping[str, Any]) -> WarningRule:
    more: dict[str, Any] = {
        name: value for name, value in row.items() if name not in ("key", "name", "classes")
    }
    return WarningRule(**{**_name(row), **more, "classes": tuple(row["classes"])})


def _check(rules: RiskRules, words: Vocabulary) -> None:
    def fail(reason: str) -> None:
        raise Misconfigured("risk_rules_broken", file=FILE, reason=reason)

    keys = [group.key for group in rules.groups]
    if keys[:1] != [ALL] or keys[-1] != OTHER or len(set(keys)) < len(keys):
        fail('groups begin with "all", end with "other", and have names of their own')
    named = [key for group in rules.groups if group.key != ALL for key in group.classes]
    if len(set(named)) < len(named):
        fail("a class stands in two groups")
    for key, classes in [(one.key, one.classes) for one in rules.groups] + [
        (one.key, one.classes) for one in rules.warnings
    ]:
        try:
            check_classes(classes, words)
        except Invalid as error:
            fail(f"{key}: {error}")
    if not rules.colours or (rules.colours[-1].ratio, rules.colours[-1].expected) != (0.0, 0.0):
        fail("the last colour must hold for every area")
    if not rules.levels or not set(rules.levels) <= set(words.lists["level"]):
        fail("levels")
    if not set(rules.found_channels) <= set(words.lists["channel"]):
        fail("found_channels")
    if not rules.horizons or any(not 1 <= one.days <= _LONGEST_D for one in rules.horizons):
        fail("horizons")
    if rules.cell_m <= 0 or rules.years <= 0 or not 0 <= rules.nightly_hour <= 23 or len(rules.ramp) < 2:
        fail("cell_m, years, nightly_hour or ramp")
    if not (
        rules.patrols.level in rules.levels and rules.patrols.count >= 1 and 0 < rules.patrols.outside < 1
    ):
        fail("patrols")
    if any(not 1 <= key <= 4 or not 0 < weight <= 1000 for key, weight in rules.severity_weights.items()):
        fail("severity_weights")
    if rules.exposure is not None and not rules.exposure.least > 0:
        fail("exposure")
    for rule in rules.warnings:
        cluster = rule.kind == "cluster" and rule.within_m > 0 and rule.days > 0 and rule.follow_days > 0
        surge = rule.kind == "surge" and rule.times > 1 and 0 <= rule.since_hour <= 23
        if not (cluster or surge) or rule.count < 2 or not 1 <= rule.severity <= 4 or not rule.classes:
            fail(rule.key)
