/** The line of fixes that the server does not have yet: on the phone's disk, sent oldest first in batches. */
import { ref } from "vue";
import { ApiError } from "@shared/api/client";
import { sendFixes, type SentFix } from "@shared/api/patrol";
import { me } from "@shared/auth/session";
import { store } from "./queue_store";

/** About two hours of fixes without a line; beyond it the oldest go first. */
const MOST_KEPT = 1_500;
const MOST_A_REQUEST = 200;
/** A fix of an earlier shift is of no use to anybody. */
const KEPT_MS = 12 * 3600 * 1000;

export const fixesWaiting = ref(0);
/** When the server last took a fix, in this phone's milliseconds. */
export const acceptedAt = ref<number | null>(null);

const account = () => me.value?.account.id ?? "";

/** Puts a fix in line. */
export async function keepFix(fix: SentFix): Promise<void> {
  const db = await store();
  await db.add("fixes", { account: account(), fix });
  fixesWaiting.value = await db.count("fixes");
  if (fixesWaiting.value > MOST_KEPT) await dropOldest(fixesWaiting.value - MOST_KEPT);
}

async function dropOldest(many: number): Promise<void> {
  const write = (await store()).transaction("fixes", "readwrite");
  let cursor = await write.store.openCursor();
  for (let dropped = 0; cursor && dropped < many; dropped += 1) {
    await cursor.delete();
    cursor = await cursor.continue();
  }
  await write.done;
  fixesWaiting.value -= many;
}

async function dropThrough(last: number): Promise<void> {
  const db = await store();
  await db.delete("fixes", IDBKeyRange.upperBound(last));
  fixesWaiting.value = await db.count("fixes");
}

/** Fixes that belong to nobody who is on duty here now. */
export async function forgetFixes(): Promise<void> {
  await (await store()).clear("fixes");
  fixesWaiting.value = 0;
}

let sending: Promise<boolean> | null = null;

/** Sends what waits. False when the line broke off. Calls made while it runs join it. */
export function sendKeptFixes(): Promise<boolean> {
  sending ??= sendAll().finally(() => (sending = null));
  return sending;
}

async function sendAll(): Promise<boolean> {
  for (;;) {
    const kept = await (await store()).getAll("fixes", null, MOST_A_REQUEST);
    const last = kept.at(-1)?.id;
    if (last === undefined) return true;
    const own = kept.filter((row) => row.account === account() && Date.now() - Date.parse(row.fix.fixed_at) < KEPT_MS);
    try {
      const receipt = own.length > 0 ? await sendFixes(own.map((row) => row.fix)) : null;
      if (receipt && receipt.accepted > 0) acceptedAt.value = Date.now();
    } catch (error) {
      if (!isFinal(error)) return false;
    }
    await dropThrough(last);
  }
}

/** A refusal of the whole batch will not change by repeating it; silence may. */
function isFinal(error: unknown): boolean {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && ![401, 408, 429].includes(error.status);
}
