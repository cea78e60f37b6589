/** The phone's picture of the world: fetched whole, refetched when the feed speaks, kept while there is no line. */
import { computed, ref, shallowRef } from "vue";
import { useIntervalFn, useStorage } from "@vueuse/core";
import { getPatrolState, markSeen, type PatrolState } from "@shared/api/patrol";
import { me } from "@shared/auth/session";
import { nowMs } from "@shared/format/now";
import { onLive } from "@shared/live/client";
import { ring, stopRinging } from "./ringing";

const POLL_MS = 10_000;

const remembered = useStorage<{ account: string; state: PatrolState } | null>("gridmap.patrol.state", null, localStorage, {
  serializer: { read: (text) => (text ? JSON.parse(text) : null), write: (value) => JSON.stringify(value) },
});
export const state = shallowRef<PatrolState | null>(null);
export const loadedAt = ref(0);
export const loadFailed = ref(false);

export const offers = computed(() => (state.value?.offers ?? []).filter((offer) => Date.parse(offer.expires_at) > nowMs.value));
export const job = computed(() => state.value?.jobs[0] ?? null);
export const onDuty = computed(() => state.value?.duty.on === true && state.value.unit.status !== "break");
export const onBreak = computed(() => state.value?.unit.status === "break");

let loading: Promise<void> | null = null;
let following: Promise<void> | null = null;

async function load(): Promise<void> {
  try {
    const next = await getPatrolState();
    state.value = next;
    loadedAt.value = Date.now();
    loadFailed.value = false;
    remembered.value = { account: me.value?.account.id ?? "", state: next };
    announce(next);
  } catch {
    loadFailed.value = true;
  }
}

/** Fetches the state; a call during a fetch makes one more fetch afterwards, so that no change is missed. */
export function refresh(): Promise<void> {
  if (!loading) {
    loading = load().finally(() => (loading = null));
    return loading;
  }
  // What is under way may have been asked before the change: only a fetch that begins now is sure to show it.
  following ??= loading.then(() => {
    following = null;
    return refresh();
  });
  return following;
}

const seen = new Set<string>();
function announce(next: PatrolState): void {
  const fresh = next.offers.filter((offer) => !seen.has(offer.dispatch_id));
  if (fresh.length > 0 && document.visibilityState === "visible") {
    for (const offer of fresh) seen.add(offer.dispatch_id);
    void markSeen(fresh.map((offer) => offer.dispatch_id)).catch(() => fresh.forEach((offer) => seen.delete(offer.dispatch_id)));
  }
  if (fresh.length > 0) ring();
  if (next.offers.length === 0) stopRinging();
}

export function startState(): void {
  const before = remembered.value;
  if (before && before.account === me.value?.account.id) state.value = before.state;
  onLive("dispatch", () => void refresh());
  onLive("incident", () => void refresh());
  onLive("resync", () => void refresh());
  useIntervalFn(() => void refresh(), POLL_MS);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void refresh());
  void refresh();
}
