"""A noun as ingest sees it: its fields, its shape, where its rows go and how they are staged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gridmap.services.importing.targets import Target
from ingest.base import Chunk, Faults, Mask, Objects
from ingest.fields import Field
from ingest.moments import Moments
from ingest.places import Shape

REF = Field(name="ref", kind="code", most_chars=100, aliases=("id", "编号", "流水号"))


@dataclass(slots=True)
class Draft:
    """A chunk on its way through the steps. Columns are aligned with the chunk's rows; None means missing."""

    chunk: Chunk
    faults: Faults
    values: dict[str, Objects] = field(default_factory=dict)
    moments: dict[str, Moments] = field(default_factory=dict)
    geometry: Objects | None = None
    refs: Objects | None = None
    kept: Objects | None = None
    encoded: dict[str, list[str]] = field(default_factory=dict)
    hashes: list[str] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.chunk)

    def good(self) -> Mask:
        """Rows without a fault that are no repetition."""
        good = ~self.faults.mask(len(self))
        good[self.repeated] = False
        return good


@dataclass(frozen=True, kw_only=True)
class Noun:
    """One importable noun.

    `check` adds the noun's own faults; `stage` gives the values of the target's columns after id, ref and
    hash (geometry and place columns are filled by the steps). `geometry_needed` makes a row without a place a
    fault.
    """

    key: str
    fields: tuple[Field, ...]
    shape: Shape
    target: Target
    stage: Callable[[Draft, Any], dict[str, Objects]]
    check: Callable[[Draft, Any], None] = lambda _draft, _context: None
    geometry_needed: bool = True
    geocoded: bool = False
    fresh_ids: tuple[str, ...] = ()

    def field(self, name: str) -> Field | None:
        return next((spec for spec in self.fields if spec.name == name), None)
