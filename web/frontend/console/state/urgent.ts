/** New critical incidents: told by sound and a banner that no filter hides, until somebody looks. */
import { computed, shallowReactive, watch } from "vue";
import type { IncidentSummary } from "@shared/api/incidents";
import { selectedId } from "./selection";
import { playUrgent } from "./sound";

const unseen = shallowReactive(new Map<string, IncidentSummary>());
export const urgent = computed(() => [...unseen.values()]);
const told = new Set<string>();

export function noteIncident(item: IncidentSummary, kind: string): void {
  const waiting = item.severity === 1 && !item.handler && item.status === "open";
  if (unseen.has(item.id)) {
    if (waiting) unseen.set(item.id, item);
    else unseen.delete(item.id);
    return;
  }
  const news = kind === "reported" || kind === "reclassified" || kind === "reopened";
  if (!waiting || !news || told.has(`${item.id}:${kind}`)) return;
  told.add(`${item.id}:${kind}`);
  unseen.set(item.id, item);
  playUrgent(item.drill);
}

export function markSeen(id: string): void {
  unseen.delete(id);
}

watch(selectedId, (id) => id && unseen.delete(id));
