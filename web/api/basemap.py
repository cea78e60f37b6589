"""The base map's files, read in ranges by the browser."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, send_from_directory

from gridmap.errors import NotFound
from web.guards import briefly_remembered, signed_in
from web.site import site

basemap = APIBlueprint("basemap", __name__, tag="layers")

_MIME = "application/vnd.pmtiles"
_KEPT_S = 3_600


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
