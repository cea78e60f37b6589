"""The words of ingest: what a reader hands over, what is wrong with a row, and what an import did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Objects = NDArray[Any]
Mask = NDArray[np.bool_]


def objects(items: Iterable[Any]) -> Objects:
    """A one-dimensional array of whatever stands in `items`, lists and shapes included."""
    listed = list(items)
    made = np.empty(len(listed), dtype=object)
    made[:] = listed
    return made


def only(keep: Mask, values: Any) -> Objects:
    """The values where `keep` holds, None elsewhere."""
    kept: Objects = np.asarray(values).astype(object)
    kept[~keep] = None
    return kept


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason why a row cannot be taken: the field (or "" for the whole row), a stable code, a short
    detail."""

    field: str
    code: str
    detail: str = ""

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        return f"{where}{self.code}" + (f" ({self.detail})" if self.detail else "")


@dataclass(slots=True)
class Faults:
    """Every fault of every row of a chunk; rows are positions in the chunk."""

    by_row: dict[int, list[Fault]] = field(default_factory=dict)

    def add(self, where: Mask | Sequence[int], field_name: str, code: str, *details: Any) -> None:
        """Add one fault per marked row; `details`, when given, hold one value per row of the chunk."""
        for row in np.flatnonzero(where).tolist() if isinstance(where, np.ndarray) else where:
            detail = " ".join(str(column[row]) for column in details)[:60]
            self.by_row.setdefault(int(row), []).append(Fault(field_name, code, detail))

    def mask(self, size: int) -> Mask:
        """True for each row that has at least one fault."""
        marked = np.zeros(size, dtype=bool)
        marked[list(self.by_row)] = True
        return marked

    def count_codes(self) -> Counter[str]:
        return Counter(
            f"{fault.field}:{fault.code}" if fault.field else fault.code
            for faults in self.by_row.values()
            for fault in faults
        )


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows as they stand in the file: text cells by column, geometry as WKB.

    `rows` are the numbers a person would look for: lines of a text file, rows of a sheet, features counted
    from 1. `cells` hold "" for missing. `faults` are what the reader already saw (a ragged line).
    """

    rows: NDArray[np.int64]
    cells: Mapping[str, Objects]
    wkb: Objects | None
    faults: Faults

    def __len__(self) -> int:
        return len(self.rows)


class Table(Protocol):
    """An opened file. `crs_text` is the system the file itself names, None where it names none."""

    columns: tuple[str, ...]
    crs_text: str | None
    has_geometry: bool
    rows_expected: int | None
    encoding: str | None

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The rows in file order, `size` at a time."""
        ...


@dataclass(slots=True)
class Outcome:
    """What an import did, in numbers; `lists` name things a person must look at."""

    noun: str
    source: str
    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    quarantined: int = 0
    withdrawn: int = 0
    restored: int = 0
    to_locate: int = 0
    geocoded: int = 0
    outside_areas: int = 0
    in_several_areas: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    ignored_columns: tuple[str, ...] = ()
    quarantine_file: str | None = None
    lists: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    longest_block_s: float = 0.0
    dry_run: bool = False
    encoding: str | None = None
    crs: str | None = None

    def as_json(self) -> dict[str, Any]:
        body = {name: getattr(self, name) for name in self.__dataclass_fields__}
        body["reasons"] = dict(self.reasons.most_common())
        body["rows_per_s"] = round(self.read / self.seconds) if self.seconds > 0 else None
        return body
