/** Forms that are being filled in, written to the phone's disk at every change: a dead battery costs nothing. */
import { onScopeDispose, shallowRef, type ShallowRef, watch } from "vue";
import { me } from "@shared/auth/session";
import { store } from "./queue_store";

const KEPT_MS = 36 * 3600 * 1000;

export async function dropDraft(key: string): Promise<void> {
  await (await store()).delete("drafts", key);
}

export async function saveDraft(key: string, value: unknown): Promise<void> {
  await (await store()).put("drafts", { key, account: me.value?.account.id ?? "", value, savedAt: Date.now() });
}

/** What an earlier run of the page left in the form, unless it was another officer's. */
export async function readDraft<T>(key: string): Promise<T | undefined> {
  const found = await (await store()).get("drafts", key);
  return found && found.account === (me.value?.account.id ?? "") ? (found.value as T) : undefined;
}

/** Throws away drafts of jobs long gone. */
export async function sweepDrafts(): Promise<void> {
  const db = await store();
  for (const draft of await db.getAll("drafts")) if (Date.now() - draft.savedAt > KEPT_MS) await db.delete("drafts", draft.key);
}

/**
 * A value that is kept under `key` while the form is open. `ready` is false until the disk was asked, so that an empty
 * form never overwrites what was kept.
 */
export function useDraft<T extends object>(key: string, initial: T): { value: ShallowRef<T>; ready: ShallowRef<boolean>; clear: () => Promise<void> } {
  const value = shallowRef(initial) as ShallowRef<T>;
  const ready = shallowRef(false);
  let writing = Promise.resolve();
  let isOpen = true;
  void readDraft<T>(key).then((kept) => {
    if (kept) value.value = { ...initial, ...kept };
    ready.value = true;
  });
  const stop = watch(value, (next) => {
    if (ready.value && isOpen) writing = writing.then(() => saveDraft(key, next));
  });
  onScopeDispose(stop);
  const clear = async () => {
    isOpen = false;
    await writing;
    await dropDraft(key);
  };
  return { value, ready, clear };
}
