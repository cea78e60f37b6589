/** What a click on the map means: a place that was asked for, an incident, a unit, a camera, a bundle to open. */
import type { Map as GlMap, MapGeoJSONFeature, MapMouseEvent } from "maplibre-gl";
import { clickableIds } from "@shared/map/tile_layers";
import { openReport } from "../state/report_form";
import { cardSubject, select } from "../state/selection";
import { takePick } from "./pick";
import { sketch } from "./sketch";

/** Half the side of the square that counts as hit, in pixels: small dots stay easy to catch. */
const REACH_PX = 6;

function layersAt(map: GlMap): string[] {
  const ids = ["incidents", "units", "units-dot", "near-cameras", ...clickableIds(map, "cameras"), ...clickableIds(map, "incidents")];
  return ids.filter((id) => map.getLayer(id));
}

function hitAt(map: GlMap, event: MapMouseEvent): MapGeoJSONFeature | undefined {
  const { x, y } = event.point;
  const box: [[number, number], [number, number]] = [[x - REACH_PX, y - REACH_PX], [x + REACH_PX, y + REACH_PX]];
  const rank = (feature: MapGeoJSONFeature) => (feature.layer.id === "incidents" ? 0 : feature.layer.id.startsWith("units") ? 1 : 2);
  return map.queryRenderedFeatures(box, { layers: layersAt(map) }).sort((a, b) => rank(a) - rank(b))[0];
}

function open(map: GlMap, feature: MapGeoJSONFeature, event: MapMouseEvent): void {
  const id = String(feature.properties.id ?? feature.id ?? "");
  const [lon, lat] = feature.geometry.type === "Point" ? (feature.geometry.coordinates as [number, number]) : event.lngLat.toArray();
  const isThinned = Boolean(feature.properties.thinned);
  if (feature.layer.id === "incidents" || (feature.layer.id.startsWith("tiles-incidents") && !isThinned)) select(id);
  else if (feature.layer.id.startsWith("units")) cardSubject.value = { kind: "unit", id, lon, lat };
  else if (isThinned) map.easeTo({ center: [lon, lat], zoom: map.getZoom() + 2 });
  else cardSubject.value = { kind: "camera", id, lon, lat };
}

export function listenToClicks(map: GlMap, takeSketch: (event: MapMouseEvent) => boolean): void {
  map.on("click", (event) => {
    if (takeSketch(event) || takePick(event)) return;
    const feature = hitAt(map, event);
    if (feature) open(map, feature, event);
    else cardSubject.value = null;
  });
  map.on("contextmenu", (event) => !sketch.value && openReport({ place: { lon: event.lngLat.lng, lat: event.lngLat.lat } }));
  map.on("mousemove", (event) => {
    const canvas = map.getCanvas();
    if (canvas.style.cursor === "crosshair") return;
    canvas.style.cursor = hitAt(map, event) ? "pointer" : "";
  });
}
