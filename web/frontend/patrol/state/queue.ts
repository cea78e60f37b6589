/** Sends the queue, each line one at a time; what is refused waits for the officer, what is not heard is tried again. */
import { computed, ref, shallowRef } from "vue";
import { ApiError } from "@shared/api/client";
import { me } from "@shared/auth/session";
import { conflictsOf, type Lane, nextEntry, nextHoldMs } from "./queue_plan";
import { judge, waitMs } from "./queue_rules";
import { type Action, addEntry, dropEntries, type Entry, listEntries, saveEntry } from "./queue_store";
import { send, verbOf } from "./send";

const entries = shallowRef<Entry[]>([]);
/** What was tapped and is not through, refusals apart. */
export const waiting = computed(() => entries.value.filter((entry) => !entry.refusal));
export const conflicts = computed(() => conflictsOf(entries.value));
/** False after a try that no server answered. */
export const heard = ref(true);
/** What waits was read from the disk: before that an empty list means nothing. */
export const queueRead = ref(false);

interface Line {
  busy: boolean;
  timer?: ReturnType<typeof setTimeout>;
}
const LANES: readonly Lane[] = ["urgent", "main"];
const lines: Record<Lane, Line> = { urgent: { busy: false }, main: { busy: false } };
/** Another tab is sending: look again. */
const OTHER_TAB_MS = 5_000;
let afterSend: () => Promise<void> = async () => {};

const account = () => me.value?.account.id ?? "";

async function reload(): Promise<void> {
  entries.value = await listEntries(account());
  queueRead.value = true;
}

/** Writes the action down first, then tries to send it; with `holdMs` not before that time, so that it can be undone. */
export async function enqueue(action: Action, holdMs?: number): Promise<number> {
  const id = await addEntry(account(), action, holdMs === undefined ? undefined : Date.now() + holdMs);
  await reload();
  void flush();
  return id;
}

export function findEntry(id: number): Entry | undefined {
  return entries.value.find((entry) => entry.id === id);
}

/** Takes entries out of the line for good. */
export async function discard(...dropped: (Entry | number)[]): Promise<void> {
  const ids = dropped.map((item) => (typeof item === "number" ? item : item.id));
  await dropEntries(ids.filter((id) => id !== undefined));
  await reload();
  void flush();
}

/** Changes an entry that is not on its way yet, and lets it go at once unless it is held on. */
export async function revise(id: number, action: Action, holdMs = 0): Promise<void> {
  const entry = findEntry(id);
  if (!entry) return;
  await saveEntry({ ...entry, action, holdUntil: Date.now() + holdMs, attempts: 0, refusal: null });
  await reload();
  void flush();
}

/** Puts a refused entry back in line, as it was. */
export async function retry(entry: Entry): Promise<void> {
  await saveEntry({ ...entry, attempts: 0, refusal: null });
  await reload();
  void flush();
}

async function sendOne(lane: Lane, entry: Entry): Promise<boolean> {
  try {
    if (!entry.sent) await send(entry);
    heard.value = true;
  } catch (error) {
    const verdict = judge(verbOf(entry.action), entry.attempts, error);
    heard.value = !(error instanceof ApiError) || error.status !== 0;
    if (verdict === "wait") {
      const attempts = entry.attempts + 1;
      await saveEntry({ ...entry, attempts });
      lines[lane].timer = setTimeout(() => void flushLane(lane), waitMs(attempts));
      return false;
    }
    if (verdict === "refused") {
      const { status, code, params } = error instanceof ApiError ? error : new ApiError(500, "unexpected");
      await saveEntry({ ...entry, refusal: { status, code, params } });
      // What happened meanwhile is shown beside the refusal.
      void afterSend();
      return true;
    }
  }
  // Dropped only when the page knows the outcome: between the two the step would seem undone, and a form that is
  // being filled in would vanish.
  await saveEntry({ ...entry, sent: true });
  await afterSend();
  if (entry.id !== undefined) await dropEntries([entry.id]);
  return true;
}

async function drain(lane: Lane): Promise<void> {
  for (;;) {
    await reload();
    const next = nextEntry(entries.value, lane, Date.now());
    if (!next) break;
    if (!(await sendOne(lane, next))) return;
  }
  const hold = nextHoldMs(entries.value, Date.now());
  if (hold !== null) lines[lane].timer = setTimeout(() => void flushLane(lane), hold + 20);
}

/** Two tabs of one officer share a line: whoever has the lock sends. */
async function alone(lane: Lane, work: () => Promise<void>): Promise<void> {
  if (!navigator.locks) return work();
  await navigator.locks.request(`gridmap-queue-${lane}`, { ifAvailable: true }, async (lock) => {
    if (lock) await work();
    else lines[lane].timer = setTimeout(() => void flushLane(lane), OTHER_TAB_MS);
  });
}

async function flushLane(lane: Lane): Promise<void> {
  const line = lines[lane];
  if (line.busy) return;
  line.busy = true;
  clearTimeout(line.timer);
  try {
    await alone(lane, () => drain(lane));
  } finally {
    line.busy = false;
    await reload();
  }
}

/** Sends what waits, oldest first. Calls made while it runs join it. */
export async function flush(): Promise<void> {
  await Promise.all(LANES.map(flushLane));
}

/** Starts the lines: what an earlier run of the page left is sent first. */
export function startQueue(onSent: () => Promise<void>): void {
  afterSend = onSent;
  addEventListener("online", () => void flush());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void flush());
  void flush();
}
