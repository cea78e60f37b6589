/** Keeps the screen on while on duty: a dark phone's page neither rings nor sends its place. */
import { computed, watch } from "vue";
import { useStorage, useWakeLock } from "@vueuse/core";
import { onDuty } from "./store";

export const keepAwake = useStorage("gridmap.patrol.awake", true);
const lock = useWakeLock();
export const canKeepAwake = lock.isSupported;
export const isKeptAwake = lock.isActive;
const wanted = computed(() => keepAwake.value && onDuty.value);

export function startAwake(): void {
  watch(
    wanted,
    (on) => {
      // Refused on a nearly empty battery: the page says so by `isKeptAwake`.
      if (on && canKeepAwake.value) void lock.request("screen").catch(() => undefined);
      else if (!on) void lock.release().catch(() => undefined);
    },
    { immediate: true },
  );
}
