/** The incidents in view: loaded by filter, kept fresh by the live feed. One list for the queue and the map. */
import { computed, effectScope, ref, shallowReactive, watch } from "vue";
import { ApiError, serverSkewMs } from "@shared/api/client";
import { getIncident, type IncidentSummary, listIncidents } from "@shared/api/incidents";
import { onLive } from "@shared/live/client";
import type { IncidentEvent } from "@shared/live/events";
import { queries } from "@shared/page";
import { ACTIVE_STATUSES, filters, matches, toQuery } from "./filters";
import { orderQueue } from "./order";
import { noteIncident } from "./urgent";

const PAGE = 500;
const CAP = 2000;
/** More changes than this at once: one list is cheaper than many single reads. */
const BURST = 12;

const items = shallowReactive(new Map<string, IncidentSummary>());
export const queue = computed(() => orderQueue(items.values()));
/** Active critical cases, whatever the filters hide. */
const criticalById = shallowReactive(new Map<string, IncidentSummary>());
export const critical = computed(() => orderQueue(criticalById.values()));
export const total = ref(0);
/** Words were looked for from then on only. */
export const wordsSince = ref<string | null>(null);
export const loading = ref(true);
export const failed = ref(false);

const now = () => Date.now() + serverSkewMs.value;

let loads = 0;
export async function reload(): Promise<void> {
  const mine = ++loads;
  loading.value = true;
  try {
    const found: IncidentSummary[] = [];
    let cursor: string | null = null;
    do {
      const page = await listIncidents({ ...toQuery(filters, now()), limit: PAGE, cursor });
      if (mine !== loads) return;
      found.push(...page.items);
      total.value = page.total;
      wordsSince.value = page.words_since ?? null;
      cursor = page.next;
    } while (cursor && found.length < CAP);
    const kept = new Set(found.map((item) => item.id));
    for (const id of [...items.keys()]) if (!kept.has(id)) items.delete(id);
    for (const item of found) items.set(item.id, item);
    failed.value = false;
  } catch (error) {
    if (mine === loads) failed.value = true;
    if (!(error instanceof ApiError)) throw error;
  } finally {
    if (mine === loads) loading.value = false;
  }
}

async function reloadCritical(): Promise<void> {
  try {
    const { items: found } = await listIncidents({ status: ACTIVE_STATUSES, severity: [1], limit: 100 });
    criticalById.clear();
    for (const item of found) criticalById.set(item.id, item);
  } catch {
    // The connection badge says it; the next event or resync tries again.
  }
}

function noteCritical(item: IncidentSummary): void {
  if (item.severity === 1 && item.status !== "closed") criticalById.set(item.id, item);
  else criticalById.delete(item.id);
}

/** Takes over what a reply already told, without waiting for the feed. */
export function absorb(item: IncidentSummary, path: string | null = null): void {
  noteCritical(item);
  const known = items.has(item.id);
  if (matches(filters, item, path, now())) items.set(item.id, item);
  else items.delete(item.id);
  if (items.has(item.id) !== known) total.value += known ? -1 : 1;
}

/** The newest event of each case, and the kinds of all since the last flush: a report and the plan that it starts come as one. */
const pending = new Map<string, { event: IncidentEvent; kinds: string[] }>();
let timer: ReturnType<typeof setTimeout> | undefined;

async function flush(): Promise<void> {
  timer = undefined;
  const batch = [...pending.values()];
  pending.clear();
  const single = batch.length > BURST ? batch.filter(({ event }) => event.severity === 1) : batch;
  if (batch.length > BURST) await reload();
  // Critical ones are always read one by one: each must ring, whatever the filters hide.
  await Promise.all(single.map(({ event, kinds }) => refresh(event, kinds)));
}

/** After a gap in the feed: what came meanwhile rings now. */
async function catchUp(): Promise<void> {
  const known = new Set(items.keys());
  await Promise.all([reload(), reloadCritical()]);
  for (const item of items.values()) if (!known.has(item.id)) noteIncident(item, ["reported"]);
}

async function refresh(event: IncidentEvent, kinds: readonly string[]): Promise<void> {
  try {
    const detail = await getIncident(event.id);
    queries.setQueryData(["incident", event.id], detail);
    absorb(detail, event.path);
    noteIncident(detail, kinds);
  } catch (error) {
    // Moved out of what this account may see.
    if (error instanceof ApiError && (error.status === 404 || error.status === 403)) {
      items.delete(event.id);
      criticalById.delete(event.id);
    }
  }
}

function take(event: IncidentEvent): void {
  if (event.gone || event.status === "closed" || event.severity !== 1) criticalById.delete(event.id);
  if (event.gone) {
    if (items.delete(event.id)) total.value -= 1;
    pending.delete(event.id);
    return;
  }
  pending.set(event.id, { event, kinds: [...(pending.get(event.id)?.kinds ?? []), event.kind] });
  timer ??= setTimeout(() => void flush(), 120);
}

export function findIncident(id: string): IncidentSummary | undefined {
  return items.get(id) ?? criticalById.get(id);
}

/** Starts loading and listening; called once by the page. */
export function startIncidents(): void {
  effectScope(true).run(() => {
    watch(filters, () => void reload());
    onLive("incident", take);
    onLive("dispatch", (event) => void queries.invalidateQueries({ queryKey: ["incident", event.incident_id] }));
    onLive("resync", () => {
      void catchUp();
      void queries.invalidateQueries();
    });
  });
  void reload();
  void reloadCritical();
}
