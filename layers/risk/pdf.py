"""The risk list as a PDF."""

from __future__ import annotations

import io
import threading
from functools import partial
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from gridmap.domain.risk_rules import risk_rules
from gridmap.services.risk.products import OutLine, Product
from layers.risk.embedded_font import font_file
from layers.risk.tables import cells_of
from layers.risk.texts import (
    Language,
    exposure_name,
    group_name,
    horizon_name,
    imprint_of,
    level_name,
    number,
    patrols_note,
    say,
    title_of,
    total_of,
)

_COLUMNS = (
    "rank",
    "rank_range",
    "name",
    "level",
    "expected",
    "interval",
    "density",
    "rate",
    "patrol",
    "reasons",
)
_WIDTHS_MM = (12, 20, 38, 14, 20, 24, 20, 24, 26, 74)


def write_pdf(product: Product, lang: Language) -> bytes:
    """The list of each level as tables on A4, the type embedded: a reader's machine may have no Chinese.

    Raises Misconfigured("map_assets_missing").
    """
    tables = {level: _rows(product, rows, lang) for level, rows in product.lists.items()}
    heads = _heads(product, lang)
    notes = [say("kept_back_note", lang), patrols_note(product, lang), say("warning", lang)]
    font = _type.name_for("".join(heads) + _all_text(tables) + _frame_text(product, lang, notes))
    body = ParagraphStyle(
        "body", fontName=font, fontSize=8, leading=10, wordWrap="CJK" if lang == "zh" else None
    )
    small = ParagraphStyle("small", parent=body, textColor=colors.HexColor("#3c4d5c"))
    head = ParagraphStyle("head", parent=body, fontSize=15, leading=20)
    section = ParagraphStyle("section", parent=body, fontSize=11, leading=16, spaceBefore=8)
    parts: list[Any] = [
        Paragraph(_escaped(title_of(product, lang)), head),
        Paragraph(_escaped(f"{horizon_name(product.run.horizon, lang)} · {total_of(product, lang)}"), body),
        Paragraph(_escaped(imprint_of(product, lang)), small),
        Paragraph(_escaped(" ".join(one for one in notes if one)), small),
        Spacer(1, 4 * mm),
    ]
    for level, rows in product.lists.items():
        parts.append(
            Paragraph(_escaped(f"{level_name(level, lang)} · {group_name(product.group, lang)}"), section)
        )
        parts.append(_table(rows, heads, tables[level], body))
    out = io.BytesIO()
    page = SimpleDocTemplate(
        out, pagesize=landscape(A4), leftMargin=12 * mm, rightMargin=12 * mm, topMargin=12 * mm, bottomMargin=16 * mm,
        title=title_of(product, lang), author=product.imprint.author, subject=product.imprint.purpose,
    )  # fmt: skip

    def footer(canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont(font, 7)
        canvas.drawString(12 * mm, 8 * mm, imprint_of(product, lang))
        canvas.drawRightString(landscape(A4)[0] - 12 * mm, 8 * mm, str(document.page))
        canvas.restoreState()

    canvas_of = partial(Canvas, initialFontName=font)
    page.build(parts, onFirstPage=footer, onLaterPages=footer, canvasmaker=canvas_of)
    return out.getvalue()


class _Type:
    """The font that documents share. It grows by the characters that are new: the library never lets go of a font."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._characters: frozenset[str] = frozenset()
        self._name = ""

    def name_for(self, text: str) -> str:
        """The name under which the library knows a font with these characters."""
        with self._lock:
            if not self._name or not self._characters.issuperset(text):
                self._characters |= set(text)
                name = f"GridmapSans-{len(self._characters)}"
                pdfmetrics.registerFont(TTFont(name, io.BytesIO(font_file(self._characters, name))))
                self._name = name
            return self._name


_type = _Type()


def _all_text(tables: dict[str, list[list[str]]]) -> str:
    return "".join(cell for rows in tables.values() for row in rows for cell in row)


def _frame_text(product: Product, lang: Language, notes: list[str]) -> str:
    """Everything around the tables."""
    return "".join(
        [
            title_of(product, lang), horizon_name(product.run.horizon, lang), total_of(product, lang),
            imprint_of(product, lang), group_name(product.group, lang), " ·0123456789", *notes,
            *(level_name(level, lang) for level in product.lists),
        ]
    )  # fmt: skip


def _heads(product: Product, lang: Language) -> list[str]:
    of = exposure_name(product, lang) or "–"
    return [say(name, lang, of=of) for name in _COLUMNS]


def _rows(product: Product, rows: tuple[OutLine, ...], lang: Language) -> list[list[str]]:
    return [
        [_told(cells[name]) for name in _COLUMNS]
        for cells in (cells_of(row, lang, product.counts_horizon) for row in rows)
    ]


def _told(value: Any) -> str:
    return number(value) if isinstance(value, int | float) else str(value)


def _table(
    rows: tuple[OutLine, ...], heads: list[str], texts: list[list[str]], body: ParagraphStyle
) -> Table:
    table = [[Paragraph(_escaped(text), body) for text in line] for line in (heads, *texts)]
    styles: list[tuple[Any, ...]] = [
        ("GRID", (0, 0), (-1, -1), 0.3, colors.HexColor("#8696a4")),
        ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#e3e9ee")),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
    tints = {one.key: one.color for one in risk_rules().colours}
    at = _COLUMNS.index("level")
    # The bar beside the name keeps the text black on white.
    styles += [
        ("LINEBEFORE", (at, row_at), (at, row_at), 4, colors.HexColor(tints[row.line.risk_level]))
        for row_at, row in enumerate(rows, 1)
        if row.expected is not None
    ]
    return Table(
        table, colWidths=[width * mm for width in _WIDTHS_MM], repeatRows=1, style=TableStyle(styles)
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
