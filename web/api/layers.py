"""Layers of the map and their vector tiles."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import Field

from layers.base import TileFilter
from layers.registry import get_visible_layer, list_layers
from layers.tiles import MIME, Tile, current_version
from web.guards import actor, briefly_remembered, signed_in
from web.schemas import Keys, Moment, Query
from web.site import as_caller, site

layers = APIBlueprint("layers", __name__, url_prefix="/api", tag="layers")

# The version stands in the address; a share that ran out bumps none, so nothing is kept longer than this.
_KEPT_S = 60


class TileQuery(Query):
    classes: Keys = Field((), alias="class")
    status: Keys = ()
    since: Moment | None = Field(None, alias="from")
    until: Moment | None = Field(None, alias="to")


@layers.get("/layers")
@signed_in
def show_layers() -> dict[str, Any]:
    """The layers I may see, the lowest drawn first; each address carries the version that is current now."""
    with as_caller() as tx:
        return {
            "items": [layer.describe(current_version(tx.session, layer)) for layer in list_layers(tx.actor)]
        }


@layers.get("/tiles/<layer_key>/<version>/<int:z>/<int:x>/<int:y>.mvt")
@layers.input(TileQuery, location="query", arg_name="query")
@layers.doc(responses={200: "A Mapbox Vector Tile", 304: "Not changed"})
@briefly_remembered
@signed_in
def show_tile(layer_key: str, version: str, z: int, x: int, y: int, query: TileQuery) -> Response:
    """One tile: counts far off (`n`, `thinned`), exact near by."""
    who = actor()
    layer = get_visible_layer(layer_key, who)
    wanted = TileFilter(classes=query.classes, statuses=query.status, since=query.since, until=query.until)
    return _tile_response(site().tiles.read(who, layer, version[:64], z, x, y, wanted))


def _tile_response(tile: Tile) -> Response:
    takes_gzip = tile.gzipped is not None and request.accept_encodings.quality("gzip") > 0
    response = Response(tile.gzipped if takes_gzip else tile.data, mimetype=MIME)
    if takes_gzip:
        response.headers["Content-Encoding"] = "gzip"
    response.vary.update(("Accept-Encoding", "Cookie", "Authorization"))
    response.headers["Cache-Control"] = f"private, max-age={_KEPT_S}"
    response.headers["X-Tile-Count"] = str(tile.count)
    response.headers["X-Tile-Thinned"] = "1" if tile.thinned else "0"
    response.set_etag(tile.etag, weak=True)
    response.make_conditional(request.environ)
    return response
