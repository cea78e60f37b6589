/** The cry for help: held to send, five seconds to take it back, and plain words about whether anybody has it. */
import { useStorage } from "@vueuse/core";
import { computed } from "vue";
import { sayMistake } from "@shared/api/patrol";
import { t } from "@shared/i18n";
import { showError } from "@shared/ui/errors";
import { toast } from "@shared/ui/toasts";
import { currentPlace, here } from "./positions";
import { discard, enqueue, findEntry, heard, revise, waiting } from "./queue";
import { refresh, state } from "./store";

export const HOLD_MS = 2_000;
export const UNDO_MS = 5_000;
const PLACE_PATIENCE_MS = 4_000;

/** On this phone and not through. */
export const sosEntry = computed(() => waiting.value.find(({ action }) => action.kind === "sos") ?? null);
export const sosPlace = computed(() => (sosEntry.value?.action.kind === "sos" ? sosEntry.value.action.place : null));
/** It was tried and no server answered. */
export const isSosStuck = computed(() => sosEntry.value !== null && sosEntry.value.attempts > 0 && !heard.value);

/** The call that the server has, until the officer has put its panel away. */
const closed = useStorage("gridmap.patrol.sos_closed", "");
export const sosCall = computed(() => (state.value?.sos && state.value.sos.id !== closed.value ? state.value.sos : null));
export const isSosShown = computed(() => sosEntry.value !== null || sosCall.value !== null);

/** Written down at once, so that it goes out even if the phone is torn from the hand. */
export async function callForHelp(): Promise<void> {
  if (sosEntry.value) return;
  const id = await enqueue({ kind: "sos", place: here.value }, UNDO_MS);
  if (here.value) return;
  const place = await currentPlace(PLACE_PATIENCE_MS);
  const left = (findEntry(id)?.holdUntil ?? 0) - Date.now();
  if (place && left > 0) await revise(id, { kind: "sos", place }, left);
}

export async function undoCall(): Promise<void> {
  if (!sosEntry.value) return;
  await discard(sosEntry.value);
  toast({ tone: "info", text: t("sos.undone") });
}

export function closeSos(): void {
  closed.value = state.value?.sos?.id ?? "";
}

/** Tells the desk that it was a mistake; the alarm stands until a seat has taken note. */
export async function sayItWasAMistake(): Promise<void> {
  try {
    await sayMistake();
    await refresh();
  } catch (error) {
    showError(error);
  }
}
