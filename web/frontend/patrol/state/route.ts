/** The way to the scene, asked for anew while the unit moves and kept for when there is no line. */
import { useIntervalFn, useStorage } from "@vueuse/core";
import { computed, watch } from "vue";
import { getRoute, type Route } from "@shared/api/dispatches";
import { statusAfter } from "./queue_plan";
import { waiting } from "./queue";
import { job, state } from "./store";

const AGAIN_MS = 30_000;

const kept = useStorage<{ incidentId: string; foundAt: number; route: Route } | null>("gridmap.patrol.route", null, localStorage, {
  serializer: { read: (text) => (text ? JSON.parse(text) : null), write: (value) => JSON.stringify(value) },
});
const isUnderWay = computed(() => job.value !== null && ["accepted", "en_route"].includes(statusAfter(job.value, waiting.value)));
export const way = computed(() => (isUnderWay.value && kept.value?.incidentId === job.value?.incident.id ? kept.value : null));

async function find(): Promise<void> {
  const incidentId = job.value?.incident.id;
  const unit = state.value?.unit.id;
  if (!incidentId || !unit || !isUnderWay.value) return;
  const route = await getRoute(incidentId, unit).catch(() => null);
  if (route && job.value?.incident.id === incidentId) kept.value = { incidentId, foundAt: Date.now(), route };
}

export function startRoute(): void {
  watch([() => job.value?.incident.id, isUnderWay], () => {
    // The place of a job that is over does not stay on the phone.
    if (state.value && kept.value && kept.value.incidentId !== job.value?.incident.id) kept.value = null;
    void find();
  }, { immediate: true });
  useIntervalFn(() => document.visibilityState === "visible" && void find(), AGAIN_MS);
}
