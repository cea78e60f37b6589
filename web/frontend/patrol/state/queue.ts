/** Sends the queue in order, one at a time; what is refused waits for the officer, what is not heard is tried again. */
import { computed, ref, shallowRef } from "vue";
import { ApiError } from "@shared/api/client";
import { actOnDispatch } from "@shared/api/dispatches";
import { setDuty, uploadPhoto } from "@shared/api/patrol";
import { createReport } from "@shared/api/reports";
import { me } from "@shared/auth/session";
import { judge, waitMs } from "./queue_rules";
import { type Action, addEntry, dropEntry, type Entry, listEntries, saveEntry } from "./queue_store";

const entries = shallowRef<Entry[]>([]);
export const waiting = computed(() => entries.value.filter((entry) => !entry.refusal));
export const refused = computed(() => entries.value.filter((entry) => entry.refusal));
/** False after a try that no server answered. */
export const heard = ref(true);

let sending = false;
let timer: ReturnType<typeof setTimeout> | undefined;
let afterSend: () => Promise<void> = async () => {};

const account = () => me.value?.account.id ?? "";

async function reload(): Promise<void> {
  entries.value = await listEntries(account());
}

/** Writes the action down first, then tries to send it. */
export async function enqueue(action: Action): Promise<void> {
  await addEntry(account(), action);
  await reload();
  void flush();
}

export async function discard(entry: Entry): Promise<void> {
  if (entry.id !== undefined) await dropEntry(entry.id);
  await reload();
}

/** Puts a refused entry back in line, changed or as it was. */
export async function retry(entry: Entry, action: Action = entry.action): Promise<void> {
  await saveEntry({ ...entry, action, attempts: 0, refusal: null });
  await reload();
  void flush();
}

function verbOf(action: Action): string {
  return action.kind === "step" ? action.verb : action.kind === "result" ? "done" : action.kind;
}

async function send(entry: Entry): Promise<void> {
  const { action } = entry;
  if (action.kind === "duty") await setDuty(action.action);
  else if (action.kind === "report") await createReport(action.report);
  else if (action.kind === "step") await actOnDispatch(action.dispatchId, action.verb, action.reason ? { reason: action.reason } : {});
  else {
    // Each photo that arrived is noted at once, so that a cut line does not send it twice.
    while (action.photoIds.length < action.photos.length) {
      const photo = action.photos[action.photoIds.length];
      if (!photo) break;
      action.photoIds.push((await uploadPhoto(photo, action.incidentId)).id);
      await saveEntry(entry);
    }
    await actOnDispatch(action.dispatchId, "done", { code: action.code, note: action.note, photo_ids: action.photoIds });
  }
}

async function sendFirst(entry: Entry): Promise<boolean> {
  try {
    if (!entry.sent) await send(entry);
    heard.value = true;
  } catch (error) {
    const verdict = judge(verbOf(entry.action), entry.attempts, error);
    heard.value = !(error instanceof ApiError) || error.status !== 0;
    if (verdict === "wait") {
      const attempts = entry.attempts + 1;
      await saveEntry({ ...entry, attempts });
      timer = setTimeout(() => void flush(), waitMs(attempts));
      return false;
    }
    if (verdict === "refused") {
      const { code, params } = error as ApiError;
      await saveEntry({ ...entry, refusal: { code, params } });
      return true;
    }
  }
  // Dropped only when the page knows the outcome: between the two the step would seem undone, and a form that is
  // being filled in would vanish.
  await saveEntry({ ...entry, sent: true });
  await afterSend();
  if (entry.id !== undefined) await dropEntry(entry.id);
  return true;
}

/** Sends what waits, oldest first. Calls made while it runs join it. */
export async function flush(): Promise<void> {
  if (sending) return;
  sending = true;
  clearTimeout(timer);
  try {
    for (;;) {
      await reload();
      const first = waiting.value[0];
      if (!first || !(await sendFirst(first))) break;
    }
  } finally {
    sending = false;
    await reload();
  }
}

/** Starts the line: what an earlier run of the page left is sent first. */
export function startQueue(onSent: () => Promise<void>): void {
  afterSend = onSent;
  addEventListener("online", () => void flush());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void flush());
  void flush();
}
