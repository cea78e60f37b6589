"""Every kind of risk file by its ending."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from gridmap.errors import GridmapError, NotFound
from gridmap.services.risk.products import Product, make_product
from gridmap.services.risk.reading import get_run, past_runs
from gridmap.services.transaction import Tx
from layers.risk.html_map import write_html
from layers.risk.pdf import write_pdf
from layers.risk.rasters import write_geotiff, write_png
from layers.risk.tables import write_geojson, write_xlsx
from layers.risk.texts import Language

MOST_FRAMES = 24
HTML = "html"
WRITERS: dict[str, tuple[Callable[[Product, Language], bytes], str]] = {
    "tif": (write_geotiff, "image/tiff"),
    "geojson": (write_geojson, "application/geo+json"),
    "png": (write_png, "image/png"),
    "xlsx": (write_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "pdf": (write_pdf, "application/pdf"),
}
ENDINGS = (HTML, *WRITERS)


def write(
    tx: Tx,
    run_id: UUID,
    group: str,
    ending: str,
    lang: Language,
    *,
    purpose: str,
    days: int,
    author: str,
    weighted: bool = False,
) -> tuple[bytes, str]:
    """A file of one run and group, and its MIME type. An HTML map also holds the runs before, for its slider.

    `weighted`: heat and raster by severity.
    Raises NotFound("export_format_unknown") and what `make_product` raises.
    """
    if ending not in ENDINGS:
        raise NotFound("export_format_unknown", known=sorted(ENDINGS))
    product = make_product(tx, run_id, group, purpose=purpose, days=days, author=author, weighted=weighted)
    if ending != HTML:
        writer, mime = WRITERS[ending]
        return writer(product, lang), mime
    run = get_run(tx, run_id)
    before = [one for one in past_runs(tx, run, MOST_FRAMES) if one.origin_on < run.origin_on]
    frames = []
    for one in before:
        try:
            frames.append(
                make_product(tx, one.id, group, purpose=purpose, days=days, author=author, weighted=weighted)
            )
        except GridmapError:
            # A run without a forecast of this group has no picture to step to.
            continue
    return write_html([*frames, product], lang), "text/html"
