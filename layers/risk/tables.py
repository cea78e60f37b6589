"""The risk list as a spreadsheet and as GeoJSON."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from gridmap.domain.risk_rules import risk_rules
from gridmap.services.risk.products import OutLine, Product
from layers.risk.texts import (
    Language,
    colour_name,
    exposure_name,
    horizon_name,
    imprint_of,
    level_name,
    number,
    patrols_note,
    period_note,
    reasons_of,
    say,
    title_of,
    total_of,
    trend_of,
)

_HEAD_ROWS = 7
_COLUMNS = (
    "rank", "rank_range", "name", "code", "parent", "kind", "level", "expected", "interval", "density", "weighted",
    "exposure", "rate", "rate_ratio", "recent", "trend", "came", "hazards", "cameras", "camera_cover", "routes",
    "route_cover", "walked", "patrol", "reasons",
)  # fmt: skip
_WIDTHS = {
    "rank_range": 12,
    "name": 26,
    "code": 16,
    "parent": 18,
    "interval": 14,
    "reasons": 80,
    "patrol": 18,
}
_WIDTH = 12
_SHARES = ("camera_cover", "route_cover", "walked")


def _or_empty(value: float | None) -> Any:
    return "" if value is None else value


def _columns(product: Product, lang: Language) -> dict[str, str]:
    """The columns that have something in them, with their heads; a rate stands only beside its count."""
    of = exposure_name(product, lang)
    left_out = set() if of else {"exposure", "rate", "rate_ratio"}
    if not product.run.params.get("severity_weights"):
        left_out.add("weighted")
    return {name: say(name, lang, of=of) for name in _COLUMNS if name not in left_out}


def cells_of(row: OutLine, lang: Language, counts_horizon: bool) -> dict[str, Any]:
    """A line's figures as they are told, by column. `counts_horizon`: see `Product`."""
    line = row.line
    back = say("kept_back", lang)
    shown = row.expected is not None
    return {
        "rank": line.rank if shown else back,
        "rank_range": f"{line.rank_low}–{line.rank_high}" if shown else back,
        "name": line.name,
        "code": line.code,
        "parent": line.parent or "",
        "kind": say(line.urban_rural, lang) if line.urban_rural else "",
        "level": colour_name(line.risk_level, lang) if shown else back,
        "expected": row.expected if row.expected is not None else back,
        "interval": f"{number(row.low)}–{number(row.high)}" if shown else back,
        "density": row.per_km2_week if shown else back,
        "weighted": _or_empty(row.weighted) if shown else back,
        "exposure": _or_empty(row.exposure),
        "rate": _or_empty(row.rate) if shown else back,
        "rate_ratio": _or_empty(row.rate_ratio) if shown else back,
        "recent": row.recent if row.recent is not None else back,
        "trend": trend_of(row, lang),
        "came": row.came
        if row.came is not None
        else (back if counts_horizon and line.came is not None else ""),
        "hazards": say("five_or_more", lang) if row.many_hazards else back,
        "cameras": line.cameras,
        "camera_cover": _or_empty(line.camera_cover),
        "routes": line.patrol_routes,
        "route_cover": _or_empty(line.route_cover),
        "walked": _or_empty(line.walked),
        "patrol": say(f"patrol_{line.patrol}", lang) if line.patrol else "",
        "reasons": reasons_of(row, lang),
    }


def write_xlsx(product: Product, lang: Language) -> bytes:
    """One sheet a level; the first lines say what it is, who made it and until when it is good."""
    book = Workbook(write_only=True)
    columns = _columns(product, lang)
    fills = {one.key: PatternFill("solid", start_color=one.color.lstrip("#")) for one in risk_rules().colours}
    for level, rows in product.lists.items():
        sheet = book.create_sheet(level_name(level, lang))
        sheet.freeze_panes = f"D{_HEAD_ROWS + 2}"
        for number_, name in enumerate(columns, 1):
            sheet.column_dimensions[get_column_letter(number_)].width = _WIDTHS.get(name, _WIDTH)
        title = WriteOnlyCell(sheet, title_of(product, lang))
        title.font = Font(bold=True, size=14)
        sheet.append([title])
        sheet.append([f"{horizon_name(product.run.horizon, lang)} · {total_of(product, lang)}"])
        sheet.append([imprint_of(product, lang)])
        sheet.append([say("kept_back_note", lang)])
        sheet.append([period_note(product, lang)])
        sheet.append([patrols_note(product, lang)])
        sheet.append([say("warning", lang)])
        head = []
        for title_ in columns.values():
            cell = WriteOnlyCell(sheet, title_)
            cell.font = Font(bold=True)
            head.append(cell)
        sheet.append(head)
        for row in rows:
            values = cells_of(row, lang, product.counts_horizon)
            line = [WriteOnlyCell(sheet, _safe(values[name])) for name in columns]
            for name, cell in zip(columns, line, strict=True):
                if name in _SHARES:
                    cell.number_format = "0%"
            if row.expected is not None:
                line[list(columns).index("level")].fill = fills[row.line.risk_level]
            sheet.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _safe(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula is told as text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value


def write_geojson(product: Product, lang: Language) -> bytes:
    """Areas of every level with their figures, WGS84; figures that were kept back are null. No points."""
    mark = product.imprint
    content = {
        "type": "FeatureCollection",
        "name": title_of(product, lang),
        "gridmap": {
            "run": str(product.run.id),
            "class_group": product.group,
            "origin_on": product.run.origin_on.isoformat(),
            "horizon_days": product.run.horizon_days,
            "author": mark.author,
            "purpose": mark.purpose,
            "made_at": mark.made_at.isoformat(timespec="seconds"),
            "expires_on": mark.expires_on,
            "note": say("kept_back_note", lang),
            "counts_from": product.period.first_on.isoformat(),
            "counts_to": product.period.last_on.isoformat(),
            "exposure": exposure_name(product, lang) or None,
            "patrols": product.surface.figures.get("patrols"),
        },
        "features": list(_features(product, lang)),
    }
    return json.dumps(content, ensure_ascii=False).encode("utf-8")


def _features(product: Product, lang: Language) -> Iterator[dict[str, Any]]:
    for level, rows in product.lists.items():
        shapes = {
            one["properties"]["area_id"]: one["geometry"] for one in product.outlines[level]["features"]
        }
        for row in rows:
            line = row.line
            shown = row.expected is not None
            yield {
                "type": "Feature",
                "geometry": shapes.get(line.area_id),
                "properties": {
                    "code": line.code, "name": line.name, "area_level": level, "urban_rural": line.urban_rural,
                    "risk_level": line.risk_level if shown else None, "expected": row.expected, "low": row.low,
                    "high": row.high, "per_km2_week": row.per_km2_week,
                    "weighted": row.weighted, "exposure": row.exposure, "rate_per_1000": row.rate,
                    "rate_ratio": row.rate_ratio,
                    "rank": line.rank if shown else None, "rank_low": line.rank_low if shown else None,
                    "rank_high": line.rank_high if shown else None, "recent": row.recent, "came": row.came,
                    "five_hazards_or_more": row.many_hazards or None, "cameras": line.cameras,
                    "camera_cover": line.camera_cover, "route_cover": line.route_cover, "walked": line.walked,
                    "patrol": line.patrol, "reasons": reasons_of(row, lang),
                },
            }  # fmt: skip
