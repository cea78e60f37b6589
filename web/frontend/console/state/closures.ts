/** Closed roads: one list, asked again when the map's layer of them moves. */
import { effectScope, ref, shallowRef } from "vue";
import { type Closure, listClosures } from "@shared/api/closures";
import { onLive } from "@shared/live/client";

export const closures = shallowRef<Closure[]>([]);
export const closuresFailed = ref(false);
/** True while the form to draw one stands over the map. */
export const closing = ref(false);

export async function reloadClosures(): Promise<void> {
  try {
    closures.value = (await listClosures()).items;
    closuresFailed.value = false;
  } catch {
    closuresFailed.value = true;
  }
}

export function startClosures(): void {
  effectScope(true).run(() => {
    onLive("closure", () => void reloadClosures());
    onLive("resync", () => void reloadClosures());
  });
  void reloadClosures();
}
