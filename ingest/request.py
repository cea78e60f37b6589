"""What somebody asked to be imported, and what all steps of that run share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from gridmap.domain.crs import Crs
from gridmap.services.importing.batches import KnownRow
from ingest.base import Outcome
from ingest.ceilings import DEFAULT, Ceilings
from ingest.fields import Conversion
from ingest.moments import Exactness
from ingest.nouns.base import Noun
from ingest.places import Bounds


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    """One file to be imported as rows of one noun.

    `mapping` is column -> field ("-" leaves a column out); `value_maps` is field -> value in the file ->
    vocabulary key; `defaults` fill a field where the file has nothing; `keep` names columns that are stored
    as they are.
    """

    noun: str
    path: Path
    source: str
    crs: str | None = None
    zone: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    value_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    layer: str | None = None
    encoding: str | None = None
    partial: bool = False
    dry_run: bool = False
    unmapped: Literal["refuse", "quarantine"] = "refuse"
    withdraw_most: bool = False
    ceilings: Ceilings = DEFAULT


@dataclass(frozen=True, slots=True)
class AddressPlace:
    """Where an address was found: WGS84 degrees, how, and how far off it may be."""

    lon: float
    lat: float
    method: str
    radius_m: float | None


class Geocoder(Protocol):
    """Looks an address up; None when it is not found."""

    def __call__(self, address: str, /) -> AddressPlace | None: ...


class Progress(Protocol):
    """Hears how far a phase ("read", "merge") has come; the total is None while unknown."""

    def __call__(self, phase: str, done: int, total: int | None) -> None: ...


def silent(phase: str, done: int, total: int | None) -> None:
    """Progress that nobody hears."""


@dataclass(kw_only=True)
class Context:
    """What the steps of one run share."""

    request: ImportRequest
    noun: Noun
    columns: Mapping[str, str]
    given: frozenset[str]
    conversion: Conversion
    crs: Crs | None
    zone: ZoneInfo | None
    now: datetime
    bounds: Bounds | None
    geocode: Geocoder
    known: dict[str, KnownRow]
    area_codes: frozenset[str]
    taken_codes: dict[str, str]
    outcome: Outcome
    exactness: Exactness = field(default_factory=Exactness)
    seen: dict[str, str | None] = field(default_factory=dict)
    repeats: Counter[str] = field(default_factory=Counter)
    progress: Progress = silent

    def is_unchanged(self, ref: str, source_hash: str) -> bool:
        """Whether the row stands here already just as the file says."""
        known = self.known.get(ref)
        return known is not None and (known.through_api or known.source_hash == source_hash)
