/** New critical incidents: told by sound and a banner that no filter hides, until somebody looks. */
import { computed, shallowReactive, watch } from "vue";
import type { IncidentSummary } from "@shared/api/incidents";
import { selectedId } from "./selection";
import { playUrgent } from "./sound";
import { newsAmong, waitsForASeat } from "./urgent_rules";

const unseen = shallowReactive(new Map<string, IncidentSummary>());
export const urgent = computed(() => [...unseen.values()]);
const told = new Set<string>();

/** `kinds`: what happened to it since it was told last. */
export function noteIncident(item: IncidentSummary, kinds: readonly string[]): void {
  const waiting = waitsForASeat(item);
  if (unseen.has(item.id)) {
    if (waiting) unseen.set(item.id, item);
    else unseen.delete(item.id);
    return;
  }
  const fresh = newsAmong(kinds).filter((kind) => !told.has(`${item.id}:${kind}`));
  if (!waiting || fresh.length === 0) return;
  for (const kind of fresh) told.add(`${item.id}:${kind}`);
  unseen.set(item.id, item);
  playUrgent(item.drill);
}

export function markSeen(id: string): void {
  unseen.delete(id);
}

watch(selectedId, (id) => id && unseen.delete(id));
