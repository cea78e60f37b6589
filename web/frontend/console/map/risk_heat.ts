/** Lays the risk heat under the live layers. It lies on the ground, so its radius is in metres at every zoom. */
import type { Map as GlMap } from "maplibre-gl";
import { watch } from "vue";
import { heats, riskHeatOn, startRiskHeat } from "../state/risk_heat";
import { TILES_BELOW } from "./overlays";

export function followRiskHeat(map: GlMap): { afterStyle(): void } {
  let shown: string[] = [];
  function sync(): void {
    if (!map.getLayer(TILES_BELOW)) return;
    for (const id of shown) {
      if (map.getLayer(id)) map.removeLayer(id);
      if (map.getSource(id)) map.removeSource(id);
    }
    shown = [];
    if (!riskHeatOn.value) return;
    for (const heat of heats.value) {
      const [west, south, east, north] = heat.bounds;
      const id = `risk-heat-${heat.run.area_id}`;
      map.addSource(id, { type: "image", url: location.origin + heat.url, coordinates: [[west, north], [east, north], [east, south], [west, south]] });
      map.addLayer({ id, type: "raster", source: id, paint: { "raster-opacity": 0.7, "raster-fade-duration": 0 } }, TILES_BELOW);
      shown.push(id);
    }
  }
  watch([riskHeatOn, heats], sync);
  startRiskHeat();
  return {
    afterStyle() {
      shown = [];
      sync();
    },
  };
}
