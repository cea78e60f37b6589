"""The base map's files, read in ranges by the browser."""

from __future__ import annotations

from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, send_from_directory

from gridmap.basemap.style import style
from gridmap.errors import NotFound
from gridmap.services.queries.deployment import list_basemaps
from web.guards import briefly_remembered, signed_in
from web.schemas import Query
from web.site import as_caller, site

basemap = APIBlueprint("basemap", __name__, tag="layers")

_MIME = "application/vnd.pmtiles"
_KEPT_S = 3_600


class StyleQuery(Query):
    theme: Literal["dark", "light"] = "dark"
    lang: Literal["zh", "en"] | None = None


@basemap.get("/api/basemap/style.json")
@basemap.input(StyleQuery, location="query", arg_name="query")
@signed_in
def show_style(query: StyleQuery) -> dict[str, Any]:
    """The base map as a MapLibre style; plain ground while there is no base map."""
    settings = site().settings
    with as_caller() as tx:
        extracts = list_basemaps(tx, settings)
    return style(query.theme, query.lang or settings.locale, "", extracts)


@basemap.get("/basemap/<name>.pmtiles")
@basemap.doc(responses={200: "The file", 206: "A range of it"})
@briefly_remembered
@signed_in
def show_file(name: str) -> Response:
    """One PMTiles file; a browser asks for ranges of it."""
    folder = site().settings.basemap_dir
    if not (folder / f"{name}.pmtiles").is_file():
        raise NotFound("basemap_not_found", name=name)
    response = send_from_directory(folder, f"{name}.pmtiles", mimetype=_MIME, conditional=True)
    response.headers["Cache-Control"] = f"private, max-age={_KEPT_S}"
    return response
