"""What a reader must be told beside the figures: small numbers, unequal reporting, changed recording. Codes only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gridmap.domain.risk_rules import Horizon
from gridmap.risk.area_list import AreaRisk
from gridmap.risk.events import Events
from gridmap.risk.forecast import Forecast
from gridmap.services.risk.ground import RURAL, URBAN, RunLevel

_FEW_ROWS = 200
_FOUND_SHARE = 0.2
_LATE = 0.9
_DEFAULT_TIMES = 0.05
_UNEQUAL = 1.8
_RANK_SHARE = 0.5


def cautions_of(
    found: Forecast, mine: Events, rows: Sequence[AreaRisk], level: RunLevel, horizon: Horizon
) -> Iterator[dict[str, Any]]:
    """The warnings that hold for one group, the gravest first."""
    if found.thin:
        yield {"code": "thin", "params": {"events": found.fitted}}
    elif found.fitted < _FEW_ROWS:
        yield {"code": "few_rows", "params": {"events": found.fitted}}
    small = sum(row.expected < 1.0 for row in rows)
    if small * 2 > len(rows):
        yield {"code": "small_numbers", "params": {"areas": small, "of": len(rows), "days": horizon.days}}
    wide = sum(row.rank_high - row.rank_low > _RANK_SHARE * len(rows) for row in rows)
    if wide * 2 > len(rows) > 4:
        yield {"code": "ranks_unsure", "params": {"areas": wide, "of": len(rows)}}
    for change in found.changes[:3]:
        names = mine.classes if change.kind == "class" else mine.channels
        yield {
            "code": "recording_changed",
            "params": {
                "kind": change.kind,
                "key": names[change.index],
                "weeks_ago": _weeks(found, change.day_d),
            },
        }
    share = float(mine.found.mean()) if len(mine) else 0.0
    if share > _FOUND_SHARE:
        yield {"code": "found_share", "params": {"share": round(share, 3)}}
    yield from _unequal(mine, level)
    late = float(found.level.known_share[0])
    if late < _LATE:
        yield {"code": "late_entry", "params": {"share": round(late, 3)}}
    hours = found.hours
    told = hours.rows + hours.default_time + hours.coarse
    if told and hours.default_time / told > _DEFAULT_TIMES:
        yield {"code": "default_times", "params": {"share": round(hours.default_time / told, 3)}}


def _weeks(found: Forecast, day_d: float) -> int:
    return round((found.origin_d - day_d) / 7.0)


def _unequal(mine: Events, level: RunLevel) -> Iterator[dict[str, Any]]:
    """Where town and country are heard by different ways, a difference between them may be one of reporting."""
    where = level.areas.locate(mine.x_m, mine.y_m)
    kind = np.array([row.urban_rural or "" for row in level.rows] + [""])[where]
    shares = {
        name: float(mine.found[kind == name].mean())
        for name in (URBAN, RURAL)
        if int((kind == name).sum()) >= 50
    }
    if len(shares) == 2:
        low, high = min(shares.values()), max(shares.values())
        if high > 0.05 and high > _UNEQUAL * max(low, 1e-9):
            yield {
                "code": "unequal_reporting",
                "params": {name: round(share, 3) for name, share in shares.items()},
            }
