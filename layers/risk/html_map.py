"""The map product: one HTML file with heat over time, four colours and a list to search. No request leaves it."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from typing import Any

import folium
from folium import Element
from folium.raster_layers import ImageOverlay

from gridmap.domain.risk_rules import risk_rules
from gridmap.services.risk.products import OutLine, Product
from layers.folium_assets import read_assets
from layers.folium_map import as_one_file
from layers.risk.fonts import page_font
from layers.risk.rasters import picture_out
from layers.risk.texts import (
    Language,
    colour_name,
    exposure_name,
    horizon_name,
    imprint_of,
    level_name,
    number,
    patrols_note,
    reasons_of,
    say,
    span_of,
    title_of,
    total_of,
)


def write_html(products: Sequence[Product], lang: Language) -> bytes:
    """One page of runs of one area, class group and horizon, oldest first; the last one opens.

    The heat lies on the ground, in degrees, so it keeps its radius in metres at every zoom.
    Raises Misconfigured("map_assets_missing").
    """
    assets = read_assets()
    newest = products[-1]
    level = next(reversed(newest.lists))
    frames = [_frame(product, lang) for product in products]
    page = folium.Map(tiles=None, control_scale=True, prefer_canvas=True, zoom_control=True)
    page.options["maxZoom"] = 19
    page.options["attribution_control"] = False
    overlay = ImageOverlay(
        frames[-1]["png"], bounds=frames[-1]["bounds"], name=say("heat", lang), opacity=0.85, zindex=2
    )
    tints = {one.key: one.color for one in risk_rules().colours}
    areas = folium.GeoJson(
        _areas(newest, level, lang),
        name=say("areas", lang),
        style_function=lambda feature: {
            "fillColor": tints.get(feature["properties"]["risk_level"], "#ffffff"),
            "fillOpacity": 0.35,
            "color": "#3c4d5c",
            "weight": 1,
        },
        tooltip=folium.GeoJsonTooltip(
            fields=["name", "colour", "expected", "interval"],
            aliases=[say(key, lang) for key in ("name", "level", "expected", "interval")],
        ),
    )
    areas.add_to(page)
    overlay.add_to(page)
    folium.LayerControl(collapsed=True, position="topleft").add_to(page)
    page.fit_bounds(frames[-1]["bounds"])
    root: Any = page.get_root()
    furniture = _furniture(newest, level, frames, lang)
    root.html.add_child(Element(furniture))
    root.script.add_child(Element(_script(page.get_name(), overlay.get_name(), areas.get_name(), frames)))
    told = furniture + newest.run.area_name
    return as_one_file(page, assets, page_font().as_style(told) + _STYLE).encode("utf-8")


def _frame(product: Product, lang: Language) -> dict[str, Any]:
    drawn = picture_out(product)
    west, south, east, north = drawn.bounds
    return {
        "png": "data:image/png;base64," + base64.b64encode(drawn.png).decode(),
        "bounds": [[south, west], [north, east]],
        "span": span_of(product.run.origin_on, product.run.horizon_days, lang),
        "total": total_of(product, lang),
    }


def _areas(product: Product, level: str, lang: Language) -> dict[str, Any]:
    rows = {row.line.area_id: row for row in product.lists[level]}
    features = []
    for one in product.outlines[level]["features"]:
        row = rows[one["properties"]["area_id"]]
        shown = row.expected is not None
        back = say("kept_back", lang)
        features.append(
            {
                "type": "Feature",
                "geometry": one["geometry"],
                "properties": {
                    "area_id": row.line.area_id,
                    "name": html.escape(row.line.name),
                    "risk_level": row.line.risk_level if shown else "",
                    "colour": colour_name(row.line.risk_level, lang) if shown else back,
                    "expected": number(row.expected) if shown else back,
                    "interval": f"{number(row.low)}–{number(row.high)}" if shown else back,
                },
            }
        )
    return {"type": "FeatureCollection", "features": features}


def _furniture(product: Product, level: str, frames: Sequence[dict[str, Any]], lang: Language) -> str:
    tints = {one.key: one.color for one in risk_rules().colours}
    lines = []
    for row in product.lists[level]:
        line, shown = row.line, row.expected is not None
        figures = (
            f"{number(row.expected)} <small>{number(row.low)}–{number(row.high)}</small>"
            if shown
            else say("kept_back", lang)
        )
        tint = tints.get(line.risk_level, "#fff") if shown else "#fff"
        colour = html.escape(colour_name(line.risk_level, lang)) if shown else ""
        lines.append(
            f'<li tabindex="0" data-area="{line.area_id}" data-find="{html.escape((line.name + line.code).lower(), quote=True)}">'
            f'<i style="background:{tint}"></i><span>{html.escape(line.name)}</span><em>{colour}</em><b>{figures}</b>'
            f"<p>{html.escape(_beside(row, product, lang))}</p></li>"
        )
    legend = "".join(
        f'<div><i style="background:{one["color"]}"></i>{number(one["from"])}'
        + (f" {say('more', lang)}" if one["to"] is None else f" – {number(one['to'])}")
        + "</div>"
        for one in reversed(product.surface.legend or [])
    )
    colours = "".join(
        f'<span><i style="background:{one.color}"></i>{html.escape(colour_name(one.key, lang))}</span>'
        for one in risk_rules().colours
    )
    last = len(frames) - 1
    slider = (
        f'<div class="gm-slider"><label for="gm-time">{say("slider", lang)}</label>'
        f'<input id="gm-time" type="range" min="0" max="{last}" value="{last}" {"disabled" if last == 0 else ""}>'
        f'<output id="gm-span">{frames[last]["span"]}</output></div>'
    )
    return (
        f'<aside class="gm-side" lang="{lang}"><h1>{html.escape(title_of(product, lang))}</h1>'
        f'<p class="gm-total" id="gm-total">{html.escape(total_of(product, lang))}</p>'
        f"<p>{html.escape(horizon_name(product.run.horizon, lang))} · {html.escape(level_name(level, lang))}</p>"
        f'<input id="gm-find" type="search" placeholder="{say("search", lang)}" aria-label="{say("search", lang)}">'
        f'<ol id="gm-list">{"".join(lines)}</ol>'
        f'<footer><div class="gm-colours">{colours}</div><p>{html.escape(say("warning", lang))}</p>'
        f"<p>{html.escape(say('kept_back_note', lang))}</p>"
        f"<p>{html.escape(patrols_note(product, lang))}</p><p>{html.escape(imprint_of(product, lang))}</p></footer></aside>"
        f'<div class="gm-legend"><b>{say("unit", lang)}</b>{legend}'
        f"<div><i></i>{say('under', lang)}</div></div>{slider}"
    )


def _beside(row: OutLine, product: Product, lang: Language) -> str:
    """Under the count: its rate where there is one, a proposed patrol, and the reasons."""
    told = []
    if row.rate is not None:
        told.append(f"{say('rate', lang, of=exposure_name(product, lang))} {number(row.rate)}")
    if row.line.patrol:
        told.append(f"{say('patrol', lang)}: {say(f'patrol_{row.line.patrol}', lang)}")
    return ("；" if lang == "zh" else "; ").join([*told, reasons_of(row, lang)])


def _script(page: str, overlay: str, areas: str, frames: Sequence[dict[str, Any]]) -> str:
    """What the page does: step through the runs, find a line, show its area. Plain functions of the page's own map."""
    told = json.dumps(list(frames), ensure_ascii=False).replace("</", "<\\/")
    return f"""
    // The map's own script comes after this one.
    document.addEventListener("DOMContentLoaded", function () {{
      var frames = {told};
      var map = {page}, heat = {overlay}, areas = {areas};
      var time = document.getElementById("gm-time"), list = document.getElementById("gm-list");
      time.addEventListener("input", function () {{
        var frame = frames[Number(time.value)];
        heat.setUrl(frame.png);
        heat.setBounds(L.latLngBounds(frame.bounds));
        document.getElementById("gm-span").textContent = frame.span;
        document.getElementById("gm-total").textContent = frame.total;
      }});
      document.getElementById("gm-find").addEventListener("input", function (event) {{
        var word = event.target.value.trim().toLowerCase();
        Array.prototype.forEach.call(list.children, function (line) {{
          line.hidden = word !== "" && line.dataset.find.indexOf(word) < 0;
        }});
      }});
      var byArea = {{}};
      areas.eachLayer(function (layer) {{ byArea[layer.feature.properties.area_id] = layer; }});
      var marked = null;
      function show(line) {{
        var layer = byArea[line.dataset.area];
        if (!layer) return;
        if (marked) areas.resetStyle(marked);
        marked = layer;
        layer.setStyle({{ weight: 4, color: "#0b5ea8" }}).bringToFront();
        map.fitBounds(layer.getBounds(), {{ maxZoom: 15, padding: [60, 60] }});
        Array.prototype.forEach.call(list.children, function (one) {{ one.classList.toggle("gm-on", one === line); }});
      }}
      list.addEventListener("click", function (event) {{
        var line = event.target.closest("li");
        if (line) show(line);
      }});
      list.addEventListener("keydown", function (event) {{
        if (event.key === "Enter") show(event.target.closest("li"));
      }});
    }});
    """


_STYLE = """
.folium-map {left: 360px !important; width: calc(100% - 360px) !important}
.gm-side {position: fixed; inset: 0 auto 0 0; width: 360px; display: flex; flex-direction: column; gap: 6px;
  padding: 12px; box-sizing: border-box; background: #fff; color: #14202b; font: 14px/1.5 "Noto Sans SC Variable", system-ui,
  "Microsoft YaHei", sans-serif; font-variant-numeric: tabular-nums; border-right: 1px solid #8696a4; z-index: 1000}
.gm-side h1 {margin: 0; font-size: 17px} .gm-side p {margin: 0} .gm-total {font-weight: 600}
.gm-side input {min-height: 34px; padding: 0 10px; border: 1px solid #8696a4; border-radius: 4px; font: inherit}
.gm-side ol {flex: 1; margin: 0; padding: 0; list-style: none; overflow-y: auto; border: solid #d3dbe2; border-width: 1px 0}
.gm-side li {display: grid; grid-template-columns: 18px 1fr auto auto; gap: 2px 8px; align-items: center; padding: 6px 4px;
  border-bottom: 1px solid #d3dbe2; cursor: pointer}
.gm-side li[hidden] {display: none} .gm-side li p {grid-column: 2 / -1; color: #3c4d5c; font-size: 12px}
.gm-side li em {font-style: normal} .gm-side li.gm-on {background: #e3e9ee}
.gm-side i, .gm-legend i {display: inline-block; width: 16px; height: 12px; border: 1px solid #5b646c}
.gm-side footer {font-size: 12px; color: #3c4d5c} .gm-colours span {margin-right: 12px} .gm-colours i {margin-right: 4px}
.gm-legend, .leaflet-container {font-family: "Noto Sans SC Variable", system-ui, "Microsoft YaHei", sans-serif !important}
.leaflet-bottom.leaflet-left {bottom: 70px}
.gm-legend {left: auto !important; right: 12px; bottom: 76px !important}
.gm-slider {position: fixed; left: 380px; right: 12px; bottom: 24px; z-index: 1000; display: flex; gap: 12px; align-items: center;
  padding: 8px 12px; background: #fff; border-radius: 4px; box-shadow: 0 1px 4px rgba(0,0,0,.35);
  font: 14px/1.5 "Noto Sans SC Variable", system-ui, "Microsoft YaHei", sans-serif; font-variant-numeric: tabular-nums}
.gm-slider input {flex: 1; min-height: 28px}
@media (max-width: 760px) {
  .gm-side {inset: auto 0 0 0; width: 100%; height: 45%} .gm-slider {left: 12px; bottom: calc(45% + 8px)}
  .folium-map {left: 0 !important; width: 100% !important; height: 55% !important}
  .gm-legend {bottom: calc(45% + 66px) !important}
}
"""
