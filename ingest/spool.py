"""Checked rows wait on disk, in the text form that PostgreSQL's COPY reads, until the whole file has
passed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

import shapely

from ingest.base import Objects

_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Spool:
    """Lines to add and lines to change, in temporary files that vanish with the process."""

    def __init__(self) -> None:
        self._add = tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n")  # noqa: SIM115 - closed below
        self._change = tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n")  # noqa: SIM115
        self._files = {"add": self._add, "change": self._change}
        self.counts = {"add": 0, "change": 0}

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._files.values():
            handle.close()

    def write(self, name: str, lines: Sequence[str]) -> None:
        self._files[name].writelines(lines)
        self.counts[name] += len(lines)

    def lines(self, name: str) -> Iterator[str]:
        """The lines in the order they were written, each with its line end."""
        handle = self._files[name]
        handle.seek(0)
        return iter(handle)


def encode_column(values: Iterable[Any]) -> list[str]:
    """One column in COPY's text form."""
    return [_encode(value) for value in values]


def encode_geometries(geometries: Objects) -> list[str]:
    """Shapes or None as hexadecimal EWKB in EPSG:4326."""
    packed = shapely.to_wkb(shapely.set_srid(geometries, 4326), hex=True, include_srid=True)
    return [_NULL if text is None else text for text in packed]


def join_lines(columns: Sequence[Sequence[str]]) -> list[str]:
    return ["\t".join(cells) + "\n" for cells in zip(*columns, strict=True)]


def _encode(value: Any) -> str:
    if value is None:
        return _NULL
    if isinstance(value, str):
        return value.translate(_ESCAPES) if not value.isalnum() else value
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return "{" + ",".join(value) + "}"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False).translate(_ESCAPES)
    return repr(value) if isinstance(value, float) else str(value)
