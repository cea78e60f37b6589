"""What is known of a source before its file is opened, so that nobody has to say it every time."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from gridmap.errors import Misconfigured
from ingest import sources


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One source. `licence` and `attribution` say on what terms its rows may be shown; None where nothing is stated.

    The rest is what the command line would say: coordinate system, time zone, column -> field, field -> value -> key.
    """

    key: str
    noun: str
    operator: str
    licence: str | None
    attribution: str
    crs: str | None = None
    zone: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    value_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    level: str | None = None
    tree: str | None = None

    def fill(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What was said, and what this source knows where nothing was said; mappings are joined."""
        filled = dict(given)
        for name in ("crs", "zone", "level", "tree"):
            if name in filled and filled[name] is None:
                filled[name] = getattr(self, name)
        for name in ("mapping", "value_maps", "defaults"):
            if name in filled:
                filled[name] = {**getattr(self, name), **filled[name]}
        return filled


def find_source(key: str, noun: str) -> Source | None:
    """The source of that key for that noun, None where there is no file for it."""
    found = list_sources().get(key)
    return found if found is not None and found.noun == noun else None


def list_sources() -> dict[str, Source]:
    """Every source by key.

    Raises Misconfigured("source_broken") for a file that does not hold one SOURCE named like itself.
    """
    found: dict[str, Source] = {}
    for module in pkgutil.iter_modules(sources.__path__):
        source = getattr(import_module(f"{sources.__name__}.{module.name}"), "SOURCE", None)
        if not isinstance(source, Source) or source.key != module.name:
            raise Misconfigured("source_broken", file=f"{module.name}.py")
        found[source.key] = source
    return found
