"""One gazetteer entry for each street: its pieces joined, so that a search shows 建设路 once and not 40 times."""

from __future__ import annotations

from collections.abc import Mapping

from gridmap.domain.addresses import normal_text
from gridmap.domain.ids import new_id
from ingest.osm.names import search_text
from ingest.osm.stage import GAZETTEER, Stage

# Pieces of one name within about 300 m are one street (two carriageways, a square, a gap in the map); further
# apart they are two streets of one name in two towns.
_PIECES = """
with piece as (
    select name, osm_id, geom, kind,
           ST_ClusterDBSCAN(geom, eps := 0.003, minpoints := 1) over (partition by name) as street
    from stage_road where name is not null
), street as (
    select name, min(osm_id) as ref, ST_Collect(geom) as geom,
           bool_or(kind in ('motorway', 'trunk', 'primary', 'secondary')) as main
    from piece group by name, street
)
select name, ref, main,
       encode(ST_AsBinary(ST_ClosestPoint(geom, ST_Centroid(geom))), 'hex') as point,
       greatest(30, ST_Length(ST_BoundingDiagonal(ST_SetSRID(geom, 4326))::geography) / 2) as radius_m
from street
"""


def add_streets(stage: Stage, english: Mapping[str, str | None]) -> int:
    """Stage an entry for every street of the staged roads; returns how many.

    Args:
        english: the English name of each street name, None where the map has none.

    The point lies on the street, at the place nearest to its middle; the radius covers its whole length.
    """
    streets = stage.list_rows(_PIECES)
    for name, ref, main, point, radius_m in streets:
        in_english = english.get(name)
        weight = 3.5 if main else 2.5
        stage.add(
            GAZETTEER,
            new_id(),
            f"street:{ref}",
            "street",
            name,
            in_english,
            search_text(name, in_english),
            normal_text(name),
            None,
            weight,
            radius_m,
            point,
        )
    return len(streets)
