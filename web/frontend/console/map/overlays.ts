/** The live layers above the tiles: areas in focus, route, units, incidents. Order here is order on the map. */
import type { GeoJSONSource, Map as GlMap } from "maplibre-gl";
import { LABEL_FONT } from "@shared/map/create";
import { LiveSource } from "@shared/map/live_source";
import { cssToken } from "@shared/theme/read";

/** Tile layers go below this one. */
export const TILES_BELOW = "focus-area-line";
const EMPTY: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

export interface Overlays {
  incidents: LiveSource;
  units: LiveSource;
  cameras: LiveSource;
}

export function createOverlays(map: GlMap): Overlays {
  return {
    incidents: new LiveSource(map, "incidents"),
    units: new LiveSource(map, "units"),
    cameras: new LiveSource(map, "near-cameras"),
  };
}

function installFocusArea(map: GlMap): void {
  map.addSource("focus-area", { type: "geojson", data: EMPTY });
  map.addLayer({ id: TILES_BELOW, type: "line", source: "focus-area", paint: { "line-color": cssToken("--accent"), "line-width": 2.5 } });
}

/** Rings, fences, a replay: each shape brings its own colour. */
function installShapes(map: GlMap): void {
  map.addSource("shapes", { type: "geojson", data: EMPTY });
  map.addLayer({ id: "shapes-fill", type: "fill", source: "shapes", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": ["get", "color"], "fill-opacity": ["coalesce", ["get", "fill"], 0] } });
  map.addLayer({ id: "shapes-line", type: "line", source: "shapes", filter: ["!=", ["geometry-type"], "Point"], paint: { "line-color": ["get", "color"], "line-width": ["coalesce", ["get", "width"], 2] } });
}

/** Points of shapes and their names, above everything that is drawn as an area. */
function installShapePoints(map: GlMap): void {
  map.addLayer({
    id: "shapes-point", type: "circle", source: "shapes", filter: ["==", ["geometry-type"], "Point"],
    paint: { "circle-radius": 7, "circle-color": ["get", "color"], "circle-stroke-width": 2, "circle-stroke-color": cssToken("--map-casing") },
  });
  map.addLayer({
    id: "shapes-label", type: "symbol", source: "shapes", filter: ["has", "label"],
    layout: { "text-field": ["get", "label"], "text-font": LABEL_FONT, "text-size": 13, "text-anchor": "bottom", "text-offset": [0, -0.8], "text-allow-overlap": true },
    paint: { "text-color": cssToken("--text-1"), "text-halo-color": cssToken("--map-casing"), "text-halo-width": 2 },
  });
}

export function setShapes(map: GlMap, features: GeoJSON.Feature[]): void {
  void map.getSource<GeoJSONSource>("shapes")?.setData({ type: "FeatureCollection", features });
}

function installRoute(map: GlMap): void {
  map.addSource("route", { type: "geojson", data: EMPTY });
  const layout = { "line-cap": "round", "line-join": "round" } as const;
  map.addLayer({ id: "route-casing", type: "line", source: "route", layout, paint: { "line-color": cssToken("--map-casing"), "line-width": 8 } });
  map.addLayer({
    id: "route-line", type: "line", source: "route", layout,
    paint: { "line-color": cssToken("--route"), "line-width": 4.5 },
    filter: ["==", ["get", "method"], "road"],
  });
  map.addLayer({
    id: "route-air", type: "line", source: "route",
    paint: { "line-color": cssToken("--route"), "line-width": 3, "line-dasharray": [2, 2] },
    filter: ["!=", ["get", "method"], "road"],
  });
}

function installCameras(map: GlMap, source: LiveSource): void {
  source.install();
  map.addLayer({
    id: "near-cameras", type: "circle", source: source.id,
    paint: { "circle-radius": 5, "circle-color": cssToken("--info"), "circle-stroke-width": 2, "circle-stroke-color": cssToken("--map-casing") },
  });
}

function installUnits(map: GlMap, source: LiveSource): void {
  source.install();
  const color = ["match", ["get", "status"], "free", cssToken("--unit-free"), "busy", cssToken("--unit-busy"), cssToken("--unit-break")];
  map.addLayer({
    id: "units-dot", type: "circle", source: source.id, maxzoom: 14,
    paint: {
      "circle-radius": ["interpolate", ["linear"], ["zoom"], 9, 2, 13, 4],
      "circle-color": color as never,
      "circle-stroke-width": 1,
      "circle-stroke-color": cssToken("--map-casing"),
    },
  });
  map.addLayer({
    id: "units", type: "symbol", source: source.id, minzoom: 14,
    layout: {
      "icon-image": ["concat", "unit|", ["get", "mode"], "|", ["get", "status"]],
      "icon-allow-overlap": true,
      "text-field": ["step", ["zoom"], "", 15.5, ["get", "call_sign"]],
      "text-font": LABEL_FONT,
      "text-size": 11,
      "text-anchor": "top",
      "text-offset": [0, 1.2],
      "text-optional": true,
    },
    paint: { "text-color": cssToken("--text-1"), "text-halo-color": cssToken("--map-casing"), "text-halo-width": 1.5 },
  });
}

function installIncidents(map: GlMap, source: LiveSource): void {
  source.install();
  map.addLayer({
    id: "incident-halo", type: "circle", source: source.id, filter: ["==", ["get", "id"], ""],
    paint: { "circle-radius": 26, "circle-color": cssToken("--focus"), "circle-opacity": 0.25, "circle-stroke-color": cssToken("--focus"), "circle-stroke-width": 2.5 },
  });
  map.addLayer({
    id: "incidents", type: "symbol", source: source.id,
    layout: {
      "icon-image": ["get", "picture"],
      "icon-size": ["interpolate", ["linear"], ["zoom"], 9, 0.5, 12, 0.7, 15, 1],
      "icon-allow-overlap": true,
      "icon-ignore-placement": true,
      // Later is on top: the most severe one is never hidden below another.
      "symbol-sort-key": ["-", 5, ["get", "severity"]],
      "symbol-z-order": "source",
    },
  });
  map.addLayer({
    id: "incident-labels", type: "symbol", source: source.id, minzoom: 14.5,
    layout: { "text-field": ["get", "label"], "text-font": LABEL_FONT, "text-size": 12, "text-anchor": "left", "text-offset": [1.6, 0], "text-max-width": 12 },
    paint: { "text-color": cssToken("--text-1"), "text-halo-color": cssToken("--map-casing"), "text-halo-width": 1.6 },
  });
}

/** Puts everything onto a freshly loaded style (a theme or language switch replaces the style). */
export function installOverlays(map: GlMap, overlays: Overlays): void {
  installFocusArea(map);
  installShapes(map);
  installRoute(map);
  installCameras(map, overlays.cameras);
  installUnits(map, overlays.units);
  installIncidents(map, overlays.incidents);
  installShapePoints(map);
}

export function setLine(map: GlMap, source: "route" | "focus-area", data: GeoJSON.Feature | null): void {
  void map.getSource<GeoJSONSource>(source)?.setData(data ?? EMPTY);
}

export function setSelected(map: GlMap, id: string | null): void {
  if (map.getLayer("incident-halo")) map.setFilter("incident-halo", ["==", ["get", "id"], id ?? ""]);
}

const PARTS: Record<string, string[]> = {
  units: ["units-dot", "units"],
  incidents: ["incidents", "incident-labels"],
};

export function setVisible(map: GlMap, key: "units" | "incidents", on: boolean): void {
  for (const id of PARTS[key]!) if (map.getLayer(id)) map.setLayoutProperty(id, "visibility", on ? "visible" : "none");
}
