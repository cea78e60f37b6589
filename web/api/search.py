"""One box for everything."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from gridmap.services.queries.searching import Hit
from gridmap.services.queries.searching import search as find
from web.guards import signed_in
from web.outputs import returns
from web.schemas import Lat, Lon, Query, ShortText
from web.site import as_caller

search = APIBlueprint("search", __name__, url_prefix="/api/search", tag="search")


class SearchQuery(Query):
    q: ShortText
    lon: Lon | None = None
    lat: Lat | None = None


@search.get("")
@search.input(SearchQuery, location="query", arg_name="query")
@returns(Hit, many=True)
@signed_in
def show_hits(query: SearchQuery) -> dict[str, Any]:
    """Incidents by number or words, units, areas by name or code, cameras, and the names of the map."""
    near = None if query.lon is None or query.lat is None else (query.lon, query.lat)
    with as_caller() as tx:
        return {"items": find(tx, query.q, near=near)}
