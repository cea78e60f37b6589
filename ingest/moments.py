"""Dates and times of a file that states its time zone: aware UTC, and how exactly the source knew them.

A row's own precision is what its text shows: "2018-02" is a month, "2018-02-08" a day, "2018-02-08 15" an
hour, with minutes a minute. A default time is no knowledge: when no row of the file has a time other than
00:00:00, the file is exact to the day; when twenty rows or more all fall on full hours, it is exact to the
hour.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ingest.base import Faults, Objects, objects

_SHAPE = re.compile(
    r"""^(?P<year>\d{4})
        (?: [-/.年] (?P<month>\d{1,2}) (?: [-/.月] (?P<day>\d{1,2}) 日? )? 月? | (?P<packed>\d{4}) )
        (?: (?: [T\ ]+ | (?<=日) ) (?P<hour>\d{1,2})
            (?: [:时] (?: (?P<minute>\d{1,2}) (?: [:分] (?: (?P<second>\d{1,2}) (?:\.\d+)? 秒? )? )? )? )? )?
        \s* (?P<offset>Z|[+-]\d{2}:?\d{2})?$""",
    re.VERBOSE,
)
_ENOUGH_FOR_HOURS = 20
_EARLIEST = datetime(1900, 1, 1)  # noqa: DTZ001 - compared before the zone is applied


@dataclass(slots=True)
class Exactness:
    """What the times of a whole file show about how exactly they were recorded."""

    rows_with_time: int = 0
    any_time: bool = False
    any_minute: bool = False

    def precision(self, shown: str) -> str:
        """The precision of a row whose text shows `shown`, in the light of the whole file."""
        if shown in ("minute", "hour") and not self.any_time:
            return "day"
        if shown == "minute" and not self.any_minute and self.rows_with_time >= _ENOUGH_FOR_HOURS:
            return "hour"
        return shown


@dataclass(frozen=True, slots=True)
class Moments:
    """Aware UTC instants as datetime64 (NaT where missing or faulty) and what each text shows."""

    at: NDArray[np.datetime64]
    shown: Objects


def parse_moments(
    texts: Objects, zone: ZoneInfo, field_name: str, now: datetime, exactness: Exactness, faults: Faults
) -> Moments:
    """A column of dates in local time of `zone`, unless a text carries its own offset.

    Of two instants with the same local time (clocks set back) the earlier is taken; a local time that never
    was is a fault, as are dates before 1900 and later than a day from `now`.
    """
    parsed = {text: _parse_one(text) for text in set(texts) - {None}}
    local = np.array([_naive(parsed.get(text)) for text in texts], dtype="datetime64[us]")
    own_offset = np.array([_offset_s(parsed.get(text)) for text in texts], dtype=float)
    filled = np.array([text is not None for text in texts], dtype=bool)
    faults.add(filled & np.isnat(local), field_name, "time_unreadable", texts)
    at = _to_utc(local, own_offset, zone)
    faults.add(~np.isnat(local) & np.isnat(at), field_name, "time_never_was", texts)
    early = ~np.isnat(at) & (at < np.datetime64(_EARLIEST, "us"))
    late = ~np.isnat(at) & (at > np.datetime64((now + timedelta(days=1)).replace(tzinfo=None), "us"))
    faults.add(early, field_name, "time_too_early", texts)
    faults.add(late, field_name, "time_in_future", texts)
    shown = objects(_shown(parsed.get(text)) for text in texts)
    _note(exactness, local, shown)
    return Moments(at, shown)


def _parse_one(text: str) -> tuple[datetime | None, float, str]:
    match = _SHAPE.match(text)
    if match is None:
        return None, np.nan, "minute"
    part = match.groupdict()
    month, day = (part["packed"][:2], part["packed"][2:]) if part["packed"] else (part["month"], part["day"])
    shown = "minute" if part["minute"] else "hour" if part["hour"] else "day" if day else "month"
    if part["hour"] and not day:
        return None, np.nan, shown
    try:
        numbers = [int(number or least) for number, least in ((part["year"], 1), (month, 1), (day, 1))]
        clock = [int(part[name] or 0) for name in ("hour", "minute", "second")]
        value = datetime(numbers[0], numbers[1], numbers[2], clock[0], clock[1], clock[2])  # noqa: DTZ001
    except ValueError:
        return None, np.nan, shown
    return value, _seconds(part["offset"]), shown


def _seconds(offset: str | None) -> float:
    if offset is None:
        return np.nan
    if offset == "Z":
        return 0.0
    sign = -1 if offset[0] == "-" else 1
    return sign * (int(offset[1:3]) * 3600 + int(offset[-2:]) * 60)


def _naive(parsed: tuple[datetime | None, float, str] | None) -> np.datetime64:
    return np.datetime64("NaT") if parsed is None or parsed[0] is None else np.datetime64(parsed[0], "us")


def _offset_s(parsed: tuple[datetime | None, float, str] | None) -> float:
    return np.nan if parsed is None else parsed[1]


def _shown(parsed: tuple[datetime | None, float, str] | None) -> str:
    return "minute" if parsed is None else parsed[2]


def _to_utc(
    local: NDArray[np.datetime64], own_offset_s: NDArray[np.float64], zone: ZoneInfo
) -> NDArray[np.datetime64]:
    index = pd.DatetimeIndex(local)
    in_zone = index.tz_localize(zone, ambiguous=np.ones(len(index), dtype=bool), nonexistent="NaT")
    at = np.asarray(in_zone.tz_convert("UTC").tz_localize(None).to_numpy(), dtype="datetime64[us]")
    stated = ~np.isnan(own_offset_s)
    shift = np.where(stated, own_offset_s, 0.0).astype("timedelta64[s]")
    return np.where(stated, local - shift, at)


def _note(exactness: Exactness, local: NDArray[np.datetime64], shown: Objects) -> None:
    timed = ~np.isnat(local) & np.isin(shown.astype(str), ["minute", "hour"])
    seconds = (local[timed] - local[timed].astype("datetime64[D]")).astype("timedelta64[s]").astype(np.int64)
    exactness.rows_with_time += int(timed.sum())
    exactness.any_time |= bool((seconds != 0).any())
    exactness.any_minute |= bool((seconds % 3600 != 0).any())
