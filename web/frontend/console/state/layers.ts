/** Which layers there are, and which of them the operator switched on; remembered per browser. */
import { useStorage, useThrottleFn } from "@vueuse/core";
import { computed, effectScope, shallowRef } from "vue";
import { type LayerInfo, listLayers } from "@shared/api/layers";
import { onLive } from "@shared/live/client";

export const layers = shallowRef<LayerInfo[]>([]);
export const layersFailed = shallowRef(false);
const switched = useStorage<Record<string, boolean>>("gridmap.layers", {});

export const isOn = (key: string) => switched.value[key] ?? layers.value.find((layer) => layer.key === key)?.default_on ?? true;
export const toggleLayer = (key: string) => (switched.value = { ...switched.value, [key]: !isOn(key) });
export const tileLayersOn = computed(() => layers.value.filter((layer) => layer.kind === "tile" && isOn(layer.key)));

export async function reloadLayers(): Promise<void> {
  try {
    layers.value = (await listLayers()).items;
    layersFailed.value = false;
  } catch {
    layersFailed.value = true;
  }
}

/** History moves with every report; nobody watches it by the second. */
const soon = useThrottleFn(() => void reloadLayers(), 5_000, true);

export function startLayers(): void {
  effectScope(true).run(() => {
    // The version stands in the tile address: the list is asked again rather than guessed.
    onLive("layer_changed", soon);
    onLive("resync", () => void reloadLayers());
  });
  void reloadLayers();
}
