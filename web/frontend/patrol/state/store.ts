/** The phone's picture of the world: fetched whole, refetched when the feed speaks, kept while there is no line. */
import { computed, ref, shallowRef, watch } from "vue";
import { useIntervalFn, useStorage } from "@vueuse/core";
import { getPatrolState, markSeen, type PatrolState } from "@shared/api/patrol";
import { me } from "@shared/auth/session";
import { nowMs } from "@shared/format/now";
import { onLive } from "@shared/live/client";
import { waiting } from "./queue";
import { dutyAfter } from "./queue_plan";
import { ring, stopRinging } from "./ringing";

const POLL_MS = 10_000;

const remembered = useStorage<{ account: string; state: PatrolState } | null>("gridmap.patrol.state", null, localStorage, {
  serializer: { read: (text) => (text ? JSON.parse(text) : null), write: (value) => JSON.stringify(value) },
});
export const state = shallowRef<PatrolState | null>(null);
export const loadedAt = ref(0);
export const loadFailed = ref(false);

export const duty = computed(() => dutyAfter(state.value, waiting.value));
export const onDuty = computed(() => duty.value === "on");
export const onBreak = computed(() => duty.value === "break");

/** Offers that are open and not answered yet on this phone. */
export const offers = computed(() => {
  const answered = new Set(waiting.value.flatMap(({ action }) => (action.kind === "step" ? [action.dispatchId] : [])));
  return (state.value?.offers ?? []).filter((offer) => Date.parse(offer.expires_at) > nowMs.value && !answered.has(offer.dispatch_id));
});
/** The offer that was taken on this phone while the server has not heard of it. */
export const accepting = computed(() => {
  const taken = waiting.value.find(({ action }) => action.kind === "step" && action.verb === "accept");
  if (taken?.action.kind !== "step") return null;
  const id = taken.action.dispatchId;
  return state.value?.offers.find((offer) => offer.dispatch_id === id) ?? null;
});
export const jobs = computed(() => state.value?.jobs ?? []);
const chosenJob = ref<string | null>(null);
export const job = computed(() => jobs.value.find((item) => item.id === chosenJob.value) ?? jobs.value[0] ?? null);
export function showNextJob(): void {
  const at = jobs.value.findIndex((item) => item.id === job.value?.id);
  chosenJob.value = jobs.value[(at + 1) % jobs.value.length]?.id ?? null;
}
/** Questions after the officer's welfare that are not answered on this phone. */
export const questions = computed(() => {
  const answered = new Set(waiting.value.flatMap(({ action }) => (action.kind === "answer" ? [action.questionId] : [])));
  const open = state.value?.question;
  return open && !answered.has(open.id) ? [open] : [];
});

let loading: Promise<void> | null = null;
let following: Promise<void> | null = null;

async function load(): Promise<void> {
  try {
    const next = await getPatrolState();
    state.value = next;
    loadedAt.value = Date.now();
    loadFailed.value = false;
    remembered.value = { account: me.value?.account.id ?? "", state: next };
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

/** Nothing of the account stays on a phone that is handed on; what was not sent waits for its owner. */
export function forgetState(): void {
  remembered.value = null;
  state.value = null;
}

const seen = new Set<string>();
const unseen = computed(() => [...offers.value.map((offer) => offer.dispatch_id), ...questions.value.map((question) => question.id)].filter((id) => !seen.has(id)));

/** A finger on a page that is in sight: what it shows was seen, and it need not ring on. */
function touched(): void {
  if (document.visibilityState !== "visible") return;
  stopRinging();
  const fresh = offers.value.map((offer) => offer.dispatch_id).filter((id) => !seen.has(id));
  for (const id of unseen.value) seen.add(id);
  if (fresh.length > 0) void markSeen(fresh).catch(() => fresh.forEach((id) => seen.delete(id)));
}

export function startState(): void {
  const before = remembered.value;
  if (before && before.account === me.value?.account.id) state.value = before.state;
  onLive("dispatch", () => void refresh());
  onLive("incident", () => void refresh());
  onLive("unit", () => void refresh());
  onLive("resync", () => void refresh());
  useIntervalFn(() => void refresh(), POLL_MS);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void refresh());
  document.addEventListener("pointerdown", touched, { capture: true });
  watch(() => unseen.value.join(), (now, before) => {
    if (now === "") stopRinging();
    else if (now !== before) ring();
  });
  void refresh();
}
