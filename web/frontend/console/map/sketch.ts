/** Drawing a line or an area on the map: click for corners, drag them, Enter to finish, and every step can be taken back. */
import type { GeoJSONSource, Map as GlMap, MapMouseEvent } from "maplibre-gl";
import { computed, shallowRef, watch } from "vue";
import { cssToken } from "@shared/theme/read";
import { addCorner, type Corner, emptyPath, faultOf, moveCorner, redo, type SketchKind, type SketchPath, toGeometry, undo } from "./sketch_path";

interface Sketch {
  kind: SketchKind;
  path: SketchPath;
  /** Finished: corners can still be dragged, clicks add none. */
  closed: boolean;
}

const current = shallowRef<Sketch | null>(null);
export const sketch = computed(() => current.value);
export const sketchFault = computed(() => (current.value ? faultOf(current.value.kind, current.value.path.corners) : null));
export const sketchGeometry = computed(() =>
  current.value && !sketchFault.value ? toGeometry(current.value.kind, current.value.path.corners) : null,
);

export function startSketch(kind: SketchKind): void {
  current.value = { kind, path: emptyPath, closed: false };
}
export function stopSketch(): void {
  current.value = null;
}
function edit(work: (path: SketchPath) => SketchPath, closed = current.value?.closed ?? false): void {
  if (current.value) current.value = { ...current.value, path: work(current.value.path), closed };
}
export const undoSketch = () => edit(undo, false);
export const redoSketch = () => edit(redo);
export function closeSketch(): void {
  if (current.value && !sketchFault.value) edit((path) => path, true);
}
/** For a hand at the keyboard: the map is moved with the arrow keys and a corner set at its middle. */
export function addCornerAtCentre(map: GlMap, offset_px: readonly [number, number]): void {
  const { clientWidth, clientHeight } = map.getContainer();
  const at = map.unproject([clientWidth / 2 + offset_px[0], clientHeight / 2 + offset_px[1]]);
  edit((path) => addCorner(path, [at.lng, at.lat]));
}

const SOURCE = "sketch";
const REACH_PX = 9;

export function installSketch(map: GlMap): void {
  map.addSource(SOURCE, { type: "geojson", data: featuresOf(null) });
  const color = cssToken("--focus");
  map.addLayer({ id: "sketch-fill", type: "fill", source: SOURCE, filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": color, "fill-opacity": 0.18 } });
  map.addLayer({ id: "sketch-casing", type: "line", source: SOURCE, filter: ["!=", ["geometry-type"], "Point"], paint: { "line-color": cssToken("--map-casing"), "line-width": 6 } });
  map.addLayer({ id: "sketch-line", type: "line", source: SOURCE, filter: ["!=", ["geometry-type"], "Point"], paint: { "line-color": color, "line-width": 2.5, "line-dasharray": [3, 1.5] } });
  map.addLayer({
    id: "sketch-corners", type: "circle", source: SOURCE, filter: ["==", ["geometry-type"], "Point"],
    paint: { "circle-radius": 6, "circle-color": cssToken("--surface-1"), "circle-stroke-color": color, "circle-stroke-width": 2.5 },
  });
}

function featuresOf(hover: Corner | null): GeoJSON.FeatureCollection {
  const now = current.value;
  if (!now) return { type: "FeatureCollection", features: [] };
  const corners = now.path.corners;
  const shown = hover && !now.closed ? [...corners, hover] : corners;
  const asFeature = (geometry: GeoJSON.Geometry): GeoJSON.Feature => ({ type: "Feature", geometry, properties: {} });
  const features = corners.map((corner) => asFeature({ type: "Point", coordinates: [...corner] }));
  if (shown.length >= 3 && now.kind === "polygon") features.unshift(asFeature(toGeometry("polygon", shown)));
  else if (shown.length >= 2) features.unshift(asFeature(toGeometry("line", shown)));
  return { type: "FeatureCollection", features };
}

function cornerAt(map: GlMap, event: MapMouseEvent): number {
  const corners = current.value?.path.corners ?? [];
  return corners.findIndex((corner) => {
    const at = map.project([corner[0], corner[1]]);
    return Math.hypot(at.x - event.point.x, at.y - event.point.y) <= REACH_PX;
  });
}

/** Hands over the map's mouse while something is drawn; returns whether a click was taken. */
export function followSketch(map: GlMap): (event: MapMouseEvent) => boolean {
  let hover: Corner | null = null;
  let dragged: number | null = null;
  const show = () => void map.getSource<GeoJSONSource>(SOURCE)?.setData(featuresOf(hover));
  watch(current, (now, before) => {
    if (!now) hover = dragged = null;
    if (Boolean(now) !== Boolean(before)) {
      map.getCanvas().style.cursor = now ? "crosshair" : "";
      if (now) map.doubleClickZoom.disable();
      else map.doubleClickZoom.enable();
    }
    show();
  });
  map.on("mousemove", (event) => {
    if (!current.value) return;
    const at: Corner = [event.lngLat.lng, event.lngLat.lat];
    if (dragged !== null) {
      const index = dragged;
      const corners = current.value.path.corners.map((corner, i) => (i === index ? at : corner));
      current.value = { ...current.value, path: { ...current.value.path, corners } };
    } else {
      hover = at;
      show();
    }
  });
  let grabbed: Corner | null = null;
  map.on("mousedown", (event) => {
    if (!current.value) return;
    const index = cornerAt(map, event);
    if (index < 0) return;
    event.preventDefault();
    dragged = index;
    grabbed = current.value.path.corners[index]!;
  });
  map.on("mouseup", (event) => {
    if (dragged === null || !current.value || !grabbed) return;
    const [index, from] = [dragged, grabbed];
    dragged = grabbed = null;
    // One step to take back, from where the corner was grabbed.
    const before = { ...current.value.path, corners: current.value.path.corners.map((corner, i) => (i === index ? from : corner)) };
    const moved = Math.hypot(from[0] - event.lngLat.lng, from[1] - event.lngLat.lat) > 1e-7;
    current.value = { ...current.value, path: moved ? moveCorner(before, index, [event.lngLat.lng, event.lngLat.lat]) : before };
  });
  map.on("dblclick", (event) => {
    if (!current.value) return;
    event.preventDefault();
    closeSketch();
  });
  return (event) => {
    const now = current.value;
    if (!now) return false;
    const hit = cornerAt(map, event);
    if (hit === 0 && now.kind === "polygon" && now.path.corners.length >= 3) closeSketch();
    else if (hit < 0 && !now.closed) edit((path) => addCorner(path, [event.lngLat.lng, event.lngLat.lat]));
    return true;
  };
}
