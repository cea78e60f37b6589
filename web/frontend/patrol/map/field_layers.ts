/** What the phone draws over the base map: the officer, the scene or the offer's circle, and the way. */
import type { LngLatBoundsLike, Map as GlMap } from "maplibre-gl";
import { cssToken } from "@shared/theme/read";

export function pointAt(lon: number, lat: number): GeoJSON.Feature<GeoJSON.Point> {
  return { type: "Feature", geometry: { type: "Point", coordinates: [lon, lat] }, properties: {} };
}

const METRES_PER_DEGREE = 111_320;
const CORNERS = 64;

/** A ring of `radius_m` metres on the ground, good to a few decimetres at the size of an offer. */
export function circleAround(circle: { lon: number; lat: number; radius_m: number }): GeoJSON.Feature<GeoJSON.Polygon> {
  const ring: [number, number][] = [];
  const shrink = Math.cos((circle.lat * Math.PI) / 180);
  for (let corner = 0; corner <= CORNERS; corner += 1) {
    const angle = (corner / CORNERS) * 2 * Math.PI;
    ring.push([
      circle.lon + (circle.radius_m * Math.cos(angle)) / (METRES_PER_DEGREE * shrink),
      circle.lat + (circle.radius_m * Math.sin(angle)) / METRES_PER_DEGREE,
    ]);
  }
  return { type: "Feature", geometry: { type: "Polygon", coordinates: [ring] }, properties: {} };
}

export function boundsOf(places: readonly [number, number][]): LngLatBoundsLike | null {
  if (places.length === 0) return null;
  const lons = places.map(([lon]) => lon);
  const lats = places.map(([, lat]) => lat);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

export function installFieldLayers(map: GlMap): void {
  const empty: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };
  for (const source of ["field-circle", "field-way", "field-scene", "field-me"]) {
    map.addSource(source, { type: "geojson", data: empty });
  }
  const route = cssToken("--route");
  const scene = cssToken("--sev-1-fill");
  const mine = cssToken("--accent");
  const casing = cssToken("--map-casing");
  map.addLayer({ id: "field-circle", type: "fill", source: "field-circle", paint: { "fill-color": scene, "fill-opacity": 0.18 } });
  map.addLayer({ id: "field-ring", type: "line", source: "field-circle", paint: { "line-color": scene, "line-width": 3 } });
  map.addLayer({ id: "field-way-casing", type: "line", source: "field-way", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": casing, "line-width": 10 } });
  map.addLayer({ id: "field-way", type: "line", source: "field-way", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": route, "line-width": 6 } });
  map.addLayer({ id: "field-scene", type: "circle", source: "field-scene", paint: { "circle-radius": 13, "circle-color": scene, "circle-stroke-color": casing, "circle-stroke-width": 4 } });
  map.addLayer({ id: "field-me", type: "circle", source: "field-me", paint: { "circle-radius": 10, "circle-color": mine, "circle-stroke-color": casing, "circle-stroke-width": 4 } });
}
