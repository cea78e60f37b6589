"""Dates and times as people write them, a whole column at once."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from gridmap.errors import Invalid
from gridmap.risk.arrays import Floats, Ints
from gridmap.risk.events import Precision

_OFFSET = r"\s*(Z|z|UTC|[+-]\d{2}:?\d{2})$"
_DAY_S = 86_400.0
# Whether the day or the month comes first in 03/04/2017 only the file as a whole can tell.
_SLASHED = r"^(\d{1,2})[/.](\d{1,2})[/.](\d{4})"


@dataclass(frozen=True)
class Moments:
    """A column of times. `day` (N,) local days since 1970-01-01, NaN where the field is empty; `precision` (N,)."""

    day: Floats
    precision: Ints


def read_moments(column: pd.Series, zone: ZoneInfo | None) -> Moments:
    """Understand a column of texts: ISO 8601 dates or times, 2017/3/1, 20170301, 3/14/2017 8:05 PM.

    Args:
        zone: times that name an offset are brought to it; None keeps the clock as it is written.

    Raises Invalid: "risk_time_unreadable" (row, text), "risk_dates_ambiguous" (row, text) where the day may be the
    month.
    """
    text = column.str.strip()
    empty = (text == "").to_numpy()
    offset = text.str.extract(_OFFSET, expand=False).where(text.str.contains(":", regex=False), None)
    has_offset = offset.notna().to_numpy()
    plain = text.where(~has_offset, text.str.replace(_OFFSET, "", regex=True))
    parsed = _parse(_year_first(plain, empty), empty, text)
    day = (parsed - np.datetime64("1970-01-01T00:00:00", "us")) / np.timedelta64(1, "us") / (_DAY_S * 1e6)
    day = np.where(empty, np.nan, day)
    if zone is not None and has_offset.any():
        day[has_offset] = _to_zone(day[has_offset], offset[has_offset], zone)
    clock = plain.str.contains(":", regex=False).to_numpy()
    return Moments(day, np.where(clock, Precision.MINUTE, Precision.DAY).astype(np.int64))


def _year_first(text: pd.Series, empty: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> pd.Series:
    """Day and month brought behind the year where they stand before it."""
    slashed = text.str.extract(_SLASHED)
    rows = slashed[0].notna()
    if rows.any():
        first, second = slashed.loc[rows, 0].astype(int), slashed.loc[rows, 1].astype(int)
        day_first, month_first = bool((first > 12).any()), bool((second > 12).any())
        if day_first == month_first:
            row = int(np.flatnonzero(rows.to_numpy())[0])
            raise Invalid("risk_dates_ambiguous", row=row + 1, text=str(text.iloc[row]))
        month, day = (second, first) if day_first else (first, second)
        date = slashed.loc[rows, 2] + "-" + month.map("{:02d}".format) + "-" + day.map("{:02d}".format)
        text = text.copy()
        text[rows] = date + text[rows].str.replace(_SLASHED, "", regex=True)
    text = text.str.replace(r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})", r"\1-\2-\3", regex=True)
    text = text.str.replace(r"^(\d{4})-(\d)(?=-)", r"\1-0\2", regex=True)
    text = text.str.replace(r"^(\d{4}-\d{2})-(\d)(?!\d)", r"\1-0\2", regex=True)
    text = text.str.replace(r"^(\d{4})(\d{2})(\d{2})(?=$|[T ])", r"\1-\2-\3", regex=True)
    return text.str.replace(r"([T ])(\d:)", r"\g<1>0\2", regex=True)


def _parse(
    text: pd.Series, empty: np.ndarray[tuple[int], np.dtype[np.bool_]], written: pd.Series
) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    dated = text.where(text.str.match(r"^\d{4}-\d{2}-\d{2}(?:$|[T ])"), None)
    half = dated.str.contains(r"[AaPp]\.?[Mm]\.?$", regex=True, na=False)
    found = pd.to_datetime(dated.where(~half, None), format="ISO8601", errors="coerce")
    found = found.astype("datetime64[us]")
    for form in ("%Y-%m-%d %I:%M %p", "%Y-%m-%d %I:%M:%S %p") if half.any() else ():
        found = found.fillna(pd.to_datetime(dated.where(half, None), format=form, errors="coerce"))
    bad = np.flatnonzero(found.isna().to_numpy() & ~empty)
    if len(bad):
        raise Invalid("risk_time_unreadable", row=int(bad[0]) + 1, text=str(written.iloc[bad[0]])[:40])
    return np.asarray(found.to_numpy(), dtype="datetime64[us]")


def _to_zone(day: Floats, offset: pd.Series, zone: ZoneInfo) -> Floats:
    """Wall clocks of written offsets as wall clocks of `zone`."""
    sign = offset.str.startswith("-").map({True: -1.0, False: 1.0}).to_numpy()
    digits = offset.str.replace(r"\D", "", regex=True).str.ljust(4, "0")
    minutes = sign * (digits.str[:2].astype(float) * 60 + digits.str[2:4].astype(float)).to_numpy()
    utc = pd.to_datetime((day * 1_440 - minutes) * 60, unit="s", utc=True)
    local = utc.tz_convert(zone).tz_localize(None)
    return np.asarray((local - pd.Timestamp(1970, 1, 1)) / pd.Timedelta(days=1), dtype=float)
