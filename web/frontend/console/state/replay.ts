/** The replay that runs, if any: the map then shows that time and not now. */
import { ref, shallowRef } from "vue";
import { getReplay, type Replay } from "@shared/api/replay";

export const replay = shallowRef<Replay | null>(null);
export const replayAt_ms = ref(0);

export async function startReplay(incidentId: string, reason: string): Promise<void> {
  const found = await getReplay(incidentId, reason);
  replayAt_ms.value = Date.parse(found.since);
  replay.value = found;
}
export function stopReplay(): void {
  replay.value = null;
}
