"""GeoTIFF for a GIS, and a picture for a report."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, TiffImagePlugin
from pyproj import Transformer

from gridmap.domain.metric import LocalMetric
from gridmap.errors import Misconfigured
from gridmap.risk.grid import Grid
from gridmap.services.risk.pictures import Picture, Step, draw
from gridmap.services.risk.products import Product
from gridmap.services.risk.reading import Raster
from layers.risk.fonts import page_font
from layers.risk.texts import Language, imprint_of, number, say, title_of, total_of

NODATA = -9999.0
_TO_MERCATOR = Transformer.from_crs(4326, 3857, always_xy=True)
_INK, _PAPER, _LINE = "#14202b", "#ffffff", "#8696a4"


def grid_of(raster: Raster) -> Grid:
    """The run's raster as a grid."""
    inside = np.isfinite(raster.per_km2_week).astype(float)
    return Grid(raster.west_m, raster.south_m, raster.cell_m, inside, raster.crs)


def steps_of(legend: list[dict[str, Any]] | None) -> tuple[Step, ...]:
    return tuple(Step(one["from"], one["to"], one["color"]) for one in legend or ())


def picture_out(product: Product) -> Picture:
    """The heat picture of what may leave, drawn anew: cells that were kept back are clear."""
    grid = grid_of(product.raster)
    return draw(grid, LocalMetric(product.raster.crs), product.surface_out, steps_of(product.surface.legend))


def write_geotiff(product: Product, lang: Language) -> bytes:
    """Float32, incidents per km2 and week in the site's metric system; -9999 where nothing is told.

    Tags after OGC GeoTIFF 1.1: ModelPixelScale, ModelTiepoint, GeoKeyDirectory with the EPSG code, GDAL_NODATA.
    Raises Misconfigured("local_crs_without_code") for a system that has no EPSG code.
    """
    code = LocalMetric(product.raster.crs).epsg
    if code is None:
        raise Misconfigured("local_crs_without_code", crs=product.raster.crs)
    values = np.where(np.isfinite(product.surface_out), product.surface_out, NODATA).astype("<f4")[::-1]
    rows = values.shape[0]
    raster = product.raster
    north_m = raster.south_m + rows * raster.cell_m
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, kind, value in (
        (33550, 12, (raster.cell_m, raster.cell_m, 0.0)),
        (33922, 12, (0.0, 0.0, 0.0, raster.west_m, north_m, 0.0)),
        (34735, 3, (1, 1, 1, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, code)),
        (42113, 2, f"{NODATA:g}"),
        (270, 2, f"{title_of(product, lang)} [{say('unit', lang)}]".encode().decode("latin-1")),
        (315, 2, imprint_of(product, lang).encode("utf-8").decode("latin-1")),
    ):  # fmt: skip
        tags.tagtype[tag] = kind
        tags[tag] = value
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(values), mode="F").save(
        out, "TIFF", compression="tiff_deflate", tiffinfo=tags
    )
    return out.getvalue()


def write_text(canvas: Any, at: tuple[float, float], text: str, size: int, fill: str = _INK) -> float:
    """Write a line, each character in the part of the font that has it. Returns where it ends."""
    x, y = at
    for character in text:
        face = page_font().face(character, size)
        canvas.text((x, y), character, font=face, fill=fill, anchor="ls")
        x += face.getlength(character)
    return x


def write_png(product: Product, lang: Language, *, width: int = 1600) -> bytes:
    """The map with title, outlines of the highest level, legend with units, and imprint, for a printed report."""
    heat = picture_out(product)
    west, south, east, north = heat.bounds
    (x0, x1), (y0, y1) = _TO_MERCATOR.transform([west, east], [south, north])
    margin, top, side = 40, 96, 300
    map_width = width - side - 2 * margin
    scale = map_width / (x1 - x0)
    map_height = round((y1 - y0) * scale)
    page = Image.new("RGB", (width, top + map_height + 110), _PAPER)
    canvas = ImageDraw.Draw(page)
    drawn = Image.open(io.BytesIO(heat.png)).convert("RGBA").resize((map_width, map_height))
    page.paste(drawn, (margin, top), drawn)
    shown: dict[str, Any] = next(iter(product.outlines.values()), {"features": []})
    for feature in shown["features"]:
        for ring in _rings(feature["geometry"]):
            x, y = _TO_MERCATOR.transform([point[0] for point in ring], [point[1] for point in ring])
            border = [(margin + (a - x0) * scale, top + (y1 - b) * scale) for a, b in zip(x, y, strict=True)]
            canvas.line(border, fill=_LINE, width=2)
    write_text(canvas, (margin, 46), title_of(product, lang), 28)
    write_text(canvas, (margin, 80), total_of(product, lang), 20)
    left, line = width - side, top + 30
    write_text(canvas, (left, line), say("unit", lang), 18)
    for step in reversed(steps_of(product.surface.legend)):
        line += 34
        canvas.rectangle((left, line - 20, left + 34, line + 2), fill=step.color, outline=_LINE)
        high = f" {say('more', lang)}" if step.high is None else f" – {number(step.high)}"
        write_text(canvas, (left + 46, line), f"{number(step.low)}{high}", 18)
    line += 34
    canvas.rectangle((left, line - 20, left + 34, line + 2), outline=_LINE)
    write_text(canvas, (left + 46, line), say("under", lang), 18)
    write_text(canvas, (margin, top + map_height + 50), say("kept_back_note", lang), 16)
    write_text(canvas, (margin, top + map_height + 82), imprint_of(product, lang), 16)
    out = io.BytesIO()
    page.save(out, "PNG", optimize=True)
    return out.getvalue()


def _rings(geometry: dict[str, Any]) -> list[Any]:
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    return [ring for polygon in polygons for ring in polygon]
