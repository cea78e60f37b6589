"""Calls from a CSV file: `reported_at`, `class`, `lon`, `lat` and optionally `severity` and `outcome` (WGS84)."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from gridmap.domain.vocab import vocabulary
from gridmap.errors import Invalid
from gridmap.simulate.demand import Reports, in_order
from gridmap.simulate.scene import Period

# The heads of the demo's own table, so that it can be read as it is.
_HEADS = {
    "上报时间": "reported_at",
    "事件类别": "class",
    "经度": "lon",
    "纬度": "lat",
    "结果": "outcome",
    "等级": "severity",
}
_NEEDED = {"reported_at", "class", "lon", "lat"}


def read_calls(path: Path, period: Period, zone: ZoneInfo) -> tuple[Reports, int]:
    """Calls of the period, duplicates left out, and how many had no place.

    Times without a zone are the site's. Raises Invalid: "file_not_found", "simulate_columns_missing",
    "simulate_row_broken" (with its line), "class_unknown".
    """
    if not path.is_file():
        raise Invalid("file_not_found", file=path.name)
    moments: list[datetime] = []
    places: list[tuple[float, float]] = []
    severity: list[int] = []
    classes: list[str] = []
    unlocated = 0
    with path.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.reader(handle)
        heads = [_HEADS.get(head, head) for head in next(reader, [])]
        if missing := _NEEDED - set(heads):
            raise Invalid("simulate_columns_missing", file=path.name, columns=sorted(missing))
        first, last = _texts(period)
        for line, values in enumerate(reader, 2):
            row = dict(zip(heads, values, strict=False))
            # The cheap test first: two years of a district are 300,000 lines.
            if not first <= row["reported_at"][:10] <= last or row.get("outcome") == "duplicate":
                continue
            if not row["lon"] or not row["lat"]:
                unlocated += 1
                continue
            try:
                moment = datetime.fromisoformat(row["reported_at"])
                place = float(row["lon"]), float(row["lat"])
                level = int(row.get("severity") or vocabulary().event_class(row["class"]).severity)
            except ValueError:
                raise Invalid("simulate_row_broken", file=path.name, line=line) from None
            moments.append(moment if moment.tzinfo else moment.replace(tzinfo=zone))
            places.append(place)
            severity.append(level)
            classes.append(row["class"])
    return in_order(moments, np.array(places, dtype=float), severity, classes, period), unlocated


def _texts(period: Period) -> tuple[str, str]:
    """Dates that bracket the period in any zone, as they begin a line's time."""
    day_s = 86_400
    first = datetime.fromtimestamp(period.start.timestamp() - day_s, period.start.tzinfo)
    last = datetime.fromtimestamp(period.start.timestamp() + period.length_s + day_s, period.start.tzinfo)
    return f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}"
