"""Writes the incident table and the truth behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from scipy.spatial import KDTree

from gridmap.demo.district.class_models import CLASS_MODELS, FAMILIES
from gridmap.demo.district.frame import to_lonlat
from gridmap.demo.district.incidents import CHANNELS, OPEN, OUTCOMES, History
from gridmap.demo.district.intensity import CELL_M, Anchors, Truth
from gridmap.demo.district.linework import Ints
from gridmap.demo.district.tables import write_csv
from gridmap.domain.vocab import vocabulary

HEADER = (
    "流水号", "来源渠道", "事件类别", "事件描述", "事发地址", "发生时间", "occurred_to", "上报时间", "结果", "结案时间",
    "经度", "纬度", "found_by",
)  # fmt: skip

_OPENING = {
    "call_12345": ("市民来电反映", "来电人称", "热线工单："), "call_110": ("报警人称", "110转：", "群众报警："),
    "grid_worker": ("网格员巡查发现", "走访时发现", "日常巡查："), "patrol": ("巡逻发现", "巡逻途中见", "巡逻组报："),
    "public": ("群众随手拍：", "居民反映", "扫码上报："),
    "sensor": ("感知设备报警：", "传感器告警：", "设备自动上报："),
}  # fmt: skip


def _nearest_labels(history: History, anchors: Anchors) -> Ints:
    """Anchor whose address each row gets: its own, or the nearest for near repeats and duplicates."""
    out = history.anchor.copy()
    lost = np.flatnonzero(out < 0)
    if len(lost):
        _, out[lost] = KDTree(anchors.xy).query(history.xy[lost])
    return out


def incident_rows(
    history: History,
    anchors: Anchors,
    start: datetime,
    prefix: str,
    patrol_refs: list[str],
    rng: np.random.Generator,
) -> Iterator[tuple[str, ...]]:
    """Rows for `HEADER`; `start` is local midnight of the first day, times are local and name no zone."""
    classes = vocabulary().classes
    models = [model.key for model in CLASS_MODELS]
    names = [classes[key].zh for key in models]
    label = _nearest_labels(history, anchors)
    lonlat = to_lonlat(history.xy)
    variant = rng.integers(0, 3, len(label))
    finder = rng.integers(0, max(len(patrol_refs), 1), len(label))
    coarse = (rng.random(len(label)) < 0.12) & ~np.isnan(history.occurred_to_min)
    base = np.datetime64(start.replace(tzinfo=None), "m")
    times = {
        name: np.datetime_as_string(base + np.floor(np.nan_to_num(values)).astype("timedelta64[m]"), unit="m")
        for name, values in (
            ("occurred", history.occurred_min), ("to", history.occurred_to_min), ("reported", history.reported_min),
            ("closed", history.closed_min),
        )
    }  # fmt: skip
    has_end = ~np.isnan(history.occurred_to_min)
    for i in range(len(label)):
        channel = CHANNELS[history.channel[i]]
        name = names[history.class_number[i]]
        address = anchors.label[label[i]]
        where = "" if history.located[i] == 2 else address
        place = f"{where}附近" if where else ""
        outcome = history.outcome[i]
        located = history.located[i] == 0
        yield (
            f"{prefix}{i + 1:07d}", channel, models[history.class_number[i]],
            f"{_OPENING[channel][variant[i]]}{place}{name}", where,
            times["occurred"][i][:10] if coarse[i] else times["occurred"][i].replace("T", " "),
            times["to"][i].replace("T", " ") if has_end[i] and not coarse[i] else "",
            times["reported"][i].replace("T", " "),
            OUTCOMES[outcome] if outcome != OPEN else "",
            times["closed"][i].replace("T", " ") if outcome != OPEN else "",
            f"{lonlat[i, 0]:.7f}" if located else "", f"{lonlat[i, 1]:.7f}" if located else "",
            patrol_refs[finder[i]] if channel == "patrol" and patrol_refs else "",
        )  # fmt: skip


def write_incidents(
    path: Path, history: History, anchors: Anchors, start: datetime, prefix: str, patrol_refs: list[str],
    rng: np.random.Generator,
) -> int:  # fmt: skip
    """Write the incident table (UTF-8); returns its rows."""
    return write_csv(path, HEADER, incident_rows(history, anchors, start, prefix, patrol_refs, rng))


SCENES_NAME = "scenes.csv"


def write_scenes(path: Path, history: History, anchors: Anchors, count: int, rng: np.random.Generator) -> int:
    """A sample of the last rows without their times, from which the simulator makes new reports."""
    classes = vocabulary().classes
    label = _nearest_labels(history, anchors)
    lonlat = to_lonlat(history.xy)
    recent = np.flatnonzero((history.kind < 2) & (history.located == 0))[-12 * count :]
    rows = []
    for i in np.sort(rng.choice(recent, min(count, len(recent)), replace=False)).tolist():
        channel = CHANNELS[history.channel[i]]
        key = CLASS_MODELS[history.class_number[i]].key
        address = anchors.label[label[i]]
        text = f"{_OPENING[channel][int(rng.integers(3))]}{address}附近{classes[key].zh}"
        rows.append((channel, key, text, address, f"{lonlat[i, 0]:.7f}", f"{lonlat[i, 1]:.7f}"))
    return write_csv(path, ("channel", "class", "text", "address", "lon", "lat"), rows)


def write_truth(folder: Path, truth: Truth, history: History, seed: int) -> list[Path]:
    """`truth.npz` (arrays) and `truth.json` (what they mean and how to use them)."""
    months = truth.share.shape[1]
    cells = truth.grid_shape[0] * truth.grid_shape[1]
    share = np.zeros((len(FAMILIES), months, cells), dtype=np.float32)
    for f in range(len(FAMILIES)):
        for month in range(months):
            share[f, month] = np.bincount(truth.anchor_cell, truth.share[f, month], cells)
    rows, columns = truth.grid_shape
    arrays = folder / "truth.npz"
    np.savez_compressed(
        arrays, share=share.reshape(len(FAMILIES), months, rows, columns), rate=truth.rate.astype(np.float32),
        hours=truth.hours.astype(np.float32), month_of_day=truth.month_of_day, family_of_class=truth.family_of,
        hot_spots=truth.hot_spots, incident_kind=history.kind.astype(np.int8), incident_parent=history.parent,
        incident_east_north_m=history.xy.astype(np.float32),
        incident_occurred_min=history.occurred_min.astype(np.float64),
        incident_class=history.class_number.astype(np.int16),
    )  # fmt: skip
    text = {
        "seed": seed, "start": truth.start.isoformat(), "days": int(truth.rate.shape[1]),
        "grid": {
            "crs": "metres east and north of lon 113.42, lat 28.36 in EPSG:4547", "cell_m": CELL_M,
            "south_west_corner": truth.grid_origin, "rows": rows, "columns": columns,
        },
        "families": [f.key for f in FAMILIES],
        "classes": [
            {"key": m.key, "family": m.family, "branching": m.branching, "near_m": m.near_m, "near_days": m.near_days}
            for m in truth.classes
        ],
        "how_to": [
            "background of class c on day d in cell (row, col): "
            "rate[c, d] * share[family_of_class[c], month_of_day[d], row, col]",
            "multiply by hours[c, weekday, hour] for one hour of the day",
            "each incident (kind 0 or 1) raises branching[c] more on average: Gaussian of near_m around it, "
            "exponential delay of mean near_days",
            "long-run mean with near repeats: background / (1 - branching[c])",
            "incident_* arrays are in the order of incidents.csv; kind 2 rows are duplicate reports of row "
            "incident_parent and no part of the process",
        ],
    }  # fmt: skip
    described = folder / "truth.json"
    described.write_text(json.dumps(text, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return [arrays, described]


def open_count(history: History) -> int:
    """Incidents that are still open at the end."""
    return int((history.outcome == OPEN).sum())


def duplicate_count(history: History) -> int:
    """Rows that repeat another report."""
    return int((history.kind == 2).sum())


def minutes_between(start: datetime, end: datetime) -> float:
    """Minutes from start to end."""
    return (end - start) / timedelta(minutes=1)
