import { useIntervalFn } from "@vueuse/core";
import { computed, ref } from "vue";
import { serverSkewMs } from "../api/client";

const tick = ref(Date.now());
useIntervalFn(() => (tick.value = Date.now()), 1000);

/** The server's time in milliseconds, moving once a second; one timer for the whole page. */
export const nowMs = computed(() => tick.value + serverSkewMs.value);
