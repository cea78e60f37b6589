"""Checked rows wait on disk, in the text form that PostgreSQL's COPY reads, until the whole file has
passed."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any

import numpy as np
import shapely

from ingest.base import Objects

_NULL = "\\N"
_SPECIAL = re.compile(r"[\\\t\n\r]")
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


def encode_column(values: Objects | list[Any]) -> list[str]:
    """One column in COPY's text form; datetime64 is UTC."""
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        stamps = np.datetime_as_string(values.astype("datetime64[s]"), timezone="UTC").tolist()
        return [_NULL if stamp == "NaT" else stamp for stamp in stamps]
    return [_NULL if value is None else _encode(value) for value in values]


def encode_geometries(geometries: Objects) -> list[str]:
    """Shapes or None as hexadecimal EWKB in EPSG:4326."""
    packed = shapely.to_wkb(shapely.set_srid(geometries, 4326), hex=True, include_srid=True).tolist()
    return [_NULL if text is None else text for text in packed]


def join_lines(columns: Sequence[Sequence[str]]) -> list[str]:
    return ["\t".join(cells) + "\n" for cells in zip(*columns, strict=True)]


def _encode(value: Any) -> str:
    if isinstance(value, str):
        return value.translate(_ESCAPES) if _SPECIAL.search(value) else value
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, list):
        return "{" + ",".join(value) + "}"
    if isinstance(value, dict):
        return _encode(json.dumps(value, ensure_ascii=False))
    return repr(value) if isinstance(value, float) else str(value)
