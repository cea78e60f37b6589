import { useIntervalFn } from "@vueuse/core";
import { computed, effectScope, ref, shallowRef } from "vue";
import { acknowledgeAlarm, type Alarm, listAlarms } from "@shared/api/alarms";
import { onLive } from "@shared/live/client";
import { showError } from "@shared/ui/errors";
import { playAlarm, playDanger } from "./sound";

const list = shallowRef<Alarm[]>([]);
export const alarms = computed(() => list.value.filter((alarm) => alarm.status === "raised"));
/** Somebody may be in danger or cannot go on: these stand over the map until a seat takes them, and ring again. */
const LOUD = ["sos", "need_help", "silence", "entry_blocked"];
export const loudAlarms = computed(() =>
  alarms.value.filter((alarm) => LOUD.includes(alarm.kind)).sort((a, b) => LOUD.indexOf(a.kind) - LOUD.indexOf(b.kind) || (a.raised_at < b.raised_at ? -1 : 1)),
);
/** One line a cry for help: its copy to the officer's own township is the same cry, and taken with it. */
export interface Loud {
  first: Alarm;
  ids: string[];
}
export const loudCries = computed<Loud[]>(() => {
  const cries = new Map<string, Loud>();
  for (const alarm of loudAlarms.value) {
    const key = String(alarm.params.sos_id ?? alarm.id);
    const known = cries.get(key);
    if (known) known.ids.push(alarm.id);
    else cries.set(key, { first: alarm, ids: [alarm.id] });
  }
  return [...cries.values()];
});
const RING_AGAIN_MS = 10_000;
export const alarmsFailed = ref(false);

export async function reloadAlarms(): Promise<void> {
  try {
    list.value = (await listAlarms()).items;
    alarmsFailed.value = false;
  } catch {
    alarmsFailed.value = true;
  }
}

/** Whose it is; a copy for a level that was skipped names the unit among its parameters only. */
export function alarmUnit(alarm: Alarm): string | null {
  const told = alarm.params.unit_id;
  return alarm.unit_id ?? (typeof told === "string" ? told : null);
}

/** Where it was raised, if the alarm says so. */
export const alarmPlace = (alarm: Alarm): { lon: number; lat: number } | null => {
  const { lon, lat } = alarm.params as { lon?: unknown; lat?: unknown };
  return typeof lon === "number" && typeof lat === "number" ? { lon, lat } : null;
};

export async function acknowledge(...ids: string[]): Promise<void> {
  try {
    await Promise.all(ids.map(acknowledgeAlarm));
    list.value = list.value.filter((alarm) => !ids.includes(alarm.id));
  } catch (error) {
    showError(error);
    await reloadAlarms();
  }
}

/** A storm raises dozens at once: one list and one tone answer them all. */
const GATHER_MS = 200;
const heard = new Set<string>();
let soon: ReturnType<typeof setTimeout> | undefined;

async function takeHeard(): Promise<void> {
  soon = undefined;
  const ids = new Set(heard);
  heard.clear();
  const before = new Set(alarms.value.map((alarm) => alarm.id));
  await reloadAlarms();
  const fresh = (alarm: Alarm) => ids.has(alarm.id) && !before.has(alarm.id);
  if (loudAlarms.value.some(fresh)) playDanger();
  else if (alarms.value.some(fresh)) playAlarm();
}

export function startAlarms(): void {
  effectScope(true).run(() => {
    onLive("alarm", (event) => {
      heard.add(event.id);
      soon ??= setTimeout(() => void takeHeard(), GATHER_MS);
    });
    onLive("resync", () => void reloadAlarms());
    useIntervalFn(() => {
      if (loudAlarms.value.some((alarm) => alarm.kind === "sos")) playDanger();
      else if (loudAlarms.value.length) playAlarm();
    }, RING_AGAIN_MS);
  });
  void reloadAlarms();
}
