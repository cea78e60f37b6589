"""The risk list as a spreadsheet, as a PDF and as GeoJSON."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font, PatternFill
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from gridmap.domain.risk_rules import risk_rules
from gridmap.services.risk.products import OutLine, Product
from layers.risk.texts import (
    Language,
    colour_name,
    group_name,
    horizon_name,
    imprint_of,
    level_name,
    number,
    reasons_of,
    say,
    title_of,
    total_of,
    trend_of,
)

_PDF_FONT = "STSong-Light"
_COLUMNS = (
    "rank", "rank_range", "name", "code", "parent", "kind", "level", "expected", "interval", "density", "recent",
    "trend", "came", "hazards", "cameras", "routes", "reasons",
)  # fmt: skip
_PDF_COLUMNS = ("rank", "rank_range", "name", "level", "expected", "interval", "density", "trend", "reasons")
_PDF_WIDTHS_MM = (12, 20, 42, 14, 22, 24, 22, 30, 82)


def _cells(row: OutLine, lang: Language) -> dict[str, Any]:
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
        "expected": round(row.expected, 2) if row.expected is not None else back,
        "interval": f"{number(row.low)}–{number(row.high)}" if shown else back,
        "density": round(line.per_km2, 2) if shown else back,
        "recent": row.recent if row.recent is not None else back,
        "trend": trend_of(row, lang),
        "came": row.came if row.came is not None else ("" if line.came is None else back),
        "hazards": line.hazards,
        "cameras": line.cameras,
        "routes": line.patrol_routes,
        "reasons": reasons_of(row, lang),
    }


def write_xlsx(product: Product, lang: Language) -> bytes:
    """One sheet a level; the first lines say what it is, who made it and until when it is good."""
    book = Workbook(write_only=True)
    fills = {one.key: PatternFill("solid", start_color=one.color.lstrip("#")) for one in risk_rules().colours}
    for level, rows in product.lists.items():
        sheet = book.create_sheet(level_name(level, lang))
        sheet.freeze_panes = "D7"
        for column, width in zip(
            "ABCDEFGHIJKLMNOPQ", (8, 12, 26, 16, 18, 8, 8, 12, 14, 12, 12, 14, 10, 12, 8, 10, 80), strict=True
        ):
            sheet.column_dimensions[column].width = width
        title = WriteOnlyCell(sheet, title_of(product, lang))
        title.font = Font(bold=True, size=14)
        sheet.append([title])
        sheet.append([f"{horizon_name(product.run.horizon, lang)} · {total_of(product, lang)}"])
        sheet.append([imprint_of(product, lang)])
        sheet.append([say("kept_back_note", lang)])
        sheet.append([say("warning", lang)])
        head = []
        for name in _COLUMNS:
            cell = WriteOnlyCell(sheet, say(name, lang))
            cell.font = Font(bold=True)
            head.append(cell)
        sheet.append(head)
        for row in rows:
            values = _cells(row, lang)
            line = [WriteOnlyCell(sheet, _safe(values[name])) for name in _COLUMNS]
            if row.expected is not None:
                line[_COLUMNS.index("level")].fill = fills[row.line.risk_level]
            sheet.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _safe(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula is told as text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@" else value


def write_pdf(product: Product, lang: Language) -> bytes:
    """The list of each level as tables on A4. Chinese stands in the reader's own Song type, which is not embedded."""
    pdfmetrics.registerFont(UnicodeCIDFont(_PDF_FONT))
    body = ParagraphStyle("body", fontName=_PDF_FONT, fontSize=8, leading=10, wordWrap="CJK")
    small = ParagraphStyle("small", parent=body, textColor=colors.HexColor("#3c4d5c"))
    head = ParagraphStyle("head", parent=body, fontSize=15, leading=20)
    section = ParagraphStyle("section", parent=body, fontSize=11, leading=16, spaceBefore=8)
    parts: list[Any] = [
        Paragraph(_escaped(title_of(product, lang)), head),
        Paragraph(_escaped(f"{horizon_name(product.run.horizon, lang)} · {total_of(product, lang)}"), body),
        Paragraph(_escaped(imprint_of(product, lang)), small),
        Paragraph(_escaped(say("kept_back_note", lang) + " " + say("warning", lang)), small),
        Spacer(1, 4 * mm),
    ]
    for level, rows in product.lists.items():
        parts.append(
            Paragraph(_escaped(f"{level_name(level, lang)} · {group_name(product.group, lang)}"), section)
        )
        parts.append(_table(rows, lang, body))
    out = io.BytesIO()
    page = SimpleDocTemplate(
        out, pagesize=landscape(A4), leftMargin=12 * mm, rightMargin=12 * mm, topMargin=12 * mm, bottomMargin=16 * mm,
        title=title_of(product, lang), author=product.imprint.author, subject=product.imprint.purpose,
    )  # fmt: skip

    def footer(canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont(_PDF_FONT, 7)
        canvas.drawString(12 * mm, 8 * mm, imprint_of(product, lang))
        canvas.drawRightString(landscape(A4)[0] - 12 * mm, 8 * mm, str(document.page))
        canvas.restoreState()

    page.build(parts, onFirstPage=footer, onLaterPages=footer)
    return out.getvalue()


def _table(rows: tuple[OutLine, ...], lang: Language, body: ParagraphStyle) -> Table:
    table = [[Paragraph(_escaped(say(name, lang)), body) for name in _PDF_COLUMNS]]
    styles: list[tuple[Any, ...]] = [
        ("GRID", (0, 0), (-1, -1), 0.3, colors.HexColor("#8696a4")),
        ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#e3e9ee")),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
    tints = {one.key: one.color for one in risk_rules().colours}
    at = _PDF_COLUMNS.index("level")
    for number_, row in enumerate(rows, 1):
        cells = _cells(row, lang)
        table.append([Paragraph(_escaped(str(cells[name])), body) for name in _PDF_COLUMNS])
        if row.expected is not None:
            # The bar beside the name keeps the text black on white.
            styles.append(
                ("LINEBEFORE", (at, number_), (at, number_), 4, colors.HexColor(tints[row.line.risk_level]))
            )
    return Table(
        table, colWidths=[width * mm for width in _PDF_WIDTHS_MM], repeatRows=1, style=TableStyle(styles)
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


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
                    "high": row.high, "per_km2": line.per_km2 if shown else None,
                    "rank": line.rank if shown else None, "rank_low": line.rank_low if shown else None,
                    "rank_high": line.rank_high if shown else None, "recent": row.recent, "came": row.came,
                    "hazards": line.hazards, "cameras": line.cameras, "reasons": reasons_of(row, lang),
                },
            }  # fmt: skip
