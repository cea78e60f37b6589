"""A map product: one HTML file with areas by open incidents and clustered cameras, for who has no log-in.

It shows what the session that makes it may see, without restricted incidents, and stands alone: no request leaves it.
"""

from __future__ import annotations

import html
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import folium
from folium import Element
from folium.plugins import FastMarkerCluster
from sqlalchemy import text
from sqlalchemy.orm import Session

from gridmap.errors import Invalid, NotFound
from layers.folium_assets import Assets, read_assets

Language = Literal["zh", "en"]
LAYERS = ("areas", "cameras")
MOST_AREAS = 2_000
MOST_CAMERAS = 20_000
_TOLERANCE_DEG = 0.00005
_RAMP = ("#f2f0e9", "#fbd9a5", "#f4ac63", "#e2713f", "#b93a32", "#7b1331")
_TEXTS = {
    "title": {"zh": "开放事件与监控探头", "en": "Open incidents and cameras"},
    "areas": {"zh": "开放事件数", "en": "Open incidents"},
    "cameras": {"zh": "监控探头", "en": "Cameras"},
    "name": {"zh": "名称", "en": "Name"},
    "cut": {"zh": "仅含前 {n} 个探头", "en": "Only the first {n} cameras are on this map"},
}


@dataclass(frozen=True)
class AreaRow:
    """An area's outline (GeoJSON geometry, WGS84) and how many open incidents lie in it."""

    name: str
    open_incidents: int
    geometry: dict[str, Any]


def folium_map(session: Session, layers: Collection[str] = LAYERS, lang: Language = "zh") -> str:
    """The page's text. `layers` is any of `LAYERS`.

    Raises Invalid("layer_not_exportable"), NotFound("no_areas"), Misconfigured("map_assets_missing").
    """
    unknown = sorted(set(layers) - set(LAYERS))
    if unknown:
        raise Invalid("layer_not_exportable", layers=unknown, known=list(LAYERS))
    assets = read_assets()
    areas = _read_areas(session)
    page = folium.Map(tiles=None, control_scale=True, prefer_canvas=True, zoom_control=True)
    # Without base tiles nothing else tells the cluster plugin where zooming ends.
    page.options["maxZoom"] = 19
    page.options["attribution_control"] = False
    if "areas" in layers:
        _add_areas(page, areas, lang)
    notes = _add_cameras(page, session, lang) if "cameras" in layers else []
    page.fit_bounds(_bounds(areas))
    _add_furniture(page, areas if "areas" in layers else [], notes, lang)
    return as_one_file(page, assets)


def _read_areas(session: Session) -> list[AreaRow]:
    """The finest level that still has few enough areas to be read at a glance."""
    level = session.scalar(
        text(
            "select a.level from area_version v join area a on a.id = v.area_id"
            " where a.tree = 'admin' and v.valid @> app_now() group by a.level"
            " having count(*) <= :most order by count(*) desc, a.level limit 1"
        ),
        {"most": MOST_AREAS},
    )
    rows = session.execute(
        text(
            "select v.name, st_asgeojson(st_simplify(v.geom, :tolerance), 6) as outline,"
            " (select count(*) from incident i where i.scope_path <@ v.path and i.status <> 'closed'"
            "  and not i.restricted and not i.drill) as n"
            " from area_version v join area a on a.id = v.area_id"
            " where a.tree = 'admin' and a.level = :level and v.valid @> app_now() order by a.code"
        ),
        {"level": level, "tolerance": _TOLERANCE_DEG},
    ).all()
    if not rows:
        raise NotFound("no_areas")
    return [AreaRow(row.name, row.n, json.loads(row.outline)) for row in rows]


def _add_areas(page: folium.Map, areas: Sequence[AreaRow], lang: Language) -> None:
    steps = _steps(areas)
    features = [
        {
            "type": "Feature",
            "geometry": area.geometry,
            "properties": {
                "name": html.escape(area.name),
                "n": area.open_incidents,
                "fill": _colour(area.open_incidents, steps),
            },
        }
        for area in areas
    ]
    folium.GeoJson(
        {"type": "FeatureCollection", "features": features},
        name=_TEXTS["areas"][lang],
        style_function=lambda feature: {
            "fillColor": feature["properties"]["fill"],
            "fillOpacity": 0.75,
            "color": "#5b646c",
            "weight": 1,
        },
        tooltip=folium.GeoJsonTooltip(
            fields=["name", "n"], aliases=[_TEXTS["name"][lang], _TEXTS["areas"][lang]]
        ),
    ).add_to(page)


def _add_cameras(page: folium.Map, session: Session, lang: Language) -> list[str]:
    rows = session.execute(
        text(
            "select round(st_y(geom)::numeric, 6)::float8 as lat, round(st_x(geom)::numeric, 6)::float8 as lon"
            " from camera where withdrawn_at is null order by id limit :most"
        ),
        {"most": MOST_CAMERAS + 1},
    ).all()
    clusters: Any = FastMarkerCluster
    clusters(
        [[row.lat, row.lon] for row in rows[:MOST_CAMERAS]],
        name=_TEXTS["cameras"][lang],
        callback="function (at) { return L.circleMarker(at, {radius: 5, weight: 1, color: '#2b4c66',"
        " fillColor: '#4f9dd9', fillOpacity: 0.9}); }",
    ).add_to(page)
    return [_TEXTS["cut"][lang].format(n=MOST_CAMERAS)] if len(rows) > MOST_CAMERAS else []


def _steps(areas: Sequence[AreaRow]) -> list[int]:
    """Lower ends of the classes: quantiles of what is not zero, without repeats."""
    counts = sorted(area.open_incidents for area in areas if area.open_incidents)
    if not counts:
        return [1]
    cuts = {counts[len(counts) * part // (len(_RAMP) - 1)] for part in range(len(_RAMP) - 1)}
    return sorted({1, *cuts})[: len(_RAMP) - 1]


def _colour(count: int, steps: Sequence[int]) -> str:
    return _RAMP[sum(count >= step for step in steps)]


def _bounds(areas: Sequence[AreaRow]) -> list[list[float]]:
    points = [point for area in areas for point in _points(area.geometry["coordinates"])]
    lons, lats = [point[0] for point in points], [point[1] for point in points]
    return [[min(lats), min(lons)], [max(lats), max(lons)]]


def _points(coordinates: list[Any]) -> list[list[float]]:
    if coordinates and not isinstance(coordinates[0], list):
        return [coordinates]
    return [point for part in coordinates for point in _points(part)]


def _add_furniture(page: folium.Map, areas: Sequence[AreaRow], notes: Sequence[str], lang: Language) -> None:
    folium.LayerControl(collapsed=False).add_to(page)
    rows = ""
    if areas:
        lows = [0, *_steps(areas)]
        rows = "".join(
            f'<div><i style="background:{_colour(low, lows[1:])}"></i>{low}{_upper(lows, at)}</div>'
            for at, low in enumerate(lows)
        )
    told = "".join(f"<p>{html.escape(note)}</p>" for note in notes)
    root: Any = page.get_root()
    root.html.add_child(Element(f'<div class="gm-legend"><b>{_TEXTS["title"][lang]}</b>{rows}{told}</div>'))


def _upper(lows: Sequence[int], at: int) -> str:
    if at + 1 == len(lows):
        return " +"
    return "" if lows[at + 1] - 1 == lows[at] else f" – {lows[at + 1] - 1}"


_LEGEND_STYLE = """
.gm-legend {position: fixed; left: 12px; bottom: 70px; z-index: 1000; background: #fff; padding: 8px 12px;
  font: 13px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; border-radius: 4px;
  box-shadow: 0 1px 4px rgba(0,0,0,.35); max-width: 240px}
.gm-legend i {display: inline-block; width: 16px; height: 12px; margin-right: 8px; border: 1px solid #5b646c}
.gm-legend p {margin: 6px 0 0}
"""


def as_one_file(page: folium.Map, assets: Assets, style: str = "") -> str:
    """Render with every outside link cut, and put ours in their place, `style` behind them."""
    parts: list[Any] = [page, *page._children.values()]
    for part in parts:
        part.default_js, part.default_css = [], []
    root = page.get_root()
    text_of_page = str(root.render())
    head = "".join(f"<style>{style}</style>" for style in (*assets.styles, _LEGEND_STYLE, style))
    head += "".join(f"<script>{script}</script>" for script in assets.scripts)
    return text_of_page.replace("<head>", f"<head>{head}", 1)
