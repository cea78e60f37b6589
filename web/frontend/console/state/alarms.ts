import { computed, effectScope, ref, shallowRef } from "vue";
import { acknowledgeAlarm, type Alarm, listAlarms } from "@shared/api/alarms";
import { onLive } from "@shared/live/client";
import { showError } from "@shared/ui/errors";
import { playAlarm } from "./sound";

const list = shallowRef<Alarm[]>([]);
export const alarms = computed(() => list.value.filter((alarm) => alarm.status === "raised"));
export const alarmsFailed = ref(false);

export async function reloadAlarms(): Promise<void> {
  try {
    list.value = (await listAlarms()).items;
    alarmsFailed.value = false;
  } catch {
    alarmsFailed.value = true;
  }
}

export async function acknowledge(id: string): Promise<void> {
  try {
    await acknowledgeAlarm(id);
    list.value = list.value.filter((alarm) => alarm.id !== id);
  } catch (error) {
    showError(error);
    await reloadAlarms();
  }
}

export function startAlarms(): void {
  effectScope(true).run(() => {
    onLive("alarm", async (event) => {
      const before = new Set(alarms.value.map((alarm) => alarm.id));
      await reloadAlarms();
      if (!before.has(event.id) && alarms.value.some((alarm) => alarm.id === event.id)) playAlarm();
    });
    onLive("resync", () => void reloadAlarms());
  });
  void reloadAlarms();
}
