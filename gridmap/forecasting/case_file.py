"""Incidents from a CSV file nobody has seen before: t, lon, lat, type, and recorded_at where it is kept (WGS84)."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from gridmap.errors import Invalid
from gridmap.forecasting.moments import Moments, read_moments
from gridmap.risk.arrays import Floats, Ints

_NAMES = {
    "t": (
        "t",
        "time",
        "date",
        "datetime",
        "timestamp",
        "occurred_at",
        "occurred",
        "发生时间",
        "时间",
        "日期",
    ),
    "lon": ("lon", "lng", "long", "longitude", "经度"),
    "lat": ("lat", "latitude", "纬度"),
    "type": ("type", "class", "category", "kind", "事件类别", "类别", "类型"),
    "recorded_at": ("recorded_at", "reported_at", "recorded", "上报时间", "登记时间"),
}
_NEEDED = ("t", "lon", "lat")
_ENCODINGS = ("utf-8-sig", "gb18030")
ONE_TYPE = "all"


@dataclass(frozen=True)
class Cases:
    """Rows of the file that have a place and a time.

    `lon`, `lat` degrees; `occurred` and `recorded` local days (recorded NaN where not kept); `type_index` into `types`,
    which are sorted; `rows` in the file, `without_place` and `without_time` of them left out.
    """

    lon: Floats
    lat: Floats
    occurred: Moments
    recorded: Floats
    type_index: Ints
    types: tuple[str, ...]
    rows: int
    without_place: int
    without_time: int

    def of_types(self, names: Sequence[str]) -> Cases:
        """Rows of these types only, in the order of `names`."""
        number = np.full(len(self.types), -1, dtype=np.int64)
        number[[self.types.index(name) for name in names]] = np.arange(len(names))
        kept = number[self.type_index] >= 0
        occurred = Moments(self.occurred.day[kept], self.occurred.precision[kept])
        return replace(
            self, lon=self.lon[kept], lat=self.lat[kept], occurred=occurred, recorded=self.recorded[kept],
            type_index=number[self.type_index[kept]], types=tuple(names),
        )  # fmt: skip


def read_cases(path: Path, zone: ZoneInfo | None) -> Cases:
    """Read a .csv or .csv.gz; any order of columns, comma, semicolon or tab, quoted or not, UTF-8 or GB 18030.

    Without a type column all rows are of the type "all". Rows without a place (empty, or 0, 0) or time are counted and
    left out. Raises Invalid: "file_not_found", "file_unreadable", "risk_columns_missing" (columns, found),
    "risk_row_broken" (row, column, text), "risk_no_events", and those of `read_moments`. Rows count from 1 below the
    head.
    """
    table = _table(path)
    lon, lat = _numbers(table, "lon", 180.0), _numbers(table, "lat", 90.0)
    occurred = read_moments(table["t"], zone)
    placed = ~(np.isnan(lon) | np.isnan(lat) | ((lon == 0) & (lat == 0)))
    timed = ~np.isnan(occurred.day)
    kept = placed & timed
    if not kept.any():
        raise Invalid("risk_no_events", rows=len(table), without_place=int((~placed).sum()))
    if "recorded_at" in table:
        recorded = _last_moment(read_moments(table["recorded_at"], zone))
    else:
        recorded = np.full(len(table), np.nan)
    names = table["type"].str.strip() if "type" in table else pd.Series([ONE_TYPE] * len(table))
    types, index = np.unique(names[kept].to_numpy(dtype=str), return_inverse=True)
    return Cases(
        lon[kept], lat[kept], Moments(occurred.day[kept], occurred.precision[kept]), recorded[kept],
        index.astype(np.int64), tuple(types.tolist()), len(table), int((~placed).sum()),
        int((placed & ~timed).sum()),
    )  # fmt: skip


def _last_moment(recorded: Moments) -> Floats:
    """A recording known to the day was certainly there at the day's end only."""
    return np.where(recorded.precision > 0, recorded.day + 1 - 1e-6, recorded.day)


def _table(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise Invalid("file_not_found", file=path.name)
    text = _text(path)
    head = text[: text.find("\n")] if "\n" in text else text
    if not head.strip():
        raise Invalid("risk_no_events", rows=0)
    separator = max(",;\t|", key=head.count)
    try:
        table = pd.read_csv(
            StringIO(text),
            sep=separator,
            dtype=str,
            keep_default_na=False,
            skipinitialspace=True,
            index_col=False,
        )
    except (pd.errors.ParserError, ValueError) as error:
        raise Invalid("file_unreadable", file=path.name, reason=str(error)[:120]) from error
    return _named(path, table)


def _named(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """The known columns under our names."""
    heads = {str(head).strip().lower(): head for head in table.columns}
    found = {
        name: next((heads[word] for word in words if word in heads), None) for name, words in _NAMES.items()
    }
    if missing := [name for name in _NEEDED if found[name] is None]:
        raise Invalid("risk_columns_missing", file=path.name, columns=missing, found=list(heads)[:20])
    if not len(table):
        raise Invalid("risk_no_events", rows=0)
    return pd.DataFrame({name: table[head].fillna("") for name, head in found.items() if head is not None})


def _numbers(table: pd.DataFrame, column: str, limit: float) -> Floats:
    """Degrees, NaN where the field is empty."""
    text = table[column].str.strip()
    empty = text.str.lower().isin(["", "na", "nan", "null", "none"]).to_numpy()
    values = pd.to_numeric(text.where(~empty, None), errors="coerce").to_numpy(dtype=float)
    bad = np.flatnonzero(~empty & ~(np.abs(values) <= limit))
    if len(bad):
        raise Invalid("risk_row_broken", row=int(bad[0]) + 1, column=column, text=str(text.iloc[bad[0]])[:40])
    return np.asarray(values, dtype=np.float64)


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
    except (OSError, EOFError) as error:
        raise Invalid("file_unreadable", file=path.name, reason=type(error).__name__) from error
    for encoding in _ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Invalid("file_unreadable", file=path.name, reason="encoding")
