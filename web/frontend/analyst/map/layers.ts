/** The layers of risk above the base map: heat picture, coloured areas, hot spot outlines, the area in focus. */
import type { ExpressionSpecification, GeoJSONSource, Map as GlMap } from "maplibre-gl";
import { LABEL_FONT } from "@shared/map/create";
import { cssToken } from "@shared/theme/read";

const EMPTY: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };
export type Bounds = readonly [number, number, number, number];
export interface Picture {
  url: string;
  bounds: Bounds;
}

export function cornersOf([west, south, east, north]: Bounds): [[number, number], [number, number], [number, number], [number, number]] {
  return [[west, north], [east, north], [east, south], [west, south]];
}

export function installLayers(map: GlMap, colours: { key: string; color: string }[]): void {
  map.addSource("areas", { type: "geojson", data: EMPTY, promoteId: "area_id" });
  map.addSource("hot", { type: "geojson", data: EMPTY });
  const fill: ExpressionSpecification = ["match", ["get", "risk_level"], ...colours.flatMap((one) => [one.key, one.color]), "#888"] as unknown as ExpressionSpecification;
  map.addLayer({ id: "areas-fill", type: "fill", source: "areas", paint: { "fill-color": fill, "fill-opacity": 0.62 } });
  map.addLayer({ id: "areas-line", type: "line", source: "areas", paint: { "line-color": cssToken("--area-line"), "line-width": 1 } });
  map.addLayer({ id: "hot-casing", type: "line", source: "hot", paint: { "line-color": cssToken("--map-casing"), "line-width": 4 } });
  map.addLayer({ id: "hot-line", type: "line", source: "hot", paint: { "line-color": cssToken("--accent"), "line-width": 2 } });
  map.addLayer({ id: "picked", type: "line", source: "areas", filter: ["==", ["get", "area_id"], -1], paint: { "line-color": cssToken("--focus"), "line-width": 4 } });
  map.addLayer({
    id: "areas-name", type: "symbol", source: "areas", minzoom: 11.5,
    layout: { "text-field": ["get", "name"], "text-font": LABEL_FONT, "text-size": 12, "text-max-width": 8, "text-padding": 6 },
    paint: { "text-color": cssToken("--text-1"), "text-halo-color": cssToken("--map-casing"), "text-halo-width": 1.6 },
  });
}

/** The ground decides where the picture lies: its radius is in metres at every zoom. */
export function showPicture(map: GlMap, picture: Picture | null): void {
  const existing = map.getSource("heat");
  if (existing) {
    map.removeLayer("heat");
    map.removeSource("heat");
  }
  if (!picture) return;
  map.addSource("heat", { type: "image", url: new URL(picture.url, location.href).href, coordinates: cornersOf(picture.bounds) });
  map.addLayer({ id: "heat", type: "raster", source: "heat", paint: { "raster-opacity": 0.85, "raster-fade-duration": 0 } }, "areas-fill");
}

export function setData(map: GlMap, source: "areas" | "hot", data: GeoJSON.FeatureCollection | GeoJSON.Feature | null | undefined): void {
  void map.getSource<GeoJSONSource>(source)?.setData(data ?? EMPTY);
}

export function setShown(map: GlMap, layer: string, on: boolean): void {
  if (map.getLayer(layer)) map.setLayoutProperty(layer, "visibility", on ? "visible" : "none");
}
