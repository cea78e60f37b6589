/** Brings the page's state onto the map: queue, units, layers, focus area, route. */
import type { Map as GlMap } from "maplibre-gl";
import { watch, watchEffect } from "vue";
import { getArea } from "@shared/api/areas";
import { getRoute } from "@shared/api/dispatches";
import { boxOf } from "@shared/format/geo";
import { hideTileLayer, showTileLayer } from "@shared/map/tile_layers";
import { incidentPicture } from "@shared/map/pictures";
import type { LivePoint } from "@shared/map/live_source";
import { showError } from "@shared/ui/errors";
import { classIconKey, className } from "@shared/vocab";
import { filters } from "../state/filters";
import { queue } from "../state/incidents";
import { isOn, tileLayersOn } from "../state/layers";
import { mapShapes } from "../state/map_shapes";
import { nearCameras } from "../state/near_cameras";
import { routeUnitId, selectedId } from "../state/selection";
import { units } from "../state/units";
import { fitBox, reveal } from "./camera";
import { type Overlays, setLine, setSelected, setShapes, setVisible, TILES_BELOW } from "./overlays";

function incidentPoints(): LivePoint[] {
  return queue.value.flatMap((item) =>
    item.located && item.lon !== null && item.lat !== null
      ? [{
          id: item.id, lon: item.lon, lat: item.lat,
          props: { severity: item.severity, picture: incidentPicture(classIconKey(item.class_key), item.severity, item.status), label: className(item.class_key) },
        }]
      : [],
  );
}

function unitPoints(): LivePoint[] {
  return [...units.value.values()].flatMap((unit) =>
    unit.lon !== null && unit.lat !== null && unit.status !== "off_duty"
      ? [{ id: unit.id, lon: unit.lon, lat: unit.lat, props: { mode: unit.mode, status: unit.status, call_sign: unit.call_sign } }]
      : [],
  );
}

const asFeature = (geometry: GeoJSON.Geometry, properties = {}): GeoJSON.Feature => ({ type: "Feature", geometry, properties });

export function feedOverlays(map: GlMap, overlays: Overlays): { afterStyle(): void } {
  let shown = new Set<string>();
  let focus: GeoJSON.Feature | null = null;
  let route: GeoJSON.Feature | null = null;

  function syncTiles(): void {
    if (!map.getLayer(TILES_BELOW)) return;
    const wanted = new Set(tileLayersOn.value.map((layer) => layer.key));
    for (const key of shown) if (!wanted.has(key)) hideTileLayer(map, key);
    for (const layer of tileLayersOn.value) showTileLayer(map, layer, TILES_BELOW);
    shown = wanted;
  }

  function syncLive(): void {
    setVisible(map, "units", isOn("live:units"));
    setVisible(map, "incidents", isOn("live:incidents"));
    setSelected(map, selectedId.value);
  }

  watchEffect(() => overlays.incidents.set(incidentPoints()));
  watchEffect(() => overlays.units.set(unitPoints()));
  watchEffect(() => overlays.cameras.set(nearCameras.value.map((camera) => ({ id: camera.id, lon: camera.lon, lat: camera.lat, props: { name: camera.name } }))));
  watch(mapShapes, (shapes) => setShapes(map, shapes));
  watch(tileLayersOn, syncTiles);
  watch([() => isOn("live:units"), () => isOn("live:incidents"), selectedId], syncLive);

  // After the panels have moved: they decide how much of the map can be seen.
  watch(selectedId, (id) => {
    const item = id ? queue.value.find((one) => one.id === id) : undefined;
    if (item?.lon != null && item.lat != null) reveal(item.lon, item.lat);
  }, { flush: "post" });

  watch(() => filters.area, async (id) => {
    const area = id ? await getArea(id).catch(() => null) : null;
    focus = area?.geometry ? asFeature(area.geometry) : null;
    setLine(map, "focus-area", focus);
  }, { immediate: true });

  watch([selectedId, routeUnitId], async ([incident, unit], _before, onCleanup) => {
    const abort = new AbortController();
    onCleanup(() => abort.abort());
    route = null;
    if (incident && unit) {
      try {
        const found = await getRoute(incident, unit, abort.signal);
        route = asFeature(found.geometry, { method: found.method });
        if (!abort.signal.aborted) fitBox(boxOf(found.geometry.coordinates), 16.5);
      } catch (error) {
        showError(error);
      }
    }
    if (!abort.signal.aborted) setLine(map, "route", route);
  });

  return {
    afterStyle() {
      shown = new Set();
      syncTiles();
      syncLive();
      setLine(map, "focus-area", focus);
      setLine(map, "route", route);
      setShapes(map, mapShapes.value);
    },
  };
}
