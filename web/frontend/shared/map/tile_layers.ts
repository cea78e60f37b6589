/** Turns the server's layer registry into map layers: exact features, numbered circles for thinned ones, labels. */
import type { AddLayerObject, ExpressionSpecification, Map as GlMap, VectorTileSource } from "maplibre-gl";
import type { LayerInfo } from "../api/layers";
import { cssToken } from "../theme/read";
import { LABEL_FONT } from "./create";

const THINNED: ExpressionSpecification = ["==", ["get", "thinned"], true];
const EXACT: ExpressionSpecification = ["!=", ["get", "thinned"], true];

export const sourceId = (key: string) => `tiles-${key}`;
const layerIds = (key: string) => ["fill", "line", "sector", "point", "thinned", "count", "label"].map((part) => `tiles-${key}-${part}`);

/** Paint values of one kind ("circle-color") out of a layer's style; the registry may give more than a kind takes. */
function paintOf(info: LayerInfo, kind: string): Record<string, unknown> {
  const paint = info.style.paint ?? info.style;
  return Object.fromEntries(Object.entries(paint).filter(([name]) => name.startsWith(`${kind}-`)));
}

/** One colour per status where the legend names them, else the layer's own. */
function colorOf(info: LayerInfo, kind: string): ExpressionSpecification | string {
  const given = paintOf(info, kind)[`${kind}-color`];
  if (Array.isArray(given)) return given as unknown as ExpressionSpecification;
  const plain = String(given ?? info.legend[0]?.color ?? cssToken("--accent"));
  const named = info.legend.filter((entry) => entry.value);
  if (!named.length) return plain;
  return ["match", ["get", "status"], ...named.flatMap((entry) => [entry.value!, entry.color]), plain] as unknown as ExpressionSpecification;
}

type Base = { source: string; "source-layer": string };

/** Numbered circles: how many a place stands for where not all can be drawn. */
function thinnedLayers(info: LayerInfo, base: Base): AddLayerObject[] {
  const ring = info.legend[0]?.color ?? cssToken("--accent");
  const size: ExpressionSpecification = ["interpolate", ["linear"], ["sqrt", ["coalesce", ["get", "n"], 1]], 1, 9, 10, 14, 60, 22, 200, 28];
  return [
    {
      id: `tiles-${info.key}-thinned`, type: "circle", ...base, filter: THINNED,
      paint: { "circle-radius": size, "circle-color": cssToken("--surface-2"), "circle-opacity": 0.7, "circle-stroke-width": 1, "circle-stroke-color": ring, "circle-stroke-opacity": 0.7 },
    },
    {
      id: `tiles-${info.key}-count`, type: "symbol", ...base, filter: THINNED,
      layout: { "text-field": ["to-string", ["get", "n"]], "text-font": LABEL_FONT, "text-size": 11 },
      paint: { "text-color": cssToken("--text-2") },
    },
  ];
}

/** Where a thing looks, for layers that know it: a wedge turned by its heading, close up. */
function sectorLayers(info: LayerInfo, base: Base): AddLayerObject[] {
  const names = new Set(info.columns?.map((column) => column.name));
  if (!names.has("heading") || !names.has("fov")) return [];
  const width: ExpressionSpecification = ["max", 30, ["*", 30, ["round", ["/", ["get", "fov"], 30]]]];
  return [
    {
      id: `tiles-${info.key}-sector`, type: "symbol", ...base, minzoom: 15, filter: ["all", EXACT, ["has", "heading"], ["has", "fov"]],
      layout: {
        "icon-image": ["concat", "sector|", ["to-string", width]],
        "icon-rotate": ["get", "heading"],
        "icon-rotation-alignment": "map",
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
        "icon-size": ["interpolate", ["linear"], ["zoom"], 15, 0.5, 18, 1.2],
      },
    },
  ];
}

function pointLayers(info: LayerInfo, base: Base): AddLayerObject[] {
  const paint = {
    "circle-radius": ["interpolate", ["linear"], ["zoom"], 12, 2.5, 16, 5],
    "circle-stroke-width": 1,
    "circle-stroke-color": cssToken("--map-casing"),
    ...paintOf(info, "circle"),
    "circle-color": colorOf(info, "circle"),
  };
  return [...sectorLayers(info, base), { id: `tiles-${info.key}-point`, type: "circle", ...base, filter: EXACT, paint } as AddLayerObject];
}

function lineLayers(info: LayerInfo, base: Base): AddLayerObject[] {
  const fill = paintOf(info, "fill");
  const color = (paintOf(info, "line")["line-color"] ?? fill["fill-color"]) as ExpressionSpecification | string | undefined;
  const paint = { "line-width": 2, ...paintOf(info, "line"), "line-color": color ?? colorOf(info, "line") };
  const line = { id: `tiles-${info.key}-line`, type: "line", ...base, filter: EXACT, paint } as AddLayerObject;
  if (!Object.keys(fill).length) return [line];
  return [{ id: `tiles-${info.key}-fill`, type: "fill", ...base, filter: EXACT, paint: fill } as AddLayerObject, line];
}

/** Borders and names of areas; the names stand in a layer of their own, one point an area. */
function areaLayers(info: LayerInfo, base: Base): AddLayerObject[] {
  const paint = { "line-width": 1, "line-opacity": 0.75, ...paintOf(info, "line"), "line-color": cssToken("--area-line") };
  const upper: ExpressionSpecification = ["match", ["get", "level"], ["province", "city", "county"], 15, "township", 13.5, "community", 12, 11];
  // The name of what fills the whole screen only hides the names inside it.
  const wide = ["province", "city", "county"];
  const notIn = (levels: string[]): ExpressionSpecification => ["!", ["in", ["get", "level"], ["literal", levels]]];
  const fits: ExpressionSpecification = ["step", ["zoom"], true, 9.5, notIn(wide), 13.5, notIn([...wide, "township"]), 15, notIn([...wide, "township", "community"])];
  return [
    { id: `tiles-${info.key}-line`, type: "line", ...base, filter: EXACT, paint } as AddLayerObject,
    {
      id: `tiles-${info.key}-label`, type: "symbol", source: base.source, "source-layer": "areas_label", filter: fits,
      layout: { "text-field": ["coalesce", ["get", "name"], ""], "text-font": LABEL_FONT, "text-size": upper, "text-max-width": 8, "text-padding": 8 },
      paint: { "text-color": cssToken("--area-label"), "text-halo-color": cssToken("--map-casing"), "text-halo-width": 1.4 },
    },
  ];
}

export function layersFor(info: LayerInfo): AddLayerObject[] {
  const base = { source: sourceId(info.key), "source-layer": info.key };
  const exact = info.key === "areas" ? areaLayers : info.geometry === "point" ? pointLayers : lineLayers;
  return [...exact(info, base), ...thinnedLayers(info, base)];
}

/** Open work is drawn live by the page itself: the tiles bring only what is over. */
const FIXED_FILTER: Record<string, string> = { incidents: "?status=closed" };

export function tileUrl(info: LayerInfo): string {
  return location.origin + info.url + (FIXED_FILTER[info.key] ?? "");
}

export function showTileLayer(map: GlMap, info: LayerInfo, beforeId: string | undefined): void {
  const existing = map.getSource<VectorTileSource>(sourceId(info.key));
  if (existing) {
    if (existing.tiles[0] !== tileUrl(info)) existing.setTiles([tileUrl(info)]);
    return;
  }
  map.addSource(sourceId(info.key), { type: "vector", tiles: [tileUrl(info)], minzoom: info.min_zoom, maxzoom: info.max_zoom });
  for (const layer of layersFor(info)) map.addLayer(layer, beforeId && map.getLayer(beforeId) ? beforeId : undefined);
}

export function hideTileLayer(map: GlMap, key: string): void {
  for (const id of layerIds(key)) if (map.getLayer(id)) map.removeLayer(id);
  if (map.getSource(sourceId(key))) map.removeSource(sourceId(key));
}

/** The ids of a layer's clickable parts that are on the map now. */
export function clickableIds(map: GlMap, key: string): string[] {
  return layerIds(key).filter((id) => map.getLayer(id));
}

