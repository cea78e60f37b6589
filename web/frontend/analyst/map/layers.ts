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
  map.addSource("names", { type: "geojson", data: EMPTY });
  map.addSource("spot", { type: "geojson", data: EMPTY });
  map.addLayer({ id: "spot", type: "circle", source: "spot", paint: { "circle-radius": 9, "circle-color": "transparent", "circle-stroke-color": cssToken("--focus"), "circle-stroke-width": 4 } });
  map.addLayer({
    id: "areas-name", type: "symbol", source: "names", minzoom: 11.5,
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

/** West, south, east, north of everything that is drawn; null where nothing is. */
export function boundsOf(areas: GeoJSON.FeatureCollection | undefined): Bounds | null {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  const take = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    const [lon, lat] = part as unknown[];
    if (typeof lon !== "number" || typeof lat !== "number") return part.forEach(take);
    box[0] = Math.min(box[0], lon);
    box[1] = Math.min(box[1], lat);
    box[2] = Math.max(box[2], lon);
    box[3] = Math.max(box[3], lat);
  };
  for (const { geometry } of areas?.features ?? []) if ("coordinates" in geometry) take(geometry.coordinates);
  return box[0] <= box[2] ? box : null;
}

/** One name an area: of a polygon, each tile that it reaches into would be given one. */
export function namesOf(rows: readonly { name: string; lon: number; lat: number }[]): GeoJSON.FeatureCollection {
  return { type: "FeatureCollection", features: rows.map(({ name, lon, lat }) => ({ type: "Feature", properties: { name }, geometry: { type: "Point", coordinates: [lon, lat] } })) };
}

export const pointAt = (at: [lon: number, lat: number] | null): GeoJSON.Feature | null => at && { type: "Feature", properties: {}, geometry: { type: "Point", coordinates: at } };

export function setData(map: GlMap, source: "areas" | "hot" | "spot" | "names", data: GeoJSON.FeatureCollection | GeoJSON.Feature | null | undefined): void {
  void map.getSource<GeoJSONSource>(source)?.setData(data ?? EMPTY);
}

export function setShown(map: GlMap, layer: string, on: boolean): void {
  if (map.getLayer(layer)) map.setLayoutProperty(layer, "visibility", on ? "visible" : "none");
}
