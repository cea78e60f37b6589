/** Turns the server's layer registry into map layers: exact features, numbered circles for thinned ones, labels. */
import type { AddLayerObject, ExpressionSpecification, Map as GlMap, VectorTileSource } from "maplibre-gl";
import type { LayerInfo } from "../api/layers";
import { cssToken } from "../theme/read";
import { LABEL_FONT } from "./create";

const THINNED: ExpressionSpecification = ["==", ["get", "thinned"], true];
const EXACT: ExpressionSpecification = ["!=", ["get", "thinned"], true];

export const sourceId = (key: string) => `tiles-${key}`;
const layerIds = (key: string) => ["fill", "line", "point", "thinned", "count", "label"].map((part) => `tiles-${key}-${part}`);

/** Paint values of one kind ("circle-color") out of a layer's style; the registry may give more than a kind takes. */
function paintOf(info: LayerInfo, kind: string): Record<string, unknown> {
  const paint = info.style.paint ?? {};
  return Object.fromEntries(Object.entries(paint).filter(([name]) => name.startsWith(`${kind}-`)));
}

/** One colour per status where the legend names them, else the layer's own. */
function colorOf(info: LayerInfo, kind: string): ExpressionSpecification | string {
  const plain = String(paintOf(info, kind)[`${kind}-color`] ?? info.legend[0]?.color ?? cssToken("--accent"));
  const named = info.legend.filter((entry) => entry.value);
  if (!named.length) return plain;
  return ["match", ["get", "status"], ...named.flatMap((entry) => [entry.value!, entry.color]), plain] as unknown as ExpressionSpecification;
}

function pointLayers(info: LayerInfo, base: { source: string; "source-layer": string }): AddLayerObject[] {
  const color = colorOf(info, "circle");
  const ring = info.legend[0]?.color ?? cssToken("--accent");
  const size: ExpressionSpecification = ["interpolate", ["linear"], ["sqrt", ["coalesce", ["get", "n"], 1]], 1, 9, 10, 14, 60, 22, 200, 28];
  return [
    {
      id: `tiles-${info.key}-point`, type: "circle", ...base, filter: EXACT,
      paint: { "circle-radius": ["interpolate", ["linear"], ["zoom"], 12, 2.5, 16, 5], "circle-stroke-width": 1, "circle-stroke-color": cssToken("--map-casing"), ...paintOf(info, "circle"), "circle-color": color },
    } as AddLayerObject,
    {
      id: `tiles-${info.key}-thinned`, type: "circle", ...base, filter: THINNED,
      paint: { "circle-radius": size, "circle-color": cssToken("--surface-2"), "circle-opacity": 0.7, "circle-stroke-width": 1, "circle-stroke-color": ring, "circle-stroke-opacity": 0.7 },
    },
    {
      id: `tiles-${info.key}-count`, type: "symbol", ...base, filter: THINNED,
      layout: { "text-field": ["to-string", ["get", "n"]], "text-font": LABEL_FONT, "text-size": 11, "text-allow-overlap": false },
      paint: { "text-color": cssToken("--text-2") },
    },
  ];
}

function areaLayers(info: LayerInfo, base: { source: string; "source-layer": string }): AddLayerObject[] {
  const line = cssToken("--area-line");
  return [
    {
      id: `tiles-${info.key}-line`, type: "line", ...base,
      paint: { "line-width": ["interpolate", ["linear"], ["zoom"], 8, 0.8, 15, 1.6], "line-opacity": 0.8, ...paintOf(info, "line"), "line-color": line },
    } as AddLayerObject,
    {
      id: `tiles-${info.key}-label`, type: "symbol", ...base,
      layout: { "text-field": ["coalesce", ["get", "name"], ""], "text-font": LABEL_FONT, "text-size": 12, "text-max-width": 8, "text-padding": 6 },
      paint: { "text-color": cssToken("--area-label"), "text-halo-color": cssToken("--map-casing"), "text-halo-width": 1.4 },
    },
  ];
}

function lineLayers(info: LayerInfo, base: { source: string; "source-layer": string }): AddLayerObject[] {
  return [
    {
      id: `tiles-${info.key}-line`, type: "line", ...base,
      paint: { "line-width": 2, ...paintOf(info, "line"), "line-color": colorOf(info, "line") },
    } as AddLayerObject,
  ];
}

export function layersFor(info: LayerInfo): AddLayerObject[] {
  const base = { source: sourceId(info.key), "source-layer": info.key };
  if (info.geometry === "polygon") return areaLayers(info, base);
  if (info.geometry === "line") return lineLayers(info, base);
  return pointLayers(info, base);
}

export function tileUrl(info: LayerInfo, query: Record<string, string> = {}): string {
  const tail = new URLSearchParams(query).toString();
  return location.origin + info.url + (tail ? `?${tail}` : "");
}

export function showTileLayer(map: GlMap, info: LayerInfo, beforeId: string | undefined): void {
  const existing = map.getSource<VectorTileSource>(sourceId(info.key));
  if (existing) {
    existing.setTiles([tileUrl(info)]);
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

