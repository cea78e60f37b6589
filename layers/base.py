"""What a layer is: a reading function, its columns, its zooms, how it looks, and who may see it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from gridmap.domain.actor import Actor
from gridmap.errors import Invalid

Scope = Literal["map_paths", "case_paths", "public"]
COUNTS_UP_TO_ZOOM = 13
LARGEST_ZOOM = 20
_MOST_FILTER_VALUES = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Name:
    """One name in the two languages of the screens."""

    zh: str
    en: str

    def as_json(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A property that an exact feature of a tile carries; `from_zoom` where it starts to."""

    name: str
    kind: Literal["text", "integer", "number", "time"] = "text"
    from_zoom: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class LegendEntry:
    """One colour and what it means; `value` is the property's value it stands for."""

    label: Name
    color: str
    value: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {"label": self.label.as_json(), "color": self.color, "value": self.value}


@dataclass(frozen=True, kw_only=True, slots=True)
class TileFilter:
    """What a viewer asks a layer for. Empty means all; times are aware, `since` included, `until` not."""

    classes: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        for moment in (self.since, self.until):
            if moment is not None and moment.tzinfo is None:
                raise Invalid("time_without_zone")
        if len(self.classes) + len(self.statuses) > _MOST_FILTER_VALUES:
            raise Invalid("too_many_filter_values", most=_MOST_FILTER_VALUES)

    def named(self) -> frozenset[str]:
        """Which filters are set."""
        given = {
            "class": self.classes,
            "status": self.statuses,
            "from": self.since,
            "to": self.until,
        }
        return frozenset(name for name, value in given.items() if value)

    def digest(self) -> str:
        """Equal for equal filters, whatever the order they were given in."""
        return _digest(
            [
                sorted(set(self.classes)),
                sorted(set(self.statuses)),
                _instant(self.since),
                _instant(self.until),
            ]
        )


NO_FILTER = TileFilter()


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """One layer of the map.

    `function` names the reading function in the database that makes a tile, `tile_<function>(z, x, y, …)`; the
    generic one, `feature`, takes the layer's key first. Points are counts below `exact_from_zoom` and exact from it
    on, unless a tile would grow too large. `viewers` are the verbs of which one opens the layer; `scope` says by
    which of the actor's paths its rows are cut. `personal` layers also hold what was shared with one account.
    """

    key: str
    title: Name
    geometry: Literal["point", "line", "polygon"]
    function: str
    scope: Scope
    viewers: frozenset[str]
    columns: tuple[Column, ...]
    style: Mapping[str, Any]
    legend: tuple[LegendEntry, ...] = ()
    filters: frozenset[str] = frozenset()
    min_zoom: int = 0
    max_zoom: int = 16
    exact_from_zoom: int = COUNTS_UP_TO_ZOOM + 1
    default_on: bool = False
    personal: bool = False
    order: int = field(default=100)

    def visible_to(self, actor: Actor) -> bool:
        return any(actor.can(verb) for verb in self.viewers)

    def check(self, zoom: int, x: int, y: int, filters: TileFilter) -> None:
        """Raises Invalid when there is no such tile or the layer knows no such filter."""
        if not 0 <= zoom <= LARGEST_ZOOM or not 0 <= x < 2**zoom or not 0 <= y < 2**zoom:
            raise Invalid("no_such_tile", zoom=zoom, x=x, y=y)
        unknown = filters.named() - self.filters
        if unknown:
            raise Invalid(
                "filter_unknown", layer=self.key, filters=sorted(unknown), known=sorted(self.filters)
            )

    def scope_digest(self, actor: Actor) -> str:
        """Equal for actors who see the same rows of this layer."""
        paths: tuple[str, ...] = () if self.scope == "public" else getattr(actor, self.scope)
        verbs = sorted(actor.verbs & self.viewers)
        personal = (
            [str(actor.account_id), sorted(str(unit) for unit in actor.unit_ids)] if self.personal else []
        )
        return _digest([sorted(paths), verbs, personal])

    def describe(self, version: str) -> dict[str, Any]:
        """The layer as `/api/layers` lists it; the address carries the version that is current now."""
        return {
            "key": self.key,
            "title": self.title.as_json(),
            "kind": "tile",
            "geometry": self.geometry,
            "min_zoom": self.min_zoom,
            "max_zoom": self.max_zoom,
            "exact_from_zoom": self.exact_from_zoom,
            "default_on": self.default_on,
            "style": dict(self.style),
            "legend": [entry.as_json() for entry in self.legend],
            "filters": sorted(self.filters),
            "columns": [{"name": column.name, "kind": column.kind} for column in self.columns],
            "url": f"/api/tiles/{self.key}/{version}/{{z}}/{{x}}/{{y}}.mvt",
        }


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()[:16]
